// The workers: a row for each revision that has some, and below one that is opened each of its workers.

import { attribute, by, h, keyed, shown, text } from "./dom.js";
import { known, matches } from "./model.js";
import { NONE, bytes, count, label, ms, plural, span } from "./words.js";

const ROWS_MAX = 100;
const HEADS = ["Worker", "State", "Age", "Requests", "Memory"];

// The ids of revisions that somebody opened.
const opened = new Set();

const idleFor = (since) => `idle ${span(known.now - since)}`;
const name = (one) => label(one.app, one.version);

export function drawWorkers() {
  for (const id of opened) if (!known.revisions.has(id)) opened.delete(id);
  // One that is opened stays, so that nothing jumps when its last worker ends.
  const has = (one) => one.workers > 0 || one.workerList?.length > 0 || opened.has(one.id);
  const living = [...known.revisions.values()].filter((one) => has(one) && matches(one.app, one.version, one.state));
  living.sort((one, other) => opened.has(other.id) - opened.has(one.id) || other.busy - one.busy || other.workers - one.workers || one.id - other.id);
  const lines = living.slice(0, ROWS_MAX).flatMap((one) => (opened.has(one.id) ? [{ one }, { one, isEach: true }] : [{ one }]));
  keyed(by("worker-rows"), lines, ({ one, isEach }) => (isEach ? `each ${one.id}` : one.id), ({ one, isEach }) => (isEach ? makeEach(one) : makeRow(one)), (row, { one, isEach }) => (isEach ? updateEach : updateRow)(row, one));
  shown(by("workers-empty"), living.length === 0);
  text(by("workers-empty"), isAnyAlive() ? "Nothing matches the filter." : "No worker lives: each is started when it is asked for.");
  text(by("workers-count"), known.pool ? `${plural(known.pool.activeWorkers, "lives", "live")}, ${bytes(known.pool.memoryUsageMB * 2 ** 20)} in all, up ${span(known.pool.uptimeMs)}` : "");
}

const isAnyAlive = () => [...known.revisions.values()].some((one) => one.workers > 0);

function makeRow({ id }) {
  const button = h("button", { type: "button", class: "expand" });
  button.addEventListener("click", () => {
    if (!opened.delete(id)) opened.add(id);
    drawWorkers();
  });
  const numbers = Array.from({ length: 4 }, () => h("td", { role: "cell", class: "n" }));
  const state = h("td", { role: "cell" });
  return Object.assign(h("tr", { role: "row" }, h("td", { role: "cell" }, button), state, ...numbers), { button, state, numbers });
}

function updateRow({ button, state, numbers }, one) {
  const isOpen = opened.has(one.id);
  text(button, name(one));
  attribute(button, "aria-expanded", String(isOpen));
  attribute(button, "aria-controls", isOpen ? `workers-${one.id}` : null);
  text(state, one.busy > 0 ? "busy" : one.workers === 0 ? NONE : one.idleSince ? idleFor(one.idleSince) : "ready");
  const values = [count(one.workers), count(one.busy), one.oldestWorkerSince ? span(known.now - one.oldestWorkerSince) : NONE, ms(one.coldStartMs?.p50)];
  values.forEach((value, index) => {
    text(numbers[index], value);
    numbers[index].classList.toggle("zero", value === "0" || value === NONE);
  });
}

function makeEach(one) {
  const head = h("tr", null, ...HEADS.map((title, index) => h("th", { scope: "col", class: index > 1 ? "n" : null }, title)));
  const [body, more] = [h("tbody"), h("p", { class: "quiet" })];
  const table = h("table", { "aria-label": `Workers of ${name(one)}` }, h("thead", null, head), body);
  return Object.assign(h("tr", { role: "row", class: "each", id: `workers-${one.id}` }, h("td", { role: "cell", colspan: 6 }, table, more)), { table, body, more });
}

const STATES = {
  busy: ({ running }) => (running > 1 ? `busy with ${running}` : "busy"),
  idle: ({ idleSince }) => idleFor(idleSince),
  ending: ({ running }) => (running > 0 ? `ending, busy with ${running}` : "ending"),
};

function updateEach({ table, body, more }, one) {
  const list = one.workerList ?? [];
  keyed(body, list, ({ id }) => id, () => {
    const made = HEADS.map((_, index) => h("td", { class: index > 1 ? "n" : null }));
    return Object.assign(h("tr", null, ...made), { made });
  }, ({ made }, worker) => {
    const { id, pid, state, since, requests, memoryBytes } = worker;
    const values = [pid ? `${id}, process ${pid}` : id, STATES[state]?.(worker) ?? state, span(known.now - since), count(requests), bytes(memoryBytes)];
    values.forEach((value, index) => text(made[index], value));
  });
  shown(table, list.length > 0);
  shown(more, list.length === 0 || one.workersMore > 0);
  text(more, list.length === 0 ? "No worker lives now." : `and ${count(one.workersMore)} more that were started later`);
}
