#!/usr/bin/env bash
# Builds the server and puts it where worker.config.json expects it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

built=$(cargo build --release --message-format json-render-diagnostics |
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
# Under another name first: a file that runs cannot be written to, and nobody is to find half of it.
install -m 755 "$built" .app
mv .app app
