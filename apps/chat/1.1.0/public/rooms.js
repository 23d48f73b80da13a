// The rooms there are, and which of those that one has been in has news.
//
// A client hears of the room that it is in. Of the others it asks for the last messages, now and then.

import { $, element, kept } from "./dom.js";
import { mentions } from "./text.js";

const LOOKED_AT_MAX = 8;
const LOOK_BACK = 30;

export class Rooms {
  #connection;
  #list = [];
  /** Until when each room was read, the one that was read last at the end. */
  #readTo = new Map(kept.get("read", []));
  #news = new Map();
  #enter;

  constructor(connection, enter) {
    this.#connection = connection;
    this.#enter = enter;
  }

  readTo(room) {
    return this.#readTo.get(room) ?? Infinity;
  }

  /** Everything up to this time was seen. */
  read(room, timestamp) {
    if (timestamp <= (this.#readTo.get(room) ?? 0)) return;
    this.#readTo.delete(room);
    this.#readTo.set(room, timestamp);
    this.#news.delete(room);
    kept.set("read", [...this.#readTo].slice(-LOOKED_AT_MAX));
  }

  describe(room) {
    return this.#list.find(({ id }) => id === room)?.description ?? "";
  }

  /** Asks for the list, and for what is new elsewhere. */
  refresh(here) {
    if (document.hidden || !this.#connection.isOpen) return;
    this.#connection.ask("room.list", {});
    const visited = [...this.#readTo.keys()].filter((room) => room !== here);
    for (const room of visited.slice(-LOOKED_AT_MAX)) {
      if (this.#list.some(({ id }) => id === room)) this.#connection.ask("message.history", { roomId: room, limit: LOOK_BACK });
    }
  }

  set(list, here) {
    this.#list = list;
    this.show(here);
  }

  /** The last messages of another room. */
  looked(room, messages, here, me) {
    const readTo = this.readTo(room);
    const fresh = messages.filter(({ timestamp, username }) => timestamp > readTo && username !== me);
    if (fresh.length === 0) this.#news.delete(room);
    else this.#news.set(room, { count: fresh.length, isMine: fresh.some(({ text }) => mentions(text, me)) });
    this.show(here);
  }

  show(here) {
    const focused = document.activeElement?.dataset?.room;
    $("rooms").replaceChildren(...this.#list.map((room) => this.#item(room, here)));
    $("elsewhere").hidden = ![...this.#news.keys()].some((room) => room !== here);
    if (focused !== undefined) [...$("rooms").querySelectorAll("button")].find(({ dataset }) => dataset.room === focused)?.focus();
  }

  #item({ id, description, userCount }, here) {
    const item = element("li");
    const button = element("button");
    button.type = "button";
    button.dataset.room = id;
    if (description) button.title = description;
    button.append(element("span", "name", id));
    const news = id === here ? undefined : this.#news.get(id);
    if (news) {
      item.className = "news";
      const count = news.count >= LOOK_BACK ? `${LOOK_BACK}+` : String(news.count);
      const badge = element("span", "badge", news.isMine ? `@${count}` : count);
      badge.append(element("span", "unseen", news.isMine ? " new, you are named" : " new"));
      button.append(badge);
    } else {
      const count = element("span", "count", String(userCount));
      count.append(element("span", "unseen", userCount === 1 ? " person" : " people"));
      button.append(count);
    }
    if (id === here) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => this.#enter(id));
    item.append(button);
    return item;
  }
}
