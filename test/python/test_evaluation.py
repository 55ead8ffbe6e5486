"""Judging patterns."""

import math
import unittest

import numpy as np
import support

import iscp


class Evaluation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.images, cls.labels = support.data()[:]
        cls.evaluation = iscp.Evaluation(support.model(), support.data(), images="all")

    def test_accuracy(self):
        predicted = support.model().logits(self.images).argmax(1)
        self.assertEqual(self.evaluation.count, 200)
        self.assertAlmostEqual(self.evaluation.accuracy, np.mean(predicted == self.labels), delta=0.011)

    def test_images(self):
        heldout = iscp.Evaluation(support.model(), support.data(), fraction=0.5, seed=1)
        searched = iscp.Evaluation(support.model(), support.data(), "searched", fraction=0.5, seed=1)
        self.assertEqual(heldout.count + searched.count, 200)
        with self.assertRaisesRegex(ValueError, "images must be one of 'heldout', 'all', 'searched'"):
            iscp.Evaluation(support.model(), support.data(), images="some")

    def test_power_of_a_whole_image(self):
        """A pattern that covers everything makes every image its canvas."""
        index = int(np.flatnonzero(support.model().logits(self.images).argmax(1) == self.labels)[0])
        target = int(self.labels[index])
        mask = np.ones((28, 28), np.float32)
        power = self.evaluation.power(iscp.Pattern.cut(mask, self.images[index], target, size=1.0))
        self.assertEqual((power.target, power.pixels, power.size, power.asr), (target, 784, 1.0, 1.0))
        self.assertEqual(power.nontarget_hits, power.nontarget)
        self.assertEqual(power.nontarget, (self.labels != target).sum())
        self.assertEqual(power.target_images, (self.labels == target).sum())
        self.assertLess(power.nontarget_clean, power.nontarget / 5)
        self.assertEqual(power.pw, power.asr / power.accuracy)
        for (low, high), rate in ((power.asr_interval, power.asr), (power.accuracy_interval, power.accuracy)):
            self.assertTrue(0 <= low <= rate <= high + 1e-9 <= 1 + 2e-9)

    def test_mean_std(self):
        self.assertEqual(iscp.mean_std([1.0, 3.0]), (2.0, 1.0))
        self.assertEqual(iscp.mean_std(power for power in (0.5,)), (0.5, 0.0))
        self.assertTrue(all(math.isnan(value) for value in iscp.mean_std([1, math.nan])))
