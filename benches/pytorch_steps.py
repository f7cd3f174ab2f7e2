"""The PyTorch side of the speed comparison: the workloads of crates/engine/benches/steps, timed.

    python pytorch_steps.py [lstm] [greedy] [encode] [transformer] [--json] [--threads N] [--rounds N]

lstm         one training step of an LSTM-VAE: vocabulary 10,000, embedding 256, LSTM encoder 512, Gaussian latent 64,
             LSTM decoder 512 that reads [embedding; z] at every step, a linear layer to the vocabulary;
             cross-entropy + 0.1 KL, batch 64 x 20, Adam
greedy       20 tokens from z with the decoder of that model, for 64 rows and for one
encode       means and log-variances of 6400 sentences of 20 tokens, in batches of 64
transformer  one training step of a Transformer autoencoder: vocabulary 8,000, width 256, 4 heads, inner width 1024,
             4 encoder and 4 causal decoder layers (pre-norm, GELU), one latent vector as the memory of
             cross-attention, batch 64 x 32, Adam

Run it with tcmalloc preloaded (compare.py does): PyTorch loses up to a third without. A time is the median of several
runs after a warm-up; `peak_rss_mb` is the process's peak so far, in units of 2^20 bytes.
"""

import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

BATCH, STEPS, LATENT = 64, 20, 64
SENTENCES = 6400


class LstmVae(nn.Module):
    VOCABULARY, EMBEDDING, HIDDEN = 10_000, 256, 512

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(self.VOCABULARY, self.EMBEDDING)
        self.encoder = nn.LSTM(self.EMBEDDING, self.HIDDEN, batch_first=True)
        self.mu = nn.Linear(self.HIDDEN, LATENT)
        self.log_variance = nn.Linear(self.HIDDEN, LATENT)
        self.decoder = nn.LSTM(self.EMBEDDING + LATENT, self.HIDDEN, batch_first=True)
        self.out = nn.Linear(self.HIDDEN, self.VOCABULARY)

    def encode(self, ids):  # (B, T) -> mu, log-variance (B, Z)
        h = self.encoder(self.embedding(ids))[1][0][-1]
        return self.mu(h), self.log_variance(h)

    def forward(self, ids, read, noise):
        mu, log_variance = self.encode(ids)
        z = mu + torch.exp(0.5 * log_variance) * noise
        x = self.embedding(read)
        y, _ = self.decoder(torch.cat([x, z.unsqueeze(1).expand(-1, x.size(1), -1)], -1))
        cross_entropy = F.cross_entropy(self.out(y).reshape(-1, self.VOCABULARY), ids.reshape(-1))
        divergence = -0.5 * (1 + log_variance - mu * mu - log_variance.exp()).sum(1).mean()
        return cross_entropy + 0.1 * divergence

    def greedy(self, z):  # (B, Z) -> ids (B, STEPS)
        token, state, ids = torch.zeros(z.size(0), 1, dtype=torch.long), None, []
        for _ in range(STEPS):
            y, state = self.decoder(torch.cat([self.embedding(token), z.unsqueeze(1)], -1), state)
            token = self.out(y).argmax(-1)
            ids.append(token)
        return torch.cat(ids, 1)


class TransformerAe(nn.Module):
    VOCABULARY, WIDTH, HEADS, LAYERS, INNER, STEPS = 8_000, 256, 4, 4, 1024, 32

    def __init__(self):
        super().__init__()
        options = dict(batch_first=True, norm_first=True, activation="gelu", dropout=0.0)
        sizes = (self.WIDTH, self.HEADS, self.INNER)
        self.embedding = nn.Embedding(self.VOCABULARY, self.WIDTH)
        self.positions = nn.Parameter(torch.randn(1, 64, self.WIDTH) * 0.02)
        encoder, decoder = nn.TransformerEncoderLayer(*sizes, **options), nn.TransformerDecoderLayer(*sizes, **options)
        self.encoder = nn.TransformerEncoder(encoder, self.LAYERS, enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(decoder, self.LAYERS)
        self.latent = nn.Linear(self.WIDTH, self.WIDTH)
        self.out = nn.Linear(self.WIDTH, self.VOCABULARY)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(self.STEPS))

    def forward(self, ids, read):
        positions = self.positions[:, : ids.size(1)]
        h = self.encoder(self.embedding(ids) + positions)
        z = self.latent(h.mean(1, keepdim=True))
        y = self.decoder(self.embedding(read) + positions, z, tgt_mask=self.mask, tgt_is_causal=True)
        return F.cross_entropy(self.out(y).reshape(-1, self.VOCABULARY), ids.reshape(-1))


def batch(vocabulary, steps):
    ids = torch.randint(0, vocabulary, (BATCH, steps))
    return ids, torch.cat([torch.zeros(BATCH, 1, dtype=torch.long), ids[:, :-1]], 1)


def training_step(model, inputs):
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)

    def step():
        optimiser.zero_grad(set_to_none=True)
        model(*inputs()).backward()
        optimiser.step()

    return step


def measure(work, runs, warmup):
    seconds = []
    for i in range(warmup + runs):
        start = time.perf_counter()
        work()
        if i >= warmup:
            seconds.append(time.perf_counter() - start)
    return sorted(seconds)


def main(arguments):
    def after(flag, default):
        return int(arguments[arguments.index(flag) + 1]) if flag in arguments else default

    threads, rounds = after("--threads", 2), after("--rounds", 15)
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    names = ["lstm", "greedy", "encode", "transformer"]
    wanted = [n for n in names if n in arguments] or names
    as_json, rows = "--json" in arguments, []

    def report(name, seconds, items, unit):
        median = seconds[len(seconds) // 2]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        times = dict(median_ms=median * 1e3, min_ms=seconds[0] * 1e3, max_ms=seconds[-1] * 1e3)
        rows.append(dict(name=name, **times, per_second=items / median, unit=unit, peak_rss_mb=memory))
        if not as_json:
            spread = f"(min {times['min_ms']:.1f} max {times['max_ms']:.1f})"
            print(f"{name:24} {median * 1e3:9.1f} ms {spread} {items / median:9.0f} {unit}/s  rss {memory:.0f} MB", flush=True)

    if "lstm" in wanted:
        model = LstmVae()
        ids, read = batch(model.VOCABULARY, STEPS)
        step = training_step(model, lambda: (ids, read, torch.randn(BATCH, LATENT)))
        report("lstm train step", measure(step, rounds, 4), BATCH * STEPS, "tok")
    if "greedy" in wanted or "encode" in wanted:
        model = LstmVae().eval()
        with torch.inference_mode():
            for n in (64, 1) if "greedy" in wanted else ():
                z = torch.zeros(n, LATENT)
                report(f"lstm greedy batch {n}", measure(lambda: model.greedy(z), rounds, 3), n * STEPS, "tok")
            if "encode" in wanted:
                sentences = torch.randint(0, model.VOCABULARY, (SENTENCES, STEPS)).split(BATCH)
                seconds = measure(lambda: [model.encode(ids) for ids in sentences], -(-rounds // 4), 1)
                report("lstm encode 6400 x 20", seconds, SENTENCES, "sent")
    if "transformer" in wanted:
        model = TransformerAe()
        ids, read = batch(model.VOCABULARY, model.STEPS)
        step = training_step(model, lambda: (ids, read))
        report("transformer train step", measure(step, -(-rounds // 2), 3), BATCH * model.STEPS, "tok")
    if as_json:
        print(json.dumps(dict(torch=torch.__version__, threads=threads, rows=rows)))


if __name__ == "__main__":
    main(sys.argv[1:])
