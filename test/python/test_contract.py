"""Keywords become an input contract."""

import json
import struct
import tempfile
import unittest
import zlib
from pathlib import Path

import numpy as np

import support

import iscp
from iscp.contract import from_raw, to_raw


def to_f32(*values):
    return tuple(float(np.float32(value)) for value in values)


def png(width, height, value):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head, rows = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), (b"\0" + bytes([value]) * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Contract(unittest.TestCase):
    def test_defaults_are_the_librarys(self):
        contract = iscp.Contract()
        self.assertEqual((contract.size, contract.pad, contract.channels), ((224, 224), (0, 0, 0, 0), 3))
        self.assertEqual((contract.mean, contract.std), ((0, 0, 0), (1, 1, 1)))
        self.assertEqual((contract.shape, contract.height, contract.width), ((3, 224, 224), 224, 224))

    def test_one_number_or_several(self):
        self.assertEqual(iscp.Contract(size=32).size, (32, 32))
        self.assertEqual(iscp.Contract(size=(32, 48)).size, (32, 48))
        self.assertEqual(iscp.Contract(pad=2).pad, (2, 2, 2, 2))
        self.assertEqual(iscp.Contract(pad=[1, 2, 3, 4]).pad, (1, 2, 3, 4))
        self.assertEqual(iscp.Contract(mean=0.5).mean, (0.5, 0.5, 0.5))
        self.assertEqual(iscp.Contract(std=np.array([0.25, 0.5, 1])).std, (0.25, 0.5, 1))
        self.assertEqual(iscp.Contract(channels=1, mean=0.5, std=[0.25]).mean, (0.5,))
        self.assertEqual(iscp.Contract(size=np.int64(32)).size, (32, 32))

    def test_wrong_number_of_numbers(self):
        for keywords in ({"size": (1, 2, 3)}, {"pad": (1, 2)}, {"mean": (0, 0)}, {"channels": 1, "std": (1, 1, 1)}):
            with self.subTest(**keywords), self.assertRaisesRegex(ValueError, "must be one number or"):
                iscp.Contract(**keywords)

    def test_reaches_the_struct(self):
        raw = to_raw(iscp.Contract((30, 40), (1, 2, 3, 4), (0.25, 0.5, 0.75), (1, 2, 4)))
        self.assertEqual((raw.height, raw.width, raw.channels), (30, 40, 3))
        self.assertEqual((raw.pad_top, raw.pad_bottom, raw.pad_left, raw.pad_right), (1, 2, 3, 4))
        self.assertEqual((list(raw.mean), list(raw.std)), ([0.25, 0.5, 0.75], [1, 2, 4]))

    def test_geometry(self):
        contract = iscp.Contract(resize=256, crop=224)
        self.assertEqual((contract.size, contract.resize, contract.crop), ((224, 224), 256, (224, 224)))
        contract = iscp.Contract(size=(30, 40), pad=(1, 1, 2, 2), resize=(28, 36), filter="bicubic", crop_rule="floor")
        self.assertEqual((contract.resize, contract.crop, contract.filter), ((28, 36), None, "bicubic"))
        self.assertEqual(contract.crop_rule, "floor")
        self.assertEqual(iscp.Contract(crop=(20, 30), pad=1).size, (22, 32))
        raw = to_raw(iscp.Contract(order="BGR", range=255, resize=(8, 9), size=(8, 9)))
        self.assertEqual((raw.order, raw.range, raw.resize_height, raw.resize_width), (1, 255, 8, 9))
        for keywords in ({"filter": "lanczos"}, {"order": "rgb"}, {"crop_rule": "odd"}, {"resize": (1, 2, 3)}):
            with self.subTest(**keywords), self.assertRaises(ValueError):
                iscp.Contract(**keywords)

    def test_presets(self):
        self.assertIn("torchvision-v2", iscp.presets())
        for name, summary in iscp.presets().items():
            self.assertTrue(summary)
            self.assertEqual(iscp.Contract(preset=name).channels, 3)
        contract = iscp.Contract(preset="torchvision-v2")
        self.assertEqual((contract.resize, contract.crop, contract.size), (232, (224, 224), (224, 224)))
        self.assertEqual(contract.mean, to_f32(0.485, 0.456, 0.406))
        self.assertEqual(iscp.Contract(288, preset="torchvision-v2", resize=320).crop, (288, 288))
        grey = iscp.Contract(preset="mnist", channels=1)
        self.assertEqual((grey.mean, grey.pad, grey.shape), (to_f32(0.1307), (2, 2, 2, 2), (1, 32, 32)))
        with self.assertRaisesRegex(iscp.ArgumentError, "torchvision-v1"):
            iscp.Contract(preset="imagenet")

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "c.json")
            contract = iscp.Contract(preset="timm-0.95", order="BGR", mean=(1, 2, 3), range=255)
            contract.write(path, class_names=["a", "é"])
            self.assertEqual(json.loads(path.read_text())["classes"], ["a", "é"])
            self.assertEqual(iscp.Contract.read(path), contract)
            path.write_text(json.dumps({"crop_pct": 0.875, "size": 224, "resample": 3}))
            self.assertEqual(iscp.Contract.read(path).resize, 256)
            path.write_text("{}")
            with self.assertRaisesRegex(iscp.FormatError, "c.json"):
                iscp.Contract.read(path)

    def test_a_model_takes_it(self):
        contract = iscp.Contract(preset="kuangliu-cifar")
        self.assertEqual(iscp.Model.load(support.MODEL, contract=contract).contract, contract)
        model = iscp.Model.load(support.MODEL, preset="kuangliu-cifar", order="BGR")
        self.assertEqual((model.contract.order, model.contract_source), ("BGR", "options"))
        self.assertEqual(support.model().contract_source, "metadata")
        with self.assertRaisesRegex(ValueError, "exclude"):
            iscp.Model.load(support.MODEL, contract=contract, preset="none")
        with self.assertRaises(TypeError):
            iscp.Model.load(support.MODEL, colour="red")

    def test_images_are_resized_and_cropped(self):
        """A constant picture stays constant, and the zeros around a small one are the crop's."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.png")
            path.write_bytes(png(40, 30, 51))
            image = iscp.read_image(path, iscp.Contract(resize=24, crop=(24, 16)))
            self.assertEqual(image.shape, (3, 24, 16))
            np.testing.assert_array_equal(image, np.float32(51) / np.float32(255))
            image = iscp.read_image(path, iscp.Contract(crop=(32, 48)))
            self.assertEqual(np.count_nonzero(image), 3 * 30 * 40)
            np.testing.assert_array_equal(image[:, 1:31, 4:44], np.float32(0.2))

    def test_pictures_of_any_size(self):
        with tempfile.TemporaryDirectory() as folder:
            for label, sizes in {"a": [(40, 30), (30, 40)], "b": [(300, 20), (7, 9), (28, 28)]}.items():
                Path(folder, label).mkdir()
                for i, (width, height) in enumerate(sizes):
                    Path(folder, label, f"{i}.png").write_bytes(png(width, height, 51 * (i + 1)))
            data = iscp.Dataset.open(folder, input=iscp.Contract(resize=28, crop=28, filter="bicubic"))
            images, labels = data[:]
            self.assertEqual((images.shape, labels.tolist()), ((5, 3, 28, 28), [0, 0, 1, 1, 1]))
            expected = np.float32([51, 102, 51, 102, 153]) / np.float32(255)
            np.testing.assert_array_equal(images, np.broadcast_to(expected[:, None, None, None], images.shape))
            with self.assertRaisesRegex(iscp.MismatchError, "0.png.*becomes 28x37"):
                iscp.Dataset.open(folder, input=iscp.Contract(size=28, resize=28))[0]

    def test_is_a_value(self):
        contract = iscp.Contract(size=32, pad=2, mean=0.286, std=(0.1, 0.2, 0.3))
        self.assertEqual(from_raw(to_raw(contract)), contract)
        self.assertEqual(hash(from_raw(to_raw(contract))), hash(contract))
        self.assertNotEqual(iscp.Contract(size=28), contract)
        with self.assertRaises(AttributeError):
            contract.size = (1, 1)
