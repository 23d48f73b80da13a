#!/usr/bin/env bash
# How many deliveries a second of its processor time a server makes in a room of 32 and of 1,000 members who all speak, beside
# Bun's own publish in the same room on the same machine. Rounds are interleaved, the ratio is of medians.
#
#   cargo build --release --workspace --bins --locked
#   target/release/rookery build examples/room
#   tests/load/rooms.sh [rounds, 5]      on the ports PORT (18090) and BUN_PORT (18091)
#
# Needs bun (tests/run installs it). Each room is busy first (each member has several messages under way), then in step (each
# speaks when it hears itself), then quiet (each speaks now and then).
# LOAD_ROOM="--members 100 --window 4" asks for another one instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

rounds=${1:-5}
rookery=${ROOKERY_BIN:-$PWD/target/release/rookery}
load=${LOAD_BIN:-$PWD/target/release/load}
port=${PORT:-18090} bun_port=${BUN_PORT:-18091}
export PATH=$PATH:$PWD/target/runtimes/bin
for program in bun curl "$rookery" "$load"; do
  command -v "$program" >/dev/null || {
    echo "missing: $program" >&2
    exit 1
  }
done
test -e examples/room/app.wasm || {
  echo "missing: examples/room/app.wasm (rookery build examples/room)" >&2
  exit 1
}

place=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$place"' EXIT
mkdir -p "$place/apps/room/1.0.0"
cp examples/room/app.wasm "$place/apps/room/1.0.0/"
echo '{"version": "1.0.0", "ttl": 600, "maxRequests": 1000000000}' >"$place/apps/room/1.0.0/worker.config.json"

(cd "$place" && exec env -u ROOKERY_BIN "$rookery" serve --apps-dir apps --port "$port" --log-filter warn) \
  >"$place/log" 2>&1 &
pids+=($!)
PORT=$bun_port bun tests/load/room.js >"$place/bun.log" 2>&1 &
pids+=($!)
handshake=(--header 'connection: upgrade' --header 'upgrade: websocket' --header 'sec-websocket-version: 13'
  --header 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==')
for url in "http://127.0.0.1:$port/room/ws?name=first" "http://127.0.0.1:$bun_port/?name=first"; do
  for _ in $(seq 50); do
    code=$(curl --silent --max-time 0.2 --output /dev/null --write-out '%{http_code}' "${handshake[@]}" "$url") || true
    test "$code" != 101 || continue 2
    sleep 0.1
  done
  cat "$place"/*log >&2
  exit 1
done

servers=("rookery=${pids[0]}@127.0.0.1:$port/room/ws" "bun=${pids[1]}@127.0.0.1:$bun_port/ws")
room() { "$load" room "${servers[@]}" --rounds "$rounds" "$@"; }
if [ -n "${LOAD_ROOM:-}" ]; then
  # shellcheck disable=SC2086
  room $LOAD_ROOM
  exit
fi
room --members 32 --messages 10000 --window 16
room --members 32 --messages 2000 --window 1
room --members 32 --messages 50 --every-ms 100
room --members 1000 --messages 20 --window 8
room --members 1000 --messages 10 --window 1
room --members 1000 --messages 1 --every-ms 5000
