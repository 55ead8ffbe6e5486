"""The gradients of a search, before their sign is taken, against PyTorch's autograd on the whole objective: cross-entropy, the
mask's size, its total variation with the borders (Eq. 2 and 3), and the canvas (Eq. 4).

The referee computes in float64 with the same weights; decisions that float32 cannot take are settled (decisions.py). What is
left is rounding: 1e-6 in relative L2, and 1e-4 is asked for. Each term is a hundred times that at least, so that none can be
wrong unseen."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from algorithm import ORDER, draw, objective, shuffle
from decisions import ROUNDING, Decisions, settle, undecided
from support import (
    SHIPPED_IMAGES,
    SHIPPED_LABELS,
    SHIPPED_MODEL,
    pixels_of,
    read_idx,
    relative_l2,
    shipped_net,
)

AGREED = 1e-4
TARGET, SEED = 3, 11
# Heavy enough that both are felt beside the cross-entropy.
ALPHA, TV = 30.0, 20.0


def arrays(shape, seed):
    """A mask with neighbours that differ, some of its pixels at the bounds exactly, and a canvas of three unequal channels."""
    random = np.random.default_rng(seed)
    mask = random.random(shape, np.float32)
    mask[random.random(shape) < 0.1] = 0
    mask[random.random(shape) < 0.1] = 1
    return mask, random.random((3, *shape), np.float32)


class Objective:
    """One minibatch with a mask and a canvas, for the referee."""

    def __init__(self, net, pixels, mask, canvas, authors):
        self.net, self.referee, self.pixels, self.authors = net, net.double(), pixels, authors
        self.mask, self.canvas = torch.tensor(mask), torch.tensor(canvas)

    def gradient(self, of_mask, flips=(), alpha=ALPHA, tv=TV):
        """dL/dm or dL/dx_c, with the decisions of `flips` taken the other way."""
        mask, canvas = self.mask.double().requires_grad_(True), self.canvas.double().requires_grad_(True)
        with Decisions(flips).of(self.referee):
            mixed = mask * canvas + (1 - mask) * self.pixels.double()
            loss = objective(self.referee, mixed, mask, TARGET, alpha=alpha, tv=tv, authors=self.authors)
            return torch.autograd.grad(loss, mask if of_mask else canvas)[0].numpy()

    def candidates(self):
        mixed = self.mask * self.canvas + (1 - self.mask) * self.pixels
        each = undecided(self.net, self.referee, mixed)
        return [(row, layer, unit) for row, some in enumerate(each) for layer, unit in some]

    def error(self, gradient, of_mask):
        """Relative L2 of a float32 program's gradient, and how many decisions were taken the other way for it."""
        exact = self.gradient(of_mask)
        error, candidates = relative_l2(gradient, exact), []
        if error > ROUNDING:
            candidates = self.candidates()
        if not candidates:
            return error, 0
        return settle(gradient, exact, candidates, lambda choices: np.stack([self.gradient(of_mask, c) for c in choices]))


class Gradient(unittest.TestCase):
    def dump(self, mask, canvas, fraction, batch, preset):
        """The library's gradients: of the mask, of the canvas, and so on."""
        with tempfile.TemporaryDirectory(prefix="iscp-gradient-") as folder:
            np.save(f"{folder}/mask.npy", mask)
            np.save(f"{folder}/canvas.npy", canvas)
            words = [TARGET, SEED, fraction, batch, preset, ALPHA, TV]
            subprocess.run(
                [os.environ["ISCP_GRADIENT"], SHIPPED_MODEL, SHIPPED_IMAGES, folder, *map(str, words)], check=True
            )
            count = len(list(Path(folder).glob("gradient-*.npy")))
            return [np.load(f"{folder}/gradient-{step}.npy") for step in range(count)]

    def check(self, fraction, batch, preset):
        images, labels = read_idx(SHIPPED_IMAGES), read_idx(SHIPPED_LABELS).astype(int)
        net, pixels = shipped_net(), pixels_of(images)
        mask, canvas = arrays(images.shape[1:], batch)
        gradients = self.dump(mask, canvas, fraction, batch, preset)
        dn = np.flatnonzero(draw(labels, fraction, SEED) & (labels != TARGET))
        order = shuffle(dn, SEED, ORDER, TARGET, 0)
        authors, minibatches = preset == "authors", np.split(order, range(batch, len(order), batch))
        self.assertEqual(len(gradients), len(minibatches))
        self.assertLess(len(minibatches[-1]), batch)  # the smaller one is among them
        for step, (ours, chosen) in enumerate(zip(gradients, minibatches)):
            of_mask = step % 2 == 0
            if authors and of_mask and step >= len(minibatches) - 2:
                continue  # the update that is dropped needs no gradient
            here = mask if step else np.full_like(mask, 0.5)
            theirs = Objective(net, pixels[chosen], here, canvas, authors)
            error, flipped = theirs.error(ours, of_mask)
            shares = [relative_l2(theirs.gradient(True, **{term: 0.0}), ours) for term in ("alpha", "tv")] if of_mask else []
            print(
                f"{preset}, {len(chosen)} images, d{'m' if of_mask else 'x_c'}: {error:.1e} with {flipped} decisions settled; "
                f"without a term {[f'{share:.1e}' for share in shares]}"
            )
            self.assertLessEqual(error, AGREED)
            for share in shares[: 2 if step else 1]:  # a mask of 0.5 everywhere has no variation
                self.assertGreater(share, 100 * AGREED)
            if of_mask and step:  # and it matters that the difference ends at the border, and what d|m| is at 0
                self.assertGreater(relative_l2(ours, self.without_borders(theirs)), 100 * AGREED)

    def without_borders(self, theirs):
        """The gradient of a variation whose last row and column meet the first ones."""
        mask = theirs.mask.double().requires_grad_(True)
        around = sum((mask.roll(1, axis) - mask).square().sum() for axis in (0, 1))
        rows, numbers = len(theirs.pixels), mask.numel()
        extra = torch.autograd.grad(TV * rows / numbers * around, mask)[0].numpy()
        return theirs.gradient(True, tv=0.0) + extra

    def test_paper(self):
        self.check(0.01, 4, "paper")  # 18 images of D_n: four, four, four, four, two

    def test_authors(self):
        self.check(0.01, 4, "authors")

    def test_a_smaller_minibatch_of_the_canvas(self):
        self.check(0.01, 5, "paper")  # five, five, five, three


if __name__ == "__main__":
    unittest.main()
