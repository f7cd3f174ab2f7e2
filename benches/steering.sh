#!/usr/bin/env bash
# Sentiment steering on yelp_short, judged by what the model does not know (docs/toolbox.md).
#
#   STRAIT_DATA=DIR benches/steering.sh NAME=MODEL ...
#
# Directions from the first 40,000 labelled training sentences; the 1,000 test sentences moved to the other label with the
# least strength that suffices, with strengths 1 and 2, and with half of the words kept; then steering.py (needs scikit-learn
# and sacrebleu) and the perplexity of the outcomes by a 5-gram of the training part. Outcomes: target/steering/.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${STRAIT_DATA:?name the folder of the corpora in STRAIT_DATA}/yelp_short
out=${CARGO_TARGET_DIR:-target}/steering
strait=${STRAIT:-${CARGO_TARGET_DIR:-target}/release/strait}
python=${PYTHON:-python3}
mkdir -p "$out"
head -40000 "$data/train.tsv" > "$out/labelled.tsv"
cut -f1,2 "$data/references.tsv" > "$out/sources.tsv"
awk -F'\t' '$1 == 0 { print $2 }' "$out/sources.tsv" > "$out/0.txt"
awk -F'\t' '$1 == 1 { print $2 }' "$out/sources.tsv" > "$out/1.txt"

# The outcomes in the order of the sources: steer NAME MODEL ARGUMENTS...
steer() {
  local name=$1 model=$2; shift 2
  for label in 0 1; do
    "$strait" steer -m "$model" --by "$out/${name%% *}.json" --toward $((1 - label)) --file "$out/$label.txt" --format txt "$@" \
      > "$out/outcome.$label" 2>> "$out/log"
  done
  awk -F'\t' -v zero="$out/outcome.0" -v one="$out/outcome.1" '{ getline line < ($1 == 0 ? zero : one); print line }' \
    "$out/sources.tsv" > "$out/$name.outcome"
  judged+=("$name=$out/$name.outcome")
}

judged=()
for pair in "$@"; do
  name=${pair%%=*} model=${pair#*=}
  [ -f "$out/$name.json" ] || "$strait" directions -m "$model" "$out/labelled.tsv" --label-column 1 --column 2 --header no \
    -o "$out/$name.json" 2>> "$out/log"
  steer "$name strength 0" "$model" --strength 0
  steer "$name least" "$model"
  steer "$name strength 1" "$model" --strength 1
  steer "$name strength 2" "$model" --strength 2
  steer "$name half kept" "$model" --content 0.5
done
"$python" benches/steering.py "$data/train.tsv" "$data/references.tsv" "${judged[@]}"
cut -f2 "$out/sources.tsv" > "$out/sources.outcome"
cut -f3 "$data/references.tsv" | tr '[:upper:]' '[:lower:]' > "$out/human.outcome"
cargo run --release -q -p strait-eval --example judge -- "$data/train.tsv" "$data/test.tsv" "$out"/*.outcome --column 2
