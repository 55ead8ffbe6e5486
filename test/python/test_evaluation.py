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

    def patterns(self):
        mask = np.zeros((28, 28), np.float32)
        mask[2:26, 2:26] = 1
        return [iscp.Pattern.cut(mask, self.images[list(self.labels).index(y)], y, size=0.7) for y in (0, 1, 8)]

    def test_several_are_as_one_by_one(self):
        seen = []
        powers = self.evaluation.powers(iter(self.patterns()), progress=seen.append)
        self.assertEqual(powers, [self.evaluation.power(pattern) for pattern in self.patterns()])
        total = sum(power.nontarget for power in powers)
        self.assertEqual((seen[-1].stage, seen[-1].done, seen[-1].total), ("power", total, total))
        self.assertEqual(self.evaluation.powers([]), [])
        with self.assertRaises(iscp.CancelledError):
            self.evaluation.powers(self.patterns(), progress=lambda progress: True)

    def test_transfer(self):
        """Two evaluations of one model that differ by their images."""
        other = iscp.Evaluation(support.model(), support.data(), fraction=0.5)
        patterns = [self.patterns()[2:], self.patterns()[:2]]
        found = iscp.transfer([self.evaluation, other], patterns)
        for s, of_model in enumerate(patterns):
            for t, evaluation in enumerate((self.evaluation, other)):
                expected = [evaluation.power(pattern) for pattern in of_model]
                self.assertEqual(found.each[s][t], expected)
                self.assertAlmostEqual(found.powers[s, t], np.mean([p.pw for p in expected]), delta=1e-12)
        self.assertGreater(found.powers[0, 1], 0)
        np.testing.assert_array_equal(found.rates[0], [1, found.powers[0, 0] / found.powers[0, 1]])
        with self.assertRaisesRegex(ValueError, "patterns must be of 2 models, as evaluations, not of 1"):
            iscp.transfer([self.evaluation, other], patterns[:1])
        with self.assertRaisesRegex(ValueError, "none of one of the models"):
            iscp.transfer([self.evaluation], [[]])

    def test_mean_std(self):
        self.assertEqual(iscp.mean_std([1.0, 3.0]), (2.0, 1.0))
        self.assertEqual(iscp.mean_std(power for power in (0.5,)), (0.5, 0.0))
        self.assertTrue(all(math.isnan(value) for value in iscp.mean_std([1, math.nan])))
