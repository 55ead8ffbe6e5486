"""Datasets: files, arrays, and what comes out."""

import gzip
import tempfile
import unittest
from pathlib import Path

import numpy as np
import support

import iscp


def stored(name):
    """An IDX file's content, read by numpy alone."""
    raw = gzip.decompress((support.ROOT / "examples/data" / name).read_bytes())
    shape = np.frombuffer(raw, ">i4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


class Dataset(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pixels = stored("t10k-2000-images-idx3-ubyte.gz")
        cls.labels = stored("t10k-2000-labels-idx1-ubyte.gz").astype(np.int32)

    def test_file(self):
        data = iscp.Dataset.open(support.IMAGES, input=support.model())
        self.assertEqual((len(data), data.classes, data.class_names), (2000, 10, None))
        np.testing.assert_array_equal(data.labels, self.labels)
        self.assertFalse(data.labels.flags.writeable)
        self.assertRegex(data.hash, "^[0-9a-f]{64}$")
        self.assertEqual(data.contract, support.model().contract)

    def test_images(self):
        data = support.data()
        image, label = data[5]
        self.assertEqual((image.shape, image.dtype, label), ((3, 28, 28), np.float32, self.labels[5]))
        for channel in image:
            np.testing.assert_allclose(channel, self.pixels[5] / 255, atol=1e-7)
        np.testing.assert_array_equal(data[-1][0], data[199][0])
        for index in (200, -201):
            with self.assertRaises(IndexError):
                data[index]

    def test_slices_and_iteration(self):
        data = support.data(6)
        images, labels = data[1:5:2]
        self.assertEqual(images.shape, (2, 3, 28, 28))
        np.testing.assert_array_equal(labels, self.labels[[1, 3]])
        np.testing.assert_array_equal(images[1], data[3][0])
        self.assertEqual([label for _, label in data], self.labels[:6].tolist())

    def test_arrays(self):
        grey = iscp.Dataset.from_arrays(self.pixels[:6], self.labels[:6], input=support.model(), classes=10)
        np.testing.assert_array_equal(grey[:][0], support.data(6)[:][0])
        self.assertEqual(grey.hash, iscp.Dataset.from_arrays(self.pixels[:6], self.labels[:6], grey).hash)
        colour = np.zeros((2, 24, 24, 3), np.uint8)
        colour[..., 0] = 255
        data = iscp.Dataset.from_arrays(colour, [0, 2], input=iscp.Contract(size=28, pad=2))
        self.assertEqual((len(data), data.classes), (2, 3))
        image = data[0][0]
        self.assertEqual((image[0, 2:26, 2:26].min(), image[1:].max(), image[0, :2].max()), (1, 0, 0))

    def test_limit_and_classes(self):
        self.assertEqual(len(iscp.Dataset.from_arrays(self.pixels[:9], self.labels[:9], support.model(), limit=4)), 4)
        self.assertEqual(iscp.Dataset.from_arrays(self.pixels[:2], [0, 1], support.model(), classes=10).classes, 10)

    def test_labels_file(self):
        with tempfile.TemporaryDirectory() as folder:
            images, labels = Path(folder, "images.npy"), Path(folder, "other.npy")
            np.save(images, self.pixels[:4])
            np.save(labels, np.array([3, 1, 2, 0], np.uint8))
            data = iscp.Dataset.open(images, input=support.model(), labels=labels)
        self.assertEqual(data.labels.tolist(), [3, 1, 2, 0])

    def test_does_not_fit(self):
        with self.assertRaises(iscp.MismatchError):
            iscp.Dataset.open(support.IMAGES, input=iscp.Contract(size=32))

    def test_read_image(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "canvas.npy")
            np.save(path, self.pixels[0])
            np.testing.assert_array_equal(iscp.read_image(path, support.model()), support.data()[0][0])
