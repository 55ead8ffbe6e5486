"""Images as the library reads them against numpy's and Pillow's own reading: equal to the last bit, for the division of
a byte by 255 in float32 has one right answer."""

import gzip
import tempfile
import unittest
from pathlib import Path

import numpy as np
from support import SHIPPED_IMAGES, SHIPPED_LABELS, pixels_of, read_idx

import iscp

try:
    from PIL import Image
except ImportError:
    Image = None

PADDED = iscp.Contract(size=(33, 31), pad=(2, 3, 1, 2))
PLAIN = iscp.Contract(size=28)
COLOUR = iscp.Contract(size=(9, 12))


def colours(count=7):
    """u8 N x 9 x 12 x 3, each number another."""
    return np.random.default_rng(4).integers(0, 256, (count, 9, 12, 3), dtype=np.uint8)


def expected(images):
    """What a network gets of u8 N x H x W x 3: N x 3 x H x W in [0,1]."""
    return images.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


class Images(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def check(self, data, images, labels):
        pixels, found = data[:]
        np.testing.assert_array_equal(pixels, images)
        np.testing.assert_array_equal(found, labels)
        image, label = data[len(data) - 1]
        np.testing.assert_array_equal(image, images[-1])
        self.assertEqual(label, labels[-1])

    def test_idx(self):
        images, labels = read_idx(SHIPPED_IMAGES), read_idx(SHIPPED_LABELS)
        self.check(iscp.Dataset.open(SHIPPED_IMAGES, input=PLAIN), pixels_of(images).numpy(), labels)

    def test_idx_without_gzip(self):
        for path in SHIPPED_IMAGES, SHIPPED_LABELS:
            (self.folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        images, labels = read_idx(SHIPPED_IMAGES)[:50], read_idx(SHIPPED_LABELS)[:50]
        data = iscp.Dataset.open(self.folder / SHIPPED_IMAGES.stem, input=PLAIN, limit=50)
        self.check(data, pixels_of(images).numpy(), labels)

    def test_padding(self):
        images, labels = read_idx(SHIPPED_IMAGES)[:20], read_idx(SHIPPED_LABELS)[:20]
        padded = np.pad(pixels_of(images).numpy(), ((0, 0), (0, 0), (2, 3), (1, 2)))
        self.check(iscp.Dataset.open(SHIPPED_IMAGES, input=PADDED, limit=20), padded, labels)

    def test_npy(self):
        images, labels = colours(), np.arange(7) % 3
        np.save(self.folder / "set-labels.npy", labels)
        for layout, array in {
            "N x H x W x C": images,
            "N x C x H x W": images.transpose(0, 3, 1, 2),
            "in Fortran's order": np.asfortranarray(images),
        }.items():
            with self.subTest(layout):
                np.save(self.folder / "set.npy", array)
                self.check(iscp.Dataset.open(self.folder / "set.npy", input=COLOUR), expected(images), labels)

    def test_npy_grey(self):
        images, labels = colours()[..., 0], np.arange(7)
        np.save(self.folder / "set.npy", images)
        np.save(self.folder / "own.npy", labels.astype(np.uint8))
        data = iscp.Dataset.open(self.folder / "set.npy", input=COLOUR, labels=self.folder / "own.npy")
        self.check(data, expected(np.repeat(images[..., None], 3, 3)), labels)

    def test_arrays(self):
        images, labels = colours(), np.arange(7)
        self.check(iscp.Dataset.from_arrays(images, labels, input=COLOUR), expected(images), labels)

    @unittest.skipUnless(Image, "needs Pillow")
    def test_folder_of_png(self):
        images, labels = colours(6), np.array([0, 0, 0, 1, 1, 1])
        for i, (image, label) in enumerate(zip(images, labels)):
            path = self.folder / "ab"[label] / f"{i}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(image).save(path)
        data = iscp.Dataset.open(self.folder, input=COLOUR)
        self.assertEqual(data.class_names, ["a", "b"])
        self.check(data, expected(images), labels)

    @unittest.skipUnless(Image, "needs Pillow")
    def test_kinds_of_png(self):
        """Whatever the PNG holds, as Pillow turns it into RGB: alpha goes, palettes and greys become colours."""
        colour = Image.fromarray(colours(1)[0])
        kinds = {
            "L": colour.convert("L"),
            "P": colour.quantize(30),
            "RGBA": Image.fromarray(np.concatenate([colours(1)[0], colours(2)[1][..., :1]], 2)),
            "1": colour.convert("1"),
        }
        for mode, image in kinds.items():
            with self.subTest(mode):
                path = self.folder / "one.png"
                image.save(path)
                found = iscp.read_image(path, COLOUR)
                np.testing.assert_array_equal(found, expected(np.asarray(image.convert("RGB"))[None])[0])
