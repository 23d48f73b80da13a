// Chromium without a screen, and pages that remember what went wrong in them.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import axe from "axe-core";
import { type Browser, type BrowserContextOptions, type Locator, type Page, chromium } from "playwright-core";

import { chromium as executable, pictures } from "./place";
import { PATIENCE_MS } from "./wait";

export const DESKTOP = { viewport: { width: 1280, height: 800 } };
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const PICTURE_BYTES_MAX = 200_000;
const TABS_MAX = 60;

/** A browser for a file of tests. */
export async function launch(): Promise<Browser> {
  // The sandbox needs rights that containers do not give. The pages are our own.
  return await chromium.launch({ executablePath: executable(), args: ["--no-sandbox"] });
}

/** A page with what it must not have done: break its policy, or fail. */
export interface Guarded {
  page: Page;
  faults: string[];
}

/** A page of somebody of its own, with nothing remembered. */
export async function open(browser: Browser, url: string, options: BrowserContextOptions = DESKTOP): Promise<Guarded> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`failed: ${error.message}`));
  page.on("console", (message) => {
    if (/content.security.policy/i.test(message.text())) faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults };
}

/** What axe-core finds that keeps people out. */
export async function barriers(page: Page): Promise<string[]> {
  // What is still moving has colours that it will not keep.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map((animation) => animation.finished)));
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const found = await (globalThis as unknown as { axe: typeof axe }).axe.run(document);
    // The first place tells enough: what is wrong there is wrong in all of them.
    return found.violations.map(({ id, impact, help, nodes: [first] }) => ({
      impact,
      text: `${id} (${impact}): ${help}: ${first?.html}: ${first?.failureSummary}`,
    }));
  });
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return serious.map(({ text }) => text);
}

/** Presses Tab until this has the focus. */
export async function tabTo(page: Page, wanted: Locator): Promise<void> {
  for (let presses = 0; presses < TABS_MAX; presses++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${wanted}: not reached with ${TABS_MAX} presses of Tab`);
}

/** Takes a picture for the documentation. */
export async function picture(page: Page, name: string): Promise<void> {
  const png = await page.screenshot({ animations: "disabled", caret: "hide" });
  if (png.length > PICTURE_BYTES_MAX) throw new Error(`${name}: ${png.length} bytes are too many`);
  mkdirSync(pictures, { recursive: true });
  writeFileSync(join(pictures, `${name}.png`), png);
}
