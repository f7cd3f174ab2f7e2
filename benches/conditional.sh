#!/usr/bin/env bash
# Trains a sequence-to-sequence model on a corpus, writes the targets of its test part by a beam of 5, and measures them
# (docs/conditional.md).
#
#   STRAIT_DATA=DIR benches/conditional.sh CORPUS [RECIPE] [STEPS] [RISK_STEPS]
#
# CORPUS: zh-en, en-zh, multi30k, e2e or turk. RECIPE: seq2seq-lstm (default) or seq2seq-transformer. With RISK_STEPS the
# model goes on by minimum risk training for so many steps and is measured again, against itself before.
# Leaves everything in target/conditional/CORPUS/.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${STRAIT_DATA:?name the folder of the corpora in STRAIT_DATA}
corpus=$1 recipe=${2:-seq2seq-lstm} steps=${3:-4000} risk=${4:-0}
size=base swap=no vocabulary=() options=() tests=(test)
case $corpus in
  zh-en) folder=tatoeba_zh_en swap=yes ;;
  en-zh) folder=tatoeba_zh_en ;;
  multi30k) folder=multi30k_en_de vocabulary=(--vocab 8000) tests=(test test_2017) ;;
  e2e) folder=e2e_nlg size=small options=(--task data-to-text --group) ;;
  turk) folder=turk_simplification size=small options=(--task simplification --group) ;;
  *) echo "unknown corpus $corpus" >&2; exit 2 ;;
esac
out=${CARGO_TARGET_DIR:-target}/conditional/$corpus
strait=${STRAIT:-${CARGO_TARGET_DIR:-target}/release/strait}
mkdir -p "$out"
for part in train valid "${tests[@]}"; do
  { printf 'source\ttarget\n'; awk -F'\t' -v swap=$swap '{ print swap == "yes" ? $2 "\t" $1 : $1 "\t" $2 }' "$data/$folder/$part.tsv"; } > "$out/$part.tsv"
done

# Targets of the test parts, and what they are worth: measure MODEL [ANOTHER'S NAME]
measure() {
  local name against=()
  name=$(basename "$1")
  for part in "${tests[@]}"; do
    "$strait" generate -m "$1" "$out/$part.tsv" --column source --beam 5 -o "$out/$name.$part.txt" 2>> "$out/log"
    [ $# -lt 2 ] || against=(--against "$out/$2.$part.txt")
    echo "== $corpus, $name, $part"
    "$strait" metrics "$out/$name.$part.txt" "$out/$part.tsv" --reference-column target --source "$out/$part.tsv" \
      --source-column source "${options[@]}" "${against[@]}"
  done
}

[ -d "$out/$recipe" ] || "$strait" train "$out/train.tsv" --valid "$out/valid.tsv" --task seq2seq --recipe "$recipe" \
  --size $size "${vocabulary[@]}" --steps "$steps" --out "$out/$recipe" 2>> "$out/log"
measure "$out/$recipe"
if [ "$risk" -gt 0 ]; then
  [ -d "$out/$recipe-risk" ] || "$strait" train "$out/train.tsv" --valid "$out/valid.tsv" --task seq2seq --from "$out/$recipe" \
    --risk bleu --steps "$risk" --out "$out/$recipe-risk" 2>> "$out/log"
  measure "$out/$recipe-risk" "$recipe"
fi
