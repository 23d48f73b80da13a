// Missing nothing: where each room was left, and what was said since.
//
// Invariant: a room's position moves on only when everything before it has been told. While pages are missing, what comes
// live does not move it.

const PAGE = 100;
const PAGES_MAX = 40;

export class Recovery {
  #connection;
  #isKnown;
  #positions = new Map();
  /** What goes on in the room that was joined last: pages that came, and what is asked for. */
  #under = null;

  /** `isKnown(id)` says whether a message of the room was told before. */
  constructor(connection, isKnown) {
    this.#connection = connection;
    this.#isKnown = isKnown;
  }

  get isDone() {
    return this.#under === null;
  }

  /** What joining a room says about what one knows of it. */
  since(room) {
    const position = this.#positions.get(room);
    return position === undefined ? {} : { since: position };
  }

  /**
   * In a room, of which the newest known message is this one (none: it is new to us). True when that is all; else what
   * was missed comes page by page.
   */
  joined({ payload, position }, newestKnown) {
    const { roomId, recentMessages } = payload;
    const hadPosition = this.#positions.has(roomId);
    this.#under = null;
    if (position !== undefined && hadPosition && newestKnown) {
      this.#under = { room: roomId, said: this.#fresh(recentMessages), pages: 0 };
      return false;
    }
    if (position === undefined) this.#positions.delete(roomId);
    else this.#positions.set(roomId, position);
    const oldest = recentMessages[0];
    if (newestKnown && oldest && oldest.timestamp > newestKnown.timestamp) {
      // The server knows no positions: back by time, until something known is met.
      this.#under = { room: roomId, said: this.#fresh(recentMessages), pages: 0, until: newestKnown.timestamp };
      this.#connection.ask("message.history", { roomId, limit: PAGE, before: oldest.timestamp });
      return false;
    }
    return true;
  }

  /** A message that was told live. */
  heard(room, position) {
    if (position !== undefined && this.#under === null) this.#positions.set(room, position);
  }

  /** A page of what was missed; when it was the last, what of it was not known, and whether that is all there was. */
  recovered({ payload, position }) {
    const under = this.#of(payload.roomId);
    if (!under || under.until !== undefined) return null;
    under.said.push(...this.#fresh(payload.messages));
    if (payload.complete && payload.hasMore && ++under.pages < PAGES_MAX) {
      this.#connection.ask("message.recover", { roomId: under.room, since: position, limit: PAGE });
      return null;
    }
    this.#positions.set(under.room, position);
    return this.#end(payload.complete && !payload.hasMore);
  }

  /** A page back by time, if that is what we are at: see `joined`. */
  readBack({ roomId, messages, hasMore }) {
    const under = this.#of(roomId);
    if (under?.until === undefined) return null;
    under.said.push(...this.#fresh(messages));
    const oldest = messages[0]?.timestamp ?? 0;
    if (oldest <= under.until) return this.#end(true);
    if (hasMore && ++under.pages < PAGES_MAX) {
      this.#connection.ask("message.history", { roomId, limit: PAGE, before: oldest });
      return null;
    }
    return this.#end(false);
  }

  /** The connection is gone: the next one begins with the position that was kept. */
  lost() {
    this.#under = null;
  }

  forget(room) {
    this.#positions.delete(room);
    if (this.#under?.room === room) this.#under = null;
  }

  #fresh(messages) {
    return messages.filter(({ id }) => !this.#isKnown(id));
  }

  #of(room) {
    return this.#under?.room === room ? this.#under : null;
  }

  #end(isWhole) {
    const { said } = this.#under;
    this.#under = null;
    return { said, isWhole };
  }
}
