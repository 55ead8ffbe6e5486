"""Universal adversarial perturbations."""

import gc
import unittest

import numpy as np
import support

import iscp

QUICK = {"epochs": 1, "batch": 32}


class Uap(unittest.TestCase):
    def craft(self, **options):
        return iscp.uap(support.model(), support.data(), 8, **{"eps": 0.1, **QUICK, **options})

    def test_a_perturbation_is_judged_like_any_pattern(self):
        found = self.craft(fraction=0.5, seed=3)
        self.assertTrue(found.info.finished)
        self.assertEqual((found.method, found.eps, found.batch, found.epochs), ("sgd", 0.1, 32, 1))
        self.assertAlmostEqual(found.step, 0.08)
        v = found.perturbation
        self.assertEqual((v.shape, v.dtype), ((3, 28, 28), np.float32))
        self.assertEqual(np.abs(v).max(), np.float32(0.1))  # after several steps of 0.08
        evaluation = iscp.Evaluation(support.model(), support.data(), "searched", 0.5, 3)
        power = evaluation.power(found.pattern())
        self.assertEqual((power.nontarget, power.nontarget_hits), (found.info.images, found.info.fooled))
        self.assertEqual((power.asr, power.asr_interval), (found.asr, found.info.asr_interval))
        by_hand = iscp.Pattern.added(v.copy(), 8)
        self.assertEqual(evaluation.power(by_hand).nontarget_hits, found.info.fooled)

    def test_its_strongest_pixels(self):
        found = self.craft(epochs=2)
        pattern = found.pattern(0.05)
        self.assertEqual((pattern.info.pixels, pattern.size, pattern.kind), (39, 0.05, "add"))
        strength = np.abs(found.perturbation).sum(0).ravel()
        kept = np.zeros(784, bool)
        kept[pattern.positions] = True
        self.assertGreaterEqual(strength[kept].min(), strength[~kept].max())

    def test_deepfool(self):
        found = self.craft(method="deepfool", eps=0.5, epochs=3, stop=0.5)
        self.assertGreaterEqual(found.asr, 0.5)
        self.assertIn("deepfool", repr(found))

    def test_interrupted_it_goes_on(self):
        class Stop(Exception):
            pass

        def stop_later(progress):
            if progress.done >= 64:
                raise Stop

        whole = self.craft(batch=16)
        part = iscp.Uap(support.model(), support.data(), 8, 0.1, epochs=1, batch=16)
        with self.assertRaises(Stop):
            part.run(stop_later)
        self.assertFalse(part.info.finished)
        self.assertIn("0 of 1 epochs", repr(part))
        part.run()
        np.testing.assert_array_equal(part.perturbation, whole.perturbation)
        self.assertEqual(part.info, whole.info)

    def test_arrays_outlive_it(self):
        found = self.craft()
        v, pattern, kept = found.perturbation, found.pattern(), found.perturbation.copy()
        del found
        gc.collect()
        np.testing.assert_array_equal(v, kept)
        self.assertEqual(pattern.info.target, 8)
        with self.assertRaises(ValueError):
            v[0] = 0

    def test_wrong_arguments(self):
        cases = [
            ({"eps": float("nan")}, "eps is nan"),
            ({"eps": 0}, "eps is 0, expected more than 0"),
            ({"step": -1}, "step is -1"),
            ({"fraction": 2}, "fraction is 2"),
        ]
        for options, words in cases:
            with self.subTest(options), self.assertRaisesRegex(iscp.ArgumentError, words):
                self.craft(**options)
        with self.assertRaisesRegex(iscp.ArgumentError, "class 10 is out of range, expected 0 to 9"):
            iscp.Uap(support.model(), support.data(), 10)
        with self.assertRaisesRegex(ValueError, "method must be one of 'sgd', 'deepfool'"):
            self.craft(method="pgd")


if __name__ == "__main__":
    unittest.main()
