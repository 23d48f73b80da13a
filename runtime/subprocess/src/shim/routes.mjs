// The `routes` of a default export: what answers which path and method.
//
// Invariant: the more special pattern is tried first, segment by segment; of two alike, the one that was written first.
// Invariant: a known path with a method that nobody answers is 405 and says which are.

import { Unusable } from "./explain.mjs";
import { compare, compile, variants } from "./pattern.mjs";
import { heardUrl } from "./public-url.mjs";

export class Routes {
  #texts = new Map();
  #patterns = [];

  /** Reads the map; `script` is for messages. */
  constructor(map, script) {
    for (const [pattern, value] of Object.entries(map)) {
      const what = `${script}: routes[${JSON.stringify(pattern)}]`;
      const methods = methodsOf(value, what);
      for (const variant of variants(pattern)) this.#add(variant, methods, what);
    }
    this.#patterns.sort(compare);
  }

  /** What answers a request: a function of it and of what its runtime gives beside it. Null where no pattern fits. */
  find(request) {
    const path = pathOf(heardUrl(request));
    let refused = null;
    for (const { methods, params } of this.#fitting(path)) {
      const handler = methods.get(request.method) ?? methods.get("*");
      if (handler) return (request, beside) => handler(named(request, params), beside);
      refused ??= methods;
    }
    return refused && (() => notAllowed(refused));
  }

  #add(pattern, methods, what) {
    try {
      const { text, ...compiled } = compile(pattern);
      if (text === undefined) this.#patterns.push({ ...compiled, methods });
      else if (!this.#texts.has(text)) this.#texts.set(text, methods);
    } catch (error) {
      throw new Unusable(`${what}: ${error.message}`);
    }
  }

  *#fitting(path) {
    const methods = this.#texts.get(path);
    if (methods) yield { methods, params: {} };
    for (const { match, methods } of this.#patterns) {
      const params = match(path);
      if (params) yield { methods, params };
    }
  }
}

/** From a method, or `*` for all, to what answers it. */
function methodsOf(value, what) {
  const all = handlerOf(value);
  if (all) return new Map([["*", all]]);
  if (typeof value !== "object" || value === null) {
    throw new Unusable(`${what} must be a Response, a function, or an object of these by method`);
  }
  const methods = new Map();
  for (const [method, of] of Object.entries(value)) {
    const handler = handlerOf(of);
    if (!handler) throw new Unusable(`${what}.${method} must be a Response or a function`);
    methods.set(method.toUpperCase(), handler);
  }
  // Whoever answers GET answers HEAD; the body is left out further on.
  if (methods.has("GET") && !methods.has("HEAD")) methods.set("HEAD", methods.get("GET"));
  return methods;
}

function handlerOf(value) {
  if (typeof value === "function") return value;
  // A body is read once, and this answer is given many times.
  if (value instanceof Response) return () => value.clone();
  // Such as Bun.file("page.html").
  if (value instanceof Blob) return () => new Response(value);
  return null;
}

function notAllowed(methods) {
  const allow = [...methods.keys()].join(", ");
  return new Response("405 Method Not Allowed", { status: 405, headers: { allow } });
}

function named(request, params) {
  // Bun's own requests have it as a getter.
  return Object.defineProperty(request, "params", { value: params, configurable: true });
}

/** The path of an absolute URL, still encoded. Much cheaper than parsing it. */
function pathOf(url) {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const end = url.slice(start).search(/[?#]/);
  return end < 0 ? url.slice(start) : url.slice(start, start + end);
}
