#!/usr/bin/env bash
# How long after a deploy begins its first request is answered, with the compile cache and without.
#
#   cargo build --release --locked
#   tests/load/deploys.sh [deploys of each kind, 20]      on the port PORT (18082)
#
# Two ways in: `deploy` sends an archive over HTTP (from the first byte of the upload), `drop` renames a folder into the
# apps folder; both end when the first request to the new version is answered. With the cache, every version has the same
# component; without, each has one more byte in a custom section, so that every deploy compiles. The two kinds are
# interleaved. What is measured includes two starts of curl, or more where a dropped folder is asked for again and again.
#
# COMPONENT names another component than the default, the chat's, built without optimisation so that it is large.
# Needs curl and tar; the default component needs cargo and the wasm32-wasip2 target.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

count=${1:-20} port=${PORT:-18082}
rookery=${ROOKERY_BIN:-$PWD/target/release/rookery}
for program in curl tar "$rookery"; do
  command -v "$program" >/dev/null || {
    echo "missing: $program" >&2
    exit 1
  }
done
if [ -z "${COMPONENT:-}" ]; then
  CARGO_PROFILE_DEV_OPT_LEVEL=0 CARGO_PROFILE_DEV_DEBUG=false CARGO_PROFILE_DEV_STRIP=true \
    cargo build --quiet --locked --target wasm32-wasip2 --package chat-1-1
  COMPONENT=target/wasm32-wasip2/debug/chat_1_1.wasm
fi

place=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; wait; rm -rf "$place"' EXIT
mkdir -p "$place/apps" "$place/next"
(
  cd "$place"
  # A version that is not there yet must not be answered by another one.
  exec env -u ROOKERY_ADMIN_TOKEN ROOKERY_VERSION_FALLBACK=none \
    "$rookery" serve --apps-dir apps --port "$port" --cache-dir cache --log-filter warn
) >"$place/log" 2>&1 &
server=$!
base=http://127.0.0.1:$port
curl --silent --fail --retry 40 --retry-delay 1 --retry-all-errors --output /dev/null "$base/ready" || {
  cat "$place/log" >&2
  exit 1
}

# An empty custom section (id 0) with a name of eight digits: another component, and the same code.
different() { printf '\x00\x09\x08%08d' "$1" >>"$2"; }

# bundle FOLDER [NUMBER]: with a number, a component that nobody has compiled.
bundle() {
  mkdir -p "$1"
  echo '{"health": "/health", "timeout": 10}' >"$1/worker.config.json"
  cp "$COMPONENT" "$1/app.wasm"
  if [ -n "${2:-}" ]; then different "$2" "$1/app.wasm"; fi
}

now() { date +%s%N; }
took() { echo $((($(now) - $1) / 1000)); }

# What the app answers does not matter: that it answers does. Before it is there, a path below it is 404 of ours, with a
# code.
answers() { curl --silent "$base/$1/first" --output "$place/answer" && ! grep -q APP_NOT_FOUND "$place/answer"; }

deploy() { # version, file of results
  tar czf "$place/archive" -C "$place/next/$1" .
  begun=$(now)
  curl --silent --fail -T "$place/archive" --output "$place/told" "$base/_/deployments/put/$1" || {
    cat "$place/told" "$place/log" >&2
    exit 1
  }
  answers "put@$1" || exit 1
  took "$begun" >>"$2"
}

drop() { # version, file of results
  mkdir -p "$place/apps/dropped"
  mv "$place/next/$1" "$place/next/whole"
  begun=$(now)
  mv "$place/next/whole" "$place/apps/dropped/$1"
  until answers "dropped@$1"; do :; done
  took "$begun" >>"$2"
}

bundle "$place/next/0.0.1"
deploy 0.0.1 "$place/first"
for n in $(seq "$count"); do
  bundle "$place/next/1.0.$n" && deploy "1.0.$n" "$place/deploy-cached"
  bundle "$place/next/2.0.$n" "2$n" && deploy "2.0.$n" "$place/deploy-compiled"
  bundle "$place/next/3.0.$n" && drop "3.0.$n" "$place/drop-cached"
  bundle "$place/next/4.0.$n" "4$n" && drop "4.0.$n" "$place/drop-compiled"
done

echo "component: $(stat -c %s "$COMPONENT") bytes, $count deploys of each kind"
for kind in deploy-cached deploy-compiled drop-cached drop-compiled; do
  sort -n "$place/$kind" | awk -v kind="$kind" '{ all[NR] = $1 / 1000 }
    END { printf "%-16s p50 %7.1f ms, p90 %7.1f ms\n", kind, all[int((NR + 1) / 2)], all[int(NR * 0.9 + 0.5)] }'
done
