"""Compares our reading of a published folder with the packages that published it.

    pip install torch transformers sentence-transformers
    python benches/parity.py FOLDER FILE [--model MODEL] [--strait target/release/strait]

An encoder: the vectors of the lines of FILE by `strait encode` and by `sentence-transformers`. A decoder: the nats of each
line's tokens by `strait score` and by `transformers`. A folder that `strait export` wrote of MODEL: the same, MODEL scored by
`strait score`. Prints the largest difference.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy
import torch

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("file")
parser.add_argument("--model")
parser.add_argument("--strait", default="target/release/strait")
args = parser.parse_args()
lines = Path(args.file).read_text().splitlines()
config = json.loads((Path(args.folder) / "config.json").read_text())


def strait(verb, file, *more):
    command = [args.strait, verb, "-m", args.model or args.folder, file, *more]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


with tempfile.TemporaryDirectory() as place:
    texts = Path(place) / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
    if "GPT" in config.get("architectures", [""])[0]:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(args.folder)
        model = AutoModelForCausalLM.from_pretrained(args.folder, dtype=torch.float32).eval()
        ours = [json.loads(line)["nats"] for line in strait("score", str(texts), "--json").splitlines()]
        theirs = []
        for line in lines:
            ids = torch.tensor([[model.config.bos_token_id, *tokenizer(line)["input_ids"], model.config.eos_token_id]])
            with torch.no_grad():
                log_p = torch.log_softmax(model(ids).logits[0, :-1], -1)
            theirs.append(-log_p.gather(1, ids[0, 1:, None]).sum().item())
    else:
        from sentence_transformers import SentenceTransformer

        out = Path(place) / "vectors.npy"
        strait("encode", str(texts), "-o", str(out))
        ours = numpy.load(out)
        theirs = SentenceTransformer(args.folder, device="cpu").encode(lines)

ours, theirs = numpy.asarray(ours), numpy.asarray(theirs)
print(f"{len(lines)} texts, {ours.shape}: largest difference {abs(ours - theirs).max():.2e}, largest value {abs(theirs).max():.3f}")
