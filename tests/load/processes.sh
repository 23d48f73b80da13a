#!/usr/bin/env bash
# How much the front door costs Bun apps, and how long a request waits for a process that was started before.
#
#   cargo build --release --locked
#   tests/load/processes.sh [seconds a run, 5]      on the ports FRONT_PORT (18080) and those from DIRECT_PORT (18081) on
#
# Each app is asked through the front door, directly, and through nginx where that is installed: an answer of one line, a
# note of examples/bun-routes, JSON from examples/hono, and ten messages out of SQLite from tests/fixtures/bunrelay. Needs
# wrk, curl and bun (tests/run installs it). Runs take turns, and medians of three are printed: the same machine is not the
# same all the time.
#
#   AS_ON_FOUR=1 tests/load/processes.sh            as root, on two cores or more
#
# On two cores, client, app and server share what client and app have for themselves when the app is asked directly. This
# gives each its own, by control groups: half a core to the client, half a core to the app, and two halves to the server or
# to nginx. It is a machine of four cores, half as fast.
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
groups=()
finish() {
  kill "${pids[@]}" 2>/dev/null
  wait
  sleep 0.5
  for group in "${groups[@]}"; do rmdir "$group" || true; done
  rm -rf "$place"
}
trap finish EXIT

# Hundredths of a core, over periods of ten milliseconds.
group() {
  [ -n "${AS_ON_FOUR:-}" ] || return 0
  local group=/sys/fs/cgroup/rookery-load-$1
  if [ -d /sys/fs/cgroup/cpu ]; then
    group=/sys/fs/cgroup/cpu/rookery-load-$1
    mkdir -p "$group"
    echo 10000 >"$group/cpu.cfs_period_us"
    echo "$(($2 * 100))" >"$group/cpu.cfs_quota_us"
  else
    echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
    mkdir -p "$group"
    echo "$(($2 * 100)) 10000" >"$group/cpu.max"
  fi
  groups+=("$group")
  eval "$1_group=$group"
}
group client 50
group app 50
group front 100

# Runs a command as one of the three.
as() {
  local group=${1}_group
  shift
  if [ -n "${!group:-}" ]; then echo "$BASHPID" >"${!group}/cgroup.procs"; fi
  exec "$@"
}

front=${FRONT_PORT:-18080} direct=${DIRECT_PORT:-18081}
mkdir -p "$place/apps/line" "$place/apps/fresh"
for name in line fresh; do
  echo 'export default { fetch: () => new Response("Hello from Bun!") };' >"$place/apps/$name/index.js"
done
cp -rL examples/bun-routes "$place/apps/routes"
cp -rL examples/hono "$place/apps/hono"
[ -d "$place/apps/hono/node_modules" ] || (cd "$place/apps/hono" && bun install --silent)
cp -r tests/fixtures/bunrelay "$place/apps/relay"
for name in line routes hono; do
  echo '{"runtime": "bun", "ttl": 600, "maxRequests": 1000000000, "workers": {"max": 1}}' \
    >"$place/apps/$name/worker.config.json"
done
echo '{"runtime": "bun", "ttl": 0}' >"$place/apps/fresh/worker.config.json"
echo '{"command": "bun run start", "health": "/health", "ttl": 600, "maxRequests": 1000000000, "workers": {"max": 1}}' \
  >"$place/apps/relay/worker.config.json"

(cd "$place" && as front env -u ROOKERY_BIN "$rookery" serve --apps-dir apps --port "$front") >"$place/log" 2>&1 &
pids+=($!)
cat >"$place/direct.js" <<'JS'
const { default: app } = await import(process.argv[2]);
Bun.serve({ ...app, fetch: app.fetch?.bind(app), port: Number(process.env.PORT), development: false });
JS
names=(line routes hono relay)
for at in 0 1 2; do
  (PORT=$((direct + at)) as app bun "$place/direct.js" "$(ls "$place/apps/${names[at]}"/index.*)") >/dev/null 2>&1 &
  pids+=($!)
done
(cd "$place/apps/relay" && PORT=$((direct + 3)) HOST=127.0.0.1 DB_URL=$place/relay.sqlite as app bun server/index.ts) \
  >/dev/null 2>&1 &
pids+=($!)

if command -v nginx >/dev/null; then
  {
    echo "worker_processes auto; daemon off; pid $place/nginx.pid; error_log $place/nginx.log;"
    echo "events { worker_connections 1024; } http { access_log off; keepalive_requests 1000000000;"
    for at in 0 1 2 3; do
      echo "upstream app$at { server 127.0.0.1:$((direct + at)); keepalive 64; keepalive_requests 1000000000; }"
      echo "server { listen 127.0.0.1:$((direct + 10 + at)); location / { proxy_pass http://app$at;"
      echo "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host \$http_host;"
      echo "proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto \$scheme; } }"
    done
    echo "}"
  } >"$place/nginx.conf"
  (as front nginx -c "$place/nginx.conf" -p "$place") 2>/dev/null &
  pids+=($!)
fi

try() { curl --silent --fail --retry 20 --retry-delay 1 --retry-all-errors --output /dev/null "$@" || cat "$place/log" >&2; }
for at in 0 1 2 3; do
  for base in "http://127.0.0.1:$front/${names[at]}" "http://127.0.0.1:$((direct + at))"; do
    case ${names[at]} in
      routes) try -d '{"by": "ada", "text": "a note of some words"}' "$base/notes" ;;
      hono) try "$base/hello/ada" ;;
      relay) try "$base/health" ;;
      *) try "$base/" ;;
    esac
  done
done
try "http://127.0.0.1:$front/fresh/"
for pid in "${pids[@]}"; do
  kill -0 "$pid" || {
    cat "$place/log" >&2
    exit 1
  }
done

# Somebody says ten things in the chat, and gives the token to read them with.
cat >"$place/talk.js" <<'JS'
const base = process.argv[2];
const login = { method: "POST", body: '{"name": "ada"}', headers: { "content-type": "application/json" } };
const { token } = await (await fetch(`${base}/auth/login`, login)).json();
const socket = new WebSocket(`${base.replace("http", "ws")}/ws`);
const tell = (event) => socket.send(JSON.stringify(event));
let sent = 0;
socket.onopen = () => tell({ type: "auth", token });
socket.onmessage = () => {
  if (sent === 10) process.exit(console.log(token) ?? 0);
  tell({ type: "send", room: "lobby", id: String(sent++), text: "something that somebody says in a chat" });
};
JS
through_token=$(bun "$place/talk.js" "http://127.0.0.1:$front/relay")
direct_token=$(bun "$place/talk.js" "http://127.0.0.1:$((direct + 3))")

# The server starts the apps' processes, which are to have the app's share.
below() { for child in $(pgrep -P "$1"); do echo "$child" && below "$child"; done; }
if [ -n "${AS_ON_FOUR:-}" ]; then
  for pid in $(below "${pids[0]}"); do echo "$pid" >"$app_group/cgroup.procs"; done
fi

rate() { (as client wrk -t1 -c32 -d"${seconds}s" "$@") | awk '/^Requests\/sec/ { rate = int($2) } /Non-2xx/ { rate = 0 } END { print rate }'; }
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

paths=(/ /notes/1 /hello/ada /rooms/lobby/messages)
for _ in 1 2 3; do
  for at in 0 1 2 3; do
    path=${paths[at]}
    rate -H "authorization: Bearer $through_token" "http://127.0.0.1:$front/${names[at]}$path" >>"$place/front$at"
    rate -H "authorization: Bearer $direct_token" "http://127.0.0.1:$((direct + at))$path" >>"$place/direct$at"
    [ ! -f "$place/nginx.conf" ] ||
      rate -H "authorization: Bearer $direct_token" "http://127.0.0.1:$((direct + 10 + at))$path" >>"$place/nginx$at"
  done
done
for at in 0 1 2 3; do
  nginx=0
  [ ! -f "$place/nginx.conf" ] || nginx=$(median <"$place/nginx$at")
  awk -v name="${names[at]}" -v a="$(median <"$place/front$at")" -v b="$(median <"$place/direct$at")" -v n="$nginx" 'BEGIN {
    printf "%-7s %6d requests/s through the front door, %6d asked directly: %.2f of it", name, a, b, a / b
    if (n) printf " (%d through nginx: %.2f)", n, n / b
    print ""
  }'
done

# One at a time, each long enough after the one before that a new spare is ready.
for _ in $(seq 40); do
  sleep 0.3
  curl --silent --output /dev/null --write-out '%{time_starttransfer}\n' "http://127.0.0.1:$front/fresh/" >>"$place/fresh"
done
awk '{ print $1 * 1000 }' "$place/fresh" | sort -n |
  awk '{ all[NR] = $1 } END { printf "from the spare: p50 %.1f ms, p90 %.1f ms\n", all[int(NR / 2)], all[int(NR * 0.9)] }'
