#!/usr/bin/env bash
# Rookery and nginx as proxies of the same upstream: small answers and files of 1 MB.
#
#   cargo build --release --locked
#   tests/load/proxy.sh [seconds a run, 5]
#
# Needs wrk, curl and nginx (tests/run installs nginx). One nginx is the upstream, another one with as many processes as
# rookery has threads is the proxy, with connections kept open to the upstream, which it does not do unless it is told to.
# Runs are interleaved, and the median of three is printed: the same machine is not the same all the time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-5}
rookery=${ROOKERY_BIN:-$PWD/target/release/rookery}
export PATH=$PATH:/usr/sbin
for program in wrk curl nginx "$rookery"; do
  command -v "$program" >/dev/null || {
    echo "missing: $program" >&2
    exit 1
  }
done

front=${FRONT_PORT:-18080} other=${NGINX_PORT:-18081} upstream=${UPSTREAM_PORT:-18082}
place=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$place"' EXIT

mkdir -p "$place/files" "$place/apps/px/1.0.0"
# nginx as root would become somebody who may not read here.
chmod -R a+rX "$place"
printf 'a small answer\n' >"$place/files/small"
head -c 1000000 /dev/urandom >"$place/files/large"
cat >"$place/apps/px/1.0.0/worker.config.json" <<JSON
{"proxy": {"^/(.*)$": {"target": "http://127.0.0.1:$upstream", "rewrite": "/\$1"}}}
JSON

# $1: a name, $2: what stands in its http block.
nginx_with() {
  cat >"$place/$1.conf" <<CONF
daemon off; worker_processes auto; pid $place/$1.pid; error_log $place/$1.log;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; root $place/files;
  client_body_temp_path $place/tmp; proxy_temp_path $place/tmp; fastcgi_temp_path $place/tmp;
  uwsgi_temp_path $place/tmp; scgi_temp_path $place/tmp;
  $2
}
CONF
  nginx -e "$place/$1.log" -c "$place/$1.conf" -p "$place" &
  pids+=($!)
}

nginx_with upstream "server { listen 127.0.0.1:$upstream; }"
nginx_with proxy "
  upstream files { server 127.0.0.1:$upstream; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:$other;
    location /px/ { proxy_pass http://files/; proxy_http_version 1.1; proxy_set_header Connection \"\"; }
  }"
(cd "$place" && exec "$rookery" serve --apps-dir apps --port "$front" --log-filter warn) >"$place/log" 2>&1 &
pids+=($!)
# The port is open before the bundle is live.
curl --silent --fail --retry 50 --retry-delay 1 --retry-all-errors --output /dev/null "http://127.0.0.1:$front/ready"
for port in "$front" "$other"; do
  for file in small large; do
    curl --silent --show-error --fail --retry 5 --retry-delay 1 --retry-all-errors --output "$place/got" \
      "http://127.0.0.1:$port/px/$file"
    cmp "$place/got" "$place/files/$file"
  done
done

rate() { wrk -t1 -c"$2" -d"${seconds}s" "$1" | awk '/^Requests\/sec/ { print $2 }'; }
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

for file in small large; do
  connections=32
  [ "$file" = small ] || connections=8
  for _ in 1 2 3; do
    rate "http://127.0.0.1:$front/px/$file" "$connections" >>"$place/$file.rookery"
    rate "http://127.0.0.1:$other/px/$file" "$connections" >>"$place/$file.nginx"
  done
  ours=$(median <"$place/$file.rookery") theirs=$(median <"$place/$file.nginx")
  awk -v file="$file" -v a="$ours" -v b="$theirs" \
    'BEGIN { printf "%s: %d requests/s, nginx %d: %.2f of it\n", file, a, b, a / b }'
done
