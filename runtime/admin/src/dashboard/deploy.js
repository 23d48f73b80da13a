// Putting a version up: an archive is chosen or dropped, sent, and followed through the gate.

import { by, h, mayChange, shown, text } from "./dom.js";
import { bytes, ms, plural } from "./words.js";

const dialog = by("deploy-dialog");
const progress = by("deploy-progress");
let archive = null;
let sending = null;

// `chat-1.2.0.tar.gz`, `chat@1.2.0-rc.1.zip`: an app and a version, if the name says them.
export function named(file) {
  const bare = file.replace(/\.(tar\.gz|tgz|zip)$/i, "");
  const [, app, version] = /^(.+?)[@_-]v?(\d+\.\d+\.\d+.*)$/.exec(bare) ?? [];
  return { app: app ?? bare, version };
}

function choose(file) {
  if (!file) return;
  archive = file;
  const { app, version } = named(file.name);
  text(by("drop-text"), `${file.name}, ${bytes(file.size)}`);
  if (!by("deploy-app").value && app) by("deploy-app").value = app;
  if (version) by("deploy-version").value = version;
  outcome("");
}

function outcome(message, kind = "") {
  text(by("deploy-outcome"), message);
  by("deploy-outcome").className = kind;
}

const said = {
  received: (step) => `received, ${bytes(step.bytes)}`,
  unpacked: (step) => `unpacked, ${plural(step.files, "file")}`,
  manifest: (step) => ["the manifest is right", ...step.warnings].join("; "),
  entrypoint: (step) => `it is ${step.kind}`,
  compiled: (step) => `compiled in ${ms(step.ms)}`,
  world: () => "its exports are what the host calls",
  migrations: (step) => (step.ran?.length ? `migrated: ${step.ran.join(", ")}` : "no migrations to run"),
  health: (step) => (step.path ? `healthy: ${step.path} answered ${step.status} in ${ms(step.ms)}` : "it starts"),
};

function tell(step) {
  const steps = by("deploy-steps");
  if (said[step.step]) return steps.append(h("li", null, said[step.step](step)));
  finish(step);
}

function finish(answer) {
  if (answer.reasons?.length || answer.error) {
    const reasons = answer.reasons?.length ? answer.reasons : [answer.error];
    by("deploy-steps").append(...reasons.map((reason) => h("li", { class: "bad" }, reason)));
    return outcome("It was refused, and nothing was changed.", "bad");
  }
  const words = { live: "is live", unchanged: "was there already, with the same content", published: "is published, and will be live soon" };
  outcome(`${answer.label} ${words[answer.state] ?? answer.state}.`);
}

function send() {
  const [app, version] = [by("deploy-app").value.trim(), by("deploy-version").value.trim()];
  const path = app.split("/").map(encodeURIComponent).join("/");
  const replace = by("deploy-replace").checked ? "?replace=true" : "";
  by("deploy-steps").replaceChildren();
  outcome("");
  shown(progress, true);
  by("deploy-send").disabled = true;
  const request = (sending = new XMLHttpRequest());
  let read = 0;
  // The head comes with the first step; each line after it is a step more.
  const follow = () => {
    if (!request.getResponseHeader("content-type")?.includes("ndjson")) return;
    for (let end; (end = request.responseText.indexOf("\n", read)) >= 0; read = end + 1) {
      tell(JSON.parse(request.responseText.slice(read, end)));
    }
  };
  request.upload.onprogress = (event) => (progress.value = event.total ? event.loaded / event.total : 0);
  request.onprogress = follow;
  request.onload = () => {
    follow();
    if (read > 0) return;
    try {
      finish(JSON.parse(request.responseText));
    } catch {
      outcome(`The server answered ${request.status}.`, "bad");
    }
  };
  request.onerror = () => outcome("The connection broke. A deploy that was sent whole goes to its end.", "bad");
  request.onloadend = () => {
    sending = null;
    shown(progress, false);
    by("deploy-send").disabled = false;
  };
  request.open("PUT", `deployments/${path}/${encodeURIComponent(version)}${replace}`);
  request.setRequestHeader("accept", "application/x-ndjson, application/json");
  request.send(archive);
}

function open() {
  if (!dialog.open) dialog.showModal();
}

by("deploy").addEventListener("click", open);
by("deploy-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  sending?.abort();
  archive = null;
  by("deploy-form").reset();
  by("deploy-steps").replaceChildren();
  text(by("drop-text"), "Drop an archive here, or choose one");
  outcome("");
});
by("archive").addEventListener("change", (event) => choose(event.target.files[0]));
by("deploy-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (sending) return;
  if (archive) send();
  else outcome("Choose an archive first.", "bad");
});

by("deploy").hidden = !mayChange;

// The whole page takes what is dropped.
const over = (is) => by("drop").classList.toggle("over", is);
addEventListener("dragover", (event) => {
  if (!mayChange || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  open();
  over(true);
});
addEventListener("dragleave", (event) => event.relatedTarget ?? over(false));
addEventListener("drop", (event) => {
  if (!mayChange || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  over(false);
  open();
  choose(event.dataTransfer.files[0]);
});
