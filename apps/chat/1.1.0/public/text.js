// A message's text as nodes: addresses can be followed, and one's own name stands out.

import { element } from "./dom.js";

// A full stop or a bracket at the end belongs to the sentence.
const ADDRESS = /\bhttps?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}']/giu;

/** Whether somebody is called by name. */
export function mentions(text, name) {
  return spots(text, name).length > 0;
}

export function nodes(text, name) {
  const made = [];
  let from = 0;
  for (const { index, 0: address } of text.matchAll(ADDRESS)) {
    made.push(...named(text.slice(from, index), name));
    const link = element("a", "", address);
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    made.push(link);
    from = index + address.length;
  }
  made.push(...named(text.slice(from), name));
  return made;
}

function named(text, name) {
  const made = [];
  let from = 0;
  for (const [start, end] of spots(text, name)) {
    made.push(text.slice(from, start), element("mark", "", text.slice(start, end)));
    from = end;
  }
  made.push(text.slice(from));
  return made.filter((piece) => piece !== "");
}

/** Where the name stands as a word of its own, with or without an @ before it. */
function spots(text, name) {
  if (name.trim().length < 2) return [];
  const literal = name.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");
  const word = new RegExp(`(?<![\\p{L}\\p{N}])@?${literal}(?![\\p{L}\\p{N}])`, "giu");
  return [...text.matchAll(word)].map(({ index, 0: found }) => [index, index + found.length]);
}
