// Where things are: the repository, the server's binary, the browser, and where pictures go.
//
// The same variables as in the other tests: ROOKERY_BIN names the server. CHROMIUM names the browser.

import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

export const repository = resolve(import.meta.dirname, "../../..");
export const target = resolve(repository, process.env.CARGO_TARGET_DIR ?? "target");
export const rookery = process.env.ROOKERY_BIN ?? join(target, "debug/rookery");

/** Where the pictures of the documentation are. They are taken when PICTURES is set, and not in every run. */
export const pictures = join(repository, "docs/images");
export const arePicturesWanted = Boolean(process.env.PICTURES);

/** The browser of the system. */
export function chromium(): string {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = folders
    .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
    .find((path) => existsSync(path));
  if (!found) throw new Error("chromium is not there: tests/run installs it, or CHROMIUM names it");
  return found;
}
