#!/usr/bin/env bash
# Text GANs beside the language model that they start from, on Image COCO captions: the same steps, size and batches, small
# networks, one seed.
#
#   STRAIT_DATA=DIR benches/gan.sh [RECIPE ...]
#
# Leaves models and what `strait evaluate` says of them in target/gan/; GAN_STEPS, GAN_SIZE and GAN_TOKENS change the steps
# (1200), the size (small) and the tokens of a batch (1024). Finished models are kept.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${STRAIT_DATA:?name the folder of the corpora in STRAIT_DATA}/image_coco
out=${CARGO_TARGET_DIR:-target}/gan
strait=${CARGO_TARGET_DIR:-target}/release/strait
recipes=("$@")
[ $# -gt 0 ] || recipes=(lm-lstm seqgan maligan rankgan scratchgan gumbel textgan)
[ -x "$strait" ] || cargo build --release -q -p strait-cli
mkdir -p "$out"
for recipe in "${recipes[@]}"; do
  [ -d "$out/$recipe" ] || "$strait" train "$data/train.txt" --valid "$data/valid.txt" --recipe "$recipe" \
    --size "${GAN_SIZE:-small}" --set training.batch_tokens="${GAN_TOKENS:-1024}" --steps "${GAN_STEPS:-1200}" --seed 1 \
    --threads 1 --out "$out/$recipe" 2>> "$out/log"
  "$strait" evaluate -m "$out/$recipe" "$data/test.txt" --train "$data/train.txt" --no-lstm-judge \
    --temperatures 0.9,1.0 > "$out/$recipe.txt"
done
