#!/usr/bin/env python3
"""No test: the figures of one full search on the reference model, for comparison with those of an independent run of
PyTorch 1.13 (class 0, top positive canvas, `paper` preset, 2,000 images for D_n, the other 8,000 for PW). Another seed
moves them by about 0.1. Takes minutes.

    ISCP_LIBRARY=... PYTHONPATH=bindings/python python3 test/oracle/orientation.py [--seed N] [--torch]"""

import argparse
import time

import numpy as np
import torch
from algorithm import best_pixels, search
from support import FASHION, REFERENCE_INPUT, REFERENCE_MODEL, pixels_of, read_idx, reference_net

import iscp

SIZES = (0.01, 0.02, 0.03, 0.05, 0.1)
PUBLISHED = {
    "objective": ".083 .068 .068 .069 .069",
    "at 1 / at 0": "91 563",
    "PW, ties by index": ".04 .07 .23 .34 .98",
    "PW, ties by evidence": ".07 .11 .14 .29 1.10",
}


def line(name, values, digits):
    text = " ".join(f"{value:.{digits}f}".removeprefix("0") if digits else str(value) for value in values)
    print(f"{name:22} {text:32} published: {PUBLISHED[name]}", flush=True)


def show(evaluation, mask, evidence, canvas, epochs):
    line("objective", epochs, 3)
    line("at 1 / at 0", [int((mask == 1).sum()), int((mask == 0).sum())], 0)
    for ties in "index", "evidence":
        cuts = [iscp.Pattern.cut(mask, canvas, 0, size=size, evidence=evidence, ties=ties) for size in SIZES]
        line(f"PW, ties by {ties}", [evaluation.power(pattern).pw for pattern in cuts], 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--torch", action="store_true", help="also with PyTorch's gradients in the loop, and compare")
    args = parser.parse_args()
    model = iscp.Model.load(REFERENCE_MODEL, **REFERENCE_INPUT)
    data = iscp.Dataset.open(FASHION, split="test", input=model)
    started = time.time()
    result = iscp.search(model, data, [0], canvases=1, preset="paper", seed=args.seed)
    found = result[0].selected
    print(f"seed {args.seed}, canvas: test image {found.image} (published: 7311), {time.time() - started:.0f} s")
    show(result.evaluation(), found.mask, found.evidence, found.canvas, found.epochs)
    if not args.torch:
        return
    started = time.time()
    pixels = pixels_of(read_idx(FASHION / "t10k-images-idx3-ubyte.gz"), REFERENCE_INPUT["pad"])
    theirs = search(reference_net(), pixels, data.labels, torch.tensor(found.canvas), 0, seed=args.seed)
    print(f"PyTorch {torch.__version__} in the loop, same order, {time.time() - started:.0f} s")
    show(result.evaluation(), theirs.mask, theirs.evidence.astype(np.int32), found.canvas, theirs.epochs)
    print(f"{(theirs.mask == found.mask).mean():.1%} of the mask equal")
    for size in SIZES:
        ours, best = (best_pixels(f.mask, f.evidence, size) for f in (found, theirs))
        print(f"{np.intersect1d(ours, best).size} of the best {len(best)} pixels shared")


if __name__ == "__main__":
    main()
