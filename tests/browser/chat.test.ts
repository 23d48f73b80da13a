// The chat's page in a browser: people talk, lose the network, and use what they have.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";

import { PHONE, launch, open, tabTo } from "./stage/browser";
import { composer, connected, enter, say, sees, texts } from "./stage/chatter";
import { Person } from "./stage/person";
import { Server, chat } from "./stage/server";
import { sleep, until } from "./stage/wait";
import { Way } from "./stage/way";

const VERSIONS = ["1.0.0", "1.1.0"];
const OUTAGE_MS = 10_000;

let browser: Browser;
let server: Server;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start(chat())]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

for (const version of VERSIONS) {
  test(`two pages of ${version} talk, and keep to their policy`, async () => {
    const [ada, bob] = await Promise.all([
      open(browser, server.url(`/chat@${version}/`)),
      open(browser, server.url(`/chat@${version}/`)),
    ]);
    await enter(ada.page, "Ada");
    await enter(bob.page, "Bob");
    await say(ada.page, `hello from ada of ${version}`);
    await sees(bob.page, `hello from ada of ${version}`);
    await composer(bob.page).pressSequentially("h");
    await ada.page.getByText("Bob is typing").waitFor();
    await say(bob.page, `<img src=x onerror=alert(1)> of ${version}`);
    await sees(ada.page, `<img src=x onerror=alert(1)> of ${version}`);
    expect([...ada.faults, ...bob.faults]).toEqual([]);
    await Promise.all([ada.page.context().close(), bob.page.context().close()]);
  });
}

test("a script that came into the page by other ways does not run", async () => {
  const { page, faults } = await open(browser, server.url("/chat/"));
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.wasRun = true";
    document.body.append(script);
  });
  expect(await page.evaluate(() => "wasRun" in globalThis)).toBe(false);
  await until("the browser reports it", () => faults.length > 0);
  await page.context().close();
});

test("who loses the network for ten seconds misses nothing that was said", async () => {
  await using way = await Way.to(server.port);
  const { page, faults } = await open(browser, way.url("/chat/"));
  await enter(page, "Ada");
  // More than a server tells by itself to who joins; and nobody may say so much alone.
  const people = await Promise.all(["Bob", "Eve", "Zoe"].map((name) => Person.join(server.url("/chat/ws"), name, "general")));
  await people[0]?.say("general", "said 00");
  await sees(page, "said 00");
  way.cut();
  await page.context().setOffline(true);
  const mended = sleep(OUTAGE_MS);
  await page.getByRole("status").filter({ hasText: "Connected" }).waitFor({ state: "hidden" });
  const said = ["said 00"];
  for (let number = 1; number <= 66; number++) {
    said.push(`said ${String(number).padStart(2, "0")}`);
    await people[number % people.length]?.say("general", said.at(-1) ?? "");
  }
  await mended;
  way.mend();
  await page.context().setOffline(false);
  await connected(page);
  await sees(page, "said 66");
  await sees(page, "said 01");
  expect(await texts(page, /^said/)).toEqual(said);
  await say(page, "and ada is back");
  await people[0]?.hears("and ada is back");
  expect(faults).toEqual([]);
  for (const person of people) person[Symbol.dispose]();
  await page.context().close();
});

test("everything is done with the keyboard alone", async () => {
  const { page } = await open(browser, server.url("/chat/"));
  const { keyboard } = page;
  await tabTo(page, page.getByLabel("Your name"));
  await keyboard.type("Kim");
  await keyboard.press("Enter");
  await connected(page);
  await tabTo(page, composer(page));
  await keyboard.type("written with keys");
  await keyboard.press("Enter");
  await sees(page, "written with keys");
  await tabTo(page, page.getByLabel("Name of a new room"));
  await keyboard.type("keys-only");
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "keys-only" }).waitFor();
  const general = page.getByRole("navigation").getByRole("button", { name: /^general/ });
  await tabTo(page, general);
  const outline = await general.evaluate((element) => getComputedStyle(element).outlineStyle);
  expect(outline).not.toBe("none");
  await keyboard.press("Enter");
  await sees(page, "written with keys");
  await page.context().close();
});

test("the page fits a phone", async () => {
  const { page, faults } = await open(browser, server.url("/chat/"), { ...PHONE, colorScheme: "light" });
  await enter(page, "Ada");
  using bob = await Person.join(server.url("/chat/ws"), "Bob", "general");
  await bob.say("general", "Does it fit your phone?");
  await sees(page, "Does it fit your phone?");
  await say(page, "It does: no line is cut, and the box for the next message stays above the keyboard.");
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(excess).toBe(0);
  await expectInView(page.getByRole("button", { name: "Send", exact: true }));
  expect((await page.screenshot()).length).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Rooms and people" }).tap();
  await expectInView(page.getByRole("heading", { name: /^People/ }));
  expect(faults).toEqual([]);
  await page.context().close();

  async function expectInView(locator: ReturnType<typeof page.getByRole>): Promise<void> {
    await until("it is in view", async () => {
      const box = await locator.boundingBox();
      return box && box.x >= 0 && box.y >= 0 && box.x + box.width <= 390 && box.y + box.height <= 844;
    });
  }
});
