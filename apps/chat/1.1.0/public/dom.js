// Small things for building the page. Everything others wrote goes in as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** A circle with the first letters of a name, in a colour that goes with the name. */
export function dress(avatar, name) {
  const words = name.trim().split(/\s+/u).slice(0, 2);
  avatar.textContent = words.map((word) => [...word][0] ?? "").join("").toLocaleUpperCase() || "·";
  let hash = 2_166_136_261;
  for (const sign of name) hash = Math.imul(hash ^ sign.codePointAt(0), 16_777_619);
  avatar.dataset.tint = String((hash >>> 13) % 8);
  return avatar;
}

export function avatar(name) {
  const made = dress(element("span", "avatar"), name);
  made.setAttribute("aria-hidden", "true");
  return made;
}

/** What the browser keeps for this page. A browser that keeps nothing is a fresh start each time. */
export const kept = {
  get(key, otherwise) {
    try {
      return JSON.parse(localStorage.getItem(`chat.${key}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`chat.${key}`, JSON.stringify(value));
    } catch {
      // Full, or forbidden: then it is not kept.
    }
  },
};

/** Nobody else chooses this one. `randomUUID` is not there on a page without TLS. */
export function uniqueId() {
  const words = crypto.getRandomValues(new Uint32Array(3));
  return `${Date.now()}-${[...words].map((word) => word.toString(36)).join("")}`;
}
