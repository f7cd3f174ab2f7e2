#!/usr/bin/env python3
"""Runs our benchmark and PyTorch's in turns and prints the ratios as a Markdown table.

    benches/compare.py [--rounds N] [--threads N] [--python PYTHON] [--ours PROGRAM] [WORKLOAD ...]

Each workload of each side is a process of its own, so that the peak memory is that workload's. The two sides alternate
within each round; a ratio is PyTorch's median over ours in the same round, and the table gives the median of the
ratios with their range, and the ratio of the least times of all rounds, which other programs disturb least. PYTHON (default: this one) needs torch; tcmalloc is preloaded for it. PROGRAM is the built
benchmark (default: built with cargo). With --wait S a round starts when the machine has been idle for a moment, or
after S seconds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TCMALLOC = "libtcmalloc_minimal.so.4"
WORKLOADS = ["lstm", "greedy", "encode", "transformer"]
# A processor that is busy for less than this part of half a second counts as idle.
IDLE = 0.06


def build():
    command = ["cargo", "bench", "-p", "strait-engine", "--bench", "steps", "--no-run", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    programs = [m.get("executable") for m in map(json.loads, lines) if m.get("target", {}).get("name") == "steps"]
    return next(p for p in programs if p)


def run(command, environment):
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | environment).stdout
    return json.loads(output.splitlines()[-1])


def busy():
    with open("/proc/stat") as f:
        ticks = [int(x) for x in f.readline().split()[1:]]
    return sum(ticks[:3]) + sum(ticks[5:8]), sum(ticks[:8])


def wait_for_quiet(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = busy()
        time.sleep(0.5)
        after = busy()
        if after[0] - before[0] <= IDLE * (after[1] - before[1]):
            return


def check_preload():
    errors = subprocess.run(["true"], stderr=subprocess.PIPE, text=True, env=os.environ | {"LD_PRELOAD": TCMALLOC}).stderr
    if errors:
        sys.exit(f"{TCMALLOC} cannot be preloaded: install libtcmalloc-minimal4 first; PyTorch is slow without it.")


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", default=WORKLOADS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--ours")
    parser.add_argument("--wait", type=float, default=0.0)
    options = parser.parse_args()
    check_preload()
    threads = ["--threads", str(options.threads), "--json"]
    sides = {
        "ours": ([options.ours or build()], {}),
        "torch": ([options.python, os.path.join(ROOT, "benches", "pytorch_steps.py")], {"LD_PRELOAD": TCMALLOC}),
    }
    figures, about = {}, {}
    for i in range(options.rounds):
        for workload in options.workloads:
            for side in sorted(sides, reverse=bool(i % 2)):
                wait_for_quiet(options.wait)
                program, environment = sides[side]
                result = run([*program, workload, *threads], environment)
                about[side] = result.get("torch") or result.get("simd")
                for row in result["rows"]:
                    figures.setdefault(row["name"], {}).setdefault(side, []).append(row)
        print(f"round {i + 1} of {options.rounds} done", file=sys.stderr)
    print(f"PyTorch {about['torch']} with tcmalloc, ours {about['ours']}; {options.threads} threads each; "
          f"{options.rounds} rounds, each side's medians; ratio: PyTorch / ours.\n")
    print("| workload | ours, ms | PyTorch, ms | ratio of times | of the least times | ours, MB | PyTorch, MB | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for name, both in figures.items():
        # "WORKLOAD, variant": another way of ours to do what PyTorch does in one.
        ours, torch = both["ours"], both.get("torch") or figures[name.split(",")[0]]["torch"]
        times = [[r["median_ms"] for r in side] for side in (ours, torch)]
        memory = [statistics.median(r["peak_rss_mb"] for r in side) for side in (ours, torch)]
        ratios = [t / o for o, t in zip(*times)]
        least = [min(r["min_ms"] for r in side) for side in (ours, torch)]
        print(f"| {name} | {spread(times[0], 1)} | {spread(times[1], 1)} | {spread(ratios, 2)} "
              f"| {least[1] / least[0]:.2f} ({least[0]:.1f}, {least[1]:.1f} ms) | {memory[0]:.0f} | {memory[1]:.0f} | {memory[0] / memory[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
