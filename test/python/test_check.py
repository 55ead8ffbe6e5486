"""Telling whether a model knows a set of images."""

import unittest

import numpy as np
import support

import iscp


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.images, cls.labels = support.data()[:]
        cls.predicted = support.model().logits(cls.images).argmax(1)
        cls.found = iscp.check(support.model(), support.data())

    def test_counts(self):
        right = self.predicted == self.labels
        # One image on the fence may fall to either side in another batch.
        self.assertAlmostEqual(self.found.correct, right.sum(), delta=1)
        self.assertEqual((self.found.images, self.found.plausible, self.found.causes), (200, True, ()))
        self.assertEqual([c.images for c in self.found.classes], np.bincount(self.labels, minlength=10).tolist())
        self.assertEqual(sum(c.predicted for c in self.found.classes), 200)
        self.assertEqual(sum(c.images for c in self.found.confusions), 200 - self.found.correct)
        self.assertIsNone(self.found.cause)

    def test_labels_in_another_order(self):
        order = np.roll(np.arange(10), 3)
        pixels = np.rint(self.images[:, :1] * 255).astype(np.uint8)
        data = iscp.Dataset.from_arrays(pixels, order[self.labels], input=support.model())
        found = iscp.check(support.model(), data, sample=200)
        self.assertFalse(found.plausible)
        self.assertEqual(found.cause.kind, "labels")
        np.testing.assert_array_equal(found.cause.labels[order], np.arange(10))
        with self.assertRaisesRegex(iscp.MismatchError, "the model is right on"):
            iscp.search(support.model(), data, **support.QUICK)
        self.assertEqual(list(iscp.search(support.model(), data, **support.QUICK, min_accuracy=None)), [0])

    def test_a_wrong_contract(self):
        wrong = iscp.Model.load(support.MODEL, size=28, mean=0.0, std=0.002)
        found = iscp.check(wrong, iscp.Dataset.open(support.IMAGES, input=wrong, limit=200), causes="always")
        self.assertEqual(found.cause.kind, "scale")
        right = iscp.Model.load(support.MODEL, contract=found.cause.contract)
        again = iscp.check(right, iscp.Dataset.open(support.IMAGES, input=right, limit=200))
        self.assertGreater(again.accuracy, 0.85)

    def test_progress_and_errors(self):
        stages = set()
        iscp.check(support.model(), support.data(), causes="always", sample=8, progress=lambda p: stages.add(p.stage))
        self.assertEqual(stages, {"clean", "causes"})
        with self.assertRaises(ZeroDivisionError):
            iscp.check(support.model(), support.data(), progress=lambda p: 1 / 0)
        with self.assertRaisesRegex(ValueError, "causes must be one of 'poor', 'always', 'never'"):
            iscp.check(support.model(), support.data(), causes="perhaps")
        with self.assertRaisesRegex(iscp.ArgumentError, "sample is -2"):
            iscp.check(support.model(), support.data(), sample=-2)
