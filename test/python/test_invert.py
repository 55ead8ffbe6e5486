"""Feature inversion from Python."""

import unittest

import numpy as np
import support

import iscp

OPTIONS = {"steps": 4, "seed": 2, "count": 20, "batch": 8}


class Invert(unittest.TestCase):
    def test_what_is_made(self):
        model, data = support.model(), support.data()
        made = iscp.invert(model, data, first=5, **OPTIONS)
        self.assertEqual(len(made), 20)
        self.assertEqual((made.pixels.dtype, made.pixels.shape), (np.uint8, (20, 28, 28, 3)))
        self.assertEqual((made.images.dtype, made.images.shape), (np.float32, (20, 3, 28, 28)))
        np.testing.assert_array_equal(made.index, np.arange(5, 25))
        np.testing.assert_array_equal(made.labels, data.labels[5:25])
        self.assertTrue((made.starts != made.index).all())
        self.assertTrue((made.distances < made.start_distances).all())
        self.assertTrue((np.abs(made.stored_distances - made.distances) < 0.1).all())
        learned = iscp.Dataset.from_arrays(made.pixels, made.labels, made.contract)
        image, label = learned[3]
        self.assertEqual(label, data.labels[8])
        self.assertLessEqual(np.abs(image - made.images[3]).max(), 0.5 / 255 + 1e-6)

    def test_padding_is_not_done_twice(self):
        model = iscp.Model.load(support.MODEL, contract=iscp.Contract(32, pad=2, mean=0.286, std=0.353))
        data = iscp.Dataset.open(support.IMAGES, input=model, limit=4)
        made = iscp.invert(model, data, steps=1)
        self.assertEqual((made.pixels.shape, made.contract.pad), ((4, 32, 32, 3), (0, 0, 0, 0)))
        self.assertEqual(iscp.Dataset.from_arrays(made.pixels, made.labels, made.contract)[0][0].shape, (3, 32, 32))

    def test_batches_and_going_on_after_an_exception(self):
        model, data = support.model(), support.data()
        whole, calls = iscp.invert(model, data, **OPTIONS), []

        def stop(progress):
            calls.append(progress.stage)
            if len(calls) == 1:
                raise KeyboardInterrupt

        halted = iscp.Inversion(model, data, progress=stop, **OPTIONS)
        self.assertEqual((halted.count, halted.batch), (20, 8))
        with self.assertRaises(KeyboardInterrupt):
            next(halted)
        batches = list(halted)
        self.assertEqual([len(batch) for batch in batches], [8, 8, 4])
        self.assertEqual(set(calls), {"invert"})
        np.testing.assert_array_equal(np.concatenate([batch.pixels for batch in batches]), whole.pixels)

    def test_other_labels(self):
        model, data = support.model(), support.data()
        made = iscp.invert(model, data, "deterministic", steps=20, count=16)
        np.testing.assert_array_equal(made.labels, (data.labels[:16] + 1) % 10)
        np.testing.assert_array_equal(made.starts, made.index)
        answers = model.logits(np.ascontiguousarray(made.pixels.transpose(0, 3, 1, 2)) / np.float32(255)).argmax(1)
        np.testing.assert_array_equal(made.predicted, answers)
        away = np.linalg.norm((made.images - data[:16][0]).reshape(16, -1), axis=1)
        np.testing.assert_allclose(made.distances, away, atol=1e-5)
        self.assertLessEqual(away.max(), 0.5 + 1e-5)
        self.assertEqual(iscp.Inversion(model, data, "random").steps, 100)
        with self.assertRaisesRegex(ValueError, "kind must be one of"):
            iscp.invert(model, data, "none")
        with self.assertRaisesRegex(ValueError, "seed is -1"):
            iscp.invert(model, data, seed=-1)

    def test_wrong_arguments(self):
        for options, message in (
            ({"steps": -1}, "steps is -1"),
            ({"eps": 0}, "eps is 0"),
            ({"step": -1}, "step is -1"),
            ({"first": 200}, "first is 200, expected 0 to 199"),
            ({"count": 201}, "count is 201"),
        ):
            with self.assertRaisesRegex(iscp.ArgumentError, message):
                iscp.invert(support.model(), support.data(), **options)
        other = iscp.Dataset.open(support.IMAGES, input=iscp.Contract(32, pad=2, mean=0, std=1), limit=3)
        with self.assertRaisesRegex(iscp.MismatchError, "3x32x32"):
            iscp.invert(support.model(), other)


if __name__ == "__main__":
    unittest.main()
