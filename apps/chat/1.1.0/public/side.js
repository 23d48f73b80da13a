// On a phone, rooms and people come over the conversation, which then rests.

import { $ } from "./dom.js";

function openSide() {
  $("side").classList.add("open");
  $("menu").setAttribute("aria-expanded", "true");
  $("scrim").hidden = false;
  $("main").inert = true;
  ($("rooms").querySelector("[aria-current]") ?? $("new-room")).focus();
}

export function closeSide() {
  if (!$("side").classList.contains("open")) return;
  $("side").classList.remove("open");
  $("menu").setAttribute("aria-expanded", "false");
  $("scrim").hidden = true;
  $("main").inert = false;
  $("menu").focus();
}

$("menu").addEventListener("click", openSide);
$("scrim").addEventListener("click", closeSide);
addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeSide();
});
// A phone that is turned, or a window that is widened, has room for everything again.
matchMedia("(min-width: 721px)").addEventListener("change", closeSide);
