// The URL that the client asked for: the runtime knows the host that it named, and not that it came over TLS.

const SCHEME = /^[a-z+]+:/;

/** Each server on the way may have added its own; the first one heard the client. */
export function schemeOf(headers) {
  return headers.get("x-forwarded-proto")?.startsWith("https") ? "https" : "http";
}

/** Gives the request the client's scheme. */
export function publicUrl(request) {
  const scheme = `${schemeOf(request.headers)}:`;
  if (!request.url.startsWith(scheme)) {
    // The request itself is kept: it is what its runtime upgrades to a WebSocket.
    Object.defineProperty(request, "url", { value: request.url.replace(SCHEME, scheme) });
  }
  return request;
}
