#!/usr/bin/env python3
"""One step of Algorithm 1, and one of training, by libiscp and by PyTorch, side by side on one machine in one run.

    compare_pytorch.py BENCH [--cases 224:4,32-cifar:4,32-cifar:20] [--train 32-imagenet:128,32-cifar:64]
                       [--memory 224:20] [--threads 2] [--seconds 20] [--json FILE]

BENCH is the program test/bench/bench of a build. It runs as a process of its own that steps when it is asked to,
PyTorch in another one for each form, and they take turns: A B A B, both warm, so that the machine's drift meets both. What
counts is the median of the ratios of neighbours. PyTorch's step is the same work on the same shapes: mix with the mask,
normalise, forward, cross-entropy, backward to the mask, one step of each mask value by sign, clip. The forms:

    as written                   weights require gradients, as a model is after loading
    frozen                       they do not
    frozen, channels-last        activations and weights N H W C
    frozen, BN folded            batch norm folded into the convolutions
    frozen, BN folded, channels-last
    compiled                     the best of these through torch.compile, where that works

A step of training is forward with the batch's statistics, cross-entropy, backward to all weights, and SGD with Nesterov's
momentum and weight decay, as iscp train takes it; its forms are as written, channels-last, and compiled.

The best of them is the peer. Memory is the most that a process has held (VmHWM), weights and program included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ORACLE = Path(__file__).resolve().parents[1] / "oracle"
LANE = 4  # images of one search in a step; a batch of 20 is five lanes with a mask each
FORMS = {
    "as written": {},
    "frozen": {"freeze": True},
    "frozen, channels-last": {"freeze": True, "last": True},
    "frozen, BN folded": {"freeze": True, "fold": True},
    "frozen, BN folded, channels-last": {"freeze": True, "fold": True, "last": True},
}
TRAIN_FORMS = {"as written": {}, "channels-last": {"last": True}}


# ---- The step in PyTorch ----


def folded(model):
    """Every batch norm taken into the convolution before it; in its place nothing."""
    import torch
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for module in list(model.modules()):
        names = dict(module.named_children())
        pairs = [(f"conv{i}", f"bn{i}") for i in (1, 2, 3)] + [("0", "1")]
        for conv, norm in pairs:
            if isinstance(names.get(norm), torch.nn.BatchNorm2d):
                setattr(module, conv, fuse_conv_bn_eval(names[conv], names[norm]))
                setattr(module, norm, torch.nn.Identity())
    return model


class Step:
    """A step as a function without arguments."""

    def __init__(self, size, stem, batch, form, compiled=False):
        import torch
        from resnet import ResNet, randomize

        classes = 10 if stem == "cifar" else 1000
        model = randomize(ResNet(50, 64, stem, classes), 1)
        if form.get("fold"):
            model = folded(model)
        if form.get("freeze"):
            model.requires_grad_(False)
        order = torch.channels_last if form.get("last") else torch.contiguous_format
        model = model.to(memory_format=order)
        lanes = batch // LANE if batch % LANE == 0 else 1
        rows = batch // lanes
        generator = torch.Generator().manual_seed(2)
        self.pool = torch.rand(2, lanes, rows, 3, size, size, generator=generator)
        self.canvas = torch.rand(lanes, 1, 3, size, size, generator=generator)
        self.mask = torch.full((lanes, 1, 1, size, size), 0.5)
        self.mean, self.std = torch.full((3, 1, 1), 0.45), torch.full((3, 1, 1), 0.25)
        self.target = torch.zeros(batch, dtype=torch.long)
        self.alpha = rows * 0.2 / (size * size)
        self.order, self.turn, self.torch = order, 0, torch
        self.model = torch.compile(model) if compiled else model

    def __call__(self):
        torch = self.torch
        self.turn ^= 1
        images, mask = self.pool[self.turn], self.mask.requires_grad_(True)
        mixed = (mask * self.canvas + (1 - mask) * images - self.mean) / self.std
        logits = self.model(mixed.flatten(0, 1).contiguous(memory_format=self.order))
        loss = torch.nn.functional.cross_entropy(logits, self.target, reduction="sum") + self.alpha * mask.abs().sum()
        loss.backward()
        with torch.no_grad():
            self.mask = (mask - 0.02 * mask.grad.sign()).clamp_(0, 1).detach()
        # As optimizer.zero_grad of a loop that is written so: gradients of the weights are not kept.
        self.model.zero_grad(set_to_none=True)


class TrainStep:
    """A step of training as a function without arguments."""

    def __init__(self, size, stem, batch, form, compiled=False):
        import torch
        from resnet import ResNet, randomize

        order = torch.channels_last if form.get("last") else torch.contiguous_format
        model = randomize(ResNet(50, 64, stem, 10 if stem == "cifar" else 1000), 1).train().to(memory_format=order)
        generator = torch.Generator().manual_seed(2)
        self.images = torch.rand(batch, 3, size, size, generator=generator).contiguous(memory_format=order)
        self.labels = torch.zeros(batch, dtype=torch.long)
        rate = 1e-6  # as on the other side: the weights stay where the numbers are of an ordinary size
        self.optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=5e-4, nesterov=True)
        self.torch, self.model = torch, torch.compile(model) if compiled else model

    def __call__(self):
        loss = self.torch.nn.functional.cross_entropy(self.model(self.images), self.labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def most_memory():
    text = Path("/proc/self/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) * 1024


def serve(arguments):
    """The same lines on standard input as the program bench --serve understands."""
    import torch

    torch.set_num_threads(arguments.threads)
    sys.path.insert(0, str(ORACLE))
    if arguments.train:
        (case,) = read_cases(arguments.train)
        step = TrainStep(*case, TRAIN_FORMS[arguments.form], arguments.compiled)
    else:
        (case,) = read_cases(arguments.cases)
        step = Step(*case, FORMS[arguments.form], arguments.compiled)
    step()
    print("ready", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "run":
            start = time.perf_counter()
            for _ in range(int(words[1])):
                step()
            print(time.perf_counter() - start, flush=True)
        elif words[0] == "memory":
            print(most_memory(), flush=True)


# ---- Taking turns ----


class Side:
    """A process that steps on request. OpenMP's threads spin for some milliseconds when they wait, then sleep: they do
    not keep the processor from the other side."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if self.process.stdout.readline().strip() != "ready":
            lines = self.process.communicate()[1].strip().splitlines()
            raise RuntimeError(lines[-1] if lines else f"{command[0]} ended before it was ready")

    def ask(self, line):
        print(line, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


def ours(arguments, case, work="step"):
    size, stem, batch = case
    return Side(arguments.bench, "--serve", "--sizes", f"{size}-{stem}", "--batches", batch, "--works", work,
                "--backends", "onednn", "--threads", arguments.threads)  # fmt: skip


def theirs(arguments, case, form, compiled=False, work="step"):
    size, stem, batch = case
    words = ["--form", form, "--train" if work == "train" else "--cases", f"{size}-{stem}:{batch}"]
    words += ["--threads", arguments.threads]
    return Side(sys.executable, __file__, *words, *(["--compiled"] if compiled else []))


def measure(arguments, case, form, compiled=False, work="step"):
    """Median milliseconds an image of both, and the median of the ratios of neighbours."""
    batch = case[2]
    with ours(arguments, case, work) as a, theirs(arguments, case, form, compiled, work) as b:
        for side in (a, b):
            side.ask("run 2")
        each = max(1, round(0.3 / a.ask("run 1")))
        mine, other, peaks = [], [], []
        end = time.monotonic() + arguments.seconds
        while time.monotonic() < end or len(mine) < 3:
            peaks.append(a.ask("peak"))
            mine.append(a.ask(f"run {each}") / each / batch * 1e3)
            other.append(b.ask(f"run {each}") / each / batch * 1e3)
    ratios = [theirs / ours for theirs, ours in zip(other, mine)]
    return {
        "form": form + (", compiled" if compiled else ""),
        "libiscp_ms": statistics.median(mine),
        "pytorch_ms": statistics.median(other),
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "pairs": len(mine),
        "peak_gflops": statistics.median(peaks),
    }


def show(row):
    print(
        f"  {row['form']:<44} libiscp {row['libiscp_ms']:7.1f}   PyTorch {row['pytorch_ms']:7.1f} ms an image   "
        f"ratio {row['ratio']:5.2f} ({row['ratio_low']:.2f} to {row['ratio_high']:.2f}, {row['pairs']} pairs)",
        flush=True,
    )


def compare(arguments, case, forms, work="step"):
    size, stem, batch = case
    print(f"{work}, {size}x{size}, {stem} stem, batch {batch}, {arguments.threads} threads", flush=True)
    rows = []
    for form in forms:
        rows.append(measure(arguments, case, form, work=work))
        show(rows[-1])
    best = min(rows, key=lambda row: row["ratio"])
    if arguments.compile:
        try:
            rows.append(measure(arguments, case, best["form"], compiled=True, work=work))
            show(rows[-1])
        except (RuntimeError, OSError, ValueError) as error:
            print(f"  {best['form']}, compiled: skipped, torch.compile does not work here ({error})")
    best = min(rows, key=lambda row: row["ratio"])
    print(f"  the peer is \"{best['form']}\": libiscp is {best['ratio']:.2f} times as fast", flush=True)
    return {"size": size, "stem": stem, "batch": batch, "forms": rows, "peer": best["form"]}


def compare_memory(arguments, case, forms):
    size, stem, batch = case
    with ours(arguments, case) as side:
        side.ask("run 2")
        mine = side.ask("memory")
    rows = {"libiscp": mine}
    for form in forms:
        with theirs(arguments, case, form) as side:
            side.ask("run 2")
            rows[form] = side.ask("memory")
    print(f"memory of a process at {size}x{size}, {stem} stem, batch {batch}, weights included:")
    for name, amount in rows.items():
        print(f"  {name:<44} {amount / 1e6:7.0f} MB   {amount / mine:.2f} times libiscp's")
    return {"size": size, "stem": stem, "batch": batch, "bytes": rows}


# ---- The command ----


def read_cases(text):
    """"224:4,32-cifar:20" -> [(224, "imagenet", 4), (32, "cifar", 20)]"""
    cases = []
    for item in filter(None, text.split(",")):
        shape, batch = item.split(":")
        size, _, stem = shape.partition("-")
        cases.append((int(size), stem or "imagenet", int(batch)))
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bench", nargs="?", help="the program test/bench/bench of a build")
    parser.add_argument("--cases", default="224:4,32-cifar:4,32-cifar:20", help="SIZE[-STEM]:BATCH with commas")
    parser.add_argument("--train", default="", help="the same of steps of training, or nothing, the default")
    parser.add_argument("--memory", default="224:20", help="where memory is compared, or nothing")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20, help="of each form, and of each case")
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="without torch.compile")
    parser.add_argument("--json", help="file for the same as JSON")
    parser.add_argument("--smoke", action="store_true", help="does it still work? One form at a small size")
    parser.add_argument("--form", choices=[*FORMS, *TRAIN_FORMS], help=argparse.SUPPRESS)
    parser.add_argument("--compiled", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.form:
        return serve(arguments)
    if not arguments.bench:
        parser.error("BENCH is missing: the program test/bench/bench of a build")
    try:
        import torch
    except ImportError as error:
        print(f"skipped: PyTorch is not installed ({error})")
        sys.exit(77)
    forms, train_forms = list(FORMS), list(TRAIN_FORMS)
    if arguments.smoke:
        forms, train_forms = ["frozen, BN folded"], ["channels-last"]
        arguments.cases, arguments.train, arguments.memory = "32:4", "32:4", "32:4"
        arguments.seconds, arguments.compile = 0.1, False
    result = {"torch": torch.__version__, "threads": arguments.threads}
    print(f"PyTorch {torch.__version__}")
    result["steps"] = [compare(arguments, case, forms) for case in read_cases(arguments.cases)]
    result["training"] = [compare(arguments, case, train_forms, "train") for case in read_cases(arguments.train)]
    result["memory"] = [compare_memory(arguments, case, forms) for case in read_cases(arguments.memory)]
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
