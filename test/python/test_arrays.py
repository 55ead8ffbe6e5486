"""Arrays of the wrong kind are refused before the library sees them."""

import unittest

import numpy as np
import support

import iscp


class Images(unittest.TestCase):
    def setUp(self):
        self.model = support.model()
        self.x = np.zeros((2, *self.model.contract.shape), np.float32)

    def refused(self, kind, message, x, *more):
        function = self.model.input_gradient if more else self.model.logits
        with self.assertRaisesRegex(kind, message):
            function(x, *more)

    def test_dtype(self):
        self.refused(TypeError, "x must be of dtype float32, not float64", self.x.astype(np.float64))
        self.refused(TypeError, "x must be of dtype float32, not uint8", self.x.astype(np.uint8))
        self.refused(TypeError, "x must be of dtype float32", self.x.astype(">f4"))
        self.refused(TypeError, "x must be a numpy array of float32, not list", self.x.tolist())

    def test_shape(self):
        self.refused(ValueError, r"x must be of shape \(N, 3, 28, 28\), not \(3, 28, 28\)", self.x[0])
        self.refused(ValueError, "x must be of shape", np.zeros((2, 28, 28, 3), np.float32))
        self.refused(ValueError, "x must be of shape", np.zeros((2, 3, 32, 32), np.float32))

    def test_contiguity(self):
        self.refused(ValueError, r"C-contiguous: pass np.ascontiguousarray\(x\)", self.x[:, ::-1])
        self.refused(ValueError, "C-contiguous", np.zeros((4, *self.model.contract.shape), np.float32)[::2])
        unaligned = np.zeros(self.x.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(self.x.shape)
        self.refused(ValueError, "C-contiguous", unaligned)

    def test_targets(self):
        self.refused(TypeError, "targets must be integers", self.x, [0.0, 1.0])
        self.refused(TypeError, "targets must be integers", self.x, [True, False])
        self.refused(ValueError, r"targets must be of shape \(2,\), not \(3,\)", self.x, [0, 1, 2])
        self.refused(ValueError, "targets holds a value beyond int32", self.x, [0, 2**32])
        self.refused(iscp.ArgumentError, ".", self.x, [0, 10])
        self.refused(iscp.ArgumentError, ".", self.x, [0, -1])


class Pixels(unittest.TestCase):
    def refused(self, kind, message, images, labels):
        with self.assertRaisesRegex(kind, message):
            iscp.Dataset.from_arrays(images, labels, input=support.model())

    def test_dataset(self):
        images = np.zeros((2, 28, 28), np.uint8)
        self.refused(TypeError, "images must be of dtype uint8, not float32", images.astype(np.float32), [0, 1])
        self.refused(ValueError, r"images must be of shape \(N, H, W, C\), not \(2, 28\)", images[:, 0], [0, 1])
        self.refused(ValueError, "images must be C-contiguous", images[:, :, ::-1], [0, 1])
        self.refused(TypeError, "labels must be integers", images, [0.5, 1])
        self.refused(ValueError, r"labels must be of shape \(2,\), not \(1,\)", images, [0])
        with self.assertRaisesRegex(TypeError, "input must be a Model or a Contract, not NoneType"):
            iscp.Dataset.from_arrays(images, [0, 1])

    def test_pattern(self):
        mask, canvas = np.zeros((28, 28), np.float32), np.zeros((3, 28, 28), np.float32)
        evidence = np.zeros((28, 28), np.int32)
        for arguments, keywords, message in (
            ((mask.astype(np.float64), canvas, 0), {}, "mask must be of dtype float32"),
            ((mask, canvas[:, 1:], 0), {}, r"canvas must be of shape \(C, 28, 28\)"),
            ((mask, canvas, 0), {"evidence": evidence.astype(np.int64)}, "evidence must be of dtype int32"),
            ((mask, canvas, 0), {"evidence": evidence[1:]}, "evidence must be of shape"),
            ((mask, canvas, 0), {"ties": "coin"}, "ties must be one of"),
        ):
            with self.subTest(message), self.assertRaisesRegex((TypeError, ValueError), message):
                iscp.Pattern.cut(*arguments, **keywords)

    def test_canvas(self):
        for canvas, message in (
            (np.zeros((3, 32, 32), np.float32), r"canvas must be of shape \(3, 28, 28\), not \(3, 32, 32\)"),
            (np.zeros((3, 28, 28)), "canvas must be of dtype float32"),
            ("bright", "canvas must be one of 'positive', 'negative', 'random', 'white', not 'bright'"),
            ("user", "canvas must be one of"),
            ([], "canvas names no kind"),
        ):
            with self.subTest(message), self.assertRaisesRegex((TypeError, ValueError), message):
                iscp.search(support.model(), support.data(), canvas=canvas)
