// The URL that the client asked for: the runtime knows the host that it named, and not that it came over TLS.

const SCHEME = /^[a-z+]+:/;

/** Gives the request the client's scheme. */
export function publicUrl(request) {
  const scheme = request.headers.get("x-forwarded-proto") === "https" ? "https:" : "http:";
  if (!request.url.startsWith(scheme)) {
    // The request itself is kept: it is what its runtime upgrades to a WebSocket.
    Object.defineProperty(request, "url", { value: request.url.replace(SCHEME, scheme) });
  }
  return request;
}
