// The line to the server: JSON, a line each way at a time.
//
// Invariant: a process whose line has ended does not live on: the server is gone, and with it whoever would end us.

import { createConnection } from "node:net";

/** More than this without an end of line is no line of the server's. */
const LINE_CHARS_MAX = 64 * 1024;

/** Connects; `onNotice` is called with the name of every notice. */
export async function connect(path, onNotice) {
  const socket = createConnection(path);
  socket.setEncoding("utf8");
  // Both come when the other end is gone, in whichever order; so does an end without an error.
  socket.on("error", () => process.exit(1));
  socket.on("close", () => process.exit(1));
  let rest = "";
  socket.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    if (rest.length > LINE_CHARS_MAX) socket.destroy();
    for (const line of lines) receive(line, onNotice);
  });
  await new Promise((connected) => socket.once("connect", connected));
  return new Control(socket);
}

class Control {
  #socket;

  constructor(socket) {
    this.#socket = socket;
  }

  send(message) {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Sends a message and waits until it is out of this process. */
  async last(message) {
    await new Promise((sent) => this.#socket.write(`${JSON.stringify(message)}\n`, sent));
  }
}

function receive(line, onNotice) {
  const message = JSON.parse(line);
  // Types that a later server may have are not for us.
  if (message.type === "notice") onNotice(message.name);
}
