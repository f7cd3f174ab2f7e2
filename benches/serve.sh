#!/usr/bin/env bash
# A server under load on this machine: throughput and times of encode and sample against the number of clients, with
# requests worked on together and alone, then the memory before and after 10,000 requests.
#
#   benches/serve.sh MODEL TEXTS [SECONDS] [REQUESTS]      (a model folder; a text a line; seconds of each measurement)
set -euo pipefail
model=$(realpath "$1") texts=$(realpath "$2")
cd "$(dirname "$0")/.."
cargo run --release -q -p strait-server --example load -- "$model" "$texts" "${@:3}"
