#!/bin/sh
# Document models on real corpora: stories of fairy_tales, articles of wikitext2_docs. The tables of docs/documents.md.
# Usage: STRAIT_DATA=FOLDER benches/documents.sh OUT [strait]
set -eu
out=$1
strait=${2:-target/release/strait}
mkdir -p "$out"

# Fairy tales: a blank line is a paragraph there, and a file beside it tells how many paragraphs a story has.
tales=$STRAIT_DATA/fairy_tales
for part in train valid test; do
    awk -F'\t' 'FNR == NR { n[++stories] = $3 + 0; next }
        { print } ++seen == n[at + 1] { print ""; seen = 0; at++ }' \
        "$tales/$part.titles.txt" RS= "$tales/$part.txt" > "$out/tales.$part.txt"
done
for part in train valid test; do cp "$STRAIT_DATA/wikitext2_docs/$part.txt" "$out/wiki.$part.txt"; done

for corpus in ${CORPORA:-tales wiki}; do
    model=$out/$corpus.sentences
    if [ "$corpus" = wiki ]; then
        # A line is a paragraph there: the sentence model learns from sentences.
        sed -E 's/ ([.!?]) / \1\n/g' "$out/wiki.train.txt" | awk 'NF > 2' > "$out/wiki.lines.txt"
        lines=$out/wiki.lines.txt
    else
        lines=$out/$corpus.train.txt
    fi
    [ -d "$model" ] || "$strait" train "$lines" --out "$model" --recipe dae --size small --steps "${STEPS:-1500}" --threads 1 --seed 1
    for plan in 16 0; do
        "$strait" document train "$out/$corpus.train.txt" --valid "$out/$corpus.valid.txt" -m "$model" \
            -o "$out/$corpus.plan$plan" --plan "$plan" --force
        "$strait" document evaluate -m "$out/$corpus.plan$plan" "$out/$corpus.test.txt" --passages 1000 \
            | tee "$out/$corpus.plan$plan.txt"
    done
done

# Time and memory by the length of what is read: five sentences after so many.
for n in 125 250 500 1000 2000; do
    awk 'NF' "$out/tales.train.txt" | head -n "$n" > "$out/long.txt"
    echo "$n sentences"
    python3 - "$strait" document continue -m "$out/tales.plan16" "$out/long.txt" -n 5 --threads 1 <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"  {use.ru_utime + use.ru_stime:.2f} s of processor, {use.ru_maxrss / 1024:.0f} MiB at most")
PY
done
