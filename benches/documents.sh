#!/bin/sh
# Document models on the stories of fairy_tales: the tables of docs/documents.md.
# Usage: STRAIT_DATA=FOLDER benches/documents.sh OUT [strait]
set -eu
out=$1
strait=${2:-target/release/strait}
mkdir -p "$out"

# A blank line is a paragraph there, and a file beside it tells how many paragraphs a story has.
tales=$STRAIT_DATA/fairy_tales
for part in train valid test; do
    awk -F'\t' 'FNR == NR { n[++stories] = $3 + 0; next }
        { print } ++seen == n[at + 1] { print ""; seen = 0; at++ }' \
        "$tales/$part.titles.txt" RS= "$tales/$part.txt" > "$out/$part.txt"
done

sentences=$out/sentences
[ -d "$sentences" ] || "$strait" train "$out/train.txt" --valid "$out/valid.txt" --out "$sentences" --recipe dae \
    --size small --steps 1500 --threads 1 --seed 1
# The same stories as flat text, for a language model of the same size.
for part in train valid; do
    benches/passages.py "$out/$part.txt" > "$out/flat.$part.txt"
done
flat=$out/flat
[ -d "$flat" ] || "$strait" train "$out/flat.train.txt" --valid "$out/flat.valid.txt" --out "$flat" --recipe lm-lstm \
    --size small --steps 1500 --threads 1 --seed 1

for kind in lstm transformer; do
    for plan in 16 0; do
        model=$out/$kind$plan
        "$strait" document train "$out/train.txt" --valid "$out/valid.txt" -m "$sentences" -o "$model" \
            --kind "$kind" --plan "$plan" --steps 400 --threads 1 --force
        # The language model's figures are the same beside each.
        beside=--texts=0
        [ "$kind$plan" = lstm16 ] && beside=--beside=$flat
        "$strait" document evaluate -m "$model" "$out/test.txt" --passages 500 "$beside" | tee "$model.txt"
    done
done

# Time and memory by the length of what is read: five sentences after so many.
for n in 125 500 2000; do
    awk NF "$out/train.txt" | head -n "$n" > "$out/long.txt"
    echo "$n sentences"
    python3 - "$strait" document continue -m "$out/lstm16" "$out/long.txt" -n 5 --threads 1 <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"  {use.ru_utime + use.ru_stime:.2f} s of processor, {use.ru_maxrss / 1024:.0f} MiB at most")
PY
done
