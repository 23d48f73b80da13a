// The one connection to the server. It comes back by itself, however it ended.

import { feed } from "./model.js";

// The server tells something each second.
const SILENCE_MS = 12_000;
const WAIT_MS = { first: 500, longest: 10_000 };

let source = null;
let wait = WAIT_MS.first;
let heard = 0;

export function follow(onTick, onState) {
  const open = () => {
    source?.close();
    heard = Date.now();
    source = new EventSource("sse?view=dashboard");
    const take = (kind) => (event) => {
      heard = Date.now();
      feed[kind](JSON.parse(event.data));
    };
    source.addEventListener("apps", take("apps"));
    source.addEventListener("history", take("history"));
    source.addEventListener("log", take("log"));
    source.onmessage = (event) => {
      take("tick")(event);
      wait = WAIT_MS.first;
      onState("live");
      onTick();
    };
    source.onerror = again;
  };

  // A browser gives up on an answer that is no stream, such as "too many are watching": we do not. And what it would try
  // again by itself it would try at once, with everybody else whose server was just restarted.
  const again = async () => {
    source?.close();
    source = null;
    onState("lost");
    const asked = await fetch("stats", { method: "HEAD" }).catch(() => null);
    // A login that ended: the page then is the form that begins another one.
    if (asked?.status === 401) location.reload();
    setTimeout(open, wait * (0.5 + Math.random()));
    wait = Math.min(wait * 1.7, WAIT_MS.longest);
  };

  setInterval(() => {
    if (source && Date.now() - heard > SILENCE_MS) again();
  }, 2000);
  // A phone that slept has a connection that nobody told it is dead.
  addEventListener("online", () => source && open());
  open();
}
