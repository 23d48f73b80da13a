// Serves an app on a unix socket with Bun, WebSockets included.

import { publicUrl } from "./public-url.mjs";

export function serve(path, app) {
  const options = {
    unix: path,
    idleTimeout: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    fetch: (request, server) => app.answer(publicUrl(request), server),
  };
  // Bun refuses the key without a value.
  if (app.websocket) options.websocket = app.websocket;
  Bun.serve(options).requestIP = clientOf;
}

/** A unix socket has no address at its other end; the server in front says last whom it heard. */
function clientOf(request) {
  const address = request.headers.get("x-forwarded-for")?.split(",").at(-1).trim();
  return address ? { address, family: address.includes(":") ? "IPv6" : "IPv4", port: 0 } : null;
}
