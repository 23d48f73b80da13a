// The dashboard in a browser: a version is put up, weighed and taken back, and the page keeps nobody out.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";

import { archive } from "./stage/archive";
import { DESKTOP, PHONE, barriers, launch, open, tabTo } from "./stage/browser";
import { answers, card, deploy, drag, live, row, traffic } from "./stage/operator";
import { Person } from "./stage/person";
import { Server, chat, site } from "./stage/server";
import { until } from "./stage/wait";
import { Way } from "./stage/way";

/** Requests from which a share is told. */
const ASKED = 300;

let browser: Browser;
let server: Server;

beforeAll(async () => {
  const bundles = { ...chat(), "shop/1.0.0": site("<title>shop</title>one") };
  [browser, server] = await Promise.all([launch(), Server.start(bundles)]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

test("a version is put up from the page, gets a share with the mouse, and loses it again", async () => {
  const { page, faults } = await open(browser, server.url("/_/"));
  await live(page);
  await row(page, "shop", "1.0.0").waitFor();
  expect(await answers(server.url("/shop/"), 3)).toEqual({ "1.0.0": 3 });

  const said = await deploy(page, archive(site("<title>shop</title>two"), "shop-1.1.0"));
  expect(said).toBe("shop@1.1.0 is live.");
  await row(page, "shop", "1.1.0").filter({ hasText: "live" }).waitFor();

  let first = 0;
  /** The page says that 1.1.0 has such a share, and those who come find it so. */
  async function inForce(wanted: number): Promise<void> {
    first ||= wanted;
    const buttons = page.getByRole("button", { name: "Apply weights of shop" });
    await buttons.waitFor({ state: "hidden" });
    await until("the page says so", async () => (await traffic(page, "shop")).includes(`1.1.0 ${wanted} %`));
    const seen = await answers(server.url("/shop/"), ASKED);
    expect((seen["1.0.0"] ?? 0) + (seen["1.1.0"] ?? 0)).toBe(ASKED);
    // Six standard deviations of an even share.
    const likely = (ASKED * wanted) / 100;
    expect(seen["1.1.0"]).toBeWithin(likely - 52, likely + 52);
  }

  for (const percent of [30, 80]) {
    const slider = page.getByRole("slider", { name: "Weight of shop 1.1.0 in percent" });
    await drag(page, slider, percent);
    const wanted = Number(await slider.inputValue());
    expect(wanted).toBeWithin(percent - 10, percent + 11);
    await page.getByRole("button", { name: "Apply weights of shop" }).click();
    await inForce(wanted);
  }
  await page.getByRole("button", { name: "Roll back shop" }).click();
  await page.getByRole("dialog", { name: /Roll shop back/ }).getByRole("button", { name: "Roll back" }).click();
  await inForce(first);
  expect(faults).toEqual([]);
  await page.context().close();
});

test("a canary is begun from the page, and taken back", async () => {
  server.publish("trial/1.0.0", site("one"));
  server.publish("trial/1.1.0", site("two"));
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  await page.getByRole("button", { name: "Canary… of trial 1.0.0" }).click();
  const dialog = page.getByRole("dialog", { name: "Start a canary" });
  await dialog.getByLabel("Steps, in %").fill("20,100");
  expect(await barriers(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Start" }).click();
  await card(page, "trial").getByRole("list", { name: "Steps" }).waitFor();
  await until("the page says so", async () => (await traffic(page, "trial")).includes("1.0.0 20 %"));
  const seen = await answers(server.url("/trial/"), ASKED);
  // Six standard deviations.
  expect(seen["1.0.0"]).toBeWithin(60 - 42, 60 + 42);
  await page.getByRole("button", { name: "Roll back trial" }).click();
  await page.getByRole("dialog", { name: /Roll trial back/ }).getByRole("button", { name: "Roll back" }).click();
  await card(page, "trial").getByText(/1\.0\.0, was rolled back/).waitFor();
  expect(await answers(server.url("/trial/"), 30)).toEqual({ "1.1.0": 30 });
  await page.context().close();
});

test("an archive that is no bundle is refused with its reasons", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  const said = await deploy(page, archive(site("<title>x</title>", { ttl: "never" }), "broken-1.0.0"));
  expect(said).toContain("refused");
  expect(await card(page, "broken").count()).toBe(0);
  await page.context().close();
});

test("weights are changed with the keyboard alone", async () => {
  server.publish("keys/1.0.0", site("one"));
  server.publish("keys/1.1.0", site("two"));
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  const slider = page.getByRole("slider", { name: "Weight of keys 1.0.0 in percent" });
  await slider.waitFor();
  await tabTo(page, slider);
  for (let press = 0; press < 5; press++) await page.keyboard.press("ArrowRight");
  expect(await slider.inputValue()).toBe("5");
  await tabTo(page, page.getByRole("button", { name: "Apply weights of keys" }));
  await page.keyboard.press("Enter");
  await until("the page says what is in force", async () => (await traffic(page, "keys")).includes("1.0.0 5 %"));
  await page.context().close();
});

test("the page finds the server again by itself", async () => {
  await using way = await Way.to(server.port);
  const { page } = await open(browser, way.url("/_/"));
  await live(page);
  way.cut();
  await page.locator("#state").filter({ hasText: "Reconnecting" }).waitFor();
  way.mend();
  await live(page);
  server.publish("late/1.0.0", site("late"));
  await row(page, "late", "1.0.0").waitFor();
  await page.context().close();
});

test("what is asked for is filtered", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  await row(page, "shop", "1.0.0").waitFor();
  await page.getByRole("searchbox").fill("chat");
  await card(page, "shop").waitFor({ state: "detached" });
  await card(page, "chat").waitFor();
  await page.getByRole("searchbox").fill("");
  await card(page, "shop").waitFor();
  await page.context().close();
});

test("a weight can be dragged on every width", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  const slider = page.getByRole("slider", { name: "Weight of chat 1.1.0 in percent" });
  for (const width of [320, 390, 768, 900, 1024, 1150, 1217, 1280, 1440, 1920]) {
    await page.setViewportSize({ width, height: 800 });
    // What goes beyond its cell is cut off.
    const room = await slider.evaluate((element) => element.closest("td")?.clientWidth);
    expect(room, `at ${width} pixels`).toBeGreaterThan(60);
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(excess, `at ${width} pixels`).toBe(0);
  }
  await page.context().close();
});

const WIDTHS = { desktop: DESKTOP, phone: PHONE };

for (const [width, size] of Object.entries(WIDTHS)) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`on a ${width}, ${colorScheme}, it keeps nobody out`, async () => {
      using ada = await Person.join(server.url("/chat/ws"), "Ada", "general");
      await ada.say("general", "hello");
      const { page, faults } = await open(browser, server.url("/_/"), { ...size, colorScheme });
      await live(page);
      await row(page, "chat", "1.1.0").waitFor();
      expect(await barriers(page)).toEqual([]);
      const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(excess).toBe(0);
      await page.getByRole("button", { name: "Deploy" }).click();
      await page.getByRole("dialog", { name: "Deploy a version" }).waitFor();
      expect(await barriers(page)).toEqual([]);
      expect(faults).toEqual([]);
      await page.context().close();
    });
  }
}
