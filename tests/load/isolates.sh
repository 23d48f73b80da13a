#!/usr/bin/env bash
# How many requests a second one core answers: from a fresh isolate each, and from warm ones.
#
#   cargo build --release --locked && target/release/rookery build examples
#   tests/load/isolates.sh [rounds, 9]                         on the ports from FRONT_PORT (18080) on
#   CONNECTIONS=1 CORES=all tests/load/isolates.sh             one client, and the server where it likes
#   OTHER_BIN=path/of/another/rookery tests/load/isolates.sh   by turns with another build
#
# The app is examples/hello with `ttl` 0 and 600. Needs wrk, curl and taskset, and two cores: the server has the first one
# and the client the second. Each round is a second; medians are printed, the best round, and what a request costs the server
# in processor time. A machine that others use has more than one answer, so ratios are those of rounds beside each other.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

rounds=${1:-9}
connections=${CONNECTIONS:-32}
bins=("$(realpath "${ROOKERY_BIN:-target/release/rookery}")")
[ -z "${OTHER_BIN:-}" ] || bins+=("$(realpath "$OTHER_BIN")")
for program in wrk curl taskset "${bins[@]}"; do
  command -v "$program" >/dev/null || {
    echo "missing: $program" >&2
    exit 1
  }
done
[ -f examples/hello/app.wasm ] || {
  echo "missing: examples/hello/app.wasm (rookery build examples/hello)" >&2
  exit 1
}
server=(taskset -c 0) client=(taskset -c 1)
if [ "${CORES:-}" = all ]; then server=(env) client=(env); fi

place=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$place"' EXIT
for app in fresh:0 warm:600; do
  mkdir -p "$place/apps/${app%:*}"
  cp examples/hello/app.wasm "$place/apps/${app%:*}/"
  echo "{\"version\": \"1.0.0\", \"ttl\": ${app#*:}, \"maxRequests\": 1000000000}" \
    >"$place/apps/${app%:*}/worker.config.json"
done

front=${FRONT_PORT:-18080}
for at in "${!bins[@]}"; do
  (cd "$place" && exec env -u ROOKERY_BIN "${server[@]}" \
    "${bins[at]}" serve --apps-dir apps --cache-dir "cache$at" --port $((front + at)) --log-filter error) \
    >"$place/log$at" 2>&1 &
  pids+=($!)
done
ask() { "${client[@]}" wrk --latency -t1 "-c$connections" -d1s "http://127.0.0.1:$((front + $1))/$2/ada"; }
# Ticks of a hundredth of a second: in user mode and in the system.
ticks() { cut -d' ' -f14,15 "/proc/${pids[$1]}/stat"; }
for at in "${!bins[@]}"; do
  for app in fresh warm; do
    curl --silent --fail --retry 20 --retry-delay 1 --retry-all-errors --output /dev/null \
      "http://127.0.0.1:$((front + at))/$app/ada" || cat "$place/log$at" >&2
    ask "$at" "$app" >/dev/null
  done
done

# Lines of: requests/s, microseconds of user and system time for each, p50 and p99 as wrk says them.
round() {
  local before after
  before=$(ticks "$1")
  ask "$1" "$2" >"$place/wrk"
  after=$(ticks "$1")
  awk -v before="$before" -v after="$after" '
    function us(text) { return text * (text ~ /us$/ ? 1 : text ~ /ms$/ ? 1000 : 1000000) }
    /requests in/ { n = $1 } /^Requests\/sec/ { rate = $2 } $1 == "50%" { p50 = us($2) } $1 == "99%" { p99 = us($2) }
    /Non-2xx/ { print "some answers were failures" >"/dev/stderr"; exit 1 }
    END { split(before, b, " "); split(after, a, " ")
      print rate, (a[1] - b[1]) * 10000 / n, (a[2] - b[2]) * 10000 / n, p50, p99 }' "$place/wrk" >>"$place/$2$1"
}
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
column() { cut -d' ' -f"$1" "$2"; }

for app in fresh warm; do
  for turn in $(seq "$rounds"); do
    # The other one first, every second time.
    order=$(seq 0 $((${#bins[@]} - 1)))
    [ $((turn % 2)) -eq 1 ] || order=$(tac <<<"$order")
    for at in $order; do round "$at" "$app"; done
  done
  for at in "${!bins[@]}"; do
    file=$place/$app$at
    printf '%-6s %6.0f requests/s, %6.0f in the best of %d rounds; %.1f µs user, %.1f µs system; p50 %.0f µs, p99 %.0f µs' \
      "$app" "$(column 1 "$file" | median)" "$(column 1 "$file" | sort -n | tail -1)" "$rounds" \
      "$(column 2 "$file" | median)" "$(column 3 "$file" | median)" "$(column 4 "$file" | median)" "$(column 5 "$file" | median)"
    if [ "$at" -gt 0 ]; then
      printf ' (%s); the first one has %.2f of its rate' "${bins[at]}" \
        "$(paste -d' ' "$place/${app}0" "$file" | awk '{ print $1 / $6 }' | median)"
    fi
    echo
  done
done
