// Putting a version up from the page: every step of the gate, every reason of a refusal, and what the page itself may load.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";

import { archive } from "./stage/archive";
import { barriers, launch, open } from "./stage/browser";
import { card, live, row } from "./stage/operator";
import { Server, bundle, chat, site } from "./stage/server";

/** What a browser may load at most, all parts together. */
const BYTES_MAX = 100_000;

let browser: Browser;
let server: Server;

beforeAll(async () => {
  const bundles = { "chat/1.1.0": chat()["chat/1.1.0"] ?? "", "shop/1.0.0": site("one") };
  [browser, server] = await Promise.all([launch(), Server.start(bundles)]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

const dialog = (page: Page) => page.getByRole("dialog", { name: "Deploy a version" });
const steps = (page: Page) => dialog(page).getByRole("list", { name: "Steps of the deploy" }).getByRole("listitem");

/** Sends an archive and waits for what the page says then. The dialog stays open. */
async function send(page: Page, file: string): Promise<string> {
  if (!(await dialog(page).isVisible())) await page.getByRole("button", { name: "Deploy" }).click();
  await dialog(page).locator("input[type=file]").setInputFiles(file);
  await dialog(page).getByRole("button", { name: "Deploy" }).click();
  const outcome = dialog(page).getByRole("status").filter({ hasText: /\S/ });
  await outcome.waitFor();
  return (await outcome.textContent()) ?? "";
}

test("every step of the gate is told, in their order, and the version serves", async () => {
  const { page, faults } = await open(browser, server.url("/_/"));
  await live(page);
  const said = await send(page, archive(bundle(chat()["chat/1.0.0"] ?? ""), "chat-1.0.0"));
  expect(said).toBe("chat@1.0.0 is live.");
  const expected = [/^received, [\d.]+ KiB$/, /^unpacked, \d+ files$/, /^the manifest is right/, /^it is wasm$/, /^compiled in /, /exports are what the host calls/, /^(no migrations to run|migrated: )/, /^healthy: .+ answered \d+ in /];
  const told = await steps(page).allTextContents();
  expect(told).toHaveLength(expected.length);
  expected.forEach((words, index) => expect(told[index]).toMatch(words));
  expect(await barriers(page)).toEqual([]);
  await page.getByRole("button", { name: "Close" }).click();
  await row(page, "chat", "1.0.0").filter({ hasText: "live" }).waitFor();
  expect((await fetch(server.url("/chat@1.0.0/"))).headers.get("x-rookery-version")).toBe("1.0.0");
  expect(faults).toEqual([]);
  await page.context().close();
});

test("a refused bundle is told with all of its reasons, and nothing of it is there", async () => {
  const { page, faults } = await open(browser, server.url("/_/"));
  await live(page);
  const wrong = site("x", { ttl: "never", timeout: "soon", colour: "red" });
  expect(await send(page, archive(wrong, "broken-1.0.0"))).toBe("It was refused, and nothing was changed.");
  const reasons = dialog(page).locator("li.bad");
  for (const field of ["ttl", "timeout", "colour"]) expect(await reasons.filter({ hasText: field }).count(), field).toBe(1);
  expect(await steps(page).filter({ hasText: /^unpacked/ }).count()).toBe(1);
  expect(await barriers(page)).toEqual([]);
  // What was mended is sent from the same dialog.
  expect(await send(page, archive(site("mended"), "broken-1.0.0"))).toBe("broken@1.0.0 is live.");
  expect(await reasons.count()).toBe(0);
  await page.getByRole("button", { name: "Close" }).click();
  await row(page, "broken", "1.0.0").filter({ hasText: "live" }).waitFor();
  expect(await card(page, "broken").getByRole("row").filter({ hasText: "refused" }).count()).toBe(0);
  expect(faults).toEqual([]);
  await page.context().close();
});

test("the same version with other content is refused until replacing it is asked for", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  const other = archive(site("another one"), "shop-1.0.0");
  expect(await send(page, other)).toBe("It was refused, and nothing was changed.");
  expect(await (await fetch(server.url("/shop/"))).text()).toBe("one");
  await dialog(page).getByLabel("Replace this version if it has other content").check();
  expect(await send(page, other)).toBe("shop@1.0.0 is live.");
  expect(await (await fetch(server.url("/shop/"))).text()).toBe("another one");
  expect(await send(page, other)).toBe("shop@1.0.0 was there already, with the same content.");
  await page.context().close();
});

test("an archive that is dropped on the page is put up under the name that it has", async () => {
  const { page } = await open(browser, server.url("/_/"));
  await live(page);
  const bytes = await Bun.file(archive(site("dropped"), "dropped-2.1.0")).bytes();
  await page.evaluate((content) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(content)], "dropped-2.1.0.tar.gz"));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, [...bytes]);
  await dialog(page).waitFor();
  expect(await dialog(page).getByLabel("App", { exact: true }).inputValue()).toBe("dropped");
  expect(await dialog(page).getByLabel("Version", { exact: true }).inputValue()).toBe("2.1.0");
  await dialog(page).getByRole("button", { name: "Deploy" }).click();
  await dialog(page).getByText("dropped@2.1.0 is live.").waitFor();
  await page.context().close();
});

test("the page is small, asks nobody else, and runs nothing that it did not bring", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const sizes = new Map<string, Promise<number>>();
  const refused: string[] = [];
  page.on("response", (response) => {
    const url = new URL(response.url());
    expect(url.origin).toBe(new URL(server.url("/")).origin);
    if (url.pathname !== "/_/sse") sizes.set(url.pathname, response.body().then((body) => body.length));
  });
  page.on("console", (message) => {
    if (/content.security.policy/i.test(message.text())) refused.push(message.text());
  });
  const answer = await page.goto(server.url("/_/"));
  const policy = answer?.headers()["content-security-policy"] ?? "";
  expect(policy).toStartWith("default-src 'none'");
  expect(policy).not.toContain("unsafe");
  await live(page);
  const all = await Promise.all(sizes.values());
  expect(sizes.size).toBeGreaterThan(12);
  expect(all.reduce((sum, size) => sum + size, 0)).toBeLessThan(BYTES_MAX);
  expect(refused).toEqual([]);
  const ran = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "globalThis.ran = true";
    document.body.append(script);
    const image = new Image();
    image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
    await image.decode().catch(() => undefined);
    return [Reflect.get(globalThis, "ran"), image.naturalWidth];
  });
  expect(ran).toEqual([undefined, 0]);
  expect(refused.length).toBeGreaterThan(1);
  await context.close();
});
