// Somebody in the chat with a socket and no page.

import { until } from "./wait";

export class Person {
  #socket: WebSocket;
  #heard: { channel: string; payload: Record<string, unknown> }[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#heard.push(JSON.parse(String(data))));
  }

  /** Joins a room. */
  static async join(url: string, name: string, room: string): Promise<Person> {
    const socket = new WebSocket(url.replace("http", "ws"));
    const person = new Person(socket);
    await until(`${name} is connected`, () => socket.readyState === WebSocket.OPEN);
    person.#ask("room.join", { roomId: room, username: name });
    await until(`${name} is in ${room}`, () => person.#heard.some(({ channel }) => channel === "room.joined"));
    return person;
  }

  /** Says something, and waits until everybody was told. */
  async say(room: string, text: string): Promise<void> {
    this.#ask("message.send", { roomId: room, text });
    await this.hears(text);
  }

  /** Wants to be seen as this. */
  be(status: "online" | "away" | "dnd"): void {
    this.#ask("presence.update", { status });
  }

  /** Is seen typing. */
  type(room: string): void {
    this.#ask("typing.start", { roomId: room });
  }

  /** Waits for a text. */
  async hears(text: string): Promise<void> {
    await until(`${text} is heard`, () => this.heard(text) > 0);
  }

  /** How often a text was heard. */
  heard(text: string): number {
    return this.#heard.filter(({ channel, payload }) => channel === "message.received" && payload.text === text).length;
  }

  #ask(channel: string, payload: object): void {
    this.#socket.send(JSON.stringify({ type: "publish", channel, payload }));
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
