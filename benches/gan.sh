#!/usr/bin/env bash
# Text GANs beside the language model that they start from, on Image COCO captions: base networks, one seed. The model is
# trained for its likelihood first; each recipe then goes on from it for GAN_STEPS steps (300: 60 in which the discriminator
# learns, 240 against it).
#
#   STRAIT_DATA=DIR benches/gan.sh [RECIPE ...]
#
# Leaves models and what `strait evaluate` says of them in target/gan/. Finished models are kept.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${STRAIT_DATA:?name the folder of the corpora in STRAIT_DATA}/image_coco
out=${CARGO_TARGET_DIR:-target}/gan
strait=${STRAIT:-${CARGO_TARGET_DIR:-target}/release/strait}
recipes=("$@")
[ $# -gt 0 ] || recipes=(maligan gumbel scratchgan textgan leakgan seqgan rankgan)
[ -x "$strait" ] || cargo build --release -q -p strait-cli
mkdir -p "$out"
# train NAME FLAG ...
train() {
  [ -d "$out/$1" ] || "$strait" train "$data/train.txt" --valid "$data/valid.txt" --set training.batch_tokens=512 --seed 1 \
    --threads 1 --out "$out/$1" "${@:2}" 2>> "$out/log"
}
train lm-lstm --recipe lm-lstm --size base --steps 4000
for recipe in "${recipes[@]}"; do
  cheap=()
  [ "$recipe" != leakgan ] || cheap=(--set objective.text_gan.rollouts=0)
  train "$recipe" --recipe "$recipe" --from "$out/lm-lstm" --steps "${GAN_STEPS:-300}" \
    --set objective.text_gan.pretrain=0.2 --set objective.text_gan.warmup=0.2 "${cheap[@]}"
done
for name in lm-lstm "${recipes[@]}"; do
  "$strait" evaluate -m "$out/$name" "$data/test.txt" --train "$data/train.txt" --no-lstm-judge \
    --temperatures 0.8,0.9,1.0 > "$out/$name.txt"
done
