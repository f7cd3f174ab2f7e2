#!/usr/bin/env python3
"""Pairs of e2e_nlg with names that no training pair has: how well is a name copied that was never written?

    benches/unseen_names.py TEST.tsv > unseen.tsv                    # pairs with names made up here
    benches/unseen_names.py --count GENERATED.jsonl                  # of `strait generate --json`: how many have their name
"""

import json
import re
import sys

FIRST = ["Gilded", "Mossy", "Copper", "Wandering", "Velvet", "Saffron", "Quiet", "Tidal", "Amber", "Frosted"]
SECOND = ["Otter", "Lantern", "Badger", "Quill", "Anvil", "Thistle", "Harbour", "Kettle", "Sparrow", "Orchard"]


def pairs(lines):
    made = {}
    for line in lines:
        source, target = line.rstrip("\n").split("\t")[:2]
        name = re.match(r"name\[([^\]]+)\]", source)
        if not name or name[1] not in target:
            continue
        i = made.setdefault(name[1], len(made))
        new = f"{FIRST[i % 10]} {SECOND[(i * 3 + i // 10) % 10]}"
        print(source.replace(f"name[{name[1]}]", f"name[{new}]"), target.replace(name[1], new), sep="\t")


def count(lines):
    rows = [json.loads(line) for line in lines]
    named = sum(re.match(r"name\[([^\]]+)\]", row["source"])[1] in row["text"] for row in rows)
    print(f"{named} of {len(rows)} texts have their name ({100 * named / len(rows):.1f} %)")


if sys.argv[1] == "--count":
    count(open(sys.argv[2], encoding="utf-8"))
else:
    pairs(open(sys.argv[1], encoding="utf-8"))
