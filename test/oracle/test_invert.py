"""Feature inversion against PyTorch's autograd in float64: the same starts, the same steps, on the shipped model.

The gradient of a ReLU network jumps where a unit is at zero, and rounding to float32 decides there. So the bounds hold for most
images, as they do for PyTorch's own float32, and loosely for all."""

import unittest

import numpy as np
import torch
from algorithm import random_words
from support import SHIPPED_IMAGES, SHIPPED_LABELS, SHIPPED_MODEL, pixels_of, read_idx, relative_l2_each, shipped_net

import iscp

IMAGES, COUNT, FIRST, STEP, SEED, PURPOSE = 300, 24, 7, 0.1, 5, 9


def features(net, pixels):
    model = net.model
    x = torch.relu(model.bn1(model.conv1((pixels - net.mean) / net.std)))
    return model.layer4(model.layer3(model.layer2(model.layer1(model.maxpool(x))))).mean((2, 3))


def distances(net, x, targets):
    with torch.no_grad():
        wanted = features(net, targets)
        return ((features(net, x) - wanted).norm(dim=1) / wanted.norm(dim=1)).numpy()


def invert(net, targets, starts, steps):
    """As the definition says, a batch at once: the distances do not know of each other."""
    with torch.no_grad():
        wanted, x = features(net, targets), starts.clone()
    for _ in range(steps):
        x.requires_grad_(True)
        (gradient,) = torch.autograd.grad((features(net, x) - wanted).norm(dim=1).sum(), x)
        x = (x.detach() - STEP * gradient / gradient.flatten(1).norm(dim=1)[:, None, None, None]).clamp(0, 1)
    return x.detach()


class Invert(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = iscp.Model.load(SHIPPED_MODEL)
        cls.data = iscp.Dataset.open(SHIPPED_IMAGES, input=cls.model, limit=IMAGES)
        cls.net, cls.pixels = shipped_net().double(), pixels_of(read_idx(SHIPPED_IMAGES)[:IMAGES]).double()
        cls.net.model.requires_grad_(False)
        cls.index = np.arange(FIRST, FIRST + COUNT)
        drawn = random_words(SEED, PURPOSE, 0, 0, cls.index) % np.uint64(IMAGES - 1)
        cls.starts = drawn.astype(np.int64) + (drawn.astype(np.int64) >= cls.index)

    def made(self, steps, batch):
        return iscp.invert(
            self.model, self.data, steps=steps, step=STEP, seed=SEED, first=FIRST, count=COUNT, batch=batch
        )

    def errors(self, made, steps):
        """Of what the steps did to each image, relative L2."""
        targets, starts = self.pixels[self.index], self.pixels[self.starts]
        theirs = invert(self.net, targets, starts, steps)
        return np.sort(relative_l2_each(made.images - starts.numpy(), (theirs - starts).numpy()))

    def test_one_step(self):
        made = self.made(1, 24)
        np.testing.assert_array_equal(made.index, self.index)
        np.testing.assert_array_equal(made.starts, self.starts)
        np.testing.assert_array_equal(made.labels, read_idx(SHIPPED_LABELS)[self.index])
        errors = self.errors(made, 1)
        print(f"one step: median {np.median(errors):.1e}, 20th of 24 {errors[19]:.1e}, largest {errors[-1]:.1e}")
        self.assertLess(errors[19], 1e-3)
        self.assertLess(errors[-1], 0.1)

    def test_ten_steps(self):
        """A decision taken the other way once is a slightly other path from there on, to about the same distance."""
        made = self.made(10, 7)  # in batches that do not divide them
        errors = self.errors(made, 10)
        print(f"ten steps: 6th of 24 {errors[5]:.1e}, median {np.median(errors):.1e}, largest {errors[-1]:.1e}")
        self.assertLess(errors[5], 1e-3)
        self.assertLess(errors[-1], 0.8)
        theirs = invert(self.net, self.pixels[self.index], self.pixels[self.starts], 10)
        self.assertLess(abs(made.distances.mean() - distances(self.net, theirs, self.pixels[self.index]).mean()), 0.01)

    def test_attacks(self):
        """Three steps of L2 towards the next class, kept in a ball that two of them fill: as written in attack.h."""
        clean = self.pixels[self.index]
        made = iscp.invert(
            self.model, self.data, "deterministic", steps=3, step=STEP, eps=0.2, first=FIRST, count=COUNT, batch=24
        )
        x, labels = clean.clone(), torch.from_numpy(made.labels).long()
        for _ in range(3):
            x.requires_grad_(True)
            loss = torch.nn.functional.cross_entropy(self.net.logits(x), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, x)
            moved = x.detach() - STEP * gradient / gradient.flatten(1).norm(dim=1)[:, None, None, None] - clean
            x = (clean + moved * (0.2 / moved.flatten(1).norm(dim=1)).clamp(max=1)[:, None, None, None]).clamp(0, 1)
        errors = np.sort(relative_l2_each(made.images - clean.numpy(), (x.detach() - clean).numpy()))
        print(f"attacks: 20th of 24 {errors[19]:.1e}, largest {errors[-1]:.1e}")
        self.assertLess(errors[19], 1e-2)
        self.assertLess(errors[-1], 0.5)
        stored = torch.from_numpy(made.pixels.astype(np.float32) / np.float32(255)).permute(0, 3, 1, 2)
        with torch.no_grad():
            np.testing.assert_array_equal(made.predicted, self.net.logits(stored.double()).argmax(1).numpy())

    def test_distances(self):
        """All three, of the very images: float32's rounding over fifty layers, 1e-4 of a distance of about 1."""
        made, targets = self.made(10, 24), self.pixels[self.index]
        stored = torch.from_numpy(made.pixels.astype(np.float64) / 255).permute(0, 3, 1, 2)
        np.testing.assert_array_equal(made.pixels, np.floor(made.images.transpose(0, 2, 3, 1) * np.float32(255) + np.float32(0.5)))
        for ours, x in (
            (made.start_distances, self.pixels[self.starts]),
            (made.distances, torch.from_numpy(made.images).double()),
            (made.stored_distances, stored),
        ):
            np.testing.assert_allclose(ours, distances(self.net, x, targets), rtol=0, atol=1e-4)
        self.assertLess(made.stored_distances.mean(), 0.7 * made.start_distances.mean())


if __name__ == "__main__":
    unittest.main()
