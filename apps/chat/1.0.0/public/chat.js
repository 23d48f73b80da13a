// The page: what the server tells is shown, what the user does is asked for.

import { Connection } from "./connection.js";
import { Log, element } from "./log.js";

const ROOMS_EVERY_MS = 15_000;
const TYPING_EVERY_MS = 2_000;
const HOME = "general";
const PAGE = 50;

const $ = (id) => document.getElementById(id);
const connection = new Connection();
const log = new Log($("log"), $("newer"));

const remembered = (key) => localStorage.getItem(`chat.${key}`) ?? "";
const remember = (key, value) => localStorage.setItem(`chat.${key}`, value);

/** Where the user wants to be outlives a connection; the rest is what the server said last. */
const state = {
  name: remembered("name"),
  wanted: remembered("room") || HOME,
  joined: null,
  people: [],
  status: new Map(),
  typing: [],
  typingSent: 0,
};

const handlers = {
  "auth.success": ({ username }) => {
    state.name = username;
    showName();
  },
  "auth.error": ({ message }) => log.notice(message, "bad"),
  "room.list": ({ rooms }) => showRooms(rooms),
  "room.created": ({ roomId }) => join(roomId),
  "room.joined": entered,
  "room.userJoined": ({ roomId, username }) => {
    if (roomId !== state.joined) return;
    // Who joins a second time was there already, and two people may have one name: the next list puts it right.
    if (!state.people.includes(username)) state.people.push(username);
    log.notice(`${username} joined`);
    showPeople();
  },
  "room.userLeft": ({ roomId, username }) => {
    if (roomId !== state.joined) return;
    const at = state.people.indexOf(username);
    if (at >= 0) state.people.splice(at, 1);
    state.typing = state.typing.filter((name) => name !== username);
    log.notice(`${username} left`);
    showPeople();
    showTyping();
  },
  "message.received": (message) => {
    if (message.roomId === state.joined) log.add([message], state.name);
  },
  "message.history": ({ roomId, messages, hasMore }) => {
    if (roomId !== state.joined) return;
    log.add(messages, state.name);
    log.reveal(messages.at(-1)?.id);
    showEarlier(hasMore);
  },
  "typing.update": ({ roomId, usersTyping }) => {
    if (roomId !== state.joined) return;
    state.typing = usersTyping;
    showTyping();
  },
  "presence.update": ({ username, status }) => {
    state.status.set(username, status);
    showPeople();
  },
  "rateLimit.warning": ({ message, remaining, resetTime }) => {
    const seconds = Math.max(1, Math.ceil((resetTime - Date.now()) / 1_000));
    log.notice(`${message}: ${remaining} left for ${seconds} s`, remaining === 0 ? "bad" : "");
  },
  error: ({ message }) => log.notice(message, "bad"),
};

// What happens on the connection.

connection.addEventListener("open", () => {
  showState("open", "Connected");
  showVersion();
  if (state.name && state.wanted) join(state.wanted);
  refreshRooms();
});

connection.addEventListener("event", ({ detail }) => {
  if (Object.hasOwn(handlers, detail.channel)) handlers[detail.channel](detail.payload);
});

connection.addEventListener("waiting", ({ detail }) => {
  showState("waiting", `Connection lost. Trying again in ${Math.ceil(detail / 1_000)} s`);
  showComposer();
});

connection.addEventListener("refused", () => showState("refused", "The server refused the connection"));

// What the user does.

function join(room) {
  state.wanted = room;
  remember("room", room);
  if (!state.name) return askName();
  connection.publish("room.join", { roomId: room, username: state.name });
}

function entered({ roomId, users, recentMessages }) {
  if (state.joined !== roomId) {
    log.clear();
  }
  state.joined = roomId;
  state.people = [...users];
  state.typing = [];
  log.add(recentMessages, state.name);
  showEarlier(recentMessages.length >= PAGE);
  showRoom();
  showPeople();
  showTyping();
  refreshRooms();
  closeSide();
}

function leave() {
  connection.publish("room.leave", { roomId: state.joined });
  state.joined = null;
  state.wanted = "";
  state.people = [];
  state.typing = [];
  log.clear();
  showEarlier(false);
  showRoom();
  showPeople();
  showTyping();
  refreshRooms();
}

function lookBack() {
  const before = log.oldest?.timestamp;
  if (before === undefined) return;
  connection.publish("message.history", { roomId: state.joined, limit: PAGE, before });
}

function send(event) {
  event.preventDefault();
  const text = $("composer").value.trim();
  if (!text || !state.joined) return;
  if (!connection.publish("message.send", { roomId: state.joined, text })) return;
  $("composer").value = "";
  state.typingSent = 0;
}

function typing() {
  const now = Date.now();
  const isEmpty = $("composer").value === "";
  if (isEmpty && state.typingSent) {
    connection.publish("typing.stop", { roomId: state.joined });
    state.typingSent = 0;
  } else if (!isEmpty && now - state.typingSent > TYPING_EVERY_MS) {
    connection.publish("typing.start", { roomId: state.joined });
    state.typingSent = now;
  }
}

function refreshRooms() {
  if (!document.hidden) connection.publish("room.list", {});
}

// What is shown.

function showRooms(rooms) {
  const focused = document.activeElement?.dataset?.room;
  $("rooms").replaceChildren(
    ...rooms.map(({ id, description, userCount }) => {
      const item = element("li");
      const button = element("button");
      button.type = "button";
      button.dataset.room = id;
      if (description) button.title = description;
      if (id === state.joined) button.setAttribute("aria-current", "true");
      const count = element("span", "count", String(userCount));
      count.setAttribute("aria-label", `${userCount} people`);
      button.append(element("span", "name", id), count);
      button.addEventListener("click", () => join(id));
      item.append(button);
      if (id === focused) queueMicrotask(() => button.focus());
      return item;
    }),
  );
}

function showPeople() {
  $("people").replaceChildren(
    ...state.people.map((name) => {
      const status = state.status.get(name) ?? "online";
      const item = element("li", "", name);
      item.dataset.status = status;
      item.title = status;
      if (name === state.name) item.append(element("span", "you", "you"));
      return item;
    }),
  );
  $("people-title").textContent = state.joined ? `People (${state.people.length})` : "People";
}

function showRoom() {
  $("room").textContent = state.joined ?? "Pick a room";
  document.title = state.joined ? `${state.joined} · Chat` : "Chat";
  $("leave").hidden = state.joined === null;
  showComposer();
}

function showEarlier(isThere) {
  $("earlier").hidden = !isThere;
}

function showComposer() {
  $("composer").disabled = state.joined === null;
  $("send").disabled = state.joined === null || !connection.isOpen;
}

function showTyping() {
  const names = state.typing.filter((name) => name !== state.name);
  $("typing").textContent =
    names.length === 0
      ? ""
      : names.length === 1
        ? `${names[0]} is typing…`
        : names.length === 2
          ? `${names[0]} and ${names[1]} are typing…`
          : `${names.length} people are typing…`;
}

function showState(name, text) {
  $("state").dataset.state = name;
  $("state").textContent = text;
}

function showName() {
  $("rename").textContent = state.name || "Your name";
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

function closeSide() {
  $("side").classList.remove("open");
  $("menu").setAttribute("aria-expanded", "false");
}

function askName() {
  $("name").value = state.name;
  $("who").showModal();
  $("name").select();
}

// Wiring.

$("composer-form").addEventListener("submit", send);
$("composer").addEventListener("input", typing);
$("composer").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
});
$("create").addEventListener("submit", (event) => {
  event.preventDefault();
  const room = $("new-room").value.trim();
  if (room && connection.publish("room.create", { roomId: room })) $("new-room").value = "";
});
$("leave").addEventListener("click", leave);
$("earlier").addEventListener("click", lookBack);
$("rename").addEventListener("click", askName);
$("menu").addEventListener("click", () => {
  const isOpen = $("side").classList.toggle("open");
  $("menu").setAttribute("aria-expanded", String(isOpen));
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeSide();
});
$("who").addEventListener("cancel", (event) => {
  if (!state.name) event.preventDefault();
});
$("who-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  if (!name) return;
  const isNew = name !== state.name;
  state.name = name;
  remember("name", name);
  showName();
  $("who").close();
  if (isNew) connection.publish("auth.login", { username: name });
  if (isNew || !state.joined) join(state.wanted || HOME);
});

setInterval(refreshRooms, ROOMS_EVERY_MS);
document.addEventListener("visibilitychange", refreshRooms);

showName();
connection.connect();
if (!state.name) askName();
