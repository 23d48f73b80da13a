// Nodes: made, changed where something differs, and kept in the order of what they show.
// Everything goes in as text: no name of an app can become markup.

const SVG = "http://www.w3.org/2000/svg";

const about = (name) => document.querySelector(`meta[name=${name}]`)?.content;

// Whether who looks may change something. The server refuses what may not be; here it is not even offered.
export const mayChange = about("role") !== "read";

// Where the apps are: here, unless these routes have a port of their own.
export const origin = about("apps-port") ? `${location.protocol}//${location.hostname}:${about("apps-port")}` : "";

export const by = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

export const h = (name, attributes, ...children) =>
  fill(document.createElement(name), attributes, children);

export const s = (name, attributes, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

// A node that has the value already is left alone: the browser then has nothing to lay out.
export function text(node, value) {
  const wanted = String(value ?? "");
  if (node.said !== wanted) node.textContent = node.said = wanted;
}

export function attribute(node, name, value) {
  if (value == null || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export const shown = (node, is) => node.hidden === is && (node.hidden = !is);

// Brings the children of `parent` in line with `items`. A child stays the node that it is as long as its key is there,
// so that a slider that is held, or a button that has the focus, is not taken from under the hand.
export function keyed(parent, items, key, make, update) {
  const known = (parent.known ??= new Map());
  const wanted = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    wanted.add(name);
    let node = known.get(name);
    if (!node) {
      node = make(item);
      known.set(name, node);
    }
    update?.(node, item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const [name, node] of known) {
    if (wanted.has(name)) continue;
    node.remove();
    known.delete(name);
  }
}

// Says something that is over soon, once, to everybody.
export function note(message) {
  const line = h("p", null, message);
  by("notes").append(line);
  setTimeout(() => line.remove(), 8000);
}

// Asks before what cannot be undone by the next click.
export function sure(title, question, yes) {
  const dialog = by("sure-dialog");
  text(by("sure-title"), title);
  text(by("sure-text"), question);
  text(by("sure-yes"), yes);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}
