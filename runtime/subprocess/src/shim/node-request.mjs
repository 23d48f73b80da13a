// Node's incoming message as a Request.

import { Readable } from "node:stream";

import { schemeOf } from "./public-url.mjs";

const BODILESS = new Set(["GET", "HEAD"]);

/** @throws {TypeError} when it is nothing that a Request can be, such as the method TRACE. */
export function toRequest(incoming, signal) {
  const headers = new Headers();
  const raw = incoming.rawHeaders;
  // Node's own `headers` loses the second of two alike.
  for (let at = 0; at < raw.length; at += 2) headers.append(raw[at], raw[at + 1]);
  const init = { method: incoming.method, headers, signal };
  if (!BODILESS.has(incoming.method)) {
    init.body = Readable.toWeb(incoming);
    init.duplex = "half";
  }
  return new Request(urlOf(incoming, headers), init);
}

function urlOf(incoming, headers) {
  const scheme = schemeOf(headers);
  const host = headers.get("host");
  const base = host && URL.canParse(`${scheme}://${host}`) ? host : "localhost";
  // Not as a relative reference: a path that begins with two slashes would be taken for a host.
  return `${scheme}://${base}${incoming.url}`;
}
