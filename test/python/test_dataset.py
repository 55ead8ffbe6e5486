"""Datasets: files, arrays, and what comes out."""

import csv
import gzip
import os
import pickle
import tarfile
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

    def test_arrays_without_a_copy(self):
        pixels = self.pixels[:4].copy()
        data = iscp.Dataset.from_arrays(pixels, self.labels[:4], support.model(), copy=False)
        pixels[1] = 255
        self.assertEqual(data[1][0].min(), 1)
        del pixels  # the dataset keeps it
        self.assertEqual(data[1][0].min(), 1)
        self.assertEqual(iscp.Dataset.from_arrays(self.pixels[:4], self.labels[:4], support.model()).kind, "memory")

    def test_layouts(self):
        contract = iscp.Contract(size=8)
        images = np.arange(2 * 3 * 8 * 8, dtype=np.uint8).reshape(2, 3, 8, 8)
        expected = images / np.float32(255)
        for copy in True, False:
            planes = iscp.Dataset.from_arrays(images, [0, 1], contract, copy=copy)
            np.testing.assert_array_equal(planes[:][0], expected)
            last = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
            np.testing.assert_array_equal(iscp.Dataset.from_arrays(last, [0, 1], contract, copy=copy)[:][0], expected)
        odd = np.zeros((1, 3, 8, 3), np.uint8)  # three rows, or three channels
        odd[0, 0] = 255
        rows = iscp.Dataset.from_arrays(odd, [0], iscp.Contract(size=8, pad=(0, 5, 0, 0)))
        self.assertEqual((rows[0][0][:, 0].min(), rows[0][0][:, 1:].max()), (1, 0))
        channels = iscp.Dataset.from_arrays(odd, [0], iscp.Contract(size=8, pad=(0, 0, 0, 5)), layout="nchw")
        self.assertEqual((channels[0][0][0, :, :3].min(), channels[0][0][1:].max()), (1, 0))
        with self.assertRaises(ValueError):
            iscp.Dataset.from_arrays(images, [0, 1], contract, layout="hwcn")

    def test_npz(self):
        x, y = self.pixels[:6], self.labels[:6]
        with tempfile.TemporaryDirectory() as folder:
            for save in np.savez, np.savez_compressed:
                path = Path(folder, save.__name__ + ".npz")
                save(path, x_train=x, y_train=y, x_test=np.asfortranarray(x[:4]), y_test=y[:4].astype(np.int64))
                data = iscp.Dataset.open(path, input=support.model())
                np.testing.assert_array_equal(data[:][0], support.data(4)[:][0])
                self.assertEqual((data.kind, data.labels.tolist()), ("npz", y[:4].tolist()))
                self.assertEqual(len(iscp.Dataset.open(path, "train", support.model())), 6)
                save(path, train_images=x, train_labels=y[:, None], extra=np.array([{}], dtype=object))
                self.assertEqual(iscp.Dataset.open(path, "train", support.model()).labels.tolist(), y.tolist())

    def test_cifar(self):
        random = np.random.default_rng(0)
        names = "airplane automobile bird cat deer dog frog horse ship truck".split()
        parts = {name: random.integers(0, 256, (3, 3072), np.uint8) for name in (*map(str, range(1, 6)), "test")}
        labels = {name: random.integers(0, 10, 3, np.uint8) for name in parts}
        with tempfile.TemporaryDirectory() as folder:
            binary, python = Path(folder, "cifar-10-batches-bin"), Path(folder, "cifar-10-batches-py")
            binary.mkdir()
            python.mkdir()
            for name, images in parts.items():
                stem = "test_batch" if name == "test" else "data_batch_" + name
                records = np.concatenate([labels[name][:, None], images], 1)
                (binary / (stem + ".bin")).write_bytes(records.tobytes())
                batch = {b"data": images, b"labels": labels[name].tolist(), b"batch_label": b"x"}
                (python / stem).write_bytes(pickle.dumps(batch, protocol=2))
            (binary / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
            archive = Path(folder, "cifar-10-binary.tar.gz")
            with tarfile.open(archive, "w:gz") as file:
                file.add(binary, binary.name)
            converted = Path(folder, "cifar.npz")
            iscp.convert_cifar(python, converted)
            contract = iscp.Contract(size=32)
            for split, stems in ("test", ["test"]), ("train", list("12345")):
                images = np.concatenate([parts[s] for s in stems]).reshape(-1, 3, 32, 32) / np.float32(255)
                for path in binary, folder, archive, converted:
                    data = iscp.Dataset.open(path, split, contract)
                    np.testing.assert_array_equal(data[:][0], images)
                    self.assertEqual(data.labels.tolist(), np.concatenate([labels[s] for s in stems]).tolist())
                    if path != converted:
                        self.assertEqual((data.kind, data.class_names), ("CIFAR-10", names))
            with self.assertRaisesRegex(iscp.UnsupportedError, "convert_cifar"):
                iscp.Dataset.open(python, input=contract)
            with self.assertRaises(FileNotFoundError):
                iscp.convert_cifar(binary, converted)
            (python / "test_batch").write_bytes(pickle.dumps({b"data": tempfile.mkdtemp}))
            with self.assertRaisesRegex(ValueError, "names tempfile.mkdtemp"):
                iscp.convert_cifar(folder, converted)

    def test_pictures_with_a_table(self):
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("Pillow is not installed")
        model = support.model()
        with tempfile.TemporaryDirectory() as folder:
            for i in range(4):
                Image.fromarray(self.pixels[i]).save(Path(folder, f"{i}.png"))
            with open(Path(folder, "labels.csv"), "w", newline="") as file:
                rows = csv.writer(file)
                rows.writerows([["id", "label"], [2, "b, c"], [0, 'a"'], [1, "b, c"], [3, "z"]])
            data = iscp.Dataset.open(folder, input=model)
            self.assertEqual((data.class_names, data.labels.tolist()), (['a"', "b, c", "z"], [1, 0, 1, 2]))
            np.testing.assert_array_equal(data[0][0], support.data()[2][0])
            before = data.hash
            Path(folder, "1.png").write_bytes(b"")
            with self.assertRaisesRegex(iscp.FormatError, "1.png"):
                iscp.Dataset.open(folder, input=model)
            seen = []
            data = iscp.Dataset.open(folder, input=model, skip_broken=True, progress=seen.append, memory=-1)
            self.assertEqual((len(data), data.labels.tolist()), (3, [1, 0, 2]))
            self.assertEqual(([name for name, _ in data.broken], seen[-1].stage), (["1.png"], "check"))
            self.assertIn("is empty", data.broken[0][1])
            self.assertNotEqual(data.hash, before)
            with self.assertRaises(iscp.CancelledError):
                iscp.Dataset.open(folder, input=model, skip_broken=True, progress=lambda p: True)
            with self.assertRaises(ZeroDivisionError):
                iscp.Dataset.open(folder, input=model, skip_broken=True, progress=lambda p: 1 / 0)

    def test_a_hash_that_cannot_be_made(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "x.npy")
            np.save(path, self.pixels[:4])
            np.save(Path(folder, "x-labels.npy"), self.labels[:4])
            data = iscp.Dataset.open(path, input=support.model(), memory=1)
            os.truncate(path, 200)
            with self.assertRaisesRegex(iscp.FileError, "x.npy"):
                data.hash

    def test_does_not_fit(self):
        with self.assertRaises(iscp.MismatchError):
            iscp.Dataset.open(support.IMAGES, input=iscp.Contract(size=32))

    def test_read_image(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "canvas.npy")
            np.save(path, self.pixels[0])
            np.testing.assert_array_equal(iscp.read_image(path, support.model()), support.data()[0][0])
