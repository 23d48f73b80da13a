// What a close code tells a client: whether there is any point in coming back. The rule is the server's.

const FOR_GOOD = new Set([1000, 1002, 1003, 1007, 1008, 1009, 1010]);
/** Too late, too early, too much: refusals that end by themselves. */
const FOR_NOW = new Set([4408, 4425, 4429]);

const WORDS = new Map([
  [4403, "This page may not connect to the chat"],
  [4404, "There is no chat here"],
]);

export function staysAway(code) {
  if (FOR_GOOD.has(code)) return true;
  return (code >= 3500 && code <= 3999) || (code >= 4400 && code <= 4499 && !FOR_NOW.has(code));
}

export function explain(code, reason) {
  return WORDS.get(code) ?? (reason ? `The server ended the connection: ${reason}` : "The server ended the connection");
}
