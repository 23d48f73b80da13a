// A way to the server that can be cut and mended, as a network does: a port of its own that relays bytes.
//
// A browser's own "offline" leaves sockets open that are open already.

import { type Server as Listener, type Socket, connect, createServer } from "node:net";

export class Way {
  #listener: Listener;
  #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(listener: Listener) {
    this.#listener = listener;
  }

  static async to(port: number): Promise<Way> {
    const listener = createServer();
    const way = new Way(listener);
    listener.on("connection", (near) => way.#relay(near, port));
    await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
    return way;
  }

  url(path: string): string {
    const address = this.#listener.address();
    if (address === null || typeof address === "string") throw new Error("the way is closed");
    return `http://127.0.0.1:${address.port}${path}`;
  }

  /** Breaks every connection, and every one that is tried from now on. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  #relay(near: Socket, port: number): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((done) => this.#listener.close(done));
  }
}
