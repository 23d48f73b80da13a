// The script's default export, read once: what answers requests, what holds WebSockets, what hears of its life.
//
// Invariant: an app that is loaded has something to answer with.

import { basename } from "node:path";
import { pathToFileURL } from "node:url";

import { failed, Unusable } from "./explain.mjs";
import { Routes } from "./routes.mjs";

const NOT_FOUND = "404 Not Found";

/** Imports the script, waits for what it awaits, and gives `{ answer, websocket, hooks }`. */
export async function load(entrypoint) {
  const app = exported(await import(pathToFileURL(entrypoint).href));
  const script = basename(entrypoint);
  return shape(await app, script);
}

/** The default export; of a CommonJS module that was compiled from an ES module, the inner one. */
function exported(module) {
  const app = module.default;
  return app?.__esModule ? app.default : app;
}

function shape(app, script) {
  const fetch = typeof app?.fetch === "function" ? app.fetch.bind(app) : null;
  // Hono and Elysia list what was registered as an array, which is for their own use.
  const routes = app?.routes && !Array.isArray(app.routes) ? new Routes(app.routes, script) : null;
  if (!fetch && !routes) {
    throw new Unusable(
      `${script} has no default export with \`fetch\` or \`routes\`; ` +
        "a server that listens on a port by itself is started by the manifest's \"command\"",
    );
  }
  return {
    answer: answerer(routes, fetch, ownErrorHandler(app)),
    websocket: app.websocket ?? null,
    hooks: { onIdle: app.onIdle?.bind(app), onTerminate: app.onTerminate?.bind(app) },
  };
}

/** Bun's `error(error)`. A framework's method of that name is about something else. */
function ownErrorHandler(app) {
  return Object.hasOwn(app, "error") && typeof app.error === "function" ? app.error : null;
}

/**
 * A function of a request and of what its runtime gives beside it. Routes come before `fetch`. It never throws, and it
 * gives a Response, or undefined for a request that was upgraded; at once where the app does, or a promise of it.
 */
function answerer(routes, fetch, onError) {
  return (request, beside) => {
    try {
      const handler = routes?.find(request) ?? fetch ?? notFound;
      const answer = handler(request, beside);
      // A promise costs a turn of the loop.
      return answer instanceof Response ? answer : settle(request, answer, onError);
    } catch (error) {
      return recover(request, error, onError);
    }
  };
}

async function settle(request, answer, onError) {
  try {
    return checked(request, await answer);
  } catch (error) {
    return recover(request, error, onError);
  }
}

async function recover(request, error, onError) {
  try {
    const answer = await onError?.(error);
    if (isResponse(answer)) return answer;
  } catch (another) {
    error = another;
  }
  return failed(request, error);
}

function checked(request, answer) {
  if (isResponse(answer) || request.headers.has("upgrade")) return answer;
  throw new TypeError(`the handler gave ${answer === null ? "null" : typeof answer}, not a Response`);
}

/** Libraries bring their own classes, which are no instances of the global one. */
function isResponse(value) {
  return value instanceof Response || typeof value?.headers?.getSetCookie === "function";
}

function notFound() {
  return new Response(NOT_FOUND, { status: 404 });
}
