#!/usr/bin/env bash
# The Penn Treebank's sentences: trains the variational autoencoder or the language model, and evaluates it on the test part.
#
#   STRAIT_DATA=DIR benches/ptb.sh vae|lm [EPOCHS] [FIELD=VALUE ...]
#
# Leaves the model and evaluation.txt in target/ptb/; the language model, if it is there, stands beside.
set -euo pipefail
cd "$(dirname "$0")/.."
which=$1 epochs=${2:-16}
shift; shift || true
data=${STRAIT_DATA:?name the folder of the corpora in STRAIT_DATA}/ptb
out=${CARGO_TARGET_DIR:-target}/ptb
strait=${CARGO_TARGET_DIR:-target}/release/strait
cargo build --release -q -p strait-cli
mkdir -p "$out"
"$strait" train "$data/train.txt" --valid "$data/valid.txt" --recipe "benches/ptb/$which.toml" --epochs "$epochs" \
  ${@/#/--set } --seed 1 --out "$out/$which" --force 2> "$out/$which.log"
beside=()
[ "$which" = vae ] && [ -d "$out/lm" ] && beside=(--beside "$out/lm")
"$strait" evaluate -m "$out/$which" "$data/test.txt" "${beside[@]}" --importance 500 --no-lstm-judge | tee "$out/$which.txt"
