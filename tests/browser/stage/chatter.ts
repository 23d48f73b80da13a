// What people do on the chat's page, by what they see and hear of it.

import type { Locator, Page } from "playwright-core";

/** Gives a name, and is in. */
export async function enter(page: Page, name: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Come in" }).click();
  await connected(page);
}

export async function connected(page: Page): Promise<void> {
  await page.getByRole("status").filter({ hasText: "Connected" }).waitFor();
}

export function composer(page: Page): Locator {
  return page.getByRole("textbox", { name: "Message" });
}

/** Says something, and waits until it came back. */
export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await sees(page, text);
}

export async function sees(page: Page, text: string): Promise<void> {
  await page.getByRole("log").getByText(text, { exact: true }).waitFor();
}

/** What was said, in the order of the page. */
export async function texts(page: Page, like: RegExp): Promise<string[]> {
  const all = await page.getByRole("log").locator(".text").allTextContents();
  return all.filter((text) => like.test(text));
}
