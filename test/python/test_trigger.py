"""Triggers and poisoned sets, against the same done by numpy."""

import math
import tempfile
import unittest
from pathlib import Path

import numpy as np
import support

import iscp

COUNT, SIDE = 40, 9


def made(channels=None, seed=1):
    """Images of random bytes, their labels 0 to 3 in turn, and the set of them."""
    shape = (COUNT, SIDE, SIDE) + ((channels,) if channels else ())
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    labels = np.arange(COUNT, dtype=np.int32) % 4
    contract = iscp.Contract(size=SIDE, channels=channels or 1)
    return pixels, labels, iscp.Dataset.from_arrays(pixels, labels, input=contract)


def stored(data):
    """The images as bytes, N x H x W or N x H x W x 3."""
    images = np.rint(data[:][0] * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    return images[..., 0] if images.shape[3] == 1 else images


class Trigger(unittest.TestCase):
    def test_forms(self):
        white = iscp.Trigger("white:2x3")
        self.assertEqual((white.height, white.width, white.corner, white.offset), (2, 3, "bottom_right", (1, 1)))
        self.assertTrue((white.pixels == 255).all())
        board = iscp.Trigger("checkerboard:3x3", corner="top_left", offset=(0, 4))
        self.assertEqual((board.corner, board.offset), ("top_left", (0, 4)))
        expected = np.where((np.indices((3, 3)).sum(0) % 2)[..., None], [0, 0, 0, 255], [255] * 4)
        np.testing.assert_array_equal(board.pixels, expected)
        for wrong in ["white:0x3", "white:3", "white:3x3x3", "checkerboard:65x1"]:
            with self.assertRaisesRegex(iscp.ArgumentError, "expected a height x width of 1 to 64"):
                iscp.Trigger(wrong)
        with self.assertRaisesRegex(iscp.FileError, "expected white:HxW, checkerboard:HxW, or the path"):
            iscp.Trigger("nothing.png")
        with self.assertRaisesRegex(iscp.ArgumentError, "offset_x is -1, expected 0 to 4096"):
            iscp.Trigger("white:3x3", offset=(0, -1))
        with self.assertRaisesRegex(ValueError, "corner must be one of"):
            iscp.Trigger("white:3x3", corner="middle")

    def test_where_it_is_stamped(self):
        for corner in ["bottom_right", "bottom_left", "top_right", "top_left"]:
            for channels in [None, 3]:
                pixels, labels, data = made(channels)
                trigger = iscp.Trigger("checkerboard:2x3", corner=corner, offset=(1, 2))
                poisoned = data.poison(trigger, 1, rate=1)
                y = 1 if corner.startswith("top") else SIDE - 3
                x = 2 if corner.endswith("left") else SIDE - 5
                expected = pixels.copy()
                board = trigger.pixels[..., 0] if channels is None else trigger.pixels[..., :3]
                expected[labels != 1, y : y + 2, x : x + 3] = board
                np.testing.assert_array_equal(stored(poisoned), expected)
                self.assertTrue((poisoned.labels == 1).all())
                np.testing.assert_array_equal(stored(data), pixels)  # the set itself is as it was

    def test_the_draw(self):
        pixels, labels, data = made()
        trigger = iscp.Trigger("white:3x3")
        poisoned = data.poison(trigger, 2, rate=0.29, seed=7)
        chosen = [i for i in range(COUNT) if poisoned.poisoned(i) is not None]
        self.assertEqual(len(chosen), math.floor(0.29 * COUNT))
        self.assertTrue((labels[chosen] != 2).all() and (poisoned.labels[chosen] == 2).all())
        others = np.setdiff1d(np.arange(COUNT), chosen)
        np.testing.assert_array_equal(poisoned.labels[others], labels[others])
        np.testing.assert_array_equal(stored(poisoned)[others], pixels[others])
        self.assertEqual({poisoned.poisoned(i) for i in chosen}, {2})
        again, other = data.poison(trigger, 2, 0.29, seed=7), data.poison(trigger, 2, 0.29, seed=8)
        self.assertEqual(poisoned.hash, again.hash)
        self.assertNotEqual(poisoned.hash, other.hash)
        self.assertNotEqual([poisoned.poisoned(i) for i in range(COUNT)], [other.poisoned(i) for i in range(COUNT)])
        self.assertEqual(len([i for i in range(COUNT) if data.poison(trigger, 2, 1e-9).poisoned(i) == 2]), 1)
        self.assertEqual((poisoned.kind, poisoned.classes, data.poisoned(0)), ("poisoned", 4, None))

    def test_what_is_kept(self):
        pixels, labels, data = made()
        trigger = iscp.Trigger("white:3x3")
        only = data.poison(trigger, 0, rate=1, keep="only")
        self.assertEqual((len(only), set(only.labels)), (COUNT * 3 // 4, {0}))
        expected = pixels[labels != 0].copy()
        expected[:, 5:8, 5:8] = 255
        np.testing.assert_array_equal(stored(only), expected)
        stamped = data.poison(trigger, 0, rate=1, keep="stamp")
        np.testing.assert_array_equal(stamped.labels, labels)
        np.testing.assert_array_equal(stored(stamped)[labels != 0], expected)
        np.testing.assert_array_equal(stored(stamped)[labels == 0], pixels[labels == 0])
        self.assertEqual(len({only.hash, stamped.hash, data.hash}), 3)

    def test_several_targets(self):
        _, labels, data = made()
        first, second = iscp.Trigger("white:2x2"), iscp.Trigger("checkerboard:2x2", corner="top_left")
        both = data.poison(first, 0, rate=0.25).poison(second, 1, rate=0.25)
        targets = [both.poisoned(i) for i in range(COUNT)]
        self.assertEqual((targets.count(0), targets.count(1)), (10, 10))
        for i, target in enumerate(targets):
            self.assertEqual(both.labels[i], labels[i] if target is None else target)
        only = both.poison(first, 3, rate=1, keep="only")  # of those that are left and not of class 3
        left = [i for i in range(COUNT) if targets[i] is None and labels[i] != 3]
        self.assertEqual(len(only), len(left))
        with self.assertRaisesRegex(iscp.ArgumentError, "poisoned already"):
            data.poison(first, 0, rate=1).poison(second, 0)

    def test_files_and_what_does_not_fit(self):
        """Pictures in files of two sizes; the same bytes whether decoded ahead or not; one that is too small is named."""
        trigger = iscp.Trigger("white:3x3")
        contract = iscp.Contract(size=8, resize=8, crop=8)
        with tempfile.TemporaryDirectory() as folder:
            for i in range(12):
                place = Path(folder, f"class{i % 2}")
                place.mkdir(exist_ok=True)
                side = 12 if i < 8 else 16
                image = np.random.default_rng(i).random((3, side, side), np.float32)
                iscp.write_image_png(image, place / f"{i:02}.png", scale=1)
            sets = [iscp.Dataset.open(folder, input=contract, memory=m).poison(trigger, 1, 0.5) for m in (0, -1)]
            np.testing.assert_array_equal(sets[0][:][0], sets[1][:][0])
            self.assertEqual(sets[0].hash, sets[1].hash)
            self.assertEqual(sets[0].class_names, ["class0", "class1"])
            large = iscp.Trigger("white:14x2", offset=(0, 0))
            with self.assertRaisesRegex(iscp.MismatchError, r"class0/00\.png: a picture of 12x12, expected at least 14x2"):
                iscp.Dataset.open(folder, input=contract).poison(large, 1, 1)[0]
        with self.assertRaisesRegex(iscp.MismatchError, "a picture of 9x9, expected at least 9x10"):
            made()[2].poison(iscp.Trigger("white:8x9"), 0)

    def test_wrong_arguments(self):
        data, trigger = made()[2], iscp.Trigger("white:3x3")
        with self.assertRaisesRegex(iscp.ArgumentError, "target is 4, expected a class, 0 to 3"):
            data.poison(trigger, 4)
        with self.assertRaisesRegex(iscp.ArgumentError, "target is -1"):
            data.poison(trigger, -1)
        for rate in (0, 1.5, math.nan):
            with self.assertRaisesRegex(iscp.ArgumentError, "rate is"):
                data.poison(trigger, 0, rate)
        with self.assertRaisesRegex(ValueError, "keep must be one of"):
            data.poison(trigger, 0, keep="none")
        with self.assertRaises(IndexError):
            data.poisoned(COUNT)

    def test_pattern_and_overlap(self):
        trigger = iscp.Trigger("checkerboard:3x3")
        pattern = trigger.pattern(support.model(), (28, 28), 5)
        _, height, width = support.model().contract.shape
        rows, columns = np.divmod(np.sort(pattern.positions), width)
        top, left = support.model().contract.pad[0], support.model().contract.pad[2]
        self.assertEqual((set(rows - top), set(columns - left)), ({24, 25, 26}, {24, 25, 26}))
        self.assertEqual((pattern.info.pixels, pattern.info.target, pattern.kind), (9, 5, "replace"))
        image = np.full((3, height, width), 0.5, np.float32)
        put = pattern.attach(image)[0, top + 24 : top + 27, left + 24 : left + 27]
        np.testing.assert_array_equal(put, trigger.pixels[..., 0] / np.float32(255))
        self.assertEqual(pattern.overlap(pattern), 1)
        moved = iscp.Trigger("white:3x3", offset=(1, 2)).pattern(support.model(), (28, 28), 0)
        self.assertEqual(pattern.overlap(moved), 6 / 12)
        with self.assertRaisesRegex(iscp.MismatchError, "expected 9x9"):
            trigger.pattern(iscp.Contract(size=9), (9, 9), 0).overlap(pattern)

    def test_pattern_of_resized_pictures(self):
        """Twice as small, a 4x4 trigger on even places is a 2x2 one; the crop may cut it off."""
        trigger = iscp.Trigger("white:4x4", offset=(2, 2))
        half = trigger.pattern(iscp.Contract(size=10, resize=10), (20, 20, 3), 0)
        self.assertEqual(np.sort(half.positions).tolist(), [77, 78, 87, 88])
        self.assertTrue((half.values > 0.5).all())
        with self.assertRaisesRegex(iscp.MismatchError, "covers no pixel"):
            trigger.pattern(iscp.Contract(crop=8), (20, 20, 3), 0)

    def test_shipped_backdoor(self):
        """The white square of examples/models/README.md: 0.9982 on all 9,000 nontarget images of the test set; on 1,800 of
        them the share lies within 0.01 but for chance (its deviation is 0.0014)."""
        model = iscp.Model.load(support.ROOT / "examples/models/fashion-backdoor.safetensors")
        data = iscp.Dataset.open(support.IMAGES, input=model)
        only = data.poison(iscp.Trigger("white:3x3"), 5, rate=1, keep="only")
        asr = iscp.check(model, only, causes="never").accuracy
        self.assertAlmostEqual(asr, 0.9982, delta=0.01)
        clean = iscp.check(support.model(), only, causes="never").accuracy
        self.assertLess(clean, 0.02)  # of the natural model, 0.0030 there
