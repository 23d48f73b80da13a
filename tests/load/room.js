// The room of examples/room, as one writes it for Bun.
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
  fetch(request, server) {
    const name = new URL(request.url).searchParams.get("name");
    return server.upgrade(request, { data: { name } }) ? undefined : new Response(null, { status: 400 });
  },
  websocket: {
    publishToSelf: true,
    open: (ws) => ws.subscribe("room"),
    message(ws, message) {
      const { text } = JSON.parse(message);
      if (typeof text !== "string") return ws.close(4400);
      ws.publish("room", JSON.stringify({ name: ws.data.name, text }));
    },
  },
});
