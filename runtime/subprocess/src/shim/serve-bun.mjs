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
  Bun.serve(options);
}
