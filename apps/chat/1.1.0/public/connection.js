// The socket: it comes back by itself, later and later, until the server says that there is no point in it.

import { uniqueId } from "./dom.js";
import { staysAway } from "./closing.js";

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 15_000;
/** A connection that does not answer for so long is dead, whatever the browser believes. */
const ANSWER_MS = 10_000;

export class Connection extends EventTarget {
  #socket = null;
  #retry = 0;
  #isResting = false;
  #deadline = 0;
  #failures = 0;

  /** Emits `open`, `event` (detail: a frame), `waiting` (detail: milliseconds) and `ended` (detail: code and reason). */
  constructor() {
    super();
    addEventListener("online", () => this.now());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.now();
    });
  }

  connect() {
    const url = new URL("ws", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    // A socket that was given up says nothing any more.
    const on = (type, hear) => socket.addEventListener(type, (event) => this.#socket === socket && hear(event));
    this.#expectAnswer();
    on("open", () => {
      this.#answered();
      this.#failures = 0;
      this.#emit("open");
    });
    on("message", ({ data }) => {
      this.#answered();
      this.#receive(data);
    });
    on("close", ({ code, reason }) => this.#lose(code, reason));
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Asks the server for something that it answers; null when there is no connection to ask over, else the request's id. */
  ask(channel, payload, requestId = uniqueId()) {
    if (!this.#send(channel, payload, requestId)) return null;
    this.#expectAnswer();
    return requestId;
  }

  /** Tells the server something that it does not answer. */
  tell(channel, payload) {
    return this.#send(channel, payload);
  }

  /** Tries at once, if a try is due at all. */
  now() {
    if (this.#retry) this.again();
  }

  /** Tries at once, because somebody asks for it. */
  again() {
    if (!this.#retry && !this.#isResting) return;
    clearTimeout(this.#retry);
    this.#retry = 0;
    this.#isResting = false;
    this.connect();
  }

  #send(channel, payload, requestId) {
    if (!this.isOpen) return false;
    const frame = { type: "publish", channel, payload, messageId: uniqueId(), metadata: { eventName: channel }, requestId };
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

  #expectAnswer() {
    this.#deadline ||= setTimeout(() => {
      const dead = this.#socket;
      this.#lose(1006, "");
      dead?.close();
    }, ANSWER_MS);
  }

  #answered() {
    clearTimeout(this.#deadline);
    this.#deadline = 0;
  }

  #lose(code, reason) {
    this.#answered();
    this.#socket = null;
    this.#isResting = staysAway(code);
    if (this.#isResting) return this.#emit("ended", { code, reason });
    // Half of the delay is chance, so that a restarted server is not met by everybody at once.
    const full = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    const delay = full / 2 + Math.random() * (full / 2);
    this.#retry = setTimeout(() => this.now(), delay);
    this.#emit("waiting", delay);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
