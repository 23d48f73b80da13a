// Everything but the apps and the workers: numbers of now, charts, faults, topics, upstreams and the log.

import { chart, scales, spark } from "./charts.js";
import { attribute, by, h, keyed, shown, text } from "./dom.js";
import { filter, isLoud, known, matches, past } from "./model.js";
import { NONE, bytes, clock, count, label, ms, plural, rate, span } from "./words.js";

const TILES = [
  ["Requests", "requestsPerSecond", rate, "/s", ({ pool }) => `${count(pool.totalRequests)} in all`],
  ["Response p99", "p99", ms, "", (_, now) => `p50 ${ms(now?.p50)}`],
  ["Faults", "failuresPerSecond", rate, "/s", ({ pool }) => `${count(pool.totalWorkersFailed)} in all`, "bad"],
  ["Queue", "queueDepth", count, "", ({ pool }) => `${count(pool.queueRejected)} turned away`, "warn"],
  ["Workers", "workers", count, "", ({ pool }) => `${count(pool.evictions)} made room`],
  ["Cold starts", "coldStartsPerSecond", rate, "/s", ({ pool }) => `p99 ${ms(pool.coldStartMs.p99)}`],
  ["Sessions", "sessions", count, "", ({ pool }) => plural(pool.topics, "topic")],
  ["Deliveries", "deliveriesPerSecond", rate, "/s", ({ hub }) => `${count(hub.deliveries + hub.sent)} in all`],
];
const SPARK_SECONDS = 120;

export function drawTiles() {
  const now = known.points.at(-1);
  const lately = past(SPARK_SECONDS);
  // A young server has less than that; a busy machine leaves out a second here and there.
  const length = known.points.length > lately.length ? lately.length : SPARK_SECONDS;
  keyed(by("tiles"), TILES, ([name]) => name, ([name, , , unit]) => {
    const [value, more, line] = [h("b"), h("p"), spark()];
    const small = unit ? h("small", null, unit) : null;
    return Object.assign(h("div", null, h("dt", null, name), h("dd", null, value, small, more, line)), { value, more, line });
  }, (tile, [, key, form, , more, alarm]) => {
    text(tile.value, form(now?.[key]));
    text(tile.more, known.pool ? more(known, now) : "");
    if (alarm) attribute(tile, "class", now?.[key] > 0 ? alarm : null);
    tile.line.draw(lately.map((point) => point[key] ?? 0), length);
  });
}

const requests = chart(by("chart-requests"), "Requests per second", [{ key: "requestsPerSecond", name: "requests" }, { key: "failuresPerSecond", name: "faults" }], rate, scales.linear);
const times = chart(by("chart-times"), "Response time", ["p50", "p95", "p99"].map((key) => ({ key, name: key })), ms, scales.powers);

export function drawCharts() {
  const seconds = Number(by("range").querySelector(":checked").value);
  const points = past(seconds);
  requests.draw(points, seconds, known.now);
  times.draw(points, seconds, known.now);
}

const cells = (kinds) => {
  const made = kinds.map((kind) => h("td", { role: "cell", class: kind }));
  return Object.assign(h("tr", { role: "row" }, ...made), { made });
};

// A table whose rows are numbers below fixed heads.
function rows(id, items, key, kinds, values) {
  keyed(by(id), items, key, () => cells(kinds), (row, item) =>
    values(item).forEach((value, index) => {
      const cell = row.made[index];
      text(cell, value);
      if (kinds[index] === "n") cell.classList.toggle("zero", value === "0" || value === NONE);
    }),
  );
}

export function drawFaults() {
  const faults = known.faults.filter((fault) => matches(label(fault.app, fault.version), fault.reason, ...fault.said));
  keyed(by("fault-list"), faults, (fault) => `${fault.app} ${fault.version} ${fault.reason}`, () => {
    const [who, during, times, reason, said] = [h("b"), h("span"), h("span"), h("p"), h("pre")];
    return Object.assign(h("li", null, h("div", { class: "what" }, who, during, times), reason, said), { who, during, times, reason, said });
  }, (line, fault) => {
    text(line.who, label(fault.app, fault.version));
    text(line.during, fault.during);
    text(line.times, `${count(fault.count)} ×, ${span(known.now - fault.last)} ago`);
    text(line.reason, fault.reason);
    text(line.said, fault.said.join("\n"));
    shown(line.said, fault.said.length > 0);
  });
  shown(by("faults-empty"), faults.length === 0);
  text(by("faults-empty"), known.faults.length ? "Nothing matches the filter." : "Nothing failed.");
  text(by("faults-count"), known.faults.length ? plural(known.faults.length, "kind") : "");
}

export function drawTopics() {
  const spaces = (known.hub?.namespaces ?? []).filter((space) => matches(space.namespace));
  rows("topic-rows", spaces, (space) => space.namespace, ["", "n", "n", "n", "n", "n"], (space) => [
    space.namespace, count(space.sessions), count(space.topics), rate(space.publishedPerSecond), rate(space.deliveriesPerSecond), count(space.slowClosed + space.guestFaults),
  ]);
  shown(by("topics-empty"), spaces.length === 0);
  const { hub } = known;
  if (!hub) return;
  const said = [plural(hub.subscriptions, "subscription"), plural(hub.timers, "timer"), `${bytes(hub.bytesOut)} sent`];
  if (hub.moved > 0) said.push(`${plural(hub.moved, "session")} moved, ${count(hub.wentBack)} went back`);
  text(by("topics-count"), said.join(", "));
}

export function drawUpstreams() {
  const rules = (known.proxies ?? []).filter((rule) => matches(rule.revision, rule.pattern, rule.target));
  rows("upstream-rows", rules, (rule) => `${rule.revision} ${rule.rule}`, ["", "", "n", "n", "n", "n"], (rule) => [
    `${rule.revision} ${rule.pattern}`, rule.target, rate(rule.requestsPerSecond), count(rule.statuses[4]), ms(rule.answerMs.p99), count(rule.tunnels),
  ]);
  shown(by("upstreams-empty"), rules.length === 0);
  text(by("upstreams-count"), rules.length ? plural(rules.length, "rule") : "");
}

// The log. Lines are added below, and stay in view as long as the last one is.
const log = by("log-lines");
let drawn = { seen: 0, filter: "" };

const wanted = (line) => line.lost || (isLoud(line.level) && matches(label(line.app, line.version), line.message, line.fields, line.target));

function lineNode(line) {
  if (line.lost) return h("div", { class: "gap" }, "… lines were forgotten before they could be sent");
  const who = line.app ? h("span", { class: "who" }, `${label(line.app, line.version)} `) : null;
  return h("div", { class: line.level }, h("time", { datetime: new Date(line.at).toISOString() }, clock(line.at)), h("span", { class: "level" }, line.level), who, line.message, line.fields ? h("span", { class: "fields" }, ` ${line.fields}`) : null);
}

export function drawLog() {
  const key = `${filter.level} ${filter.words.join(" ")}`;
  const isSame = key === drawn.filter;
  if (isSame && drawn.seen === known.linesSeen) return;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24 || drawn.seen === 0 || !isSame;
  const fresh = isSame ? known.lines.slice(-Math.min(known.lines.length, known.linesSeen - drawn.seen)) : known.lines;
  const nodes = fresh.filter(wanted).map(lineNode);
  if (isSame) log.append(...nodes);
  else log.replaceChildren(...nodes);
  while (log.childElementCount > 500) log.firstElementChild.remove();
  drawn = { seen: known.linesSeen, filter: key };
  if (atEnd) log.scrollTop = log.scrollHeight;
}
