#!/usr/bin/env python3
"""Articles (a paragraph a line, blank lines between articles) as documents with what is given beside them: each paragraph
but an article's first, beside it the first and, if that is another one, the paragraph before.

Usage: benches/leads.py FILE > OUT.jsonl
"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    articles = [[line for line in article.split("\n") if line.strip()] for article in file.read().split("\n\n")]
for paragraphs in articles:
    for at in range(1, len(paragraphs)):
        given = [paragraphs[0]] + ([paragraphs[at - 1]] if at > 1 else [])
        print(json.dumps({"text": paragraphs[at], "given": "\n\n".join(given)}, ensure_ascii=False))
