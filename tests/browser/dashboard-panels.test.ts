// What the dashboard tells of everything but traffic: workers, faults, sessions, upstreams, the log, and how canaries do.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";

import { DESKTOP, PHONE, barriers, launch, open } from "./stage/browser";
import { answers, card, live, row } from "./stage/operator";
import { Person } from "./stage/person";
import { Server, chat, native, site } from "./stage/server";
import { until } from "./stage/wait";

const BAKERY = `
  require("node:http").createServer((request, answer) => {
    if (request.url === "/fail") {
      console.error("out of flour");
      process.exit(1);
    }
    answer.end("bread");
  }).listen(process.env.PORT);`;
/** It looks well to who asks whether it is. */
const FAILING = `
  require("node:http").createServer(({ url }, answer) => {
    answer.writeHead(url === "/health" ? 200 : 500).end();
  }).listen(process.env.PORT);`;

let browser: Browser;
let server: Server;
const upstream = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("from elsewhere") });

beforeAll(async () => {
  const target = `http://127.0.0.1:${upstream.port}`;
  const bundles = {
    ...chat(),
    "bakery/1.0.0": native(BAKERY),
    "front/1.0.0": site("front", { proxy: { "^/away/": { target } } }),
    "trial/1.0.0": site("well"),
  };
  [browser, server] = await Promise.all([launch(), Server.start(bundles)]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  await upstream.stop(true);
});

const cells = (page: Page, region: string, words: string) => page.getByRole("region", { name: region }).getByRole("row").filter({ hasText: words });

test("the workers of a revision are listed one by one, with keys alone", async () => {
  expect(await (await fetch(server.url("/bakery/"))).text()).toBe("bread");
  for (const size of [DESKTOP, PHONE]) {
    const { page, faults } = await open(browser, server.url("/_/"), size);
    await live(page);
    const button = page.getByRole("region", { name: "Workers by revision" }).getByRole("button", { name: "bakery@1.0.0" });
    await button.waitFor();
    expect(await button.getAttribute("aria-expanded")).toBe("false");
    await button.focus();
    await page.keyboard.press("Enter");
    expect(await button.getAttribute("aria-expanded")).toBe("true");
    const table = page.getByRole("table", { name: "Workers of bakery@1.0.0" });
    expect(await table.getByRole("columnheader").allTextContents()).toEqual(["Worker", "State", "Age", "Requests", "Memory"]);
    const [, worker] = await table.getByRole("row").all();
    const told = (await worker?.getByRole("cell").allTextContents()) ?? [];
    expect(told[0]).toMatch(/^1, process \d+$/);
    expect(told[1]).toMatch(/^idle \d+ (s|min)$/);
    expect(told[2]).toMatch(/^\d+ (s|min)$/);
    expect(await button.evaluate((element) => document.getElementById(element.getAttribute("aria-controls") ?? "")?.textContent)).toContain(told[0] ?? "?");
    // It is told anew with each tick, and the focus stays where it is.
    await until("a later tick came", async () => (await worker?.getByRole("cell").nth(2).textContent()) !== told[2]);
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    await page.keyboard.press("Enter");
    await table.waitFor({ state: "detached" });
    expect(faults).toEqual([]);
    await page.context().close();
  }
});

test("what an app failed of is told with what it said", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  expect((await fetch(server.url("/bakery/fail"))).status).toBe(502);
  const fault = page.getByRole("region", { name: "What apps failed of" }).getByRole("listitem").filter({ hasText: "bakery@1.0.0" });
  await fault.filter({ hasText: "out of flour" }).waitFor();
  // Another process of the same reason is the same kind.
  expect((await fetch(server.url("/bakery/fail"))).status).toBe(502);
  await fault.filter({ hasText: "2 ×" }).waitFor();
  expect(await fault.count()).toBe(1);
  await until("its row counts it", async () => (await row(page, "bakery", "1.0.0").textContent())?.includes("1"));
  await page.context().close();
});

test("sessions, topics and what is delivered are told by namespace", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  using ada = await Person.join(server.url("/chat/ws"), "Ada", "general");
  const space = cells(page, "Sessions and topics by namespace", "chat@1");
  await until("the session is told", async () => (await space.getByRole("cell").nth(1).textContent()) === "1");
  expect(Number(await space.getByRole("cell").nth(2).textContent())).toBeGreaterThan(0);
  await until("a message is seen to be delivered", async () => {
    await ada.say("general", "hello");
    const rate = await space.getByRole("cell").nth(4).textContent();
    return rate !== "0" && rate !== "–";
  });
  await page.context().close();
});

test("an upstream is told with its rule, its target and its failures", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  expect(await (await fetch(server.url("/front/away/x"))).text()).toBe("from elsewhere");
  const rule = cells(page, "Proxy rules", "front@1.0.0");
  await rule.filter({ hasText: `http://127.0.0.1:${upstream.port}` }).waitFor();
  expect(await rule.getByRole("cell").first().textContent()).toContain("^/away/");
  expect(await rule.getByRole("cell").nth(3).textContent()).toBe("0");
  await page.context().close();
});

test("lines of the log come by themselves, from a level on", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  const log = page.getByRole("log");
  server.publish("news/1.0.0", site("news"));
  await log.getByText("news@1.0.0").first().waitFor();
  await page.getByLabel("From", { exact: true }).selectOption("error");
  await until("quieter lines are gone", async () => (await log.getByText("news@1.0.0").count()) === 0);
  await page.getByLabel("From", { exact: true }).selectOption("info");
  await log.getByText("news@1.0.0").first().waitFor();
  await page.getByRole("searchbox").fill("bakery");
  await until("others are filtered out", async () => (await log.getByText("news@1.0.0").count()) === 0);
  await page.context().close();
});

test("numbers of now and over time are said, of the stretch that is asked for", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  for (const name of ["Requests", "Response p99", "Faults", "Queue", "Workers", "Cold starts", "Sessions", "Deliveries"]) {
    await page.locator("dl#tiles dt").filter({ hasText: name }).waitFor();
  }
  const chart = page.getByRole("img", { name: /^Response time, the last 5 minutes\. Now: p50 .*, p95 .*, p99 / });
  await chart.waitFor();
  await page.getByRole("radio", { name: "15 min" }).check();
  await page.getByRole("img", { name: /^Response time, the last 15 minutes/ }).waitFor();
  await page.getByRole("img", { name: /^Requests per second, the last 15 minutes/ }).waitFor();
  await until("a quantile is drawn", async () => {
    await fetch(server.url("/bakery/"));
    return /p99 [\d.]+ (µs|ms|s)/.test((await page.getByRole("img", { name: /^Response time/ }).getAttribute("aria-label")) ?? "");
  });
  await page.context().close();
});

test("a pause holds still what others see move on", async () => {
  const [paused, other] = [await open(browser, server.url("/_/")), await open(browser, server.url("/_/"))];
  await live(paused.page);
  await live(other.page);
  await paused.page.getByRole("button", { name: "Pause" }).click();
  await paused.page.locator("#state").filter({ hasText: "Paused" }).waitFor();
  server.publish("later/1.0.0", site("later"));
  await row(other.page, "later", "1.0.0").filter({ hasText: "live" }).waitFor();
  expect(await card(paused.page, "later").count()).toBe(0);
  await paused.page.getByRole("button", { name: "Pause" }).click();
  await row(paused.page, "later", "1.0.0").filter({ hasText: "live" }).waitFor();
  await Promise.all([paused, other].map(({ page }) => page.context().close()));
});

test("a canary that fails is judged before everybody's eyes, and taken back with the reason", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  server.publish("trial/1.1.0", native(FAILING));
  await row(page, "trial", "1.1.0").filter({ hasText: "live" }).waitFor();
  const begun = await fetch(server.url("/_/deployments/trial/canary"), {
    method: "POST",
    body: JSON.stringify({ version: "1.1.0", steps: [10, 100], window: "10m" }),
  });
  expect(begun.status).toBe(200);
  const trial = card(page, "trial");
  await trial.getByText("evidence against it").waitFor();
  await trial.getByText(/^beside it: \d+ answers?/).waitFor();
  await until("it is taken back", async () => {
    await answers(server.url("/trial/"), 20);
    return (await trial.getByText(/1\.1\.0, was reversed by itself .* ago: errors/).count()) > 0;
  });
  expect(await answers(server.url("/trial/"), 30)).toEqual({ "1.0.0": 30 });
  expect(await barriers(page)).toEqual([]);
  await page.context().close();
});
