// The chat's page for people who do not see it, or see it otherwise: axe-core looks at every state of it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";

import { DESKTOP, PHONE, barriers, launch, open } from "./stage/browser";
import { enter, say, sees } from "./stage/chatter";
import { Person } from "./stage/person";
import { Server, chat } from "./stage/server";

let browser: Browser;
let server: Server;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start(chat())]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

const WIDTHS = { desktop: DESKTOP, phone: PHONE };

for (const version of ["1.0.0", "1.1.0"]) {
  for (const [width, size] of Object.entries(WIDTHS)) {
    for (const colorScheme of ["light", "dark"] as const) {
      test(`${version} on a ${width}, ${colorScheme}, keeps nobody out`, async () => {
        const { page } = await open(browser, server.url(`/chat@${version}/`), { ...size, colorScheme });
        expect(await barriers(page)).toEqual([]);
        await enter(page, "Ada");
        using bob = await Person.join(server.url(`/chat@${version}/ws`), "Bob", "general");
        await bob.say("general", `hello ${version} ${width} ${colorScheme}`);
        await sees(page, `hello ${version} ${width} ${colorScheme}`);
        await say(page, `hello from a ${width}, ${version} ${colorScheme}`);
        expect(await barriers(page)).toEqual([]);
        if (width === "phone") {
          await page.getByRole("button", { name: "Rooms and people" }).tap();
          expect(await barriers(page)).toEqual([]);
        }
        await page.context().close();
      });
    }
  }
}

test("what keeps people out is found", async () => {
  const { page } = await open(browser, server.url("/chat/"));
  await enter(page, "Ada");
  await page.evaluate(() => document.body.append(document.createElement("button")));
  expect((await barriers(page)).join()).toContain("button-name");
  await page.context().close();
});
