"""The seeded draws, exactly: which images are searched on, and in what order. The tests of the search would show a
wrong draw as well, but only as two masks that differ."""

import unittest

import numpy as np
import torch
from algorithm import CANVAS, draw, philox, shuffle
from support import SHIPPED_IMAGES, SHIPPED_LABELS, SHIPPED_MODEL, logits, pixels_of, read_idx, shipped_net

import iscp


class Philox(unittest.TestCase):
    def test_known_answers(self):
        """Those published with Random123 for philox4x32-10."""
        ones = 0xFFFFFFFF
        for counter, key, answer in (
            ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
            ([ones] * 4, [ones] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
            (
                [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
                [0xA4093822, 0x299F31D0],
                "d16cfe09 94fdcceb 5001e420 24126ea1",
            ),
        ):
            words = philox([np.array([word], np.uint64) for word in counter], key)
            self.assertEqual(" ".join(f"{int(word[0]):08x}" for word in words), answer)


class Draw(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model, cls.net = iscp.Model.load(SHIPPED_MODEL), shipped_net()
        cls.images, cls.labels = read_idx(SHIPPED_IMAGES), read_idx(SHIPPED_LABELS).astype(int)

    def dataset(self, images, labels):
        return iscp.Dataset.from_arrays(np.ascontiguousarray(images), labels, input=self.model, classes=10)

    def test_random_canvases_are_the_shuffle(self):
        data = self.dataset(self.images[:12], self.labels[:12])
        options = {"canvas": "random", "canvases": 12, "epochs": 1, "fraction": 0.01}
        for seed in (0, 5, 2**63 + 11):
            found = iscp.search(self.model, data, [3], seed=seed, **options)[3]
            expected = shuffle(np.arange(12), seed, CANVAS, 3, 0)
            self.assertEqual([canvas.image for canvas in found.canvases], expected.tolist())

    def test_searched_images(self):
        """One image that the model gets right among black ones, which it gets wrong: the accuracy over the searched
        images says whether it is one of them."""
        black = int(logits(self.net, torch.zeros(1, 3, 28, 28)).argmax())
        answers = logits(self.net, pixels_of(self.images[:200])).argmax(1)
        good = np.flatnonzero((answers == self.labels[:200]) & (answers != black) & (answers < 3))[:24]
        labels, fraction, seed = self.labels[good], 0.3, 3
        expected = draw(labels, fraction, seed)
        self.assertTrue(0 < expected.sum() < len(good))
        for i in range(len(good)):
            images = np.zeros((len(good), 28, 28), np.uint8)
            images[i] = self.images[good[i]]
            evaluation = iscp.Evaluation(self.model, self.dataset(images, labels), "searched", fraction, seed)
            self.assertEqual(evaluation.count, expected.sum())
            self.assertEqual(round(evaluation.accuracy * evaluation.count), int(expected[i]), f"image {i}")

    def test_dn(self):
        """With steps too small to move the mask, an epoch's objective is that of the first mask over D_n."""
        count, target, fraction = 400, 5, 0.03
        images, labels = self.images[:count], self.labels[:count]
        data, pixels = self.dataset(images, labels), pixels_of(images)
        options = {"canvases": 1, "epochs": 2, "batch": 1, "fraction": fraction, "step": 1e-12, "alpha": 0.2}
        objectives = {}
        for seed in (0, 1):
            (canvas,) = iscp.search(self.model, data, [target], seed=seed, **options)[target].canvases
            dn = np.flatnonzero(draw(labels, fraction, seed) & (labels != target))
            self.assertEqual(canvas.steps, 2 * len(dn))
            mixed = 0.5 * torch.tensor(canvas.canvas) + 0.5 * pixels[dn]
            values = torch.from_numpy(logits(self.net, mixed))
            entropy = torch.nn.functional.cross_entropy(values, torch.full((len(dn),), target)).item()
            objectives[seed] = entropy + 0.2 * 0.5
            # Rounding: the logits are within 1e-6 of the largest, which is about ten times the mean entropy.
            np.testing.assert_allclose(canvas.epochs, objectives[seed], rtol=1e-5)
        # Other images would show.
        self.assertGreater(abs(objectives[0] / objectives[1] - 1), 1e-3)
