// The conversation on the page. Everything others wrote goes in as text, never as markup.

const MESSAGES_MAX = 2_000;
const GROUP_MS = 5 * 60_000;
const NEAR_BOTTOM_PX = 80;

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export class Log {
  #list;
  #newer;
  #messages = [];

  constructor(list, newer) {
    this.#list = list;
    this.#newer = newer;
    newer.addEventListener("click", () => this.#toBottom());
    list.addEventListener("scroll", () => {
      if (this.#isAtBottom()) newer.hidden = true;
    });
  }

  /** The oldest message that is shown. */
  get oldest() {
    return this.#messages[0];
  }

  clear() {
    this.#messages = [];
    this.#list.replaceChildren();
    this.#newer.hidden = true;
  }

  /** Adds messages that are not there yet, wherever they belong in time. */
  add(messages, me) {
    const known = new Set(this.#messages.map(({ id }) => id));
    const fresh = messages.filter(({ id }) => !known.has(id));
    if (fresh.length === 0) return;
    const follow = this.#isAtBottom();
    const newest = this.#messages.at(-1)?.timestamp ?? 0;
    if (fresh.every(({ timestamp }) => timestamp > newest)) {
      for (const message of fresh) this.#append(message, me);
    } else {
      this.#rebuild([...this.#messages, ...fresh], me, follow);
    }
    while (this.#messages.length > MESSAGES_MAX) this.#drop();
    if (follow) this.#toBottom();
    else if (fresh.some(({ timestamp }) => timestamp > newest)) this.#newer.hidden = false;
  }

  /** Scrolls so that reading goes on upwards from this message. */
  reveal(id) {
    const items = [...this.#list.children];
    items.find((item) => item.dataset.id === id)?.scrollIntoView({ block: "end" });
  }

  notice(text, kind = "") {
    const follow = this.#isAtBottom();
    this.#list.append(element("div", `notice ${kind}`, text));
    if (follow) this.#toBottom();
  }

  // Notices belong to the moment; a rebuilt log has messages alone.
  #rebuild(messages, me, follow) {
    const fromBottom = this.#list.scrollHeight - this.#list.scrollTop;
    this.#messages = [];
    this.#list.replaceChildren();
    messages.sort((a, b) => a.timestamp - b.timestamp);
    for (const message of messages) this.#append(message, me);
    if (!follow) this.#list.scrollTop = this.#list.scrollHeight - fromBottom;
  }

  #append(message, me) {
    const before = this.#messages.at(-1);
    const sent = new Date(message.timestamp);
    const item = element("div", message.username === me ? "message own" : "message");
    item.dataset.id = message.id;
    const continues =
      this.#list.lastElementChild?.dataset.id === before?.id &&
      before?.username === message.username &&
      message.timestamp - before.timestamp < GROUP_MS;
    const from = element("div", continues ? "from hidden" : "from");
    const clock = element("time", "", time.format(sent));
    clock.dateTime = sent.toISOString();
    clock.title = dayAndTime.format(sent);
    from.append(element("span", "", message.username === me ? "You" : message.username), clock);
    item.append(from, element("div", "text", message.text));
    this.#list.append(item);
    this.#messages.push(message);
  }

  #drop() {
    const { id } = this.#messages.shift();
    while (this.#list.firstElementChild && this.#list.firstElementChild.dataset.id !== id) {
      this.#list.firstElementChild.remove();
    }
    this.#list.firstElementChild?.remove();
  }

  #isAtBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
  }

  #toBottom() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#newer.hidden = true;
  }
}

export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
