// Folders of one run, which are gone when it ends.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let root: string | undefined;

/** A folder of its own. */
export function scratch(name: string): string {
  if (!root) {
    const made = mkdtempSync(join(tmpdir(), "rookery-browser-"));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
    root = made;
  }
  return mkdtempSync(join(root, `${name}-`));
}
