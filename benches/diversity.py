#!/usr/bin/env python3
"""How good and how different the answers to a source are (needs the package sacrebleu).

    strait generate -m MODEL sources.txt -n 5 --temperature 0.5 --json > answers.jsonl
    benches/diversity.py answers.jsonl PAIRS.tsv

Prints the corpus BLEU of single answers (mean over the places 1..n), the BLEU of the best answer of each source by sentence
BLEU (oracle), the share of different pairs of neighbouring words among all in the answers of one source (distinct-2), their
likeness to each other (self-BLEU, each against the others), and how many of them differ.
"""

import json
import sys
from collections import defaultdict

from sacrebleu.metrics import BLEU

answers, references = defaultdict(list), defaultdict(list)
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    answers[row["source"]].append(row["text"])
for line in open(sys.argv[2], encoding="utf-8"):
    source, target = line.rstrip("\n").split("\t")[:2]
    references[source].append(target)
sources = [s for s in answers if s in references]
n = min(len(answers[s]) for s in sources)
most = max(len(references[s]) for s in sources)
streams = [[references[s][j] if j < len(references[s]) else None for s in sources] for j in range(most)]
# The references of e2e_nlg are cut into words: nothing to warn of.
corpus, sentence = BLEU(force=True), BLEU(force=True, effective_order=True)
single = [corpus.corpus_score([answers[s][j] for s in sources], streams).score for j in range(n)]
best = [max(answers[s][:n], key=lambda a: sentence.sentence_score(a, references[s]).score) for s in sources]


def distinct(texts):
    pairs = [p for t in texts for p in zip(t.split(), t.split()[1:])]
    return len(set(pairs)) / max(len(pairs), 1)


def likeness(texts):
    return sum(sentence.sentence_score(t, texts[:i] + texts[i + 1 :]).score for i, t in enumerate(texts)) / len(texts)


mean = lambda values: sum(values) / len(sources)
print(f"{len(sources)} sources, {n} answers each")
print(f"BLEU of one answer   {sum(single) / n:6.2f}")
print(f"BLEU of the best     {corpus.corpus_score(best, streams).score:6.2f}")
print(f"distinct-2           {mean(distinct(answers[s][:n]) for s in sources):6.3f}")
print(f"self-BLEU            {mean(likeness(answers[s][:n]) for s in sources):6.2f}")
print(f"different answers    {mean(len(set(answers[s][:n])) for s in sources):6.2f}")
