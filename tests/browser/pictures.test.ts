// The chat's pictures in the documentation: PICTURES=1 bun run test pictures

import { afterAll, beforeAll, test } from "bun:test";
import type { Browser, BrowserContextOptions } from "playwright-core";

import { DESKTOP, PHONE, launch, open, picture } from "./stage/browser";
import { enter, say, sees } from "./stage/chatter";
import { Person } from "./stage/person";
import { arePicturesWanted } from "./stage/place";
import { Server, chat } from "./stage/server";
import { sleep } from "./stage/wait";

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
