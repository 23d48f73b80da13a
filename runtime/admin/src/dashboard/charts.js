// Lines over time, as SVG.

import { attribute, h, s, text } from "./dom.js";
import { axis, clock } from "./words.js";

const EDGE = { left: 50, right: 6, top: 8, bottom: 20 };

const round = (value) => Math.round(value * 10) / 10;

// The path through points, with a gap where there is no value.
function path(points) {
  let line = "";
  let pen = "M";
  for (const [x, y] of points) {
    if (y == null) pen = "M";
    else {
      line += `${pen}${round(x)} ${round(y)}`;
      pen = "L";
    }
  }
  return line;
}

// The next number that is easy to read: 1, 2, 2.5 or 5 times a power of ten.
export function nice(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999);
}

// A small line without axes.
export function spark() {
  const area = s("path", { class: "area" });
  const line = s("path");
  const node = s("svg", { class: "spark", viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": "true" }, area, line);
  node.draw = (values, length = values.length) => {
    const top = Math.max(...values, 1e-9);
    const from = length - values.length;
    const points = values.map((value, index) => [((from + index) / Math.max(1, length - 1)) * 100, 19 - (value / top) * 17]);
    attribute(line, "d", path(points));
    const ends = points.length > 1 ? `L${round(points.at(-1)[0])} 20L${round(points[0][0])} 20Z` : "";
    attribute(area, "d", ends && path(points) + ends);
  };
  return node;
}

// From 0 to three round steps.
function linear(values) {
  const step = nice(Math.max(...values, 0) / 3);
  return { key: step, marks: [0, step, 2 * step, 3 * step], share: (value) => value / (3 * step) };
}

// From one power of ten to another: a slow second does not make the others look alike.
function powers(values) {
  const seen = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...seen, 1)));
  const high = Math.max(low + 2, Math.ceil(Math.log10(Math.max(...seen, 1))));
  const marks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  return { key: `${low} ${high}`, marks, share: (value) => (Math.log10(Math.max(value, marks[0])) - low) / (high - low) };
}

export const scales = { linear, powers };

// A chart in a figure. `series` have a `name` and a `key` into the points; `form` is how a value is said.
export function chart(figure, title, series, form, scale) {
  const legend = series.map(({ key, name }) => h("span", { class: `k-${key}` }, `${name} `, h("b")));
  const caption = h("figcaption", null, h("strong", null, title), ...legend);
  const grid = s("g");
  const area = s("path", { class: `area k-${series[0].key}` });
  const lines = series.map(({ key }) => s("path", { class: `k-${key}` }));
  const cursor = s("line", { class: "cursor", hidden: true });
  // The gravest is drawn last, and lies on top.
  const drawing = s("svg", { class: "chart", role: "img" }, grid, area, ...lines, cursor);
  figure.append(caption, drawing);

  let width = 0;
  let height = 0;
  let pointer = null;
  let last = null;
  new ResizeObserver(([entry]) => {
    width = entry.contentRect.width;
    height = entry.contentRect.height;
    if (last) draw(...last);
  }).observe(drawing);
  drawing.addEventListener("pointermove", (event) => {
    pointer = event.offsetX;
    if (last) draw(...last);
  });
  drawing.addEventListener("pointerleave", () => {
    pointer = null;
    if (last) draw(...last);
  });

  function draw(points, seconds, now) {
    last = [points, seconds, now];
    if (width === 0) return;
    const inner = { width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.bottom };
    const values = points.flatMap((point) => series.map(({ key }) => point[key] ?? 0));
    const { key, marks, share } = scale(values);
    const x = (at) => EDGE.left + (1 - (now - at) / (seconds * 1000)) * inner.width;
    const y = (value) => (value == null ? null : EDGE.top + (1 - share(value)) * inner.height);
    attribute(drawing, "viewBox", `0 0 ${width} ${height}`);
    rule(inner, `${width} ${height} ${key} ${seconds}`, marks, seconds, y);
    series.forEach(({ key }, index) => {
      attribute(lines[index], "d", path(points.map((point) => [x(point.at), y(point[key])])));
    });
    const filled = points.filter((point) => point[series[0].key] != null);
    const floor = round(EDGE.top + inner.height);
    attribute(area, "d", series.length > 2 || filled.length < 2
      ? null
      : `${path(filled.map((point) => [x(point.at), y(point[series[0].key])]))}L${round(x(filled.at(-1).at))} ${floor}L${round(x(filled[0].at))} ${floor}Z`);
    say(points, x, seconds);
  }

  // Lines and labels of the axes.
  function rule(inner, key, values, seconds, y) {
    if (grid.drawn === key) return;
    grid.drawn = key;
    const marks = values.flatMap((value) => {
      const at = Math.round(y(value)) + 0.5;
      return [
        s("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: at, y2: at }),
        s("text", { x: EDGE.left - 8, y: at + 3.5, "text-anchor": "end" }, value === 0 ? "0" : axis(form)(value)),
      ];
    });
    const ago = seconds >= 120 ? (part) => `−${(seconds * part) / 60} min` : (part) => `−${seconds * part} s`;
    const times = [1, 0.5, 0].map((part) =>
      s("text", { x: EDGE.left + (1 - part) * inner.width, y: height - 4, "text-anchor": part === 1 ? "start" : part ? "middle" : "end" }, part ? ago(part) : "now"),
    );
    grid.replaceChildren(...marks, ...times);
  }

  // What the legend says: of the moment below the pointer, or of now.
  function say(points, x, seconds) {
    let said = points.at(-1);
    const under = pointer != null && points.length > 0;
    if (under) said = points.reduce((best, point) => (Math.abs(x(point.at) - pointer) < Math.abs(x(best.at) - pointer) ? point : best));
    attribute(cursor, "hidden", under ? null : "");
    if (under) for (const [name, value] of [["x1", x(said.at)], ["x2", x(said.at)], ["y1", EDGE.top], ["y2", height - EDGE.bottom]]) attribute(cursor, name, round(value));
    text(caption.firstChild, under ? `${title}, ${clock(said.at)}` : title);
    series.forEach(({ key }, index) => text(legend[index].lastChild, form(said?.[key])));
    const now = points.at(-1);
    attribute(drawing, "aria-label", `${title}, the last ${seconds / 60} minutes. Now: ${series.map(({ key, name }) => `${name} ${form(now?.[key])}`).join(", ")}`);
  }

  return { draw };
}
