// The page: follows the stream, and draws what is known once a tick, unless it is paused or nobody sees it.

import { drawApps } from "./apps.js";
import "./deploy.js";
import { attribute, by, mayChange, shown, text } from "./dom.js";
import { filter } from "./model.js";
import { drawCharts, drawFaults, drawLog, drawTiles, drawTopics, drawUpstreams } from "./panels.js";
import { follow } from "./stream.js";
import { drawWorkers } from "./workers.js";

const WORDS = { live: "Live", lost: "Reconnecting", connecting: "Connecting", paused: "Paused" };

let isPaused = false;
let connection = "connecting";

function drawState() {
  const state = isPaused ? "paused" : connection;
  attribute(by("state"), "data-state", state);
  text(by("state"), WORDS[state]);
}

function draw() {
  if (document.hidden) return;
  drawTiles();
  drawCharts();
  drawApps();
  drawWorkers();
  drawFaults();
  drawTopics();
  drawUpstreams();
  drawLog();
}

by("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  attribute(by("pause"), "aria-pressed", String(isPaused));
  drawState();
  if (!isPaused) draw();
});

by("filter").addEventListener("input", (event) => {
  filter.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  draw();
});

by("level").addEventListener("change", (event) => {
  filter.level = event.target.value;
  drawLog();
});

by("range").addEventListener("change", drawCharts);
document.addEventListener("visibilitychange", () => isPaused || draw());
text(by("host"), location.host);
shown(by("read-only"), !mayChange);

// The section that is read is marked among the links.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const near = new Set();
const spy = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) near[isIntersecting ? "add" : "delete"](target.id);
  const first = [...links.keys()].find((id) => near.has(id));
  for (const [id, link] of links) attribute(link, "aria-current", id === first ? "true" : null);
}, { rootMargin: "-15% 0px -60% 0px" });
for (const id of links.keys()) spy.observe(by(id));

follow(
  () => isPaused || draw(),
  (state) => {
    connection = state;
    drawState();
  },
);
