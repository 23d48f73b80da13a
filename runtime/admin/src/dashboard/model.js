// What is known of the server. It is fed by the stream, and drawn by others.

const LINES_MAX = 600;
const POINTS_MAX = 900;
const TRACE_MAX = 60;

export const known = {
  now: Date.now(),
  apps: [],
  reports: [],
  pool: null,
  hub: null,
  proxies: [],
  faults: [],
  // By id.
  revisions: new Map(),
  // The requests per second of each revision lately, by id.
  traces: new Map(),
  columns: [],
  points: [],
  lines: [],
  // Counts all lines that ever came, so that who draws them knows which are new.
  linesSeen: 0,
  rates: new Map(),
};

const LEVELS = ["trace", "debug", "info", "warn", "error"];

export const filter = { words: [], level: "info" };

// Whether all words of the filter are in one of the texts.
export function matches(...texts) {
  if (filter.words.length === 0) return true;
  const all = texts.filter(Boolean).join(" ").toLowerCase();
  return filter.words.every((word) => all.includes(word));
}

export const isLoud = (level) => LEVELS.indexOf(level) >= LEVELS.indexOf(filter.level);

// The points of the last so many seconds.
export function past(seconds) {
  const from = known.now - seconds * 1000;
  return known.points.filter((point) => point.at > from);
}

function point(row) {
  return Object.fromEntries(known.columns.map((name, index) => [name, row[index]]));
}

// How much a count grew in a second, since the tick before.
function grown(key, value) {
  const before = known.rates.get(key);
  const now = known.now;
  if (before && now - before.at < 300) return before.rate;
  const seconds = before ? (now - before.at) / 1000 : 0;
  const rate = before && seconds < 30 ? Math.max(0, value - before.value) / seconds : null;
  known.rates.set(key, { at: now, value, rate, touched: true });
  return rate;
}

export const feed = {
  apps({ whole, apps, gone, reports }) {
    const left = whole ? [] : known.apps.filter((app) => !gone.includes(app.name) && !apps.some((one) => one.name === app.name));
    known.apps = [...left, ...apps].sort((one, other) => (one.name < other.name ? -1 : 1));
    known.reports = reports ?? [];
  },

  history({ columns, rows }) {
    known.columns = columns;
    known.points = rows.map(point);
  },

  log({ lines, lost }) {
    if (lost) known.lines.push({ lost: true, number: -lines[0]?.number });
    known.lines.push(...lines);
    known.linesSeen += lines.length;
    known.lines.splice(0, Math.max(0, known.lines.length - LINES_MAX));
  },

  tick(tick) {
    known.now = tick.now;
    known.pool = tick.pool;
    known.hub = tick.hub;
    known.proxies = tick.proxies;
    known.faults = tick.faults;
    if (tick.whole) known.revisions.clear();
    for (const revision of tick.revisions) known.revisions.set(revision.id, revision);
    for (const id of tick.gone) known.revisions.delete(id);
    if (tick.point && known.columns.length > 0) {
      const newest = point(tick.point);
      if (newest.at > (known.points.at(-1)?.at ?? 0)) known.points.push(newest);
      known.points.splice(0, Math.max(0, known.points.length - POINTS_MAX));
    }
    for (const [id, revision] of known.revisions) {
      const trace = known.traces.get(id) ?? [];
      trace.push(revision.recent?.requestsPerSecond ?? 0);
      trace.splice(0, Math.max(0, trace.length - TRACE_MAX));
      known.traces.set(id, trace);
    }
    for (const id of known.traces.keys()) if (!known.revisions.has(id)) known.traces.delete(id);
    for (const space of known.hub?.namespaces ?? []) {
      space.publishedPerSecond = grown(`published ${space.namespace}`, space.published);
      space.deliveriesPerSecond = grown(`deliveries ${space.namespace}`, space.deliveries + space.sent);
    }
    for (const rule of known.proxies ?? []) {
      rule.requestsPerSecond = grown(`rule ${rule.revision} ${rule.rule}`, rule.requests);
    }
  },
};
