"""Grad-CAM: maps, patterns, the shift of attention, and pictures."""

import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np
from support import data, model

import iscp

PNG = b"\x89PNG\r\n\x1a\n"


class GradCam(unittest.TestCase):
    def setUp(self):
        self.image, self.label = data()[0]
        self.explain = iscp.GradCam(model())

    def test_map(self):
        found = self.explain.map(self.image)
        logits = model().logits(self.image[None])[0]
        self.assertEqual((found.map.shape, found.map.dtype), (self.image.shape[1:], np.float32))
        self.assertEqual((found.class_index, found.predicted), (logits.argmax(), logits.argmax()))
        self.assertAlmostEqual(found.logit, float(logits.max()), delta=1e-4 * logits.max())  # another batch: rounding
        self.assertEqual((found.map.min() >= 0, found.maximum), (True, found.map.max()))
        self.assertEqual(found.stage_size, (4, 4))
        other = self.explain.map(self.image, 3)
        self.assertEqual((other.class_index, other.predicted), (3, found.predicted))
        self.assertFalse(np.array_equal(other.map, found.map))
        self.assertEqual([iscp.GradCam(model(), stage).map(self.image).stage_size[0] for stage in (1, 2, 3)], [28, 14, 7])

    def test_pattern(self):
        found, pattern = self.explain.map(self.image, 3), self.explain.pattern(self.image, 3, size=0.1)
        self.assertEqual((pattern.info.target, pattern.info.pixels, pattern.size), (3, 78, 0.1))
        order = np.argsort(-found.map, axis=None, kind="stable")  # equal values by index
        np.testing.assert_array_equal(pattern.positions, order[:78])
        put = pattern.attach(np.zeros_like(self.image))
        np.testing.assert_array_equal(put, np.where(pattern.mask, self.image, 0))
        self.assertEqual(self.explain.pattern(self.image).info.pixels, 39)
        above = self.explain.pattern(self.image, gamma=0.5)
        self.assertEqual((above.size, above.gamma), (None, 0.5))

    def test_shift(self):
        pattern = self.explain.pattern(self.image, size=0.2)
        image = data()[1][0]
        shift = self.explain.shift(image, pattern)
        before, after = self.explain.map(image), self.explain.map(pattern.attach(image))
        self.assertEqual((shift.predicted_before, shift.predicted_after), (before.predicted, after.predicted))
        np.testing.assert_array_equal(shift.before, before.map)
        np.testing.assert_array_equal(shift.after, after.map)
        inside = after.map[pattern.mask].sum(dtype=float) / after.map.sum(dtype=float)
        self.assertAlmostEqual(shift.inside_after, inside, places=10)
        self.assertEqual((shift.target, shift.area), (pattern.info.target, pattern.info.pixels / 784))

    def test_pictures(self):
        found = self.explain.map(self.image)
        overlay = found.overlay(opacity=0.25)
        heat = iscp.heat_overlay(found.map, self.image, 1)
        np.testing.assert_allclose(overlay, self.image + 0.25 * (heat - self.image), atol=1e-6)  # roundings of float32
        self.assertEqual(found.png(2), iscp.image_png(found.overlay(), 2))
        self.assertTrue(found._repr_png_().startswith(PNG))
        picture = iscp.image_png(self.image, 3)
        self.assertEqual(struct.unpack(">II", picture[16:24]), (84, 84))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "é.png")
            iscp.write_image_png(self.image, path, 3)
            self.assertEqual(path.read_bytes(), picture)

    def test_wrong_arguments(self):
        for stage in (0, 5, 2**40):
            with self.assertRaisesRegex(ValueError, "stage"):
                iscp.GradCam(model(), stage)
        with self.assertRaisesRegex(ValueError, "class_index is 10"):
            self.explain.map(self.image, 10)
        with self.assertRaisesRegex(ValueError, "class_index is -1"):
            self.explain.map(self.image, -1)
        with self.assertRaisesRegex(iscp.ArgumentError, r"image\[0\] is 2, expected 0 to 1"):
            self.explain.map(self.image * 0 + 2)
        with self.assertRaisesRegex(ValueError, "image must be of shape"):
            self.explain.map(self.image[:, 1:].copy())
        with self.assertRaisesRegex(TypeError, "float32"):
            self.explain.map(self.image.astype(float))
        small = iscp.Pattern.cut(np.ones((8, 8), np.float32), np.ones((3, 8, 8), np.float32), 0)
        with self.assertRaisesRegex(iscp.MismatchError, "3x8x8, expected 3x28x28"):
            self.explain.shift(self.image, small)
        with self.assertRaisesRegex(iscp.ArgumentError, "opacity is 2"):
            iscp.heat_overlay(self.explain.map(self.image).map, self.image, 2)
