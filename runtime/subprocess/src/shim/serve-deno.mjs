// Serves an app on a unix socket with Deno. A WebSocket is the app's own affair, by `Deno.upgradeWebSocket(request)`.

import { publicUrl } from "./public-url.mjs";

export async function serve(path, app) {
  await new Promise((listening) => {
    const handler = (request, info) => app.answer(publicUrl(request), info);
    Deno.serve({ path, onListen: () => listening() }, handler);
  });
}
