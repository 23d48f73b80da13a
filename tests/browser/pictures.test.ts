// The pictures of the documentation: PICTURES=1 bun run test pictures

import { afterAll, beforeAll, test } from "bun:test";
import type { Browser, BrowserContextOptions } from "playwright-core";

import { DESKTOP, PHONE, launch, open, picture } from "./stage/browser";
import { enter, say, sees } from "./stage/chatter";
import { live, row } from "./stage/operator";
import { Person } from "./stage/person";
import { arePicturesWanted } from "./stage/place";
import { Server, chat, site } from "./stage/server";
import { sleep } from "./stage/wait";

const WIDE = { viewport: { width: 1440, height: 900 } };
const LOAD_MS = 45_000;
const FULL = { timeout: 300_000 };

let browser: Browser;

beforeAll(async () => {
  if (arePicturesWanted) browser = await launch();
}, 300_000);

afterAll(async () => {
  await browser?.close();
});

const CHATS: [string, BrowserContextOptions][] = [
  ["chat-desktop", { ...DESKTOP, colorScheme: "dark" }],
  ["chat-phone", { ...PHONE, colorScheme: "light" }],
];

for (const [name, options] of CHATS) {
  test.if(arePicturesWanted)(
    name,
    async () => {
      await using server = await Server.start(chat());
      const url = server.url("/chat/ws");
      const [bob, eve, zoe, , lee] = await Promise.all([
        Person.join(url, "Bob", "general"),
        Person.join(url, "Eve", "general"),
        Person.join(url, "Zoe", "general"),
        Person.join(url, "Kim", "design"),
        Person.join(url, "Lee", "ops"),
      ]);
      zoe.be("away");
      eve.be("dnd");
      await bob.say("general", "The new version is up. 5 % of you are on it.");
      await zoe.say("general", "Am I one of them?");
      const { page } = await open(browser, server.url("/chat/"), options);
      await enter(page, "Ada");
      await say(page, "How would we know?");
      await bob.say("general", "You would not. Your socket stayed open, your messages are where they were, and the room goes on.");
      await eve.say("general", "It is at 50 % by now, Ada.");
      await sees(page, "It is at 50 % by now, Ada.");
      await say(page, "I noticed nothing.");
      await lee.say("ops", "Nothing to do here.");
      // The list of rooms counts everybody when it was asked for again.
      await sleep(16_000);
      bob.type("general");
      await page.getByText("Bob is typing").waitFor();
      await picture(page, name);
    },
    FULL,
  );
}

test.if(arePicturesWanted)(
  "dashboard",
  async () => {
    const shop = { "shop/2.0.0": site("<title>shop</title>"), "shop/2.1.0": site("<title>shop</title>") };
    await using server = await Server.start({ ...chat(), ...shop, "docs/1.0.0": site("<title>docs</title>") });
    const weights = { "1.0.0": 25, "1.1.0": 75 };
    await fetch(server.url("/_/deployments/chat/promote"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ weights }),
    });
    const names = ["Ada", "Bob", "Eve", "Kim", "Lee", "Max", "Zoe"];
    const people = await Promise.all(names.map((name) => Person.join(server.url("/chat/ws"), name, "general")));
    const { page } = await open(browser, server.url("/_/"), { ...WIDE, colorScheme: "dark" });
    const phone = await open(browser, server.url("/_/"), { ...PHONE, colorScheme: "light" });
    for (const watched of [page, phone.page]) {
      await live(watched);
      await watched.getByRole("radio", { name: "1 min" }).check({ force: true });
      await row(watched, "chat", "1.1.0").waitFor();
    }
    const end = Date.now() + LOAD_MS;
    for (let second = 0; Date.now() < end; second++) {
      const requests = Math.round(60 + 25 * Math.sin(second / 4) + 15 * Math.random());
      const next = sleep(1_000);
      for (let request = 0; request < requests; request++) await fetch(server.url("/chat/version"));
      await people[second % people.length]?.say("general", `message ${second}`);
      await next;
    }
    await picture(page, "dashboard-desktop");
    await phone.page.getByRole("link", { name: "Apps", exact: true }).click();
    await sleep(1_000);
    await picture(phone.page, "dashboard-phone");
  },
  FULL,
);
