// What the page of the newer version does beyond talking: the past, other rooms, statuses, themes, and what waits.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";

import { launch, open } from "./stage/browser";
import { composer, connected, enter, say, sees, texts } from "./stage/chatter";
import { Person } from "./stage/person";
import { Server, chat } from "./stage/server";
import { until } from "./stage/wait";
import { Way } from "./stage/way";

let browser: Browser;
let server: Server;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start(chat())]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

const url = () => server.url("/chat/ws");

test("who reads back is shown everything that was ever said, and stays where he reads", async () => {
  const names = ["Bob", "Eve", "Kim", "Lee", "Zoe"];
  const people = await Promise.all(names.map((name) => Person.join(url(), name, "general")));
  const said = Array.from({ length: 130 }, (_, number) => `said ${String(number).padStart(3, "0")}`);
  for (const [number, text] of said.entries()) await people[number % people.length]?.say("general", text);
  const { page } = await open(browser, server.url("/chat/"));
  await enter(page, "Ada");
  await sees(page, "said 129");
  const conversation = page.getByRole("region", { name: "Conversation" });
  await until("the first message is there", async () => {
    await conversation.evaluate((element) => element.scrollTo(0, 0));
    return (await texts(page, /^said 000$/)).length > 0;
  });
  expect(await texts(page, /^said/)).toEqual(said);
  await conversation.evaluate((element) => element.scrollTo(0, 0));
  await people[0]?.say("general", "and one more");
  await page.getByRole("button", { name: "New messages" }).waitFor();
  expect(await conversation.evaluate((element) => element.scrollTop)).toBeLessThan(200);
  await page.getByRole("button", { name: "New messages" }).click();
  await sees(page, "and one more");
  await page.context().close();
});

test("news of another room is marked, and more so where one is named", async () => {
  using bob = await Person.join(url(), "Bob", "left");
  const { page } = await open(browser, server.url("/chat/"));
  await enter(page, "Ada");
  const rooms = page.getByRole("navigation");
  await rooms.getByRole("button", { name: /^left/ }).click();
  await bob.say("left", "before");
  await sees(page, "before");
  await rooms.getByRole("button", { name: /^general/ }).click();
  await page.getByRole("heading", { name: "general" }).waitFor();
  await bob.say("left", "where is Ada?");
  await rooms.getByRole("button", { name: /^left @1 new, you are named/ }).waitFor();
  await rooms.getByRole("button", { name: /^left/ }).click();
  await page.getByRole("log").getByText("where is Ada?").waitFor();
  await rooms.getByRole("button", { name: /^left \d+ (person|people)/ }).waitFor();
  await page.context().close();
});

test("a status that was chosen is seen by those who are there and by those who come", async () => {
  const [ada, bob] = await Promise.all([open(browser, server.url("/chat/")), open(browser, server.url("/chat/"))]);
  await enter(ada.page, "Ada");
  await enter(bob.page, "Bob");
  await ada.page.getByLabel("Status").selectOption("Do not disturb");
  const inList = (page: typeof ada.page) => page.getByRole("list", { name: /^People/ }).getByText("do not disturb");
  await inList(bob.page).waitFor();
  const eve = await open(browser, server.url("/chat/"));
  await enter(eve.page, "Eve");
  await inList(eve.page).waitFor();
  await Promise.all([ada, bob, eve].map(({ page }) => page.context().close()));
});

test("the system's theme is taken until another is chosen, which is kept", async () => {
  const ground = (page: Awaited<ReturnType<typeof open>>["page"]) =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const { page } = await open(browser, server.url("/chat/"), { colorScheme: "light" });
  await enter(page, "Ada");
  const light = await ground(page);
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground(page);
  expect(dark).not.toBe(light);
  await page.getByLabel("Theme").selectOption("Light");
  expect(await ground(page)).toBe(light);
  await page.reload();
  await connected(page);
  expect(await ground(page)).toBe(light);
  await page.context().close();
});

test("what is written without a connection is said when there is one, once", async () => {
  await using way = await Way.to(server.port);
  using bob = await Person.join(url(), "Bob", "general");
  const { page } = await open(browser, way.url("/chat/"));
  await enter(page, "Ada");
  await say(page, "before");
  way.cut();
  await page.getByRole("status").filter({ hasText: "Connected" }).waitFor({ state: "hidden" });
  await composer(page).fill("written meanwhile");
  await composer(page).press("Enter");
  await page.getByRole("list", { name: "Not sent yet" }).getByText("written meanwhile").waitFor();
  way.mend();
  await sees(page, "written meanwhile");
  await bob.say("general", "the end");
  await sees(page, "the end");
  expect(await texts(page, /^written/)).toEqual(["written meanwhile"]);
  expect(bob.heard("written meanwhile")).toBe(1);
  await page.context().close();
});
