#!/usr/bin/env bash
# Trains recipes on a corpus for the same minutes each, measures them and puts them side by side (`strait compare`).
#
#   STRAIT_DATA=DIR benches/recipes.sh CORPUS MINUTES RECIPE,... [NAME]      (corpora: see the cases below)
#
# Leaves the models, report.html, plots and the table in target/recipes/.
set -euo pipefail
cd "$(dirname "$0")/.."
corpus=$1 minutes=$2 recipes=$3 name=${4:-all}
data=${STRAIT_DATA:?name the folder of the corpora in STRAIT_DATA}/$corpus
columns=()
case $corpus in
  image_coco|en_common_voice) train=train.txt valid=valid.txt test=test.txt ;;
  yelp_short) train=train.tsv valid=valid.tsv test=test.tsv columns=(--column 2) ;;
  tatoeba_zh_en) train=train.zh.txt valid='' test=test.zh.txt ;;
  rt_polarity) train=train.tsv valid='' test=test.tsv columns=(--column 2) ;;
  *) echo "unknown corpus $corpus" >&2; exit 2 ;;
esac
out=${CARGO_TARGET_DIR:-target}/recipes/$corpus-$minutes-$name
cargo build --release -q -p strait-cli
mkdir -p "$out"
"${CARGO_TARGET_DIR:-target}/release/strait" compare "$data/$train" ${valid:+--valid "$data/$valid"} --test "$data/$test" \
  "${columns[@]}" --minutes "$minutes" --recipes "$recipes" --texts 3000 --out "$out" 2>> "$out/log" | tee "$out/table.txt"
