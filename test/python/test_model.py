"""Loading, saving and running a model."""

import concurrent.futures
import tempfile
import unittest
from pathlib import Path

import numpy as np
import support

import iscp

GOLDEN = sorted((support.ROOT / "test/golden").glob("toy-*.safetensors"))


class Model(unittest.TestCase):
    def setUp(self):
        self.model = support.model()
        self.images, self.labels = support.data()[:]

    def test_what_it_is(self):
        info = self.model.info
        self.assertEqual((info.depth, info.stem, info.classes, info.channels), (50, "cifar", 10, 3))
        self.assertGreater(info.parameters, 1_000_000)
        self.assertGreater(info.multiply_adds, info.parameters)
        self.assertEqual(self.model.contract.shape, (3, 28, 28))
        self.assertEqual(len(self.model.class_names), 10)
        self.assertRegex(self.model.hash, "^[0-9a-f]{64}$")

    def test_where_its_weights_came_from(self):
        self.assertEqual(self.model.source, "safetensors, names of torchvision")
        with self.assertRaisesRegex(iscp.MismatchError, 'no state dict "ema"'):
            iscp.Model.load(support.MODEL, state_dict="ema")

    def test_widths_and_stride(self):
        info = iscp.Model.create(50, width=4, stem="cifar", classes=3, size=16, planes=6, inner=12, stride="1x1").info
        self.assertEqual((info.width, info.planes, info.inner, info.stride), (4, 6, 12, "1x1"))
        info = self.model.info
        self.assertEqual((info.planes, info.inner, info.stride), (16, 16, "3x3"))
        turned = iscp.Model.load(support.MODEL, stride="1x1")
        self.assertEqual(turned.info.stride, "1x1")
        self.assertGreater(np.abs(turned.logits(self.images[:4]) - self.model.logits(self.images[:4])).max(), 0.01)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "turned.safetensors"
            turned.save(path)
            self.assertEqual(iscp.Model.load(path).info.stride, "1x1")
            self.assertEqual(iscp.Model.load(path, stride="3x3").info.stride, "3x3")
        with self.assertRaisesRegex(ValueError, "stride"):
            iscp.Model.load(support.MODEL, stride="2x2")

    def test_keywords_replace_the_contract(self):
        model = iscp.Model.load(support.MODEL, size=(30, 34), pad=(1, 1, 3, 3), mean=0.5, class_names=["é"] * 10)
        self.assertEqual(model.contract, iscp.Contract(size=(30, 34), pad=(1, 1, 3, 3), mean=0.5))
        self.assertEqual(model.class_names, ["é"] * 10)
        self.assertEqual(model.logits(np.zeros((1, 3, 30, 34), np.float32)).shape, (1, 10))

    def test_logits(self):
        logits = self.model.logits(self.images)
        self.assertEqual((logits.shape, logits.dtype), ((200, 10), np.float32))
        self.assertGreater(np.mean(logits.argmax(1) == self.labels), 0.85)
        self.assertEqual(self.model.logits(self.images[:0]).shape, (0, 10))

    def test_batches_change_rounding_only(self):
        logits = self.model.logits(self.images[:7])
        for batch in (1, 3, 16):
            # float32 through 50 layers, another order of summing: 1e-3 of logits near 10.
            np.testing.assert_allclose(self.model.logits(self.images[:7], batch=batch), logits, atol=1e-2)
        with self.assertRaises(iscp.ArgumentError):
            self.model.logits(self.images[:7], batch=-1)

    def test_gradient_is_that_of_the_losses(self):
        x, targets = self.images[:3], (self.labels[:3] + 1) % 10
        gradient, losses = self.model.input_gradient(x, targets, return_losses=True)
        self.assertEqual((gradient.shape, gradient.dtype, losses.shape), (x.shape, np.float32, (3,)))
        logits = self.model.logits(x).astype(np.float64)
        expected = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
        np.testing.assert_allclose(losses, expected - logits[range(3), targets], rtol=1e-3, atol=1e-4)
        # A small step down the gradient lowers the loss by the square of its norm, to first order.
        for i in range(3):
            norm = np.linalg.norm(gradient[i])
            step = (1e-3 / norm) * gradient[i]
            moved = np.stack([x[i] - step, x[i] + step])
            low, high = self.model.input_gradient(moved, [targets[i]] * 2, return_losses=True)[1]
            # ReLU's kinks and float32's rounding of the difference leave a tenth.
            self.assertAlmostEqual((high - low) / 2e-3 / norm, 1, delta=0.1)

    def test_gradient_in_batches(self):
        x, targets = self.images[:5], self.labels[:5]
        whole = self.model.input_gradient(x, targets)
        parts = self.model.input_gradient(x, targets, batch=2)
        np.testing.assert_allclose(parts, whole, atol=1e-3 * np.abs(whole).max())

    def test_threads_share_a_model(self):
        alone = self.model.logits(self.images[:8], batch=4)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for logits in pool.map(lambda _: self.model.logits(self.images[:8], batch=4), range(6)):
                np.testing.assert_array_equal(logits, alone)

    def test_create(self):
        small = dict(depth=18, width=4, stem="cifar", classes=3, size=(10, 12), mean=0.3, class_names=list("abc"))
        model = iscp.Model.create(**small, seed=7)
        self.assertEqual((model.info.depth, model.info.width, model.info.stem, model.info.classes), (18, 4, "cifar", 3))
        self.assertEqual(model.contract, iscp.Contract(size=(10, 12), mean=0.3))
        self.assertEqual(model.class_names, list("abc"))
        self.assertEqual(model.hash, iscp.Model.create(**small, seed=7).hash)
        self.assertNotEqual(model.hash, iscp.Model.create(**small, seed=8).hash)
        self.assertEqual(model.logits(np.zeros((2, 3, 10, 12), np.float32)).shape, (2, 3))
        with self.assertRaisesRegex(iscp.ArgumentError, "depth is 20"):
            iscp.Model.create(20)
        with self.assertRaisesRegex(ValueError, "stem"):
            iscp.Model.create(stem="other")

    def test_save(self):
        with tempfile.TemporaryDirectory() as folder:
            half, full = Path(folder, "half.safetensors"), Path(folder, "full.safetensors")
            self.model.save(half, half=True)
            self.model.save(full)
            self.assertLess(half.stat().st_size, 0.6 * full.stat().st_size)
            again = iscp.Model.load(full)
            self.assertEqual((again.contract, again.class_names), (self.model.contract, self.model.class_names))
            np.testing.assert_array_equal(again.logits(self.images[:4]), self.model.logits(self.images[:4]))

    @unittest.skipUnless(GOLDEN, "there are no toy models")
    def test_toy_models(self):
        for path in GOLDEN:
            with self.subTest(path.name):
                model = iscp.Model.load(path)
                rng = np.random.default_rng(0)
                x = rng.random((3, *model.contract.shape), np.float32)
                logits = model.logits(x)
                self.assertEqual(logits.shape, (3, model.info.classes))
                self.assertTrue(np.isfinite(logits).all())
                self.assertEqual(model.input_gradient(x, [0, 0, 0]).shape, x.shape)
