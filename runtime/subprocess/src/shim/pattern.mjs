// One pattern of `routes`: a segment is a text, `:name`, `:name{regex}`, `:name?` (last), or `*`. A `*` at the end stands
// for any rest, also for none.

/** How special a segment is, the most special first. Patterns are compared by these, left to right. */
const TEXT = 0;
const CHECKED = 1;
const ANY = 2;
const REST = 3;

/** A pattern whose last segment may be absent is two patterns. */
export function variants(pattern) {
  const optional = /^(.*)\/(:[^/?]+)\?$/.exec(pattern);
  return optional ? [`${optional[1]}/${optional[2]}`, optional[1] || "/"] : [pattern];
}

/** `{ text }` for a pattern that is one path, else `{ ranks, match }`: `match` gives a path's parameters, or null. */
export function compile(pattern) {
  const segments = split(pattern).map(read);
  if (segments.every(({ rank }) => rank === TEXT)) {
    return { text: segments.map(({ text }) => `/${text}`).join("") };
  }
  const sources = segments.map((segment, at) => source(segment, at, segments.length));
  const regex = new RegExp(`^${sources.join("")}$`);
  const match = (path) => {
    const found = regex.exec(path);
    return found && parameters(segments, found.groups);
  };
  const isLast = (at) => at === segments.length - 1;
  const ranks = segments.map(({ rank }, at) => (rank === REST && !isLast(at) ? ANY : rank));
  return { ranks, match };
}

/** Which of two compiled patterns is tried first: negative for the one. */
export function compare(one, other) {
  const length = Math.max(one.ranks.length, other.ranks.length);
  for (let at = 0; at < length; at += 1) {
    // A pattern that has ended is as special as can be: it leaves nothing open.
    const difference = (one.ranks[at] ?? TEXT) - (other.ranks[at] ?? TEXT);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** At each slash that is not within a regex. */
function split(pattern) {
  return pattern.replace(/^\//, "").split(/\/(?![^{]*\})/);
}

function read(segment) {
  if (segment === "*") return { rank: REST };
  const named = /^:([^{}]+)(?:\{(.+)\})?$/.exec(segment);
  if (!named) return { rank: TEXT, text: segment.includes("%") ? segment : encodeURI(segment) };
  const [, name, check] = named;
  return { rank: check ? CHECKED : ANY, name, check };
}

function source({ rank, text, check }, at, count) {
  if (rank === TEXT) return `/${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`;
  if (rank === REST) return at === count - 1 ? "(?:/.*)?" : "/[^/]+";
  // Our own group names: a parameter may be called what no group can be.
  return `/(?<p${at}>${check ?? "[^/]+"})`;
}

function parameters(segments, groups) {
  const named = segments.map(({ name }, at) => [name, groups?.[`p${at}`]]);
  return Object.fromEntries(named.filter(([name]) => name).map(([name, text]) => [name, decoded(text)]));
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
