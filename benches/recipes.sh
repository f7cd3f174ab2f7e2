#!/usr/bin/env bash
# Trains recipes on a corpus for the steps that five minutes suffice for on two quiet cores, and measures each
# (`strait compare`). Counting steps makes the table the same on a busy machine (docs/log.md).
#
#   STRAIT_DATA=DIR benches/recipes.sh CORPUS [RECIPE ...]        (corpora: see the cases below; default: every recipe)
#
# Leaves the models, report.html, plots and the table in target/recipes/CORPUS/.
set -euo pipefail
cd "$(dirname "$0")/.."
corpus=$1
shift
data=${STRAIT_DATA:?name the folder of the corpora in STRAIT_DATA}/$corpus
columns=() size=base
case $corpus in
  image_coco|en_common_voice) train=train.txt valid=valid.txt test=test.txt ;;
  yelp_short) train=train.tsv valid=valid.tsv test=test.tsv columns=(--column 2) size=small ;;
  tatoeba_zh_en) train=train.zh.txt valid='' test=test.zh.txt ;;
  *) echo "unknown corpus $corpus" >&2; exit 2 ;;
esac
# Steps of 512 tokens: 300 seconds less 40 for looks, priors and measuring, over the time of a step of the base network.
steps() {
  case $1 in
    topics) echo 8000 ;;
    lm-lstm) echo 4000 ;;
    window) echo 3400 ;;
    arae) echo 2450 ;;
    aae|laae|daae) echo 2600 ;;
    lm-transformer) echo 2200 ;;
    transformer-*) echo 1550 ;;
    *) echo 2700 ;;
  esac
}
batch() { case $1 in topics|window) ;; *) echo "--set training.batch_tokens=512" ;; esac; }
out=${CARGO_TARGET_DIR:-target}/recipes/$corpus
strait=${CARGO_TARGET_DIR:-target}/release/strait
cargo build --release -q -p strait-cli
mkdir -p "$out"
[ $# -gt 0 ] || set -- dae ae aae laae daae wae arae vae vae-cyclical vae-free vae-rate vae-pretrain bn-vae vq window topics \
  transformer-dae transformer-vae lm-lstm lm-transformer
for recipe in "$@"; do
  [ -d "$out/$recipe" ] && continue
  if [ -d "$out/$recipe.training" ]; then "$strait" resume "$out/$recipe"; continue; fi
  "$strait" train "$data/$train" ${valid:+--valid "$data/$valid"} "${columns[@]}" --recipe "$recipe" --size $size \
    $(batch "$recipe") --steps "$(steps "$recipe")" --out "$out/$recipe"
done 2>> "$out/log"
"$strait" compare "$data/$train" ${valid:+--valid "$data/$valid"} --test "$data/$test" "${columns[@]}" \
  --recipes "$(IFS=,; echo "$*")" --texts 3000 --out "$out" 2>> "$out/log" | tee "$out/table.txt"
