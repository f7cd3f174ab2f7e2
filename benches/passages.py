#!/usr/bin/env python3
"""Documents (a sentence a line, blank lines between documents) as flat text: runs of N sentences, one a line.

Usage: benches/passages.py FILE [N] > OUT
"""
import sys

n = int(sys.argv[2]) if len(sys.argv) > 2 else 6
with open(sys.argv[1], encoding="utf-8") as file:
    for document in file.read().split("\n\n"):
        sentences = document.split("\n")
        for first in range(0, len(sentences), n):
            passage = " ".join(filter(None, sentences[first : first + n]))
            if passage:
                print(passage)
