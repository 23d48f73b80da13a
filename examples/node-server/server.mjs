// A plain Node server, started by the manifest's `command`. It is told where to listen by PORT, and where the world sees
// it by BASE_PATH; without them it runs by itself: `node server.mjs`.

import { createServer } from "node:http";

const PORT = Number(process.env.PORT ?? 3000);
const BASE_PATH = process.env.BASE_PATH ?? "";

let visits = 0;

const routes = {
  "GET /": (request, response) => {
    visits += 1;
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<p>Visit ${visits}. <a href="${BASE_PATH}/time">What time is it?</a></p>\n`);
  },
  "GET /time": (request, response) => json(response, { now: new Date().toISOString(), base: BASE_PATH }),
  // A body goes out as it comes in, whatever its size.
  "POST /echo": (request, response) => {
    response.setHeader("content-type", request.headers["content-type"] ?? "application/octet-stream");
    request.pipe(response);
  },
  // The server asks for it: while it is not answered, nobody is sent here.
  "GET /health": (request, response) => response.end("OK"),
};

const server = createServer((request, response) => {
  const [path] = request.url.split("?");
  const answer = routes[`${request.method} ${path}`];
  if (answer) return answer(request, response);
  response.statusCode = 404;
  json(response, { error: `there is nothing at ${path}` });
});

function json(response, value) {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

// Whoever hosts us says goodbye like this, and waits a little.
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

server.listen(PORT, "127.0.0.1", () => console.log(`listening on ${PORT}`));
