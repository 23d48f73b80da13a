// A Hono app, exported as it is. `bun install` in this folder first: the server installs nothing.

import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { streamSSE } from "hono/streaming";

const TICKS_MAX = 1000;

const app = new Hono();

// The app is served somewhere below the server's root; `x-base` says where, for links.
app.get("/", (c) => {
  const base = c.req.header("x-base") ?? "";
  return c.html(`<h1>Hono</h1><a href="${base}/hello/ada">hello</a> <a href="${base}/ticks/3">ticks</a>`);
});

app.get("/hello/:name", (c) => c.json({ hello: c.req.param("name") }));

app.post("/echo", async (c) => c.json(await c.req.json(), 201));

/** Server-sent events, each as soon as it is made. */
app.get("/ticks/:count", (c) => {
  const count = Number(c.req.param("count"));
  if (!Number.isInteger(count) || count < 0 || count > TICKS_MAX) {
    throw new HTTPException(400, { message: `from 0 to ${TICKS_MAX} ticks` });
  }
  return streamSSE(c, async (stream) => {
    for (let tick = 1; tick <= count && !stream.aborted; tick += 1) {
      await stream.writeSSE({ event: "tick", data: String(tick) });
      await stream.sleep(100);
    }
  });
});

export default app;
