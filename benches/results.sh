#!/usr/bin/env bash
# Trains on a corpus, reconstructs its test part, samples as many texts as that has, and judges both.
#
#   STRAIT_DATA=DIR benches/results.sh CORPUS MINUTES [RECIPE] [SEED]      (corpora: see the cases below)
#
# Prints the reconstruction's figures and a table: real text, the KN-5 sampler, and samples at the model's own
# temperature and around it. Leaves the model and the texts in target/results/.
set -euo pipefail
cd "$(dirname "$0")/.."
corpus=$1 minutes=$2 recipe=${3:-dae} seed=${4:-1}
data=${STRAIT_DATA:?name the folder of the corpora in STRAIT_DATA}/$corpus
columns=() unit=--words
case $corpus in
  image_coco|en_common_voice) train=train.txt valid=valid.txt test=test.txt ;;
  yelp_short) train=train.tsv valid=valid.tsv test=test.tsv columns=(--column 2) ;;
  tatoeba_zh_en) train=train.zh.txt valid='' test=test.zh.txt unit=--chars ;;
  *) echo "unknown corpus $corpus" >&2; exit 2 ;;
esac
cargo build --release -q -p strait-cli
cargo build --release -q -p strait-eval --example judge
out=${CARGO_TARGET_DIR:-target}/results/$corpus-$recipe-$minutes-$seed
bin=${CARGO_TARGET_DIR:-target}/release
mkdir -p "$out"
"$bin/strait" train "$data/$train" ${valid:+--valid "$data/$valid"} "${columns[@]}" \
  --minutes "$minutes" --recipe "$recipe" --seed "$seed" --out "$out/model" --force 2> "$out/train.log"
"$bin/strait" reconstruct -m "$out/model" "$data/$test" "${columns[@]}" > "$out/reconstructed.txt"
n=$(wc -l < "$out/reconstructed.txt")
samples=()
for t in own 0.5 0.7 1.0; do
  "$bin/strait" sample -m "$out/model" -n "$n" --seed "$seed" $([ $t = own ] || echo --temperature $t) > "$out/samples-$t.txt"
  samples+=("$out/samples-$t.txt")
done
judge="$bin/examples/judge"
"$judge" --reconstruction "$out/reconstructed.txt" "$data/$test" "${columns[@]}" $unit
"$judge" "$data/$train" "$data/$test" "${samples[@]}" "${columns[@]}" $unit --real --kn
"$bin/strait" info -m "$out/model"
