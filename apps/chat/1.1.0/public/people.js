// Who is in the room, what they are seen as, and who is typing.

import { $, avatar, element } from "./dom.js";

const SEEN_AS = { online: "online", away: "away", dnd: "do not disturb" };

export class People {
  #names = [];
  #statuses = new Map();
  #typing = [];

  get count() {
    return this.#names.length;
  }

  /** Everybody, in the order of joining. A server of the first protocol does not say what they are seen as. */
  set(names, statuses, me) {
    this.#names = [...names];
    this.#typing = [];
    names.forEach((name, at) => {
      if (statuses) this.#statuses.set(name, statuses[at]);
    });
    this.show(me);
  }

  /** Whether somebody came who was not there. Who joins a second time was. */
  came(name, me) {
    if (this.#names.includes(name)) return false;
    this.#names.push(name);
    this.#statuses.set(name, "online");
    this.show(me);
    return true;
  }

  left(name, me) {
    const at = this.#names.indexOf(name);
    if (at >= 0) this.#names.splice(at, 1);
    this.typing(this.#typing.filter((typist) => typist !== name), me);
    this.show(me);
  }

  seenAs(name, status, me) {
    this.#statuses.set(name, status);
    this.show(me);
  }

  typing(names, me) {
    this.#typing = names;
    const others = names.filter((name) => name !== me);
    const [first, second] = others;
    const texts = ["", `${first} is typing…`, `${first} and ${second} are typing…`];
    $("typists").textContent = texts[others.length] ?? `${others.length} people are typing…`;
  }

  show(me) {
    $("people").replaceChildren(
      ...this.#names.map((name) => {
        const status = this.#statuses.get(name) ?? "online";
        const item = element("li");
        item.dataset.status = status;
        const as = name === me ? "you" : status === "online" ? "" : SEEN_AS[status];
        const known = element("span", "known");
        known.append(element("span", "name", name));
        if (as) known.append(element("span", "as", as));
        item.append(avatar(name), known);
        return item;
      }),
    );
    $("people-title").textContent = this.#names.length > 0 ? `People · ${this.#names.length}` : "People";
  }
}
