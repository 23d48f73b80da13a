// Waiting for what is expected, and for no longer than that takes.

/** When a test gives up. The suite's own limit is twice that. */
export const PATIENCE_MS = 60_000;
const LOOK_AGAIN_MS = 50;

export const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** Looks until there is something. */
export async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await sleep(LOOK_AGAIN_MS);
  }
}
