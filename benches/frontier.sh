#!/usr/bin/env bash
# What each control of decoding makes of a model's samples: perplexity forward and reverse, self-BLEU, repetition, unique
# texts, with as many samples as the test part has sentences, at most N.
#
#   benches/frontier.sh MODEL TRAIN TEST [N] [LANGUAGE_MODEL]
#
# TRAIN and TEST hold a text a line. Samples are left in target/frontier/NAME/ with the table, table.txt. LANGUAGE_MODEL, trained
# on the same texts, adds a row that reranks against it. Seed 1.
set -euo pipefail
model=$(realpath "$1") train=$(realpath "$2") test=$(realpath "$3") n=${4:-3000} lm=${5:-}
[ -z "$lm" ] || lm=$(realpath "$lm")
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
[ -x "$target/release/strait" ] || cargo build --release -q -p strait-cli
[ -x "$target/release/examples/judge" ] || cargo build --release -q -p strait-eval --example judge
out=$target/frontier/$(basename "$model")
mkdir -p "$out"
head -n "$n" "$test" > "$out/test.txt"
files=()
row() { # NAME FLAGS...
  local file=$out/$1
  shift
  "$target/release/strait" sample -m "$model" -n "$n" --seed 1 "$@" > "$file" 2> "$file.log" || { rm -f "$file"; return 0; }
  files+=("$file")
}
row own
for t in 0.3 0.5 0.7 0.85 1.0; do row "temperature-$t" --temperature "$t"; done
for p in 0.5 0.7 0.9; do row "top-p-$p" --temperature 1 --top-p "$p"; done
for p in 0.5 0.9; do row "typical-$p" --temperature 1 --typical "$p"; done
for p in 0.05 0.1 0.2; do row "min-p-$p" --temperature 1 --min-p "$p"; done
row no-repeat-2 --no-repeat-ngram 2
row greedy --greedy
for a in 0.3 0.6; do row "contrastive-$a" --contrastive "$a"; done
for t in 0.7 1.0; do
  row "rerank-$t" --rerank 4 --temperature "$t"
  row "verify-$t" --rerank 4 --verify --temperature "$t"
  [ -z "$lm" ] || row "against-$t" --rerank 4 --against "$lm" --temperature "$t"
done
for q in 0 0.25 0.5 0.75 1; do row "quality-$q" --quality "$q"; done
"$target/release/examples/judge" "$train" "$out/test.txt" "${files[@]}" --real --kn | tee "$out/table.txt"
