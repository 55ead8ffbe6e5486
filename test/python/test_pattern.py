"""Patterns: cutting, attaching, pictures."""

import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np

import iscp

PNG = b"\x89PNG\r\n\x1a\n"


class Pattern(unittest.TestCase):
    def setUp(self):
        self.mask = np.linspace(0, 1, 80, dtype=np.float32).reshape(8, 10)
        self.canvas = np.full((3, 8, 10), 0.5, np.float32)
        self.pattern = iscp.Pattern.cut(self.mask, self.canvas, 7, size=0.1)

    def test_info(self):
        info = self.pattern.info
        self.assertEqual((info.target, info.channels, info.height, info.width, info.pixels), (7, 3, 8, 10, 8))
        self.assertEqual((info.tied, info.tied_kept), (0, 0))
        self.assertEqual((self.pattern.size, self.pattern.gamma), (0.1, None))

    def test_positions(self):
        self.assertEqual(self.pattern.positions.tolist(), [79, 78, 77, 76, 75, 74, 73, 72])
        self.assertEqual(np.flatnonzero(self.pattern.mask).tolist(), list(range(72, 80)))
        with self.assertRaises(ValueError):
            self.pattern.positions[0] = 0

    def test_cuts(self):
        cut = iscp.Pattern.cut(self.mask, self.canvas, 0, gamma=0.5)
        self.assertEqual((cut.info.pixels, cut.size, cut.gamma), (40, None, 0.5))
        self.assertEqual(iscp.Pattern.cut(self.mask, self.canvas, 0).info.pixels, 4)
        with self.assertRaisesRegex(ValueError, "not by both"):
            iscp.Pattern.cut(self.mask, self.canvas, 0, size=0.1, gamma=0.1)
        with self.assertRaises(iscp.ArgumentError):
            iscp.Pattern.cut(self.mask, self.canvas, 0, gamma=1.0)

    def test_ties(self):
        flat, evidence = np.ones((8, 10), np.float32), np.arange(80, dtype=np.int32).reshape(8, 10)
        by_index = iscp.Pattern.cut(flat, self.canvas, 0, evidence=evidence, ties="index")
        by_evidence = iscp.Pattern.cut(flat, self.canvas, 0, evidence=evidence)
        self.assertEqual(by_index.positions.tolist(), [0, 1, 2, 3])
        self.assertEqual(by_evidence.positions.tolist(), [79, 78, 77, 76])
        self.assertEqual((by_index.info.tied, by_index.info.tied_kept), (80, 4))

    def test_attach(self):
        image = np.zeros((3, 8, 10), np.float32)
        put = self.pattern.attach(image)
        self.assertEqual((image.max(), put[:, self.pattern.mask].min(), put[:, ~self.pattern.mask].max()), (0, 0.5, 0))
        many = self.pattern.attach(np.stack([image, image + 1]))
        np.testing.assert_array_equal(many[0], put)
        self.assertEqual((many[1][:, self.pattern.mask].max(), many[1][:, ~self.pattern.mask].min()), (0.5, 1))
        with self.assertRaisesRegex(ValueError, r"image must be of shape \(3, 8, 10\)"):
            self.pattern.attach(image[:1].copy())

    def test_added(self):
        v = np.zeros((3, 8, 10), np.float32)
        v[:, 2, 3], v[1, 4, 5] = -0.5, 0.25
        added = iscp.Pattern.added(v, 6)
        self.assertEqual((added.kind, self.pattern.kind, added.info.pixels, added.info.target), ("add", "replace", 2, 6))
        self.assertEqual(added.positions.tolist(), [23, 45])
        self.assertEqual(added.values.tolist(), [[-0.5] * 3, [0, 0.25, 0]])
        self.assertEqual(self.pattern.values.shape, (8, 3))
        image = np.linspace(0, 1, 240, dtype=np.float32).reshape(3, 8, 10)
        np.testing.assert_array_equal(added.attach(image), np.clip(image + v, 0, 1))
        self.assertTrue(added.png().startswith(PNG))
        with self.assertRaisesRegex(iscp.ArgumentError, "zero throughout"):
            iscp.Pattern.added(np.zeros_like(v), 0)
        with self.assertRaisesRegex(iscp.ArgumentError, r"perturbation\[0\] is 2, expected -1 to 1"):
            iscp.Pattern.added(np.full_like(v, 2), 0)

    def test_pictures(self):
        picture = self.pattern.png(scale=3)
        self.assertEqual((picture[:8], struct.unpack(">II", picture[16:24])), (PNG, (30, 24)))
        self.assertTrue(self.pattern._repr_png_().startswith(PNG))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "é.png")
            self.pattern.write_png(path, scale=3)
            self.assertEqual(path.read_bytes(), picture)
