// The dashboard of a server with many revisions: it stays a page that people use.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";

import { DESKTOP, PHONE, barriers, launch, open } from "./stage/browser";
import { card, live, row, traffic } from "./stage/operator";
import { type Bundles, Server, site } from "./stage/server";
import { until } from "./stage/wait";

const APPS = 40;
const VERSIONS = 5;

let browser: Browser;
let server: Server;

const name = (app: number) => `app-${String(app).padStart(2, "0")}`;

beforeAll(async () => {
  const bundles: Bundles = {};
  const folder = site("a page");
  for (let app = 0; app < APPS; app++) {
    for (let version = 0; version < VERSIONS; version++) bundles[`${name(app)}/1.${version}.0`] = folder;
  }
  [browser, server] = await Promise.all([launch(), Server.start(bundles)]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

for (const [width, size] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  test(`on a ${width}, 200 revisions are found, filtered and weighed, and keep nobody out`, async () => {
    const { page, faults } = await open(browser, server.url("/_/"), size);
    await live(page);
    await page.getByText(`${APPS} apps, ${APPS * VERSIONS} revisions`).waitFor();
    expect(await page.getByRole("article").count()).toBe(APPS);
    expect(await barriers(page)).toEqual([]);
    const excess = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await excess()).toBe(0);

    // The last one is as far as it gets.
    const last = name(APPS - 1);
    await card(page, last).scrollIntoViewIfNeeded();
    await row(page, last, "1.4.0").filter({ hasText: "live" }).waitFor();
    expect(await excess()).toBe(0);
    const slider = page.getByRole("slider", { name: `Weight of ${last} 1.0.0 in percent` });
    const wanted = Number(await slider.inputValue()) + 2;
    await slider.focus();
    for (let press = 0; press < 2; press++) await page.keyboard.press("ArrowRight");
    await page.getByRole("button", { name: `Apply weights of ${last}` }).click();
    await until("it is in force", async () => (await traffic(page, last)).includes(`1.0.0 ${wanted} %`));

    await page.getByRole("searchbox").fill("app-07 1.3");
    await until("only one is left", async () => (await page.getByRole("article").count()) === 1);
    expect(await card(page, "app-07").getByRole("row").filter({ hasText: "1.3.0" }).count()).toBe(1);
    await page.getByRole("searchbox").fill("no such app");
    await page.locator("#apps-empty").filter({ hasText: "Nothing matches the filter." }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });
}
