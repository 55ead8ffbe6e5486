"""Triggers as Pillow pastes them, bit for bit, and where they land after Pillow's resizing."""

import tempfile
import unittest
from pathlib import Path

import numpy as np

import iscp

try:
    from PIL import Image
except ImportError:
    Image = None

MODES = ["RGBA", "LA", "P", "RGB", "L", "1", "clear"]
CORNERS = ["bottom_right", "bottom_left", "top_right", "top_left"]


def random_trigger(rng, mode):
    """A picture of a mode with alpha of all values, or without; "clear" is RGB with one colour that stands for nothing."""
    height, width = rng.integers(1, 7, 2)
    values = rng.integers(0, 256, (height, width, 4), np.uint8)
    if mode == "RGBA":
        return Image.fromarray(values, "RGBA"), {}
    if mode == "LA":
        return Image.fromarray(values[..., :2].copy(), "LA"), {}
    if mode == "P":
        picture = Image.fromarray(values[..., 0] % 5, "P")
        picture.putpalette(rng.integers(0, 256, 15, np.uint8).tobytes())
        return picture, {"transparency": rng.integers(0, 256, 4, np.uint8).tobytes()}
    if mode == "clear":
        return Image.fromarray(values[..., :3] % 2 * 255, "RGB"), {"transparency": (255, 0, 255)}
    return Image.fromarray(values[..., :3].copy(), "RGB").convert(mode), {}


def paste(picture, trigger, corner, offset):
    """Pillow's paste of an RGBA trigger on u8 H x W or H x W x 3."""
    height, width = picture.shape[:2]
    y = offset[0] if corner.startswith("top") else height - trigger.height - offset[0]
    x = offset[1] if corner.endswith("left") else width - trigger.width - offset[1]
    result = Image.fromarray(picture)
    result.paste(trigger.convert("RGB").convert(result.mode), (int(x), int(y)), trigger.getchannel("A"))
    return np.array(result)


@unittest.skipIf(Image is None, "Pillow is not installed")
class Poison(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def test_stamping(self):
        rng = np.random.default_rng(3)
        for run in range(140):
            mode, corner = MODES[run % len(MODES)], CORNERS[int(rng.integers(4))]
            offset = tuple(int(n) for n in rng.integers(0, 4, 2))
            picture, extra = random_trigger(rng, mode)
            picture.save(self.folder / "trigger.png", **extra)
            rgba = Image.open(self.folder / "trigger.png").convert("RGBA")
            trigger = iscp.Trigger(self.folder / "trigger.png", corner=corner, offset=offset)
            channels = (1, 3)[run // len(MODES) % 2]
            pixels = rng.integers(0, 256, (2, 12, 11) + ((3,) if channels == 3 else ()), np.uint8)
            data = iscp.Dataset.from_arrays(pixels, np.array([0, 1]), input=iscp.Contract(size=(12, 11), channels=channels))
            stamped = np.rint(data.poison(trigger, 1, rate=1)[0][0] * 255).astype(np.uint8)
            expected = paste(pixels[0], rgba, corner, offset)
            with self.subTest(run=run, mode=mode, corner=corner, channels=channels):
                np.testing.assert_array_equal(trigger.pixels, np.array(rgba))
                np.testing.assert_array_equal(stamped, expected[None] if channels == 1 else expected.transpose(2, 0, 1))

    def test_files_and_sixteen_bits(self):
        """Colours of 16 bits count by their high byte; grey of 16 bits, which Pillow has no alpha for, is refused."""
        deep = np.random.default_rng(5).integers(0, 65536, (3, 4), np.uint16)
        Image.fromarray(deep).save(self.folder / "grey.png")
        with self.assertRaisesRegex(iscp.UnsupportedError, r"grey\.png: is 16-bit grey"):
            iscp.Trigger(self.folder / "grey.png")
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(self.folder / "photo.jpg")
        with self.assertRaisesRegex(iscp.FormatError, r"photo\.jpg: is no PNG picture"):
            iscp.Trigger(self.folder / "photo.jpg")
        Image.new("RGBA", (4097, 1)).save(self.folder / "wide.png")
        with self.assertRaisesRegex(iscp.UnsupportedError, "a trigger of 1x4097, expected at most 4096"):
            iscp.Trigger(self.folder / "wide.png")

    def test_where_it_lands(self):
        """Pixels that Pillow's bilinear filter gives at least half of a white trigger on black."""
        rng = np.random.default_rng(6)
        found = 0
        for _ in range(40):
            stored = tuple(int(n) for n in rng.integers(20, 60, 2))
            size = tuple(int(n) for n in rng.integers(12, 70, 2))
            side = tuple(int(n) for n in rng.integers(2, 12, 2))
            offset = tuple(int(n) for n in rng.integers(0, 8, 2))
            trigger = iscp.Trigger(f"white:{side[0]}x{side[1]}", offset=offset)
            cover = np.zeros(stored, np.uint8)
            y, x = stored[0] - side[0] - offset[0], stored[1] - side[1] - offset[1]
            cover[y : y + side[0], x : x + side[1]] = 255
            resized = np.array(Image.fromarray(cover).resize(size[::-1], Image.BILINEAR))
            contract = iscp.Contract(size=size, resize=size)
            if (resized < 128).all():
                with self.assertRaisesRegex(iscp.MismatchError, "covers no pixel"):
                    trigger.pattern(contract, stored, 0)
                continue
            pattern = trigger.pattern(contract, stored, 0)
            np.testing.assert_array_equal(pattern.mask, resized >= 128)
            np.testing.assert_array_equal(pattern.values, 1)  # white stays white
            found += 1
        self.assertGreater(found, 20)
