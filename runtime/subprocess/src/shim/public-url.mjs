// The URL that the client asked for: the runtime knows the host that it named, and not that it came over TLS.
//
// Invariant: a request's headers are not looked at before the app looks at them or at the URL: a runtime makes an object of
// them then, which costs as much as a short answer.

const SCHEME = /^[a-z+]+:/;
const heard = Object.getOwnPropertyDescriptor(Request.prototype, "url").get;

/** In place of the runtime's own property, on each request that is served. */
const PUBLIC_URL = {
  configurable: true,
  get() {
    const url = heard.call(this);
    try {
      const scheme = `${schemeOf(this.headers)}:`;
      return url.startsWith(scheme) ? url : url.replace(SCHEME, scheme);
    } catch {
      // Deno closes a request that became a WebSocket: it has no headers any more, and Deno itself asks for its URL.
      return url;
    }
  },
};

/** Each server on the way may have added its own; the first one heard the client. */
export function schemeOf(headers) {
  return headers.get("x-forwarded-proto")?.startsWith("https") ? "https" : "http";
}

/** Gives the request the client's scheme. The request itself is kept: it is what its runtime upgrades to a WebSocket. */
export function publicUrl(request) {
  return Object.defineProperty(request, "url", PUBLIC_URL);
}

/** The URL as the runtime heard it: right in all but the scheme, and cheap. */
export function heardUrl(request) {
  return heard.call(request);
}
