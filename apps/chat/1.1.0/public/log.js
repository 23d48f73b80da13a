// The conversation on the page: entries in the order of their time, each message under the one before it.
//
// Invariant: whoever reads further up stays where he is, whatever comes above or below.

import { avatar, element } from "./dom.js";
import { mentions, nodes } from "./text.js";

const ENTRIES_MAX = 2_000;
const GROUP_MS = 5 * 60_000;
const NEAR_END_PX = 60;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayOf = (ms) => new Date(ms).toDateString();

export class Log extends EventTarget {
  #scroller;
  #live;
  #list;
  #newer;
  #entries = [];
  #me = "";
  #readTo = Infinity;

  /** Emits `read` when the end comes into view. */
  constructor({ scroller, live, list, below, newer }) {
    super();
    this.#scroller = scroller;
    this.#live = live;
    this.#list = list;
    this.#newer = newer;
    newer.addEventListener("click", () => {
      this.toEnd();
      scroller.focus({ preventScroll: true });
    });
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    // A keyboard that comes up, a box that grows, or what is said of an unsent message must not hide the end.
    let atEnd = true;
    scroller.addEventListener("scroll", () => (atEnd = this.isAtEnd), { passive: true });
    const sizes = new ResizeObserver(() => atEnd && this.toEnd());
    for (const part of [scroller, below]) sizes.observe(part);
  }

  /** The oldest and the newest message. */
  get oldest() {
    return this.#entries.find(({ text }) => text !== undefined);
  }

  get newest() {
    return this.#entries.findLast(({ text }) => text !== undefined);
  }

  get isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  /** What is shown, to be shown again later. */
  get entries() {
    return this.#entries;
  }

  has(id) {
    return this.#entries.some((entry) => entry.id === id);
  }

  /** Shows another conversation. What came after `readTo` is new. */
  show(entries, me, readTo) {
    this.#me = me;
    this.#readTo = readTo;
    this.#entries = [];
    this.#list.replaceChildren();
    this.#quietly(() => this.#insert(entries));
    this.toEnd();
  }

  /** Adds messages that are not there yet, wherever they belong in time; how many. */
  add(messages) {
    const fresh = messages.filter(({ id }) => !this.has(id));
    if (fresh.length === 0) return 0;
    const newest = this.newest?.timestamp ?? 0;
    const isNews = fresh.some(({ timestamp }) => timestamp > newest);
    const follow = this.isAtEnd;
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    // Read aloud is what is said now, one by one. What is read back is not.
    if (fresh.length === 1 && isNews) this.#insert(fresh);
    else this.#quietly(() => this.#insert(fresh));
    if (follow) {
      this.#shorten();
      this.toEnd();
    } else if (isNews) {
      this.#newer.hidden = false;
    } else {
      this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
    }
    return fresh.length;
  }

  notice(text, kind = "") {
    const follow = this.isAtEnd;
    const timestamp = Math.max(this.#entries.at(-1)?.timestamp ?? 0, 1);
    this.#insert([{ id: Symbol(text), notice: text, kind, timestamp }]);
    if (follow) this.toEnd();
  }

  /** Where reading goes on after one looked elsewhere: a line before the first message after this time. */
  markRead(timestamp) {
    const before = this.#readTo;
    this.#readTo = timestamp;
    this.#entries.forEach((entry, at) => {
      if (entry.timestamp > Math.min(before, timestamp)) this.#dress(at);
    });
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#look();
  }

  #look() {
    if (!this.isAtEnd) return;
    this.#newer.hidden = true;
    this.dispatchEvent(new Event("read"));
  }

  #quietly(change) {
    this.#live.setAttribute("aria-live", "off");
    change();
    setTimeout(() => this.#live.removeAttribute("aria-live"), 500);
  }

  #insert(entries) {
    for (const entry of entries) {
      let at = this.#entries.length;
      while (at > 0 && this.#entries[at - 1].timestamp > entry.timestamp) at--;
      this.#entries.splice(at, 0, entry);
      this.#list.insertBefore(element("li"), this.#list.children[at] ?? null);
      this.#dress(at);
      if (at + 1 < this.#entries.length) this.#dress(at + 1);
    }
  }

  /** Makes an entry's item anew, as what stands before it asks for. */
  #dress(at) {
    const entry = this.#entries[at];
    const item = element("li");
    if (entry.notice) {
      item.className = `notice ${entry.kind}`;
      item.textContent = entry.notice;
    } else {
      const earlier = this.#entries.slice(0, at).findLast(({ text }) => text !== undefined);
      this.#dressMessage(item, entry, this.#entries[at - 1], earlier);
    }
    this.#list.children[at].replaceWith(item);
  }

  #dressMessage(item, message, before, earlier) {
    const sent = new Date(message.timestamp);
    const isOwn = message.username === this.#me;
    const isNewDay = !earlier || dayOf(earlier.timestamp) !== dayOf(message.timestamp);
    const isFresh = message.timestamp > this.#readTo && !isOwn && !(earlier?.timestamp > this.#readTo);
    const goesOn =
      !isNewDay && !isFresh && before?.username === message.username && message.timestamp - before.timestamp < GROUP_MS;
    item.className = goesOn ? "message" : "message first";
    if (!isOwn && mentions(message.text, this.#me)) item.classList.add("mentions");
    if (isNewDay) item.append(element("div", "day", nameOf(sent)));
    if (isFresh) item.append(element("div", "fresh", "New"));
    const from = element("div", "from");
    const time = element("time", "", clock.format(sent));
    time.dateTime = sent.toISOString();
    time.title = whole.format(sent);
    from.append(element("span", "name", isOwn ? "You" : message.username), time);
    const text = element("div", "text");
    text.append(...nodes(message.text, isOwn ? "" : this.#me));
    item.append(avatar(message.username), from, text);
  }

  // Only at its end, where nobody reads what goes.
  #shorten() {
    const surplus = this.#entries.length - ENTRIES_MAX;
    if (surplus <= 0) return;
    this.#entries.splice(0, surplus);
    for (let left = surplus; left > 0; left--) this.#list.firstElementChild.remove();
    this.#dress(0);
  }
}

function nameOf(day) {
  const now = Date.now();
  if (dayOf(now) === day.toDateString()) return "Today";
  if (dayOf(now - 86_400_000) === day.toDateString()) return "Yesterday";
  return date.format(day);
}
