#!/usr/bin/env bash
# How long each verb takes with 100,000 records of yelp_short (or --records N): seconds on the clock, seconds of processor
# time, and the most memory, as a table. Nothing else should run beside it.
#
#   STRAIT_DATA=DIR benches/verbs.sh MODEL [RECORDS [VERB ...]]       (verbs: all, or those named; indexing is always timed)
set -euo pipefail
cd "$(dirname "$0")/.."
data=${STRAIT_DATA:?name the folder of the corpora in STRAIT_DATA}/yelp_short
model=${1:?name a model of yelp_short} records=${2:-100000} only=" ${*:3} "
strait=${STRAIT:-$PWD/${CARGO_TARGET_DIR:-target}/release/strait}
model=$(realpath "$model")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
head -"$records" "$data/train.tsv" > "$place/texts.tsv"
cut -f2 "$data/test.tsv" > "$place/test.txt"
cp "$data/valid.tsv" "$place/valid.tsv"
cd "$place"
text=(--column 2) labelled=(--column 2 --label-column 1 --header no)

# Runs `strait VERB ...`, and prints a line of the table: time WHAT VERB ARGUMENTS...
time_it() {
  local what=$1; shift
  [ "$only" = "  " ] || [ "$1" = index ] || [[ $only = *" $1 "* ]] || return 0
  /usr/bin/env python3 - "$what" "$strait" "$@" <<'PYTHON'
import os, resource, subprocess, sys, time
what, command = sys.argv[1], sys.argv[2:]
start = time.monotonic()
done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
wall = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
if done.returncode:
    sys.exit(f"{' '.join(command)}: {done.stderr}")
print(f"| {what} | {wall:.1f} | {used.ru_utime + used.ru_stime:.1f} | {used.ru_maxrss / 1024:.0f} |", flush=True)
PYTHON
}

echo "| verb, $records records | seconds | processor | MiB |"
echo "|---|---|---|---|"
time_it "encode" encode -m "$model" texts.tsv "${text[@]}" -o latents.npy
time_it "decode" decode -m "$model" latents.npy
time_it "reconstruct" reconstruct -m "$model" texts.tsv "${text[@]}"
time_it "sample" sample -m "$model" -n "$records"
time_it "score" score -m "$model" texts.tsv "${text[@]}"
time_it "index" index -m "$model" texts.tsv "${labelled[@]}" -o texts.index
time_it "search, one query, the texts as a file" search -m "$model" --in texts.tsv "${text[@]}" "the soup was cold"
time_it "search, one query, indexed" search -m "$model" --in texts.index "the soup was cold"
time_it "search, 1,000 queries, indexed" search -m "$model" --in texts.index --queries test.txt
time_it "dedup, indexed" dedup -m "$model" texts.index
time_it "cluster, indexed" cluster -m "$model" texts.index
time_it "map, indexed" map -m "$model" texts.index -o map.html
time_it "complete, indexed" complete -m "$model" texts.index
time_it "classify, learning, indexed" classify -m "$model" --train texts.index -o classifier.json
time_it "classify, labelling, indexed" classify -m "$model" --by classifier.json texts.index
time_it "directions, indexed" directions -m "$model" texts.index -o directions.json
time_it "steer, 1,000 texts" steer -m "$model" --by directions.json --toward 1 --file test.txt
time_it "audit" audit -m "$model" --train texts.tsv --held-out valid.tsv "${text[@]}"
time_it "augment, 1,000 texts" augment -m "$model" texts.tsv "${labelled[@]}" -n 500
time_it "vary, 100 variations" vary -m "$model" "the soup was cold ." -n 100
time_it "interpolate" interpolate -m "$model" "the soup was cold ." "the staff is friendly ." --steps 20
time_it "analogy" analogy -m "$model" "the soup is bad ." "the soup is good ." "the staff is bad ."
time_it "similarity" similarity -m "$model" "the soup was cold ." "the staff is friendly ."
