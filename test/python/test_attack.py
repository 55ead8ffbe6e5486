"""Attacks from Python, and a model that is trained against them."""

import unittest

import numpy as np
import support

import iscp


def some(count=12):
    images, labels = zip(*(support.data()[i] for i in range(count)))
    return np.stack(images), np.array(labels)


class Attack(unittest.TestCase):
    def test_images_stay_near_and_fool_the_model(self):
        x, labels = some(40)
        for norm, eps in (("linf", 8 / 255), ("l2", 0.5)):
            with self.subTest(norm):
                found = iscp.attack(support.model(), x, labels, norm)
                self.assertEqual((found.shape, found.dtype), (x.shape, np.float32))
                change = (found - x).reshape(len(x), -1).astype(float)
                size = np.abs(change).max() if norm == "linf" else np.linalg.norm(change, axis=1).max()
                self.assertLessEqual(size, eps + 1e-6)  # rounding of float32
                self.assertGreater(size, 0.9 * eps)
                self.assertTrue(found.min() >= 0 and found.max() <= 1)
                right = [(support.model().logits(images).argmax(1) == labels).mean() for images in (x, found)]
                self.assertGreater(right[0], right[1] + 0.5)

    def test_towards_a_class(self):
        x, labels = some()
        wanted = (labels + 1) % 10
        found = iscp.attack(support.model(), x, wanted, "l2", 3, targeted=True, steps=30)
        self.assertGreaterEqual((support.model().logits(found).argmax(1) == wanted).mean(), 0.9)

    def test_starts_have_a_seed_and_a_number(self):
        x, labels = some(6)
        attack = iscp.Attack(support.model(), eps=0.1, steps=1, step=1e-6, seed=3, batch=6)
        self.assertEqual((attack.norm, attack.eps, attack.steps, attack.batch), ("linf", 0.1, 1, 6))
        whole = attack.run(x, labels)
        np.testing.assert_array_equal(attack.run(x, labels), whole)
        rest = attack.run(x[4:], labels[4:], np.array([4, 5]))
        np.testing.assert_allclose(rest, whole[4:], atol=3e-6)  # two steps of 1e-6 that may part
        other = iscp.Attack(support.model(), eps=0.1, steps=1, step=1e-6, seed=4, batch=6).run(x, labels)
        self.assertGreater(np.abs(other - whole).max(), 0.05)
        still = iscp.attack(support.model(), x, labels, steps=1, step=1e-6, random_start=False)
        self.assertLess(np.abs(still - x).max(), 2e-6)

    def test_robust_accuracy(self):
        heard = []
        found = iscp.robust_accuracy(support.model(), support.data(), "linf", 2 / 255, steps=5, progress=lambda p: heard.append(p.stage))
        self.assertEqual(found.images, 200)
        self.assertEqual(found.correct, iscp.check(support.model(), support.data()).correct)
        self.assertLess(found.robust, found.correct)
        self.assertEqual((found.accuracy, found.robust_accuracy), (found.correct / 200, found.robust / 200))
        low, high = found.robust_interval
        self.assertTrue(low < found.robust_accuracy < high < found.accuracy)
        self.assertEqual(set(heard), {"clean", "attack"})
        wide = iscp.robust_accuracy(support.model(), support.data(), "linf", 0.3, steps=5)
        self.assertEqual((wide.correct, wide.robust), (found.correct, 0))

    def test_wrong_arguments(self):
        x, labels = some(2)
        with self.assertRaisesRegex(ValueError, "norm must be one of 'linf', 'l2'"):
            iscp.attack(support.model(), x, labels, "l1")
        with self.assertRaisesRegex(iscp.ArgumentError, "eps is 2"):
            iscp.attack(support.model(), x, labels, eps=2)
        with self.assertRaisesRegex(iscp.ArgumentError, "labels.1. is 10"):
            iscp.attack(support.model(), x, [0, 10])
        with self.assertRaisesRegex(ValueError, "labels must be of shape"):
            iscp.attack(support.model(), x, [0])
        with self.assertRaisesRegex(iscp.ArgumentError, "targeted is 1"):
            iscp.Attack(support.model(), targeted=True).accuracy(support.data())


class Training(unittest.TestCase):
    """A small network on 1,000 of the shipped images, tried on 300 others: what is promised of adversarial training."""

    def test_it_raises_robust_accuracy(self):
        model = iscp.Model.create(18, width=4, stem="cifar", classes=10, seed=1, size=28, mean=0.286, std=0.353, channels=1)
        data = iscp.Dataset.open(support.IMAGES, input=model)
        images, labels = (np.stack(some) for some in zip(*(data[i] for i in range(1300))))
        images = (255 * images[:, 0]).round().astype(np.uint8)
        learned, tried = (iscp.Dataset.from_arrays(images[s], labels[s], input=model, classes=10) for s in (slice(1000), slice(1000, None)))
        found = {}
        for attack in (None, "linf"):
            trainer = iscp.Trainer(model, learned, epochs=4, batch=25, attack=attack, attack_eps=0.1 if attack else 0)
            self.assertEqual([s.epoch for s in trainer], [1, 2, 3, 4])
            found[attack] = iscp.robust_accuracy(trainer.model, tried, "linf", 0.1)
        print({attack: (r.accuracy, r.robust_accuracy) for attack, r in found.items()}, flush=True)
        self.assertLess(found[None].robust_accuracy, 0.15)
        self.assertGreater(found["linf"].robust_accuracy, found[None].robust_accuracy + 0.25)
        with self.assertRaisesRegex(ValueError, "attack must be one of"):
            iscp.Trainer(model, learned, attack="l1")


if __name__ == "__main__":
    unittest.main()
