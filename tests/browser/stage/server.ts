// A real server on a port of its own, with bundles as `rookery build` makes them.
//
// Invariant: it is gone when it is disposed of, with all it wrote; what it logged is shown if it did not start.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { repository, rookery, target } from "./place";
import { scratch } from "./scratch";
import { until } from "./wait";

/** What makes a bundle from its sources, and is no part of it. */
const SOURCES = new Set(["src", "target", "Cargo.toml", "Cargo.lock"]);
/** What the server reads of its environment: a developer's shell must not change what a test shows. */
const READ = /^(ROOKERY_.*|APPS_DIR|HOST|PORT|POOL_SIZE|APP_SHELL|RUST_LOG|NODE_ENV)$/;

const built = new Map<string, string>();

/** Builds the bundles below a folder of the repository, once. */
export function build(folder: string): string {
  let dir = built.get(folder);
  if (!dir) {
    dir = join(repository, folder);
    if (!existsSync(rookery)) throw new Error(`${rookery} is not there: tests/run builds it`);
    const done = spawnSync(rookery, ["build", dir], { cwd: repository, encoding: "utf8" });
    if (done.status !== 0) throw new Error(`rookery build ${folder}\n${done.stdout}${done.stderr}`);
    built.set(folder, dir);
  }
  return dir;
}

/** Folders of bundles by their places, such as `chat/1.0.0`. */
export type Bundles = Record<string, string>;

/** Both versions of the chat. */
export function chat(): Bundles {
  const dir = build("apps/chat");
  return { "chat/1.0.0": join(dir, "1.0.0"), "chat/1.1.0": join(dir, "1.1.0") };
}

export class Server {
  #process: ChildProcess;
  #root: string;
  #log: string;

  private constructor(process: ChildProcess, root: string, log: string) {
    this.#process = process;
    this.#root = root;
    this.#log = log;
  }

  /** Serves these bundles with these settings; all of them are live or refused when this returns. */
  static async start(bundles: Bundles, settings: Record<string, string> = {}): Promise<Server> {
    const root = scratch("server");
    mkdirSync(join(root, "apps"));
    const environment = Object.entries(process.env).filter(([name]) => !READ.test(name));
    const options = ["--apps-dir", join(root, "apps"), "--cache-dir", join(target, "test-cache")];
    for (const [place, folder] of Object.entries(bundles)) publish(root, place, folder);
    const child = spawn(rookery, ["serve", ...options, "--port", "0", "--log-format", "plain"], {
      cwd: root,
      env: { ...Object.fromEntries(environment), ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const server = new Server(child, root, "");
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (bytes) => {
        server.#log += bytes;
      });
    }
    try {
      await until("the server listens", () => {
        if (child.exitCode !== null) throw new Error("the server did not start");
        return server.#port();
      });
      await until("the server is ready", async () => {
        const answer = await fetch(server.url("/ready")).catch(() => undefined);
        return answer?.ok;
      });
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw new Error(`${error}\n${server.#log}`);
    }
    return server;
  }

  /** Puts one more bundle among the others. */
  publish(place: string, folder: string): void {
    publish(this.#root, place, folder);
  }

  get port(): number {
    const port = this.#port();
    if (!port) throw new Error("the server does not listen");
    return port;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  #port(): number | undefined {
    const said = this.#log.match(/http:\/\/127\.0\.0\.1:(\d+)/);
    return said ? Number(said[1]) : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = new Promise((done) => this.#process.once("exit", done));
      this.#process.kill("SIGKILL");
      await ended;
    }
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** By a rename, as whoever deploys has to. */
function publish(root: string, place: string, folder: string): void {
  const staged = mkdtempSync(join(root, "staged-"));
  copy(folder, join(staged, "bundle"));
  mkdirSync(dirname(join(root, "apps", place)), { recursive: true });
  renameSync(join(staged, "bundle"), join(root, "apps", place));
}

/** Without what a bundle was made from. */
function copy(folder: string, to: string): void {
  const isOf = (source: string) => dirname(source) !== folder || !SOURCES.has(basename(source));
  cpSync(folder, to, { recursive: true, filter: isOf });
}

/** A folder of its own with what is served of a bundle. */
export function bundle(folder: string): string {
  const to = join(scratch("bundle"), "bundle");
  copy(folder, to);
  return to;
}

/** A folder with a server that Node runs, as a bundle. */
export function native(program: string, manifest: object = {}): string {
  const folder = scratch("native");
  writeFileSync(join(folder, "worker.config.json"), JSON.stringify({ command: "node server.cjs", ttl: 600, ...manifest }));
  writeFileSync(join(folder, "server.cjs"), program);
  return folder;
}

/** A folder with a site of one page, as a bundle. */
export function site(page: string, manifest: object = {}): string {
  const folder = scratch("site");
  writeFileSync(join(folder, "worker.config.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "index.html"), page);
  return folder;
}
