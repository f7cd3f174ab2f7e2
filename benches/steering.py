#!/usr/bin/env python3
"""Judges steered sentences by means that the model does not have: steering.py TRAIN.tsv REFERENCES.tsv NAME=OUTCOMES ...

Reads `label <tab> sentence` to train a classifier of its own (logistic regression on TF-IDF of words and pairs of words) on
the second half of TRAIN, and the sources with the human rewrites from REFERENCES (label, source, rewrite). OUTCOMES has a line
for each source. Prints, as a table: the share of outcomes that the classifier finds changed, BLEU to the source and to the
rewrite (sacrebleu), and how many outcomes are the source unchanged. Adds the rows of copying, of the human rewrites, and
of taking the nearest training sentence (TF-IDF) of the other label. Needs scikit-learn and sacrebleu.
"""
import sys

import sacrebleu
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression


def rows(path):
    return [line.rstrip("\n").split("\t") for line in open(path, encoding="utf8")]


train, references = rows(sys.argv[1]), rows(sys.argv[2])
half = train[len(train) // 2:]
vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2, token_pattern=r"\S+", sublinear_tf=True)
judge = LogisticRegression(C=8, max_iter=300).fit(vectors.fit_transform(r[1] for r in half), [r[0] for r in half])
labels = [r[0] for r in references]
sources = [r[1] for r in references]
rewrites = [r[2].lower() for r in references]
matrix = vectors.transform(r[1] for r in train[:40000])
near = vectors.transform(sources) @ matrix.T


def retrieved(i):
    row = near[i]
    best = sorted(zip(row.data, row.indices), reverse=True)
    return next((train[j][1] for _, j in best if train[j][0] != labels[i]), sources[i])


def bleu(texts, references):
    return sacrebleu.corpus_bleu(texts, [references], tokenize="none", force=True).score


named = {"copy the source": sources, "nearest of the other label": [retrieved(i) for i in range(len(sources))]}
named |= {name: open(path, encoding="utf8").read().split("\n")[: len(sources)]
          for name, path in (argument.split("=", 1) for argument in sys.argv[3:])}
named["human rewrite"] = rewrites
print(f"classifier on the sources: {(judge.predict(vectors.transform(sources)) == labels).mean():.3f}, N = {len(sources)}")
print("| | changed | BLEU to the source | BLEU to the human rewrite | left as it was |")
print("|---|---|---|---|---|")
for name, texts in named.items():
    changed = (judge.predict(vectors.transform(texts)) != labels).mean()
    same = sum(a == b for a, b in zip(texts, sources)) / len(sources)
    print(f"| {name} | {changed:.3f} | {bleu(texts, sources):.1f} | {bleu(texts, rewrites):.1f} | {same:.3f} |")
