#!/usr/bin/env python3
"""How good the verbs on latents are on real corpora, beside TF-IDF (scikit-learn).

    pip install numpy scipy scikit-learn
    toolbox.py probe   MODEL... --data DIR/trec --label 1 --column 3
    toolbox.py similar MODEL... --data DIR/stsb [--language en]
    toolbox.py search  MODEL... --data DIR/stsb
    toolbox.py odd     MODEL --train TRAIN --usual TEST --odd OTHER [--column 2] [--odd-column 2]
    toolbox.py copies  MODEL FILE [--column 2]

probe: `strait classify` learned on train.tsv, applied to test.tsv. similar: Spearman's correlation of the cosine with the
human score. search: each first sentence of the pairs that people scored 4.5 or more looks for its second among all second
sentences. odd: `strait score` on 1,000 usual texts of the model's own corpus and 1,000 of another one; its area under the
ROC curve. copies: 2,000 texts, and 1,000 copies of some with one word left out, two words swapped or one word replaced;
what `strait dedup` finds of them at the threshold that it chooses, and what else it joins.
STRAIT names the program (default: target/release/strait).
"""
import argparse
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

import numpy
from scipy.stats import spearmanr
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

STRAIT = os.environ.get("STRAIT", "target/release/strait")


def strait(*arguments):
    return subprocess.run([STRAIT, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def rows(path):
    return [line.split("\t") for line in Path(path).read_text(encoding="utf8").split("\n") if line]


def texts_of(path, column):
    """The texts of a list, or of a table's column."""
    return [r[min(column, len(r)) - 1] for r in rows(path)]


def tfidf(**more):
    return TfidfVectorizer(token_pattern=r"(?u)\w+|[^\w\s]", sublinear_tf=True, **more)


def encode(model, texts):
    with tempfile.TemporaryDirectory() as place:
        file, out = Path(place) / "texts.jsonl", Path(place) / "latents.npy"
        file.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
        strait("encode", "-m", model, file, "-o", out)
        return numpy.load(out)


def cosine(a, b):
    return (a * b).sum(1) / numpy.maximum(numpy.linalg.norm(a, axis=1) * numpy.linalg.norm(b, axis=1), 1e-9)


def row(*cells):
    print("| " + " | ".join(f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells) + " |", flush=True)


def probe(args):
    data = Path(args.data)
    train, test = rows(data / "train.tsv"), rows(data / "test.tsv")
    truth = [r[args.label - 1] for r in test]
    row("", "accuracy", "macro F1", f"N = {len(test)}")
    labels = [r[args.label - 1] for r in train]
    row("always the most frequent", *scores(truth, [max(set(labels), key=labels.count)] * len(truth)))
    vectors = tfidf(ngram_range=(1, 2))
    learned = LogisticRegressionCV(Cs=[1, 4, 16, 64], cv=5, max_iter=500)
    learned.fit(vectors.fit_transform(r[args.column - 1] for r in train), labels)
    row("TF-IDF of words and pairs", *scores(truth, learned.predict(vectors.transform(r[args.column - 1] for r in test))))
    for model in args.models:
        with tempfile.TemporaryDirectory() as place:
            columns = ("--label-column", args.label, "--column", args.column, "--header", "no", "--json")
            by = Path(place) / "classifier.json"
            strait("classify", "-m", model, "--train", data / "train.tsv", *columns, "--shuffles", 0, "-o", by)
            out = strait("classify", "-m", model, "--by", by, data / "test.tsv", *columns)
            row(model, *scores(truth, [json.loads(line)["label"] for line in out.splitlines()]))


def scores(truth, said):
    return accuracy_score(truth, said), f1_score(truth, said, average="macro")


def pairs(args, part):
    return [(float(r[0]), r[1], r[2]) for r in rows(Path(args.data) / f"{args.language}.{part}.tsv")]


def ways(args, texts):
    """Each way to make vectors, the first two learned or counted on the training part's sentences."""
    analyzer = {"analyzer": "char", "ngram_range": (1, 3)} if args.language == "zh" else {}
    vectors = tfidf(**analyzer).fit([t for _, a, b in pairs(args, "train") for t in (a, b)])
    yield "TF-IDF", lambda texts: vectors.transform(texts).toarray()
    for model in args.models:
        yield model, lambda texts, model=model: encode(model, texts)


def similar(args):
    test = pairs(args, "test")
    row("", "Spearman", f"N = {len(test)}")
    for name, vectors in ways(args, test):
        near = cosine(vectors([a for _, a, _ in test]), vectors([b for _, _, b in test]))
        row(name, float(spearmanr(near, [s for s, _, _ in test]).statistic))


def search(args):
    test = pairs(args, "test")
    second = list(dict.fromkeys(b for _, _, b in test))
    sought = [(a, second.index(b)) for s, a, b in test if s >= 4.5 and a != b]
    row("", "first", "among ten", "mean of 1 / rank", f"N = {len(sought)} among {len(second)}")
    for name, vectors in ways(args, test):
        pool = vectors(second)
        queries = vectors([a for a, _ in sought])
        # `strait search` ranks by distance; TF-IDF vectors have length 1, where that is the order of the cosine.
        order = (pool**2).sum(1)[None] - 2 * queries @ pool.T
        rank = numpy.array([(order[i] < order[i, j]).sum() + 1 for i, (_, j) in enumerate(sought)])
        row(name, float((rank == 1).mean()), float((rank <= 10).mean()), float((1 / rank).mean()))


def odd(args):
    train = texts_of(args.train, args.column)
    usual = texts_of(args.usual, args.column)[:1000]
    other = texts_of(args.odd, args.odd_column)[:1000]
    texts, truth = usual + other, [0] * len(usual) + [1] * len(other)
    row("", "AUC", "usual ones below 0.01", "odd ones below 0.01", f"N = {len(usual)} + {len(other)}")
    lengths = [len(t.split()) for t in texts]
    row("longer than usual", roc_auc_score(truth, lengths), "", "")
    vectors = tfidf().fit(train)
    pool, asked = vectors.transform(train), vectors.transform(texts)
    near = numpy.concatenate([(asked[i : i + 200] @ pool.T).max(1).toarray()[:, 0] for i in range(0, len(texts), 200)])
    row("far from any training text (TF-IDF)", roc_auc_score(truth, -near), "", "")
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "texts.jsonl"
        file.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
        found = [json.loads(line) for line in strait("score", "-m", args.models[0], file, "--json").splitlines()]
    for name, key in (("by tokens", "p_tokens"), ("by latent", "p_latent"), ("strait score", "p")):
        p = numpy.array([f.get(key) for f in found], dtype=float)
        if numpy.isnan(p).any():  # A language model has no latents.
            continue
        low = p <= 0.01
        row(name, roc_auc_score(truth, -p), float(low[: len(usual)].mean()), float(low[len(usual) :].mean()))
    nats = [f["nats_per_token"] for f in found]
    row("nats a token", roc_auc_score(truth, nats), "", "")


def copies(args):
    texts = list(dict.fromkeys(texts_of(args.file, args.column)))[:2000]
    rng = random.Random(1)
    words = [w for t in texts for w in t.split()]
    made, kinds = [], ("word left out", "two words swapped", "word replaced")
    for n, i in enumerate(rng.sample([i for i, t in enumerate(texts) if len(t.split()) > 3], 999)):
        t, kind = texts[i].split(), kinds[n % 3]
        j = rng.randrange(len(t) - 1)
        if kind == kinds[0]:
            del t[j]
        elif kind == kinds[1]:
            t[j], t[j + 1] = t[j + 1], t[j]
        else:
            t[j] = rng.choice(words)
        made.append((i, kind, " ".join(t)))
    everything = texts + [t for _, _, t in made]
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "texts.jsonl"
        file.write_text("".join(json.dumps({"text": t}) + "\n" for t in everything))
        found = json.loads(strait("dedup", "-m", args.models[0], file, "--groups", "--json"))
    group = {r["row"]: g for g, members in enumerate(found["groups"]) for r in members}
    row("", "found by strait dedup", "found by Jaccard >= 0.6", f"threshold {found['threshold']:.2f}")
    sets = [set(t.split()) for t in everything]

    def alike(i, j):
        return len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= 0.6

    for kind in kinds:
        mine = [(i, len(texts) + n) for n, (i, k, _) in enumerate(made) if k == kind]
        row(kind, sum(group.get(i, -1) == group.get(c, -2) for i, c in mine) / len(mine),
            sum(alike(i, c) for i, c in mine) / len(mine))
    planted = {frozenset((i, len(texts) + n)) for n, (i, _, _) in enumerate(made)}
    joined = [(a["row"], b["row"]) for m in found["groups"] for x, a in enumerate(m) for b in m[x + 1 :]]
    others = [(a, b) for a, b in joined if frozenset((a, b)) not in planted]
    shared = [len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a, b in others]
    n = len(everything)
    by_words = sum(alike(i, j) for i in range(n) for j in range(i + 1, n) if frozenset((i, j)) not in planted)
    print(f"\nstrait joins {len(others)} other pairs, which share {numpy.mean(shared) if shared else 0:.2f} of their words "
          f"(Jaccard, mean); Jaccard >= 0.6 joins {by_words}.")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
verbs = parser.add_subparsers(dest="verb", required=True)
for name, many in (("probe", True), ("similar", True), ("search", True), ("odd", False), ("copies", False)):
    verb = verbs.add_parser(name)
    verb.add_argument("models", nargs="+" if many else 1)
    verb.set_defaults(run=globals()[name])
    verb.add_argument("--column", type=int, default=1)
    if many:
        verb.add_argument("--data", required=True)
        verb.add_argument("--language", default="en")
        verb.add_argument("--label", type=int, default=1)
verbs.choices["copies"].add_argument("file")
for flag in ("--train", "--usual", "--odd"):
    verbs.choices["odd"].add_argument(flag, required=True)
verbs.choices["odd"].add_argument("--odd-column", type=int, default=1)
args = parser.parse_args()
args.run(args)
