#!/usr/bin/env bash
# How many messages a second are checked and kept by a guest with a durable commit, and told to a room of ten.
#
#   cargo build --release --locked -p rookery && cargo build --release --locked -p rookery-tests --bin stored
#   tests/load/stored.sh [seconds a run, 5]      on the port PORT (18090); the database is below TMPDIR
#
# The app is examples/notes; it has to be built (`rookery build examples/notes`). Three runs, each on a new database.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-5}
rookery=${ROOKERY_BIN:-$PWD/target/release/rookery}
stored=${STORED_BIN:-$PWD/target/release/stored}
port=${PORT:-18090}
for program in "$rookery" "$stored" examples/notes/app.wasm; do
  test -e "$program" || {
    echo "missing: $program" >&2
    exit 1
  }
done

place=$(mktemp -d)
pid=
trap 'test -z "$pid" || kill "$pid" 2>/dev/null; wait; rm -rf "$place"' EXIT
mkdir -p "$place/apps/notes/1.0.0"
cp -r examples/notes/app.wasm examples/notes/migrations "$place/apps/notes/1.0.0/"
echo '{"version": "1.0.0", "ttl": 600, "maxRequests": 1000000000}' >"$place/apps/notes/1.0.0/worker.config.json"

for round in 1 2 3; do
  : >"$place/log-$round"
  (cd "$place" && exec env ROOKERY_DATA_DIR="$place/data-$round" "$rookery" serve --apps-dir apps --port "$port" \
    --log-filter warn) >"$place/log-$round" 2>&1 &
  pid=$!
  until grep -q listening "$place/log-$round"; do
    kill -0 "$pid" || {
      cat "$place/log-$round" >&2
      exit 1
    }
    sleep 0.1
  done
  "$stored" "127.0.0.1:$port" --seconds "$seconds" --pid "$pid" ${STORED_OPTIONS:-}
  kill "$pid"
  wait "$pid" || true
  pid=
done
