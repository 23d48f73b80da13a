// Bundles as archives, as operators have them.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { scratch } from "./scratch";

/** A .tar.gz of what is in a folder, by a name that says what it is of. */
export function archive(folder: string, name: string): string {
  const file = join(scratch("archive"), `${name}.tar.gz`);
  const done = spawnSync("tar", ["-C", folder, "-czf", file, "."], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(done.stderr);
  return file;
}
