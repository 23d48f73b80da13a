// Records what JavaScript makes of patterns: `node record.mjs > recorded.json`. The same arguments give the same again;
// `node record.mjs 100000 7` gives another hundred thousand random patterns, for a longer search than is kept here.
//
// An entry of `patterns` is [pattern, null] for a SyntaxError, or [pattern, [[path, groups], …]]: groups is null where the pattern
// does not match, else the ranges of the match and of its groups, [start, end] or null for one that took no part.
//
// An entry of `rewrites` is [pattern, rewrite, path, what the rewrite becomes].
//
// Paths are what a URI's path can be: ASCII that is visible. Patterns are those below, and as many random ones.

const COUNT = Number(process.argv[2] ?? 2400);
let state = Number(process.argv[3] ?? 20261121);

/** From 0 up to `below`; mulberry32. */
function random(below) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
}

const pick = (list) => list[random(list.length)];

const WRITTEN = [
  // The seed's, and the like.
  ["^/api/v(\\d+)/(.*)$", "/api/v2/users", "/api/v10/", "/api/vx/y", "/x/api/v2/y"],
  ["^/api/(.*)$", "/api/", "/api", "/api/a/b"],
  ["^/_api/login$", "/_api/login", "/_api/login/", "/_api/loginx"],
  ["^\\/api\\/([^\\/]+)\\/?$", "/api/a", "/api/a/", "/api/a/b"],
  ["\\.(?:png|jpe?g|gif)$", "/x.png", "/x.jpeg", "/x.jpg/", "/.gif"],
  ["^/(?<lang>[a-z]{2})(?:-(?<region>[A-Z]{2}))?/(?<rest>.*)$", "/de/x", "/de-AT/x/y", "/deu/x", "/de-at/x"],
  ["^/(?!admin|internal)(.*)$", "/users", "/admin", "/adminx", "/", "/internal/x"],
  ["^/(?:(?!\\.\\.).)*$", "/a.b", "/a..b"],
  ["(?<=/v)\\d+(?=/)", "/v12/", "/v12", "/x12/"],
  ["(?<!/v)\\b\\d+", "/v12/3", "/12"],
  ["^/(\\w+)/\\1$", "/a/a", "/a/b", "/ab/ab"],
  ["^/(?<a>\\w+)/\\k<a>$", "/a/a", "/a/b"],
  // What a class, an escape and a bound mean.
  ["\\d\\D\\w\\W\\s?\\S", "/1a_-x", "1/a-b", "11a-b"],
  ["[\\d\\-x]+", "/1-x", "x-1", "abc"],
  ["[\\w-a]+", "/a-b", "-", "/"],
  ["[a-\\d]+", "/a-1", "b-"],
  ["[-a][a-]", "/a-", "--", "/ab"],
  ["[^]", "/", "a"],
  ["[]", "/", "a"],
  ["a[]?b", "/ab", "a"],
  ["[^a-z/]+", "/aB9", "/a"],
  ["[]]", "/]", "]"],
  ["[[]x]", "/[x]", "x]"],
  ["\\x61\\u0062\\143", "/abc", "/ab"],
  ["\\x6\\u006\\u{2}", "/x6u006uu", "x6"],
  ["\\08\\18", "/x", "8"],
  ["(a)\\2\\10", "/a", "/a\u0002"],
  ["\\101\\60\\377?", "/A0", "A"],
  ["(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10", "/abcdefghijj", "/abcdefghija0"],
  ["\\8\\9", "/89", "8"],
  ["\\c\\ca?", "/\\c\\c", "\\c"],
  ["[\\c1\\cA\\c]", "/\\", "c", "1"],
  ["[\\b]|\\bx", "/x", "ax"],
  ["\\k<a>", "/k<a>", "k"],
  ["\\p{L}\\-\\:\\@\\/\\q", "/p{L}-:@/q", "p"],
  ["a{", "/a{", "a"],
  ["a{,3}", "/a{,3}", "aaa"],
  ["a{1", "/a{1", "a"],
  ["x{2}y{1,}z{0,1}", "/xxyyz", "/xyz", "/xxy"],
  ["a{2,3}?(a*)", "/aaaaa", "/a"],
  ["}]", "/}]", "}"],
  ["é", "/%C3%A9", "/e"],
  ["💩?a", "/a", "a"],
  ["[💩-😀a]", "/a", "/b"],
  [".$", "/a", "/"],
  ["^.", "/a", "/"],
  ["$^|x", "/x", "/"],
  ["(?=a)*b", "/ab", "/b"],
  ["(?=(a))?b", "/b", "/ab"],
  ["\\bx\\b.\\Bx\\B", "/x-x", "/x xx"],
  // Groups in repetitions, and rounds that take nothing.
  ["(?:(a)|b)*", "/ab", "ab", "ba"],
  ["(?:(a)|(b))+", "ab", "ba", "aab"],
  ["(z)((a+)?(b+)?(c))*", "zaacbbbcac"],
  ["(a*)*", "/b", "aa", "b"],
  ["(a*)+", "b", "aab"],
  ["(?:a*?)*b", "aab", "b"],
  ["(a*?)?b", "aab", "b"],
  ["(?:|a)+", "aaa", "b"],
  ["(|a)+", "aaa", "b"],
  ["(a?)*?b", "aab", "b"],
  ["(?:a|())*b", "aab", "b"],
  ["(a*){2,}", "aa", "b"],
  ["(a*?){2}b", "aab", "b"],
  ["(?:(?:a|b)*c?)*d", "abcabd", "d", "abc"],
  ["(?:^|a)*b", "aab", "b"],
  ["(\\2a)(\\1b)", "aab", "ab"],
  ["(a\\1)", "aa", "a"],
  ["(?!(a))b\\1", "b", "ab"],
  ["(?=(a+))a*b\\1", "baaabac", "aab"],
  ["(.*?)a(?!(a+)b\\2c)\\2(.*)", "baaabaac"],
  ["(?<=(\\d+)(\\d+))$", "1053", "/12"],
  ["(?<=\\1(a))b", "aab", "ab"],
  ["(?<=(a|bc))x", "bcx", "ax", "x"],
  ["(?<=^(?:ab)*)c", "ababc", "abc", "bc", "xabc"],
  ["(?<!a(?=b))b", "ab", "cb"],
  ["(?<=a.*?)b", "axxb", "b"],
  ["((?:b)(a)){0}(a)", "a", "ba"],
  // What is no pattern.
  ["*"], ["a**"], ["("], [")"], ["["], ["a{2,1}"], ["[z-a]"], ["\\"], ["(?<a>x)(?<a>y)"], ["(?<a>x)\\k"], ["(?<a>x)\\k<b>"],
  ["(?<1>x)"], ["(?P<a>x)"], ["(?>x)"], ["(?<=a)*"], ["^*"], ["\\b+"], ["{1}"], ["x{1}{2}"], ["[\\d-\\"], ["(?"],
];

const ATOMS = [
  "a", "b", "/", ".", "-", "1", "ab", "a", "b", "[ab]", "[^a]", "[^/]", "[a-c]", "\\d", "\\w", "\\W", "\\D", "[\\w-]", "\\/",
  "^", "$", "\\b", "\\B", "\\1", "\\2", "\\x61", "\\u0062", "\\141", "[^]", "[]", "{", "}", "]", "(?:)", "\\.", "%", "_",
];
const QUANTIFIERS = ["", "", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "{2,}", "*?", "+?", "??", "{0,2}?", "{1,}?", "{0}"];
const OPENERS = ["(", "(", "(", "(?:", "(?:", "(?=", "(?!", "(?<=", "(?<!"];

function term(depth) {
  const atom = depth > 0 && random(3) === 0 ? `${pick(OPENERS)}${choice(depth - 1)})` : pick(ATOMS);
  return atom + pick(QUANTIFIERS);
}

function choice(depth) {
  const branches = Array.from({ length: random(4) === 0 ? 2 : 1 }, () =>
    Array.from({ length: random(4) }, () => term(depth)).join(""),
  );
  return branches.join("|");
}

const LETTERS = "aab1(){}[]\\\\|?*+^$<>=!:,kcxud0-./";
const noise = () => Array.from({ length: 1 + random(8) }, () => pick(LETTERS)).join("");

const path = () => (random(4) ? "/" : "") + Array.from({ length: random(8) }, () => pick("aaabbb/1-.%_c")).join("");

function ranges(match) {
  return match && Array.from(match.indices, (range) => range ?? null);
}

function entry([pattern, ...paths]) {
  let regex;
  try {
    regex = new RegExp(pattern, "d");
  } catch {
    return [pattern, null];
  }
  return [pattern, paths.map((path) => [path, ranges(regex.exec(path))])];
}

const random_ones = Array.from({ length: COUNT }, (_, i) => {
  const pattern = i % 4 === 0 ? noise() : choice(3);
  return [pattern, path(), path(), path()];
}).filter(([pattern]) => pattern !== "");

const GROUPS = [
  "^/(a)?(b)?(.*)$",
  "(?<first>[ab])(?<second>1)?",
  "(a)(b)?(.)(.)?(.)?(.)?(.)?(.)?(.)?(.)?(.)?",
  "/(?:(a)|b)*",
  "(?=(/))(?<x>b)?",
  "b",
];
const PIECES = [
  "$1", "$2", "$3", "$10", "$11", "$12", "$01", "$00", "$0", "$9", "$99", "$$", "$&", "$`", "$'", "$<first>", "$<second>", "$<x>",
  "$<none>", "$<x", "$<>", "$", "$x", "a", "1", "0", "<", ">", "/",
];

/** What a rewrite becomes: JavaScript puts it in place of the match, and leaves what is around it. */
function rewritten(pattern, rewrite, path) {
  const match = new RegExp(pattern).exec(path);
  if (match === null) return [];
  const whole = path.replace(new RegExp(pattern), rewrite);
  const after = path.length - match.index - match[0].length;
  return [[pattern, rewrite, path, whole.slice(match.index, whole.length - after)]];
}

const rewrites = Array.from({ length: COUNT / 4 }, () => {
  const rewrite = Array.from({ length: 1 + random(4) }, () => pick(PIECES)).join("");
  return rewritten(pick(GROUPS), rewrite, path());
}).flat();

const lines = (entries) => entries.map((one) => JSON.stringify(one)).join(",\n");
const patterns = [...WRITTEN, ...random_ones].map(entry);
process.stdout.write(`{"patterns": [\n${lines(patterns)}\n],\n"rewrites": [\n${lines(rewrites)}\n]}\n`);
