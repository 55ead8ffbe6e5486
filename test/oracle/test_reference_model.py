"""A torchvision ResNet-50 trained on Fashion-MNIST, and its test images, all 10,000 with ISCP_TEST_ALL: the library against
PyTorch. The model is no part of the project: it is looked for beside it, or where ISCP_REFERENCE_MODEL says."""

import os
import unittest

import numpy as np
from decisions import ROUNDING, Settled
from support import (
    FASHION,
    REFERENCE_INPUT,
    REFERENCE_MODEL,
    input_gradient,
    logits,
    pixels_of,
    read_idx,
    reference_net,
    relative_l2,
)

import iscp

ALL = "ISCP_TEST_ALL" in os.environ
IMAGES = 10000 if ALL else 1000
# As its training recorded; of the first 1,000, as PyTorch counts.
ACCURACY = 0.8444
OTHER = 1  # two logits within rounding of each other may change places in one image
LOGITS = 1e-4  # of the largest; 8e-7 was seen
PROMISE = 1e-4  # relative L2 of an image's input gradient
GRADIENTS = 400 if ALL else 100


@unittest.skipUnless(REFERENCE_MODEL.exists(), f"there is no {REFERENCE_MODEL.name} beside the project")
@unittest.skipUnless(FASHION.exists(), "needs Debian's package dataset-fashion-mnist")
class ReferenceModel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.labels = read_idx(FASHION / "t10k-labels-idx1-ubyte.gz")[:IMAGES]
        cls.pixels = pixels_of(read_idx(FASHION / "t10k-images-idx3-ubyte.gz")[:IMAGES], REFERENCE_INPUT["pad"])
        cls.net = reference_net()
        cls.model = iscp.Model.load(REFERENCE_MODEL, **REFERENCE_INPUT)

    def test_logits(self):
        data = iscp.Dataset.open(FASHION, split="test", input=self.model)
        images, labels = data[:IMAGES]
        np.testing.assert_array_equal(images, self.pixels.numpy())
        np.testing.assert_array_equal(labels, self.labels)
        ours, theirs = self.model.logits(images), logits(self.net, self.pixels)
        error = np.abs(ours - theirs).max() / np.abs(theirs).max()
        same = int((ours.argmax(1) == theirs.argmax(1)).sum())
        accuracy = (ours.argmax(1) == self.labels).mean()
        print(f"accuracy {accuracy:.4f}, {same} of {len(ours)} answers equal, logits within {error:.1e} of the largest")
        self.assertGreaterEqual(same, IMAGES - OTHER)
        if ALL:
            self.assertEqual(round(accuracy, 4), ACCURACY)
        else:
            self.assertAlmostEqual(accuracy, (theirs.argmax(1) == self.labels).mean(), delta=1.5 * OTHER / IMAGES)
        self.assertLess(error, LOGITS)

    def test_gradient(self):
        pixels = self.pixels[:GRADIENTS]
        # Another class than the image's: that of an image which the model is sure of is lost in float32's softmax.
        targets = (self.labels[:GRADIENTS].astype(int) + 1) % 10
        ours, theirs = self.model.input_gradient(pixels.numpy(), targets), input_gradient(self.net, pixels, targets)
        settled = Settled(self.net, self.net.double(), pixels, targets, ours)
        print(f"gradient {settled}; all from PyTorch's float32 {relative_l2(ours, theirs):.1e}")
        # The promise of 1e-4 holds for each image once its decisions are settled (decisions.py says why); all but one in
        # a hundred are met to rounding. In those few a decision of little weight, about ROUNDING, stays unfound: 1.001e-5
        # was seen.
        self.assertLess(settled.errors.max(), PROMISE)
        self.assertGreaterEqual(np.mean(settled.errors < ROUNDING), 0.99)
        self.assertLess(np.median(settled.plain), ROUNDING)
