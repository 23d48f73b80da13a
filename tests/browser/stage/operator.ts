// What operators do on the dashboard, by what they see and hear of it.

import type { Locator, Page } from "playwright-core";

/** Follows the server: what is shown is of now. */
export async function live(page: Page): Promise<void> {
  await page.locator("#state").filter({ hasText: "Live" }).waitFor();
}

/** An app's card. */
export function card(page: Page, app: string): Locator {
  return page.getByRole("article", { name: app, exact: true });
}

/** A version's row in it. */
export function row(page: Page, app: string, version: string): Locator {
  return card(page, app).getByRole("row").filter({ hasText: version });
}

/** What the bar above an app's versions says of its traffic. */
export async function traffic(page: Page, app: string): Promise<string> {
  const bar = card(page, app).getByRole("img", { name: `Traffic of ${app}` });
  return (await bar.getAttribute("aria-label")) ?? "";
}

/** Puts a version up; what the page says became of it. */
export async function deploy(page: Page, archive: string): Promise<string> {
  await page.getByRole("button", { name: "Deploy" }).click();
  const dialog = page.getByRole("dialog", { name: "Deploy a version" });
  await dialog.locator("input[type=file]").setInputFiles(archive);
  await dialog.getByRole("button", { name: "Deploy" }).click();
  const outcome = dialog.getByRole("status").filter({ hasText: /\S/ });
  await outcome.waitFor();
  const said = (await outcome.textContent()) ?? "";
  await dialog.getByRole("button", { name: "Close" }).click();
  return said;
}

/** Drags a weight to so many percent, with a mouse. */
export async function drag(page: Page, slider: Locator, percent: number): Promise<void> {
  await slider.scrollIntoViewIfNeeded();
  const box = await slider.boundingBox();
  if (!box) throw new Error("the slider is not seen");
  const from = Number(await slider.inputValue());
  // The knob stays within the slider.
  const knob = box.height;
  const at = (share: number) => box.x + knob / 2 + ((box.width - knob) * share) / 100;
  const y = box.y + box.height / 2;
  await page.mouse.move(at(from), y);
  await page.mouse.down();
  await page.mouse.move(at((from + percent) / 2), y, { steps: 4 });
  await page.mouse.move(at(percent), y, { steps: 4 });
  await page.mouse.up();
}

/** How many of so many requests each version answers; nobody of them has been there before. */
export async function answers(url: string, requests: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let number = 0; number < requests; number++) {
    const version = (await fetch(url)).headers.get("x-rookery-version") ?? "none";
    counts[version] = (counts[version] ?? 0) + 1;
  }
  return counts;
}
