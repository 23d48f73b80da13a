// Errors in words: for the server, for the log, and for the client.

import { inspect } from "node:util";

/** A line to the server holds at most 64 KiB, and a character may take six bytes in JSON. */
const REASON_CHARS_MAX = 8 * 1024;

/** What a client reads of an error that is not for it; the server says the same of a worker that died. */
const HIDDEN = "The app failed";

/** Thrown where the text alone says what is wrong and where; a stack would only show the shim. */
export class Unusable extends Error {}

/** Why the app cannot start: the message first, then the stack, with paths as they are below the app's folder. */
export function explain(error, appDir) {
  return reason(error).replaceAll(`file://${appDir}/`, "").replaceAll(`${appDir}/`, "");
}

function reason(error) {
  if (error instanceof Unusable) return error.message;
  if (isTypeScript(error)) {
    return (
      `Node ${process.versions.node} does not run TypeScript: use Node 22.6 or newer, ` +
      `or Bun or Deno (the manifest's "runtime"), or name a .js file as "entrypoint"`
    );
  }
  return text(error).slice(0, REASON_CHARS_MAX);
}

/** Writes what failed to the log. */
export function report(what, error) {
  process.stderr.write(`[error] ${what}: ${text(error)}\n`);
}

/** The answer to a request whose handler threw. */
export function failed(request, error) {
  const requestId = request.headers.get("x-request-id");
  const { pathname } = new URL(request.url);
  report(`request ${requestId}, ${request.method} ${pathname}`, error);
  const hidden = process.env.NODE_ENV === "production";
  const body = { error: hidden ? HIDDEN : message(error), code: "INTERNAL_SERVER_ERROR", requestId };
  return Response.json(body, { status: 500, headers: { "cache-control": "no-store" } });
}

function message(error) {
  return error instanceof Error ? error.message : String(error);
}

/** Message, stack and cause. */
function text(error) {
  // Bun's errors of what it cannot parse or find are no Errors, and have the place beside the text.
  const { message, position } = error ?? {};
  if (!position) return inspect(error);
  return `${message}\n    at ${position.file}:${position.line}:${position.column}: ${position.lineText}`;
}

function isTypeScript(error) {
  return error?.code === "ERR_UNKNOWN_FILE_EXTENSION" && /\.[mc]?tsx?"?\b/.test(error.message);
}
