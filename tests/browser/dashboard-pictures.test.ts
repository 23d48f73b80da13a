// The dashboard's pictures in the documentation: PICTURES=1 bun run test dashboard-pictures

import { afterAll, beforeAll, test } from "bun:test";
import type { Browser } from "playwright-core";

import { DESKTOP, PHONE, launch, open, picture } from "./stage/browser";
import { live, row } from "./stage/operator";
import { Person } from "./stage/person";
import { arePicturesWanted } from "./stage/place";
import { Server, chat, native, site } from "./stage/server";
import { sleep } from "./stage/wait";

const FULL = { timeout: 600_000 };
/** As long as a chart shows. */
const TRAFFIC_MS = 75_000;

/** Answers after a while that varies, until it fails. */
const orders = (failsAt: number) => `
  let asked = 0;
  require("node:http").createServer((_, answer) => {
    asked += 1;
    if (asked === ${failsAt}) {
      console.error("orders: the ledger is closed");
      process.exit(1);
    }
    setTimeout(() => answer.end("ok"), 1 + Math.random() * 8);
  }).listen(process.env.PORT);`;

let browser: Browser;

beforeAll(async () => {
  if (arePicturesWanted) browser = await launch();
}, 300_000);

afterAll(async () => {
  await browser?.close();
});

/** Asks again and again, so often in a second, until it is aborted. */
async function ask(url: string, perSecond: number, { signal }: AbortController): Promise<void> {
  while (!signal.aborted) {
    await fetch(url).catch(() => undefined);
    await sleep((1000 / perSecond) * (0.5 + Math.random()));
  }
}

test.if(arePicturesWanted)(
  "the dashboard at work",
  async () => {
    const upstream = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("ok") });
    const proxied = { proxy: { "^/legacy/": { target: `http://127.0.0.1:${upstream.port}` } } };
    await using server = await Server.start({
      ...chat(),
      "orders/3.1.0": native(orders(900), { concurrency: 2, workers: { min: 4 } }),
      "orders/3.2.0": native(orders(0), { concurrency: 2 }),
      "gateway/1.0.0": site("front", proxied),
      "site/2.1.0": site("site"),
    });
    const roll = (path: string, body: object) => fetch(server.url(`/_/deployments/${path}`), { method: "POST", body: JSON.stringify(body) });
    await roll("chat/promote", { weights: { "1.0.0": 30, "1.1.0": 70 } });
    await roll("orders/promote", { version: "3.1.0" });
    await roll("orders/canary", { version: "3.2.0", steps: [5, 25, 50, 100], window: "50s" });
    const people = await Promise.all(Array.from({ length: 36 }, (_, nth) => Person.join(server.url("/chat/ws"), `person-${nth}`, ["general", "design", "ops"][nth % 3] ?? "")));
    const ended = new AbortController();
    const talking = people.map(async (person, nth) => {
      for (let line = 0; !ended.signal.aborted; line++) {
        await sleep(4000 + Math.random() * 8000);
        if (!ended.signal.aborted) await person.say(["general", "design", "ops"][nth % 3] ?? "", `line ${line}`).catch(() => undefined);
      }
    });
    const asking = [
      ...Array.from({ length: 8 }, () => ask(server.url("/orders/"), 8, ended)),
      ...Array.from({ length: 3 }, () => ask(server.url("/chat/"), 5, ended)),
      ask(server.url("/gateway/legacy/x"), 6, ended),
    ];
    await sleep(TRAFFIC_MS);
    for (const [name, options] of [
      ["dashboard-desktop", { ...DESKTOP, viewport: { width: 1280, height: 900 } }],
      ["dashboard-phone", { ...PHONE, colorScheme: "dark" as const }],
    ] as const) {
      const { page } = await open(browser, server.url("/_/"), options);
      await live(page);
      await row(page, "orders", "3.2.0").waitFor();
      await page.getByRole("radio", { name: "1 min" }).check();
      await sleep(8000);
      await picture(page, name);
      await page.context().close();
    }
    const { page } = await open(browser, server.url("/_/"), { viewport: { width: 1280, height: 620 }, colorScheme: "dark" });
    await live(page);
    await page.getByRole("button", { name: "orders@3.1.0", exact: true }).click();
    await page.getByRole("button", { name: /^chat@1\.1\.0$/ }).click();
    await page.locator("#workers").evaluate((section) => section.scrollIntoView({ behavior: "instant" }));
    await sleep(8000);
    await picture(page, "dashboard-workers");
    ended.abort();
    await Promise.all([...asking, ...talking]);
    await page.context().close();
    await upstream.stop(true);
  },
  FULL,
);
