// What the dashboard decides and says without a page: how weights add up, and how numbers read.

import { expect, test } from "bun:test";

import { shares, spread } from "../../runtime/admin/src/dashboard/weights.js";
import { axis, count, ms, rate, span } from "../../runtime/admin/src/dashboard/words.js";

const sum = (weights: Record<string, number>) => Object.values(weights).reduce((all, one) => all + one, 0);

test("whatever is dragged wherever, the weights are whole, none is negative, and they add up to 100", () => {
  const begins = [{ a: 100 }, { a: 0, b: 100 }, { a: 33, b: 33, c: 34 }, { a: 0, b: 0, c: 100 }, { a: 1, b: 1, c: 1, d: 97 }];
  for (const begin of begins) {
    for (const moved of Object.keys(begin)) {
      for (let value = 0; value <= 100; value += 1) {
        const next: Record<string, number> = spread(begin, moved, value);
        expect(sum(next)).toBe(100);
        expect(Object.values(next).every((share) => Number.isInteger(share) && share >= 0)).toBe(true);
        if (Object.keys(begin).length > 1) expect(next[moved]).toBe(value);
      }
    }
  }
});

test("those that are not dragged keep their proportions", () => {
  expect(spread({ a: 20, b: 60, c: 20 }, "a", 60)).toEqual({ a: 60, b: 30, c: 10 });
  expect(spread({ a: 100, b: 0, c: 0 }, "a", 50)).toEqual({ a: 50, b: 25, c: 25 });
});

test("without weights the version of paths without one has everything", () => {
  const revisions = [
    { version: "2.0.0", state: "refused" },
    { version: "1.1.0", state: "live" },
    { version: "1.0.0", state: "live" },
  ];
  const all = { "1.1.0": 100, "1.0.0": 0 };
  expect(shares({ unpinned: "1.1.0", revisions })).toEqual(all);
  expect(shares({ unpinned: "1.1.0", revisions, rollout: { weights: {} } })).toEqual(all);
  const weights = { "1.0.0": 95, "1.1.0": 5 };
  expect(shares({ unpinned: "1.0.0", revisions, rollout: { weights } })).toEqual(weights);
});

test("numbers read as people say them", () => {
  expect([0, 0.01, 3.14159, 42.4, 1234567].map(rate)).toEqual(["0", "<0.1", "3.1", "42", "1.2M"]);
  expect([undefined, 0, 0.25, 1.5, 12.34, 250, 1500, 61_000].map(ms)).toEqual(["–", "0", "250 µs", "1.50 ms", "12.3 ms", "250 ms", "1.5 s", "61 s"]);
  expect([0.1, 1, 2.5, 10, 1000].map(axis(ms))).toEqual(["100 µs", "1 ms", "2.5 ms", "10 ms", "1 s"]);
  expect([59_400, 61_000, 3_700_000, 200_000_000].map(span)).toEqual(["59 s", "1 min", "1 h 1 min", "2 d"]);
  expect(count(99_999)).toBe("99,999");
});
