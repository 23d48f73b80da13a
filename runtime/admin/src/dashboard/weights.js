// Who gets how much of what asks for no version. Pure.

// Sets one share in whole percent, and takes the difference from the others in the proportions that they have: the sum
// stays 100. Pure.
export function spread(shares, moved, value) {
  const others = Object.keys(shares).filter((version) => version !== moved);
  const next = { ...shares, [moved]: others.length === 0 ? 100 : value };
  const rest = 100 - next[moved];
  const before = others.reduce((sum, version) => sum + shares[version], 0);
  const exact = others.map((version) => [version, before > 0 ? (shares[version] / before) * rest : rest / others.length]);
  for (const [version, share] of exact) next[version] = Math.floor(share);
  let missing = rest - exact.reduce((sum, [version]) => sum + next[version], 0);
  // Whoever lost most by the rounding gets the whole percents that are left.
  const losers = exact.toSorted(([, one], [, other]) => (other % 1) - (one % 1));
  for (const [version] of losers) {
    if (missing <= 0) break;
    next[version] += 1;
    missing -= 1;
  }
  return next;
}

// What each version gets of what asks for none, in percent.
export function shares(app) {
  const serving = app.revisions.filter((revision) => revision.state === "live").map((revision) => revision.version);
  const said = app.rollout?.weights ?? {};
  const weights = Object.keys(said).length > 0 ? said : { [app.unpinned]: 100 };
  return Object.fromEntries([...new Set(serving)].map((version) => [version, weights[version] ?? 0]));
}
