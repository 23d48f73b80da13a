// What was written and not yet said: it waits for a connection, and for the room to repeat it.
//
// Invariant: a message is said once. One that was under way when the connection was lost is looked for in what was missed
// before it is said again.

import { element, uniqueId } from "./dom.js";

export class Outbox {
  #list;
  #say;
  #waiting = [];

  /** `say(message)` tries to send one; false when that is not possible now. */
  constructor(list, say) {
    this.#list = list;
    this.#say = say;
  }

  add(room, text) {
    this.#waiting.push({ id: uniqueId(), room, text, fate: "waiting" });
    this.flush();
  }

  /** Sends what waits, in the order of writing. */
  flush() {
    for (const message of this.#waiting) {
      if (message.fate === "waiting" && this.#say(message)) message.fate = "sent";
    }
    this.#show();
  }

  /** The room repeated a message: whether it is one of ours. A server of the first protocol names no request. */
  heard({ requestId, payload }, me) {
    const at = this.#waiting.findIndex((message) =>
      requestId === undefined
        ? payload.username === me && this.#isIt(message, payload) && message.fate === "sent"
        : message.id === requestId,
    );
    if (at >= 0) this.#drop(at);
  }

  /** The connection is gone: nobody knows what became of what was sent. */
  lost() {
    for (const message of this.#waiting) {
      if (message.fate === "sent") message.fate = "unknown";
    }
    this.#show();
  }

  /** Everything that was said meanwhile is known now: what is not among it was not said. */
  settle(room, said, me) {
    const own = said.filter(({ username }) => username === me);
    for (const message of this.#waiting.filter(({ fate, room: of }) => fate === "unknown" && of === room)) {
      const at = own.findIndex(({ text }) => text === message.text);
      if (at < 0) {
        message.fate = "waiting";
      } else {
        own.splice(at, 1);
        this.#drop(this.#waiting.indexOf(message));
      }
    }
    this.flush();
  }

  /** The server would not have it: whether it was one of ours. Without a name it is the first that has no answer. */
  refused(requestId, reason) {
    const message = this.#waiting.find(({ id, fate }) => (requestId === undefined ? fate === "sent" : id === requestId));
    if (!message) return false;
    message.fate = reason;
    this.#show();
    return true;
  }

  /** Shows what waits in another room. */
  show(room) {
    this.room = room;
    this.#show();
  }

  #isIt(message, payload) {
    return message.text === payload.text && message.room === payload.roomId;
  }

  #drop(at) {
    this.#waiting.splice(at, 1);
    this.#show();
  }

  #show() {
    const here = this.#waiting.filter(({ room }) => room === this.room);
    this.#list.hidden = here.length === 0;
    this.#list.replaceChildren(...here.map((message) => this.#item(message)));
  }

  #item(message) {
    const hasFailed = !["waiting", "sent", "unknown"].includes(message.fate);
    const item = element("li", hasFailed ? "message failed" : "message");
    item.append(element("div", "text", message.text));
    const fate = element("div", "fate", hasFailed ? message.fate : message.fate === "sent" ? "" : "Waiting for the connection");
    if (hasFailed) {
      fate.append(
        this.#button("Try again", () => {
          message.fate = "waiting";
          // As a new request: the answer to the old one was that it failed.
          message.id = uniqueId();
          this.flush();
        }),
        this.#button("Discard", () => this.#drop(this.#waiting.indexOf(message))),
      );
    }
    item.append(fate);
    return item;
  }

  #button(text, act) {
    const button = element("button", "quiet", text);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }
}
