// The socket: it comes back by itself, later and later, until it is refused for good.

import { staysAway } from "./closing.js";

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 15_000;

export class Connection extends EventTarget {
  #socket = null;
  #timer = 0;
  #failures = 0;

  /** Emits `open`, `event` (detail: channel and payload), `waiting` (detail: milliseconds) and `refused`. */
  constructor() {
    super();
    addEventListener("online", () => this.#now());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#now();
    });
  }

  connect() {
    const url = new URL("ws", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#failures = 0;
      this.#emit("open");
    });
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", ({ code, reason }) => {
      if (staysAway(code)) this.#emit("refused", reason);
      else this.#wait();
    });
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Asks the server for something; false when there is no connection to ask over. */
  publish(channel, payload) {
    if (!this.isOpen) return false;
    const messageId = `${Date.now()}-${Math.random().toString(36).slice(2, 11) || "0"}`;
    const frame = { type: "publish", channel, payload, messageId, metadata: { eventName: channel } };
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame?.type === "message") this.#emit("event", frame);
  }

  // Half of the delay is random, so that a restarted server is not met by everybody at once.
  #wait() {
    const full = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    const delay = full / 2 + Math.random() * (full / 2);
    this.#timer = setTimeout(() => this.#now(), delay);
    this.#emit("waiting", delay);
  }

  /** Tries at once, if a try is due at all. */
  #now() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.connect();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
