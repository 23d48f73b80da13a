// The dashboard behind tokens: the form in front of it, what each role is offered, and what becomes of a token.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";

import { DESKTOP, PHONE, barriers, launch, open } from "./stage/browser";
import { card, live, row, traffic } from "./stage/operator";
import { scratch } from "./stage/scratch";
import { Server, site } from "./stage/server";
import { until } from "./stage/wait";

const ADMIN = "a-long-enough-secret";
const READER = "r3ad-r3ad-r3ad-r3ad";
const DEPLOYER = "d3ploy-d3ploy-d3ploy";

let browser: Browser;
let server: Server;
const tokens = join(scratch("tokens"), "tokens.toml");

/** By a rename, as secret stores do. */
function write(reader: string): void {
  writeFileSync(`${tokens}.next`, `[grafana]\nrole = "read"\ntoken = "${reader}"\n\n[ci]\nrole = "deploy"\ntoken = "${DEPLOYER}"\n`, { mode: 0o600 });
  renameSync(`${tokens}.next`, tokens);
}

beforeAll(async () => {
  write(READER);
  const bundles = { "shop/1.0.0": site("one"), "shop/1.1.0": site("two") };
  const settings = { ROOKERY_ADMIN_TOKEN: ADMIN, ROOKERY_ADMIN_TOKENS_FILE: tokens };
  [browser, server] = await Promise.all([launch(), Server.start(bundles, settings)]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

const field = (page: Page) => page.getByLabel("Admin token");

async function logIn(page: Page, token: string): Promise<void> {
  await field(page).fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
}

test("who has the token is let in, and who has not is told so", async () => {
  const { page, faults } = await open(browser, server.url("/_/"));
  await field(page).waitFor();
  expect(await page.getByRole("heading", { name: "Apps" }).count()).toBe(0);
  await logIn(page, "wrong");
  await page.getByRole("alert").filter({ hasText: "That is not the admin token." }).waitFor();
  expect(await page.context().cookies()).toEqual([]);
  await logIn(page, ADMIN);
  await live(page);
  await row(page, "shop", "1.1.0").waitFor();
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/_/" });
  expect(cookie?.value).not.toContain(ADMIN);
  expect(await page.evaluate(() => document.cookie)).toBe("");
  await page.reload();
  await live(page);
  await page.getByRole("button", { name: "Log out" }).click();
  await field(page).waitFor();
  expect(await page.context().cookies()).toEqual([]);
  expect(faults).toEqual([]);
  await page.context().close();
});

test("who logged in to deploy changes weights", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await logIn(page, DEPLOYER);
  await live(page);
  expect(await page.getByText("Read only").isVisible()).toBe(false);
  const slider = page.getByRole("slider", { name: "Weight of shop 1.0.0 in percent" });
  await slider.focus();
  for (let press = 0; press < 3; press++) await page.keyboard.press("ArrowRight");
  await page.getByRole("button", { name: "Apply weights of shop" }).click();
  await until("the page says so", async () => (await traffic(page, "shop")).includes("1.0.0 3 %"));
  await page.context().close();
});

test("who may only read sees all of it, and is offered nothing that would be refused", async () => {
  const { page, faults } = await open(browser, server.url("/_/"));
  await logIn(page, READER);
  await live(page);
  await row(page, "shop", "1.1.0").waitFor();
  await page.getByText("Read only").waitFor();
  for (const name of [/Deploy/, /Promote/, /Canary/, /Roll back/, /Apply/]) {
    expect(await page.getByRole("button", { name }).count(), String(name)).toBe(0);
  }
  for (const slider of await page.getByRole("slider").all()) expect(await slider.isDisabled()).toBe(true);
  expect(await card(page, "shop").getByRole("slider").count()).toBe(2);

  // What is not offered is refused as well, and told why.
  const refused = await page.evaluate(async () => {
    const answer = await fetch("deployments/shop/promote", { method: "POST", body: '{"version":"1.0.0"}' });
    return { status: answer.status, ...(await answer.json()) };
  });
  expect(refused).toMatchObject({ status: 403, code: "FORBIDDEN" });
  expect(refused.error).toContain("grafana is for read");
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["x"], "shop-2.0.0.zip"));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  });
  expect(await page.getByRole("dialog").count()).toBe(0);
  expect(await barriers(page)).toEqual([]);
  expect(faults).toEqual([]);
  await page.context().close();
});

test("a page whose token was replaced asks for the new one by itself", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await logIn(page, READER);
  await live(page);
  write("n3w-n3w-n3w-n3w-n3w");
  await field(page).waitFor();
  await logIn(page, "n3w-n3w-n3w-n3w-n3w");
  await live(page);
  await page.context().close();
});

for (const [width, size] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`on a ${width}, ${colorScheme}, the form keeps nobody out`, async () => {
      const { page, faults } = await open(browser, server.url("/_/"), { ...size, colorScheme });
      await field(page).waitFor();
      expect(await field(page).evaluate((element) => element === document.activeElement)).toBe(true);
      expect(await barriers(page)).toEqual([]);
      await page.keyboard.type("guess");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
      expect(await barriers(page)).toEqual([]);
      const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(excess).toBe(0);
      expect(faults).toEqual([]);
      await page.context().close();
    });
  }
}
