// A Response through Node's outgoing message.
//
// Invariant: what is at hand goes out in one write with its length; the rest as fast as the other side takes it, and no
// piece waits for the one after it.

import { setImmediate as turn } from "node:timers/promises";

const BODILESS = new Set([204, 304]);
/** A text comes in one piece; two more would do. */
const PIECES_AT_HAND_MAX = 4;

/** Sends it whole. A reader that went away cancels the body. */
export async function send(response, outgoing, signal) {
  const headers = headersOf(response.headers);
  if (!response.body || BODILESS.has(response.status)) {
    outgoing.writeHead(response.status, headers).end();
    return;
  }
  const reader = response.body.getReader();
  signal.addEventListener("abort", () => reader.cancel(signal.reason).catch(() => {}), { once: true });
  const { pieces, pending } = await atHand(reader);
  if (!pending && !response.headers.has("content-length")) {
    headers.push("content-length", String(pieces.reduce((sum, piece) => sum + piece.byteLength, 0)));
  }
  outgoing.writeHead(response.status, headers);
  if (outgoing.req.method === "HEAD") {
    await reader.cancel();
    outgoing.end();
    return;
  }
  for (const piece of pieces) await write(outgoing, piece, signal);
  for (let next = await pending; next && !next.done; next = await reader.read()) {
    await write(outgoing, next.value, signal);
  }
  outgoing.end();
}

/** Name, value, name, value: the only form in which Node takes many of one name and keeps their order. */
function headersOf(headers) {
  const flat = [];
  for (const [name, value] of headers) {
    if (name !== "set-cookie") flat.push(name, value);
  }
  for (const cookie of headers.getSetCookie()) flat.push("set-cookie", cookie);
  return flat;
}

/** The pieces that come without waiting, and the read that would wait, if there is one: a text is all at hand. */
async function atHand(reader) {
  const pieces = [];
  for (;;) {
    const pending = reader.read();
    const next = await Promise.race([pending, turn(null)]);
    if (!next) return { pieces, pending };
    if (next.done) return { pieces, pending: null };
    pieces.push(next.value);
    // Somebody who makes pieces without an end is to be slowed down by whoever reads them.
    if (pieces.length === PIECES_AT_HAND_MAX) return { pieces, pending: reader.read() };
  }
}

async function write(outgoing, piece, signal) {
  signal.throwIfAborted();
  if (outgoing.write(piece)) return;
  await new Promise((resolve, reject) => {
    const gone = () => reject(signal.reason);
    signal.addEventListener("abort", gone, { once: true });
    outgoing.once("drain", () => {
      signal.removeEventListener("abort", gone);
      resolve();
    });
  });
}
