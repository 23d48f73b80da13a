// How an app's requests are spread, and what an operator does to it.

import { by, note, sure, text } from "./dom.js";

const path = (app, action) => `deployments/${app.split("/").map(encodeURIComponent).join("/")}/${action}`;

// Asks the server for a change, and says what became of it. Whether it was done.
export async function act(app, action, body, done) {
  const answer = await fetch(path(app, action), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => null);
  if (answer?.ok) {
    note(done);
    return true;
  }
  const said = await answer?.json().catch(() => null);
  note(said?.reasons?.join("; ") || said?.error || "The server does not answer. Nothing was changed.");
  return false;
}

export const setWeights = (app, weights, sessions) =>
  act(app, "promote", { weights, sessions }, `The requests of ${app} are spread as you said.`);

export async function promote(app, version) {
  const question = `Everything that asks ${app} for no version goes to ${version}, and open sessions move there.`;
  if (await sure(`Promote ${app} ${version}?`, question, "Promote")) {
    await act(app, "promote", { version }, `${app} ${version} has everything now.`);
  }
}

export async function rollBack(app, rollout) {
  const question = rollout.canary
    ? `The canary ${rollout.canary.version} loses its share, and its sessions move back.`
    : "The requests are spread as they were before the last change.";
  if (await sure(`Roll ${app} back?`, question, "Roll back")) {
    await act(app, "rollback", {}, `${app} is rolled back.`);
  }
}

// The plan of a canary, asked for in a dialog.
let planned = null;

export function askCanary(app, version) {
  planned = { app, version };
  text(by("canary-what"), `${app} ${version} gets its share step by step, as long as it does as well as the versions beside it.`);
  by("canary-dialog").showModal();
}

const percents = (list) => list.split(",").map((part) => Number.parseFloat(part));

by("canary-close").addEventListener("click", () => by("canary-dialog").close());
by("canary-form").addEventListener("submit", () => {
  const { app, version } = planned;
  const given = (id, name, read) => (by(id).value.trim() ? { [name]: read(by(id).value) } : {});
  const plan = {
    version,
    steps: percents(by("canary-steps").value),
    window: by("canary-window").value.trim(),
    sessions: by("canary-keep").checked ? "keep" : "follow",
    ...given("canary-errors", "maxErrorRate", String),
    ...given("canary-faults", "maxFaultRate", String),
    ...given("canary-ratio", "maxP99Ratio", Number),
  };
  act(app, "canary", plan, `The canary ${app} ${version} begins.`);
});
