// A board of notes in Bun's own style: routes by path and method, and a WebSocket that hears of every new note. Nothing
// here knows where the app is served: it sees its own paths, and the server stands before them.

import type { BunRequest, Server, ServerWebSocket } from "bun";

type Note = { id: number; by: string; text: string };
type Reader = { name: string };

/** Everybody who is connected hears what is published here. */
const BOARD = "board";
const NOTES_MAX = 100;

// They live as long as the process: `ttl` says how long that is without a request.
const notes: Note[] = [];
let lastId = 0;

function pin(by: string, text: string): Note {
  const note = { id: (lastId += 1), by, text };
  notes.push(note);
  if (notes.length > NOTES_MAX) notes.shift();
  return note;
}

function find(request: BunRequest<"/notes/:id">): Note | undefined {
  return notes.find(({ id }) => id === Number(request.params.id));
}

function gone(): Response {
  return Response.json({ error: "there is no such note" }, { status: 404 });
}

export default {
  routes: {
    "/": new Response("A board of notes: GET and POST /notes, GET and DELETE /notes/:id, WebSocket /ws?name=you\n"),

    "/notes": {
      GET: () => Response.json(notes),
      POST: async (request: Request, server: Server<Reader>) => {
        const { by, text } = await request.json();
        if (typeof by !== "string" || typeof text !== "string") {
          return Response.json({ error: "a note has `by` and `text`" }, { status: 400 });
        }
        const note = pin(by, text);
        server.publish(BOARD, JSON.stringify(note));
        return Response.json(note, { status: 201 });
      },
    },

    "/notes/:id": {
      GET: (request: BunRequest<"/notes/:id">) => {
        const note = find(request);
        return note ? Response.json(note) : gone();
      },
      DELETE: (request: BunRequest<"/notes/:id">) => {
        const note = find(request);
        if (!note) return gone();
        notes.splice(notes.indexOf(note), 1);
        return new Response(null, { status: 204 });
      },
    },

    "/ws": (request: Request, server: Server<Reader>) => {
      const name = new URL(request.url).searchParams.get("name") ?? "somebody";
      if (server.upgrade(request, { data: { name } })) return;
      return new Response("This is for WebSockets\n", { status: 426 });
    },
  },

  websocket: {
    open(ws: ServerWebSocket<Reader>) {
      ws.subscribe(BOARD);
      ws.send(JSON.stringify(notes));
    },
    // A text is a note, and everybody else hears of it; bytes come back as they are.
    message(ws: ServerWebSocket<Reader>, message: string | Buffer) {
      if (typeof message !== "string") return void ws.send(message);
      if (message === "bye") return ws.close(4000, "as you wish");
      const note = JSON.stringify(pin(ws.data.name, message));
      ws.send(note);
      ws.publish(BOARD, note);
    },
  },
};
