// A card for each app: what gets its traffic, and a row for each of its revisions.

import { spark } from "./charts.js";
import { attribute, by, h, keyed, mayChange, origin, shown, text } from "./dom.js";
import { known, matches } from "./model.js";
import { askCanary, promote, rollBack, setWeights } from "./traffic.js";
import { shares, spread } from "./weights.js";
import { NONE, count, ms, plural, rate, span } from "./words.js";

const COLORS = 6;
const HEADS = ["Version", "State", "Traffic", "Requests", "/s", "p50", "p95", "p99", "Queue", "Sessions", "Faults", ""];

// The heads of the columns that all apps share, for the eye; each app's table has its own for the ear.
by("app-columns").append(...HEADS.map((title, index) => h("th", { class: index > 2 ? "n" : null }, title)));

// Of hundreds of apps, those that are far from what is seen are drawn when they come nearer.
const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.isFar = !isIntersecting;
  if (entries.some(({ isIntersecting }) => isIntersecting)) requestAnimationFrame(drawApps);
}, { rootMargin: "2000px" });

// Shares that somebody is about to change, by app.
const drafts = new Map();

const percent = (share) => `${share >= 10 || share % 1 === 0 ? Math.round(share) : share.toFixed(1)} %`;

// The rows of an app that the filter lets through: all of it when the app's own name is asked for.
function visible(app) {
  const tags = Object.keys(app.tags ?? {}).join(" ");
  if (matches(app.name, tags)) return app.revisions;
  return app.revisions.filter((revision) => matches(app.name, revision.version, revision.state, revision.kind, tags));
}

export function drawApps() {
  const apps = known.apps.map((app) => ({ app, rows: visible(app) })).filter(({ rows }) => rows.length > 0);
  keyed(by("app-list"), apps, ({ app }) => app.name, ({ app }) => makeApp(app), updateApp);
  const revisions = known.apps.reduce((sum, app) => sum + app.revisions.length, 0);
  text(by("apps-count"), known.apps.length ? `${plural(known.apps.length, "app")}, ${plural(revisions, "revision")}` : "");
  shown(by("apps-empty"), apps.length === 0);
  text(by("apps-empty"), known.apps.length ? "Nothing matches the filter." : "Nothing is deployed. Drop an archive anywhere on this page, or put a folder into the apps folder.");
  keyed(by("reports"), known.reports, (report) => `${report.folder} ${report.reason}`, (report) => h("li", null, h("code", null, report.folder), `: ${report.reason}`));
}

function makeApp(app) {
  const name = app.name;
  const id = `app-${name.replace(/[^\w-]/g, "-")}`;
  const heading = h("h3", { id: `${id}-title` }, h("a", { href: `${origin}/${name}/` }, name));
  const chips = h("span", { class: "chips" });
  const back = h("button", { type: "button", class: "small" }, "Roll back");
  const apply = h("button", { type: "button", class: "small main" }, "Apply weights");
  const reset = h("button", { type: "button", class: "small" }, "Discard");
  const keep = h("input", { type: "checkbox" });
  const staying = h("label", { class: "check" }, keep, "Sessions stay");
  const traffic = h("div", { class: "traffic", role: "img" });
  const judgement = h("div", { class: "judgement", hidden: true });
  const body = h("tbody", { role: "rowgroup" });
  const head = h("tr", { role: "row" }, ...HEADS.map((title) => h("th", { scope: "col", role: "columnheader" }, h("span", { class: "hidden" }, title || "Actions"))));
  const table = h("table", { class: "revisions", role: "table", "aria-labelledby": `${id}-title` }, h("thead", { role: "rowgroup" }, head), body);
  const card = h("article", { class: "app", id, "aria-labelledby": `${id}-title` },
    h("div", { class: "app-head" }, heading, chips, h("div", { class: "app-actions" }, staying, apply, reset, back)), h("div", { class: "app-body" }, traffic, judgement, table));
  back.setAttribute("aria-label", `Roll back ${name}`);
  apply.setAttribute("aria-label", `Apply weights of ${name}`);
  reset.setAttribute("aria-label", `Discard changed weights of ${name}`);
  back.addEventListener("click", () => rollBack(name, card.app.rollout));
  reset.addEventListener("click", () => {
    drafts.delete(name);
    drawApps();
  });
  apply.addEventListener("click", async () => {
    const weights = Object.fromEntries(Object.entries(drafts.get(name) ?? {}).filter(([, share]) => share > 0));
    if (await setWeights(name, weights, keep.checked ? "keep" : "follow")) drafts.delete(name);
    drawApps();
  });
  near.observe(card);
  return Object.assign(card, { parts: { chips, back, apply, reset, staying, traffic, judgement, body } });
}

function updateApp(card, { app, rows }) {
  if (card.isFar && card.app) return;
  card.app = app;
  const { chips, back, apply, reset, staying, traffic, judgement, body } = card.parts;
  const draft = drafts.get(app.name);
  const split = draft ?? shares(app);
  const versions = Object.keys(split);
  const tags = Object.entries(app.tags ?? {}).map(([tag, version]) => `${tag} → ${version}`);
  keyed(chips, tags, (tag) => tag, (tag) => h("span", { class: "chip" }, tag));
  shown(back, mayChange && Boolean(app.rollout?.canary || app.rollout?.previous) && !draft);
  shown(apply, Boolean(draft));
  shown(reset, Boolean(draft));
  shown(staying, Boolean(draft));
  const parts = versions.filter((version) => split[version] > 0);
  shown(traffic, versions.length > 1);
  keyed(traffic, parts, (version) => version, () => h("i"), (part, version) => {
    attribute(part, "class", color(app, version));
    part.style.flexGrow = split[version];
  });
  attribute(traffic, "aria-label", `Traffic of ${app.name}: ${parts.map((version) => `${version} ${percent(split[version])}`).join(", ") || "nothing serves"}`);
  judge(judgement, app.rollout);
  const lines = rows.flatMap((revision) => {
    const figures = known.revisions.get(revision.id);
    const why = revision.reason ?? figures?.startFailure?.reason;
    const line = { app, revision, figures, split, draft, key: revision.id };
    if (why) return [line, { why: reason(why, figures?.startFailure), key: `why ${revision.id}` }];
    const { warnings } = revision;
    return warnings?.length ? [line, { warnings, key: `warnings ${revision.id}` }] : [line];
  });
  keyed(body, lines, ({ key }) => key, (line) => (line.revision ? makeRow(line) : makeWhy(line)), (row, line) => {
    if (line.revision) updateRow(row, line);
    else if (line.why) text(row.firstChild, line.why);
  });
}

function color(app, version) {
  const versions = [...new Set(app.revisions.map((revision) => revision.version))].reverse();
  return `c${Math.max(0, versions.indexOf(version)) % COLORS}`;
}

function reason(why, failure) {
  if (!failure) return why;
  const again = failure.retryInMs == null ? "only another build is tried again" : failure.retryInMs > 0 ? `tried again in ${span(failure.retryInMs)}` : "tried again for the next who asks";
  return `${why} (${plural(failure.attempts, "try", "tries")}; ${again})`;
}

const WAYS = { promoted: "was promoted", reversed: "was reversed by itself", rolledBack: "was rolled back", replaced: "was replaced" };

// How a canary does, or how the last one ended.
function judge(node, rollout) {
  const { canary, last, fault } = rollout ?? {};
  shown(node, Boolean(canary || last || fault));
  attribute(node, "class", `judgement${fault || (!canary && last?.how === "reversed") ? " bad" : ""}`);
  const key = JSON.stringify([canary, last, fault, last && !canary ? span(known.now - last.at) : null]);
  if (node.drawn === key) return;
  node.drawn = key;
  if (fault) node.replaceChildren(`The rollout’s file is not in force: ${fault}`);
  else if (canary) node.replaceChildren(...trial(canary));
  else if (last) node.replaceChildren(`The last canary, ${last.version}, ${WAYS[last.how] ?? last.how} ${span(known.now - last.at)} ago: ${last.reason}`);
}

function trial({ version, steps, step, held, waits, leftMs, judgement }) {
  const of = (number, all) => (all > 0 ? `${count(number)} (${((number / all) * 100).toFixed(2)} %)` : count(number));
  const side = (name, seen) => h("span", null, `${name}: ${plural(seen.answers, "answer")}, ${of(seen.errors, seen.answers)} failed, ${plural(seen.faults, "fault")}, ${plural(seen.closes, "session")} closed, p99 ${ms(seen.p99Ms || null)}`);
  const evidence = Math.max(0, ...Object.values(judgement?.evidence ?? {}));
  return [
    h("b", null, `Canary ${version}`),
    h("ol", { "aria-label": "Steps" }, ...steps.map((share, index) => h("li", { "aria-current": index === step ? "step" : null }, percent(share)))),
    h("span", null, held ?? waits ?? `next step in ${span(leftMs)}`),
    h("span", null, `evidence against it ${Math.round(evidence * 100)} %`),
    ...(judgement ? [side("canary", judgement.canary), side("beside it", judgement.stable)] : []),
  ];
}

function makeWhy({ warnings }) {
  const cell = h("td", { colspan: HEADS.length, role: "cell" });
  if (warnings) cell.append(h("details", null, h("summary", null, plural(warnings.length, "warning")), ...warnings.map((warning) => h("p", null, warning))));
  return h("tr", { class: warnings ? "why soft" : "why", role: "row" }, cell);
}

function makeRow({ app, revision }) {
  const cell = (name, kind, ...children) => h("td", { role: "cell", class: kind, "data-name": name }, ...children);
  const { version } = revision;
  const slider = h("input", { type: "range", min: 0, max: 100, step: 1, disabled: !mayChange, "aria-label": `Weight of ${app.name} ${version} in percent` });
  const output = h("output");
  const weight = h("div", { class: "weight" }, slider, output);
  const line = spark();
  const cells = {
    version: h("span", { class: "version" }, version),
    state: h("span", { class: "pill" }),
    weight: cell(null, "wide", weight),
    trace: cell(null, "n trace", line),
    rate: cell("Requests/s", "n"),
    p50: cell("p50", "n"),
    p95: cell("p95", "n"),
    p99: cell("p99", "n"),
    queue: cell("Queue", "n"),
    sessions: cell("Sessions", "n"),
    faults: cell("Faults", "n"),
  };
  const up = h("button", { type: "button", class: "small", "aria-label": `Promote ${app.name} ${version}` }, "Promote");
  const canary = h("button", { type: "button", class: "small", "aria-label": `Canary… of ${app.name} ${version}` }, "Canary…");
  const actions = h("div", { class: "row-actions" }, canary, up);
  const row = h("tr", { role: "row", "data-version": version }, cell(null, "first", cells.version), cell(null, "state-cell", cells.state), cells.weight, cells.trace, cells.rate, cells.p50, cells.p95, cells.p99, cells.queue, cells.sessions, cells.faults, cell(null, "last", actions));
  up.addEventListener("click", () => promote(app.name, version));
  canary.addEventListener("click", () => askCanary(app.name, version));
  slider.addEventListener("input", () => {
    const whole = Object.fromEntries(Object.entries(row.line.split).map(([name, share]) => [name, Math.round(share)]));
    drafts.set(app.name, spread(whole, version, slider.valueAsNumber));
    drawApps();
  });
  return Object.assign(row, { made: cells, parts: { slider, output, weight, up, canary, spark: line } });
}

function updateRow(row, line) {
  row.line = line;
  const { app, revision, figures, split, draft } = line;
  const { made: cells, parts } = row;
  const isLive = revision.state === "live";
  const failing = isLive && figures?.startFailure;
  const others = Object.keys(split).length > 1;
  const share = split[revision.version];
  const isNewest = app.revisions.find((one) => one.version === revision.version && one.state === "live") === revision;
  attribute(cells.version, "class", `version ${color(app, revision.version)}`);
  attribute(cells.version, "title", `${revision.kind}, ${revision.digest}`);
  text(cells.state, failing ? "failing" : revision.state);
  attribute(cells.state, "class", `pill ${failing ? "failing" : revision.state}`);
  const weighed = isLive && isNewest && others && share != null;
  shown(parts.weight, weighed);
  if (weighed) {
    attribute(parts.weight, "class", `weight ${color(app, revision.version)}${draft ? " draft" : ""}`);
    if (parts.slider.valueAsNumber !== Math.round(share)) parts.slider.value = Math.round(share);
    attribute(parts.slider, "aria-valuetext", percent(share));
    parts.slider.style.setProperty("--fill", `${share}%`);
    text(parts.output, percent(share));
  }
  shown(parts.up, mayChange && weighed && share < 100 && !draft);
  shown(parts.canary, mayChange && weighed && share < 100 && !draft && !app.rollout?.canary);
  const recent = figures?.recent;
  const times = recent && recent.requestsPerSecond > 0 ? recent.responseTimeMs : null;
  parts.spark.draw(known.traces.get(revision.id) ?? [], 60);
  number(cells.rate, recent && figures.requests != null ? rate(recent.requestsPerSecond) : NONE);
  number(cells.p50, ms(times?.p50));
  number(cells.p95, ms(times?.p95));
  number(cells.p99, ms(times?.p99));
  number(cells.queue, count(figures?.queueDepth));
  number(cells.sessions, count(figures?.sessions));
  number(cells.faults, count(figures?.workersFailed));
  cells.faults.classList.toggle("hot", (recent?.failuresPerSecond ?? 0) > 0);
  cells.queue.classList.toggle("hot", (figures?.queueDepth ?? 0) > 0);
}

// Nothing is said softly.
function number(cell, value) {
  text(cell, value);
  cell.classList.toggle("zero", value === "0" || value === NONE);
}
