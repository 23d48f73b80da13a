// Runs one script as a worker: hear the server, import the script, serve it, say so. PROTOCOL.md has the rules.
//
// Invariant: one of `ready` and `failed` is said, once, and nothing is served before the script was imported.
// Absent on purpose: time limits. The server has them all.

import { readFileSync } from "node:fs";

import { load } from "./app.mjs";
import { connect } from "./control.mjs";
import { explain } from "./explain.mjs";
import { Life } from "./life.mjs";

const start = JSON.parse(readFileSync(new URL("start.json", import.meta.url), "utf8"));
const life = new Life();
const control = await connect(start.control, (name) => life.notice(name, control));

try {
  const app = await load(start.entrypoint);
  const runtime = which();
  if (app.websocket && runtime !== "bun") {
    process.stderr.write(`[warn] websocket: these handlers are Bun's, and nobody calls them under ${runtime}\n`);
  }
  const { serve } = await import(`./serve-${runtime}.mjs`);
  await serve(start.http, app);
  life.of(app.hooks);
  control.send({ type: "ready" });
} catch (error) {
  await control.last({ type: "failed", reason: explain(error, start.appDir) });
  process.exit(1);
}

/** Which of the three this is: each can be told by a global that the other two do not have. */
function which() {
  if (globalThis.Bun) return "bun";
  return globalThis.Deno ? "deno" : "node";
}
