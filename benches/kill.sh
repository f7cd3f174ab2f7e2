#!/usr/bin/env bash
# Kills a training with `kill -9` at random moments, resumes it to the end, and compares the model with that of an
# uninterrupted run, file by file.
#
#   benches/kill.sh FILE [KILLS] [STEPS]
set -euo pipefail
file=$(realpath "$1") kills=${2:-20} steps=${3:-6000}
cd "$(dirname "$0")/.."
cargo build --release -q -p strait-cli
bin=$(realpath "${CARGO_TARGET_DIR:-target}/release/strait")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
train=("$bin" train "$file" --size tiny --steps "$steps" --seed 7)
"${train[@]}" --out "$work/whole" 2> /dev/null
"${train[@]}" --out "$work/killed" 2> /dev/null & pid=$!
for ((i = 1; i <= kills; i++)); do
  sleep "$((RANDOM % 30)).$((RANDOM % 1000))"
  kill -9 $pid 2> /dev/null || { echo "it had ended before kill $i: take more steps" >&2; break; }
  wait $pid 2> /dev/null || true
  echo "kill $i"
  "$bin" resume "$work/killed" 2> "$work/resume.log" & pid=$!
done
wait $pid
for name in model.safetensors tokenizer.json prior.safetensors; do
  cmp "$work/whole/$name" "$work/killed/$name" && echo "$name: the same bits"
done
