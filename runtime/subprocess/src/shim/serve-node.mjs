// Serves an app on a unix socket with Node, whose HTTP server knows neither Request nor Response.
//
// Absent on purpose: WebSockets. Node has no server for them; an app that brings one listens by itself.

import { createServer } from "node:http";

import { failed } from "./explain.mjs";
import { toRequest } from "./node-request.mjs";
import { send } from "./node-response.mjs";

export async function serve(path, app) {
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
  server.timeout = 0;
  server.on("request", (incoming, outgoing) => exchange(app, incoming, outgoing));
  await new Promise((listening, refused) => {
    server.once("error", refused);
    server.listen(path, listening);
  });
}

async function exchange(app, incoming, outgoing) {
  const left = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) left.abort(new DOMException("The client went away", "AbortError"));
  });
  let request;
  try {
    request = toRequest(incoming, left.signal);
  } catch (error) {
    // A method or a header that Request does not take.
    outgoing.writeHead(400, { "content-type": "text/plain" }).end(`${error.message}\n`);
    return;
  }
  const response = await app.answer(request, { incoming, outgoing });
  await deliver(response ?? failed(request, new TypeError("the handler gave no Response")), request, outgoing);
}

async function deliver(response, request, outgoing) {
  try {
    await send(response, outgoing, request.signal);
  } catch (error) {
    if (!outgoing.headersSent) await deliver(failed(request, error), request, outgoing);
    // The head is out, so the client is told by a body that breaks off.
    else outgoing.destroy();
  }
}
