#!/usr/bin/env bash
# Posterior collapse and its cures on yelp_short: a plain variational autoencoder beside four that keep their latent in use,
# 1,200 steps of 512 tokens each, in one figure (plots/, "What the latent carries").
#
#   STRAIT_DATA=DIR benches/collapse.sh
#
# Leaves models, report.html and plots in target/collapse/.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${STRAIT_DATA:?name the folder of the corpora in STRAIT_DATA}/yelp_short
out=${CARGO_TARGET_DIR:-target}/collapse
strait=${CARGO_TARGET_DIR:-target}/release/strait
files=("$data/train.tsv" --valid "$data/valid.tsv" --column 2)
recipes=(benches/collapse/plain-vae.toml vae-cyclical vae-free vae-rate bn-vae)
cargo build --release -q -p strait-cli
mkdir -p "$out"
for recipe in "${recipes[@]}"; do
  model=$out/$(basename "$recipe" .toml)
  [ -d "$model" ] || "$strait" train "${files[@]}" --recipe "$recipe" --size small --set training.batch_tokens=512 \
    --steps 1200 --out "$model" 2>> "$out/log"
done
"$strait" compare "${files[@]}" --test "$data/test.tsv" --recipes "$(IFS=,; echo "${recipes[*]}")" --out "$out" \
  2>> "$out/log" | tee "$out/table.txt"
