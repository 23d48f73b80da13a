// The page: what the server tells is shown, what the user does is asked for.

import { explain } from "./closing.js";
import { Connection } from "./connection.js";
import { $, dress, kept } from "./dom.js";
import { Log } from "./log.js";
import { Outbox } from "./outbox.js";
import { People } from "./people.js";
import { Recovery } from "./recovery.js";
import { Rooms } from "./rooms.js";
import { closeSide } from "./side.js";

const REFRESH_EVERY_MS = 15_000;
const TYPING_EVERY_MS = 2_000;
/** The server sees somebody as away who did nothing for five minutes. */
const AWAY_MS = 290_000;
const HOME = "general";
const PAGE = 50;
const ROOMS_KEPT_MAX = 12;

/** Where the user wants to be outlives a connection. */
const me = { name: kept.get("name", ""), wanted: kept.get("room", HOME), status: "online", typed: 0, hiddenAt: 0, missed: 0 };
/** `shown` is the room on the page; `joined` is the one that this connection is in. */
const here = { shown: null, joined: null, hasEarlier: false, isReading: false, hint: 0 };
/** What is known of rooms that one has been in: entries, draft, and whether there is more. */
const left = new Map();
/** Rooms that are being made, by request. */
const making = new Map();

const connection = new Connection();
const log = new Log({ scroller: $("scroller"), live: $("log"), list: $("messages"), below: $("pending"), newer: $("newer") });
const recovery = new Recovery(connection, (id) => log.has(id));
const rooms = new Rooms(connection, (room) => join(room, true));
const people = new People();
const outbox = new Outbox($("pending"), ({ id, room, text }) => {
  if (here.joined !== room || !recovery.isDone) return false;
  return connection.ask("message.send", { roomId: room, text }, id) !== null;
});

// What the server tells.

const handlers = {
  "auth.success": ({ payload }) => rename(payload.username),
  "auth.error": ({ payload }) => log.notice(payload.message, "bad"),
  "room.list": ({ payload }) => {
    rooms.set(payload.rooms, here.shown);
    showAbout();
  },
  "room.created": ({ payload }) => join(payload.roomId, true),
  "room.joined": entered,
  "room.userJoined": ({ payload }) => {
    if (payload.roomId !== here.joined) return;
    if (people.came(payload.username, me.name)) log.notice(`${payload.username} joined`);
    showAbout();
  },
  "room.userLeft": ({ payload }) => {
    if (payload.roomId !== here.joined) return;
    people.left(payload.username, me.name);
    log.notice(`${payload.username} left`);
    showAbout();
  },
  "message.received": heard,
  "message.history": lookedBack,
  "message.recovered": (frame) => {
    if (frame.payload.roomId !== here.joined) return;
    const end = recovery.recovered(frame);
    log.add(frame.payload.messages);
    if (end) settle(end);
  },
  "typing.update": ({ payload }) => payload.roomId === here.joined && people.typing(payload.usersTyping, me.name),
  "presence.update": ({ payload }) => people.seenAs(payload.username, payload.status, me.name),
  "rateLimit.warning": ({ payload, requestId }) => {
    const seconds = Math.max(1, Math.ceil((payload.resetTime - Date.now()) / 1_000));
    // A warning comes after what was done, a refusal in its place.
    const isDone = payload.message.startsWith("Approaching");
    if (isDone) showHint(payload.remaining, seconds);
    else if (!outbox.refused(requestId, `Too much at once. Wait ${seconds} s.`)) log.notice(`Too much at once: wait ${seconds} s`, "bad");
  },
  error: ({ payload, requestId }) => {
    if (outbox.refused(requestId, payload.message)) return;
    if (payload.code === "ROOM_EXISTS" && making.has(requestId)) return join(making.get(requestId), true);
    log.notice(payload.message, "bad");
  },
};

connection.addEventListener("event", ({ detail: frame }) => {
  if (Object.hasOwn(handlers, frame.channel)) handlers[frame.channel](frame);
  making.delete(frame.requestId);
});

connection.addEventListener("open", () => {
  showState("open", "Connected");
  showVersion();
  if (me.name && me.wanted) join(me.wanted);
  rooms.refresh(here.shown);
});

connection.addEventListener("waiting", () => {
  showState("waiting", "Connection lost, trying again…");
  disconnected();
});

connection.addEventListener("ended", ({ detail }) => {
  showState("ended", explain(detail.code, detail.reason));
  disconnected();
});

function disconnected() {
  here.joined = null;
  recovery.lost();
  outbox.lost();
  people.typing([], me.name);
  me.typed = 0;
  here.isReading = false;
}

function entered(frame) {
  const { roomId, users, recentMessages } = frame.payload;
  if (here.shown !== roomId) show(roomId, recentMessages.length >= PAGE);
  here.joined = roomId;
  const newestKnown = log.newest;
  const fresh = recentMessages.filter(({ id }) => !log.has(id));
  const isAll = recovery.joined(frame, newestKnown);
  log.add(recentMessages);
  if (isAll) outbox.settle(roomId, fresh, me.name);
  people.set(users, frame.statuses, me.name);
  if (me.status !== "online") tellStatus();
  showRoom();
  rooms.refresh(roomId);
}

function heard({ payload, position, requestId }) {
  if (payload.roomId !== here.joined) return;
  recovery.heard(payload.roomId, position);
  outbox.heard({ requestId, payload }, me.name);
  log.add([payload]);
  if (payload.username === me.name) log.toEnd();
  else if (document.hidden) me.missed++;
  showTitle();
  read();
}

function lookedBack({ payload }) {
  const { roomId, messages, hasMore } = payload;
  if (roomId !== here.shown) return rooms.looked(roomId, messages, here.shown, me.name);
  const end = recovery.readBack(payload);
  if (here.isReading) here.hasEarlier = hasMore;
  here.isReading = false;
  log.add(messages);
  showEarlier();
  if (end) settle(end);
}

/** Everything that was missed is there, as far as the server knew it. */
function settle({ said, isWhole }) {
  outbox.settle(here.joined, said, me.name);
  if (!isWhole) log.notice("Some messages may be missing: the server does not have them any more", "bad");
  read();
}

// What the user does.

function join(room, byHand = false) {
  me.wanted = room;
  kept.set("room", room);
  if (!me.name) return askName();
  const knows = room === here.shown ? log.newest : left.get(room)?.entries.length;
  connection.ask("room.join", { roomId: room, username: me.name, ...(knows ? recovery.since(room) : {}) });
  if (!byHand) return;
  closeSide();
  // On a phone the keyboard would come up over what one wants to read.
  if (matchMedia("(hover: hover)").matches) $("composer").focus();
  else $("room").focus();
}

function leave() {
  connection.tell("room.leave", { roomId: here.joined });
  recovery.forget(here.joined);
  me.wanted = "";
  here.joined = null;
  show(null, false);
  left.clear();
  people.set([], undefined, me.name);
  showRoom();
  rooms.refresh(null);
}

function lookBack() {
  const before = log.oldest?.timestamp;
  if (before === undefined || here.isReading || !recovery.isDone) return;
  here.isReading = connection.ask("message.history", { roomId: here.shown, limit: PAGE, before }) !== null;
}

function send(event) {
  event.preventDefault();
  const text = $("composer").value.trim();
  if (!text || here.shown === null) return;
  log.markRead(Infinity);
  outbox.add(here.shown, text);
  $("composer").value = "";
  me.typed = 0;
  grow();
  log.toEnd();
}

function typing() {
  grow();
  const isEmpty = $("composer").value === "";
  const now = Date.now();
  if (isEmpty && me.typed) {
    connection.tell("typing.stop", { roomId: here.joined });
    me.typed = 0;
  } else if (!isEmpty && here.joined && now - me.typed > TYPING_EVERY_MS) {
    connection.tell("typing.start", { roomId: here.joined });
    me.typed = now;
  }
}

function create(event) {
  event.preventDefault();
  const room = $("new-room").value.trim();
  if (!room) return;
  const request = connection.ask("room.create", { roomId: room });
  if (request === null) return;
  making.set(request, room);
  $("new-room").value = "";
}

function tellStatus() {
  connection.tell("presence.update", { status: me.status });
  people.seenAs(me.name, me.status, me.name);
}

/** What is at the end and in sight has been read. */
function read() {
  if (document.hidden || here.joined === null || !recovery.isDone || !log.isAtEnd) return;
  if (log.newest) rooms.read(here.joined, log.newest.timestamp);
}

function looked() {
  if (document.hidden) {
    me.hiddenAt = Date.now();
    if (log.newest) log.markRead(log.newest.timestamp);
    return;
  }
  me.missed = 0;
  showTitle();
  read();
  if (here.joined && Date.now() - me.hiddenAt > AWAY_MS) tellStatus();
  rooms.refresh(here.shown);
}

// What is shown.

/** Puts another room on the page, and keeps what is known of the one that was there. */
function show(room, hasEarlier) {
  if (here.shown !== null) {
    left.delete(here.shown);
    left.set(here.shown, { entries: log.entries, draft: $("composer").value, hasEarlier: here.hasEarlier });
    if (left.size > ROOMS_KEPT_MAX) left.delete(left.keys().next().value);
  }
  const known = left.get(room);
  here.shown = room;
  here.hasEarlier = known?.hasEarlier ?? hasEarlier;
  here.isReading = false;
  log.show(known?.entries ?? [], me.name, rooms.readTo(room));
  outbox.show(room);
  $("composer").value = known?.draft ?? "";
  me.typed = 0;
  grow();
}

function showRoom() {
  const isSomewhere = here.shown !== null;
  $("room").textContent = here.shown ?? "Pick a room";
  $("leave").hidden = !isSomewhere;
  $("composer").disabled = !isSomewhere;
  $("send").disabled = !isSomewhere;
  $("composer").placeholder = isSomewhere ? `Message ${here.shown}` : "Message";
  rooms.show(here.shown);
  showAbout();
  showEarlier();
  showTitle();
}

function showAbout() {
  const description = here.shown === null ? "" : rooms.describe(here.shown);
  $("about").textContent = description || (here.joined ? `${people.count} ${people.count === 1 ? "person" : "people"}` : "");
}

function showEarlier() {
  $("earlier").hidden = !here.hasEarlier;
  $("beginning").hidden = here.hasEarlier || here.shown === null;
  $("beginning").textContent = "This is where the conversation begins.";
}

function showTitle() {
  const count = me.missed > 0 ? `(${me.missed}) ` : "";
  document.title = `${count}${here.shown === null ? "" : `${here.shown} · `}Chat`;
}

/** Beside the box, and gone when it is out of date. */
function showHint(remaining, seconds) {
  $("hint").textContent = remaining > 0 ? `${remaining} more within ${seconds} s` : `No more for ${seconds} s`;
  clearTimeout(here.hint);
  here.hint = setTimeout(() => ($("hint").textContent = ""), Math.min(seconds, 10) * 1_000);
}

function showState(state, text) {
  $("state").dataset.state = state;
  $("state").textContent = text;
  $("retry").hidden = state !== "waiting" && state !== "ended";
}

/** Which version answers may change while the page is open, so every new connection asks. */
async function showVersion() {
  try {
    const answer = await fetch(new URL("version", document.baseURI), { cache: "no-store" });
    const { app, version } = await answer.json();
    $("version").textContent = `${app} ${version}`;
  } catch {
    $("version").textContent = "";
  }
}

function rename(name) {
  me.name = name;
  kept.set("name", name);
  $("my-name").textContent = name || "Your name";
  dress($("my-avatar"), name);
}

/** As high as what is written, where the browser does not see to that. */
function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  $("composer").rows = Math.min(8, $("composer").value.split("\n").length);
}

function askName() {
  $("name").value = me.name;
  $("who").showModal();
  $("name").select();
}

function named(event) {
  event.preventDefault();
  const name = $("name").value.trim();
  if (!name) return;
  const isNew = name !== me.name;
  rename(name);
  $("who").close();
  if (here.joined === null) join(me.wanted || HOME, true);
  else if (isNew) connection.ask("auth.login", { username: name });
  // The room is not told its own new name: who is in it is told by joining again.
  if (here.joined !== null && isNew) join(here.joined, true);
}

// Wiring.

$("composer-form").addEventListener("submit", send);
$("composer").addEventListener("input", typing);
$("composer").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
});
$("create").addEventListener("submit", create);
$("leave").addEventListener("click", leave);
$("retry").addEventListener("click", () => connection.again());
$("earlier").addEventListener("click", lookBack);
$("rename").addEventListener("click", askName);
$("who-form").addEventListener("submit", named);
$("who").addEventListener("cancel", (event) => {
  if (!me.name) event.preventDefault();
});
$("my-status").addEventListener("change", () => {
  me.status = $("my-status").value;
  tellStatus();
});
log.addEventListener("read", read);
document.addEventListener("visibilitychange", looked);
new IntersectionObserver(([seen]) => seen.isIntersecting && lookBack(), {
  root: $("scroller"),
  rootMargin: "300px 0px 0px",
}).observe($("earlier"));
setInterval(() => rooms.refresh(here.shown), REFRESH_EVERY_MS);

rename(me.name);
show(null, false);
showRoom();
connection.connect();
if (!me.name) askName();
