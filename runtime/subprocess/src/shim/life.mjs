// What the app is told of its life: that it is idle, and that it ends.
//
// Invariant: the app hears of its end once, whoever says it first, and the process ends with code 0 when it has done.
// Invariant: a hook that throws changes nothing but the log.

import { report } from "./explain.mjs";

export class Life {
  #hooks = {};
  #ends = false;

  constructor() {
    process.on("SIGTERM", () => this.#terminate());
    // A terminal's interrupt goes to the whole process group; ending us is the server's decision.
    process.on("SIGINT", () => {});
  }

  /** From now on these are called: `onIdle` and `onTerminate`, either may be absent. */
  of(hooks) {
    this.#hooks = hooks;
  }

  /** The server said something. */
  async notice(name, control) {
    if (name === "terminate") await this.#terminate();
    if (name === "idle") {
      await this.#call("onIdle");
      control.send({ type: "noticed", name });
    }
  }

  async #terminate() {
    if (this.#ends) return;
    this.#ends = true;
    await this.#call("onTerminate");
    process.exit(0);
  }

  async #call(name) {
    try {
      await this.#hooks[name]?.();
    } catch (error) {
      report(name, error);
    }
  }
}
