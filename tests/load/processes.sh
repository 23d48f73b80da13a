#!/usr/bin/env bash
# How much the front door costs a Bun app, and how long a request waits for a process that was started before.
#
#   cargo build --release --locked
#   tests/load/processes.sh [seconds a run, 5]      on the ports FRONT_PORT (18080) and DIRECT_PORT (18081)
#
# Needs wrk, curl and bun (tests/run installs it). Runs are interleaved, and the median of three is printed: the same
# machine is not the same all the time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-5}
rookery=${ROOKERY_BIN:-$PWD/target/release/rookery}
export PATH=$PATH:$PWD/target/runtimes/bin
for program in wrk curl bun "$rookery"; do
  command -v "$program" >/dev/null || {
    echo "missing: $program" >&2
    exit 1
  }
done

place=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$place"' EXIT

app='export default { port: Number(process.env.PORT), fetch: () => new Response("Hello from Bun!") };'
for name in warm fresh; do
  mkdir -p "$place/apps/$name/1.0.0"
  echo "$app" >"$place/apps/$name/1.0.0/index.js"
done
echo '{"runtime": "bun", "ttl": 600, "maxRequests": 1000000000, "workers": {"max": 1}}' \
  >"$place/apps/warm/1.0.0/worker.config.json"
echo '{"runtime": "bun", "ttl": 0}' >"$place/apps/fresh/1.0.0/worker.config.json"

front=${FRONT_PORT:-18080} direct=${DIRECT_PORT:-18081}
(cd "$place" && exec env -u ROOKERY_BIN "$rookery" serve --apps-dir apps --port "$front") >"$place/log" 2>&1 &
pids+=($!)
PORT=$direct bun "$place/apps/warm/1.0.0/index.js" >/dev/null 2>&1 &
pids+=($!)
for url in "http://127.0.0.1:$front/warm/" "http://127.0.0.1:$direct/" "http://127.0.0.1:$front/fresh/"; do
  curl --silent --fail --retry 20 --retry-delay 1 --retry-all-errors --output /dev/null "$url" || cat "$place/log" >&2
done

for pid in "${pids[@]}"; do
  kill -0 "$pid" || {
    cat "$place/log" >&2
    exit 1
  }
done

rate() { wrk -t1 -c32 -d"${seconds}s" "$1" | awk '/^Requests\/sec/ { print int($2) }'; }
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

for _ in 1 2 3; do
  rate "http://127.0.0.1:$front/warm/" >>"$place/front"
  rate "http://127.0.0.1:$direct/" >>"$place/direct"
done
through=$(median <"$place/front") alone=$(median <"$place/direct")
awk -v a="$through" -v b="$alone" \
  'BEGIN { printf "warm: %d requests/s through the front door, %d asked directly: %.2f of it\n", a, b, a / b }'

# One at a time, each long enough after the one before that a new spare is ready.
for _ in $(seq 40); do
  sleep 0.3
  curl --silent --output /dev/null --write-out '%{time_starttransfer}\n' "http://127.0.0.1:$front/fresh/" >>"$place/fresh"
done
awk '{ print $1 * 1000 }' "$place/fresh" | sort -n |
  awk '{ all[NR] = $1 } END { printf "from the spare: p50 %.1f ms, p90 %.1f ms\n", all[int(NR / 2)], all[int(NR * 0.9)] }'
