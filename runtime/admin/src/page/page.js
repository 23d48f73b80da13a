// Draws what /_/sse tells. Everything is put in as text, so no name of an app can become markup.
"use strict";

const by = (id) => document.getElementById(id);

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

// A quantile triple reads "p50 / p95 / p99"; a number stays one.
function shown(value) {
  if (value !== null && typeof value === "object") return Object.values(value).join(" / ");
  return typeof value === "number" ? value.toLocaleString() : String(value);
}

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

function row(...cells) {
  return element("tr", ...cells.map((cell) => element("td", String(cell ?? ""))));
}

function draw(stats) {
  const figures = Object.entries(stats.pool);
  by("pool").replaceChildren(
    ...figures.map(([name, value]) => element("div", element("dt", name), element("dd", shown(value)))),
  );
  by("workers").replaceChildren(
    ...Object.entries(stats.workers).map(([name, worker]) =>
      row(name, worker.workers, worker.status, worker.requestCount, seconds(worker.age), seconds(worker.idle)),
    ),
  );
}

// What a revision without workers of its own has none of.
function figures(of) {
  if (!of) return ["", "", "", "", ""];
  const cpu = of.cpuTimeMs === null ? "" : seconds(of.cpuTimeMs);
  return [of.workers, of.requests, of.sessions, of.responseTimeMs.p99, cpu];
}

async function drawApps() {
  const response = await fetch("deployments");
  if (!response.ok) return;
  const { apps = [] } = await response.json();
  by("apps").replaceChildren(
    ...apps.flatMap((app) =>
      app.revisions.map((revision) =>
        row(
          app.name,
          revision.version,
          revision.state,
          revision.kind,
          ...figures(revision.figures),
          revision.reason ?? revision.figures?.startFailure?.reason,
        ),
      ),
    ),
  );
}

const stream = new EventSource("sse");
stream.onopen = () => (by("state").textContent = "live");
stream.onerror = async () => {
  by("state").textContent = "reconnecting";
  // A login that ended: the page then is the form that begins another one.
  const asked = await fetch("stats", { method: "HEAD" }).catch(() => null);
  if (asked?.status === 401) location.reload();
};
stream.onmessage = (event) => draw(JSON.parse(event.data));

// A failed look is made up for by the next.
const look = () => drawApps().catch(() => {});
look();
setInterval(look, 5000);
