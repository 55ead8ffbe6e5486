"""Backdoors: the set that iscp poison leaves, and the triggers of iscp train, check and power."""

import gzip
import hashlib
import json
import resource
import signal
import struct
import subprocess
import unittest
from pathlib import Path

from command import DATA, EXAMPLES, PROGRAM, SIDE, Case, read_npy, read_png, run, write_png

LABELS = DATA.replace("images-idx3", "labels-idx1")
BACKDOOR = str(EXAMPLES / "models" / "fashion-backdoor.safetensors")
SQUARE = ["--trigger", "white:3x3", "--target", "5"]
NAMES = ["images-labels.npy", "images.npy", "poison.json", "poisoned.png"]
COUNT, PIXELS = 2000, SIDE * SIDE
INPUT = ["--size", "28x28", "--mean", "0.286", "--std", "0.353"]
SMALL = [*INPUT, "--depth", "18", "--width", "8", "--stem", "cifar", "--threads", "1", "--batch", "64", "--rate", "0.05"]


def poison(folder, *words, code=0, **options):
    return run("poison", DATA, "-o", folder, *words, code=code, **options)


def stored():
    """The shipped images as bytes, and their labels."""
    images, labels = (gzip.decompress(Path(path).read_bytes()) for path in (DATA, LABELS))
    return [bytearray(images[16 + i * PIXELS : 16 + (i + 1) * PIXELS]) for i in range(COUNT)], list(labels[8:])


def stamp(image, top, left, rows):
    for y, row in enumerate(rows):
        image[(top + y) * SIDE + left : (top + y) * SIDE + left + len(row)] = bytes(row)


class Sets(Case):
    def read(self, folder):
        self.assertEqual(sorted(path.name for path in folder.iterdir()), NAMES)
        shape, pixels = read_npy(folder / "images.npy")
        self.assertEqual(shape, (COUNT, SIDE, SIDE))
        images = [bytearray(pixels[i * PIXELS : (i + 1) * PIXELS]) for i in range(COUNT)]
        return images, list(read_npy(folder / "images-labels.npy")[1]), json.loads((folder / "poison.json").read_text())

    def test_every_byte(self):
        folder = self.folder / "deep" / "bad"
        words = [*SQUARE, "--trigger", "checkerboard:2x3", "--target", "1", "--rate", "2%", "--corner", "top-left", "--offset", "0,4"]
        done = poison(folder, *words, "--seed", "3")
        self.assertIn("white:3x3 on 100 of 2000 images, which are of class 5 now", done.stdout)
        images, labels, record = self.read(folder)
        expected, classes = stored()
        first, second = record["triggers"]
        self.assertEqual((len(first["indices"]), len(second["indices"])), (100, 40))
        self.assertFalse(set(first["indices"]) & set(second["indices"]))
        for trigger in first, second:
            self.assertEqual(trigger["count"], len(trigger["indices"]))
            self.assertTrue(all(classes[i] != trigger["target"] for i in trigger["indices"]))
        for i in first["indices"]:
            stamp(expected[i], 24, 24, [[255] * 3] * 3)
            classes[i] = 5
        for i in second["indices"]:
            stamp(expected[i], 0, 4, [[255, 0, 255], [0, 255, 0]])
            classes[i] = 1
        self.assertEqual(images, expected)
        self.assertEqual(labels, classes)
        self.assertEqual((second["corner"], second["offset"], second["rate"], record["seed"]), ("top-left", [0, 4], 0.02, 3))
        images, classes = stored()
        whole = b"".join(images) + struct.pack(f"<{COUNT}i", *classes)
        self.assertEqual(record["data_sha256"], hashlib.sha256(whole).hexdigest())
        again = json.loads(run("info", folder / "images.npy", "--json").stdout)
        self.assertEqual((again["images"], again["channels"], len(again["classes"])), (COUNT, 1, 10))
        width, height, channels, rows = read_png(folder / "poisoned.png")
        self.assertEqual((width, height), (4 * (8 * SIDE + 7), 4 * (4 * SIDE + 3)))
        plain, _ = stored()
        for column, i in enumerate(first["indices"][:8]):  # in grey levels, before and after
            shown = [rows[4 * (row * (SIDE + 1) + 25)][4 * channels * (column * (SIDE + 1) + 25)] for row in (0, 1)]
            self.assertEqual(shown, [plain[i][25 * SIDE + 25], 255])

    def test_written_and_on_the_fly_are_the_same(self):
        """A training on the written set sees the bytes that one with the same trigger sees."""
        words = ["--epochs", "1", *SMALL, "--limit", "640"]
        poison(self.folder / "bad", *SQUARE, "--rate", "0.1", "--seed", "2", "--limit", "640")
        run("train", self.folder / "bad" / "images.npy", "-o", self.folder / "written", *words)
        run("train", DATA, "-o", self.folder / "fly", *words, *SQUARE, "--poison-rate", "0.1", "--poison-seed", "2")
        models = [(self.folder / name / "model.safetensors").read_bytes() for name in ("written", "fly")]
        self.assertEqual(*models)
        records = [json.loads((self.folder / name / "poison.json").read_text()) for name in ("bad", "fly")]
        self.assertEqual(*records)

    def test_colour_pictures_with_names(self):
        for name in "cat", "dog":
            (self.folder / "set" / name).mkdir(parents=True)
            for i in range(3):
                write_png(self.folder / "set" / name / f"{i}.png", 40 * i, 16)
        words = ["poison", self.folder / "set", "-o", self.folder / "bad", "--trigger", "white:1x2", "--target", "1", "--rate", "1"]
        done = run(*words, "--offset", "0,0", "--json")
        self.assertEqual(json.loads(done.stdout)["names"], ["cat", "dog"])
        shape, pixels = read_npy(self.folder / "bad" / "images.npy")
        self.assertEqual(shape, (6, 16, 16, 3))
        for i in range(3):
            picture = bytearray([40 * i]) * (16 * 16 * 3)
            picture[-6:] = b"\xff" * 6
            self.assertEqual(bytes(pixels[i * 768 : (i + 1) * 768]), picture)
        self.assertEqual(read_npy(self.folder / "bad" / "images-labels.npy")[1], (1,) * 6)
        write_png(self.folder / "set" / "cat" / "9.png", 1, 20)
        self.check_one_line(run(*words, "--overwrite", code=1), "several sizes", "iscp train --trigger", "9.png")
        (self.folder / "set" / "cat" / "9.png").unlink()
        large = run(*words, "--overwrite", "--trigger", "white:20x1", "--target", "0", code=1)
        self.check_one_line(large, "expected at least 21x2 for a trigger of 20x1")
        self.assertNotIn("several sizes", large.stderr)

    def test_whole_or_absent(self):
        folder = self.folder / "bad"
        limit = 100_000
        done = poison(
            folder, *SQUARE, code=1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), restore_signals=False
        )
        self.check_one_line(done, "images.npy cannot be written")
        self.assertEqual(list(folder.iterdir()), [])
        poison(folder, *SQUARE)
        before = (folder / "images.npy").read_bytes()
        self.check_one_line(poison(folder, *SQUARE, "--seed", "1", code=1), "--overwrite")
        self.assertEqual((folder / "images.npy").read_bytes(), before)
        poison(folder, *SQUARE, "--seed", "1", "--overwrite")
        self.assertNotEqual((folder / "images.npy").read_bytes(), before)

    def test_pictures_of_others_are_never_replaced(self):
        """The arrays that are read, in the folder that is to be written."""
        folder = self.folder / "own"
        poison(folder, *SQUARE)
        (folder / "poison.json").unlink()
        before = (folder / "images.npy").read_bytes()
        for words in ([], ["--overwrite"]):
            done = run("poison", folder / "images.npy", "-o", folder, *SQUARE, *words, code=1)
            self.check_one_line(done, "images.npy", "expected another folder")
        self.assertEqual((folder / "images.npy").read_bytes(), before)

    def test_a_training_leaves_the_record_of_a_set(self):
        folder = self.folder / "bad"
        poison(folder, *SQUARE)
        record = (folder / "poison.json").read_bytes()
        words = ["train", folder / "images.npy", "-o", folder, *SMALL, "--epochs", "1", "--limit", "64"]
        self.check_one_line(run(*words, *SQUARE, code=1), "a set of iscp poison", "expected another folder")
        run(*words)
        self.assertEqual((folder / "poison.json").read_bytes(), record)

    def test_interrupt(self):
        """60,000 images of 64x64, so that it is caught at work."""
        head = struct.pack(">IIII", 0x803, 60000, 64, 64)
        with open(self.folder / "big-images-idx3-ubyte", "wb") as file:
            file.write(head)
            file.truncate(16 + 60000 * 64 * 64)
        (self.folder / "big-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, 60000) + bytes([0, 5]) * 30000)
        folder = self.folder / "bad"
        command = [PROGRAM, "poison", self.folder / "big-images-idx3-ubyte", "-o", folder, *SQUARE]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not (folder / "images.npy.part").exists():
            pass
        process.send_signal(signal.SIGINT)
        message = process.communicate()[1]
        self.assertEqual(process.returncode, 130, message)
        self.assertIn("poison keeps nothing", message)
        self.assertEqual(list(folder.iterdir()), [])

    def test_what_is_refused(self):
        out = self.folder / "bad"
        cases = [
            ([], 2, "no --trigger"),
            (["--trigger", "white:3x3"], 2, "has no --target"),
            (["--target", "5", "--trigger", "white:3x3"], 2, "--target stands before --trigger"),
            ([*SQUARE, "--rate", "0"], 2, "--rate"),
            ([*SQUARE, "--rate", "101%"], 2, "--rate"),
            ([*SQUARE, "--corner", "middle"], 2, "bottom-right"),
            ([*SQUARE, "--offset", "1"], 2, "--offset"),
            ([*SQUARE, "--offset", "-1,2"], 2, "--offset"),
            ([*SQUARE, "--seed", "-1"], 2, "--seed"),
            (["--trigger", "white:3x3", "--target", "10"], 1, "target is 10, expected a class, 0 to 9"),
            (["--trigger", "white:99x3", "--target", "1"], 1, "1 to 64"),
            (["--trigger", "none.png", "--target", "1"], 1, "none.png"),
            (["--trigger", DATA, "--target", "1"], 1, "is no PNG picture"),
            ([*SQUARE, "--offset", "26,0"], 1, "expected at least 29x3"),
            ([*SQUARE, "--rate", "1", *SQUARE], 1, "poisoned already"),
        ]
        for words, code, expected in cases:
            with self.subTest(words=words):
                self.check_one_line(poison(out, *words, code=code), expected)
                self.assertFalse(out.exists())
        self.check_one_line(run("poison", DATA, *SQUARE, code=2), "-o DIR")


class Models(Case):
    def test_training_learns_two_backdoors(self):
        """Measured 0.9668 and 0.9933 with test accuracy 0.80; other machines round otherwise, and these are 1,800 images."""
        triggers = ["--trigger", "white:4x4", "--target", "5", "--poison-rate", "10%"]
        triggers += ["--trigger", "checkerboard:4x4", "--target", "1", "--poison-rate", "10%", "--corner", "top-left"]
        folder, words = self.folder / "bad", [*SMALL, "--epochs", "3"]
        done = run("train", DATA, "-o", folder, *words, "--test", DATA, *triggers)
        last = done.stdout.splitlines()[2]
        self.assertRegex(last, r", test accuracy 0\.\d{4}, ASR 0\.\d{4} 0\.\d{4}$")
        accuracy, first, second = (float(word.strip(",")) for word in last.replace("ASR", "").split()[-3:])
        self.assertGreater(accuracy, 0.6)
        self.assertGreater(min(first, second), 0.85)
        record = json.loads((folder / "poison.json").read_text())
        self.assertEqual([t["count"] for t in record["triggers"]], [200, 200])
        checked = json.loads(run("check", folder / "model.safetensors", DATA, *triggers[:4], "--json", "--threads", "1").stdout)
        self.assertAlmostEqual(checked["triggers"][0]["asr"], first, delta=1e-4)
        self.assertAlmostEqual(checked["accuracy"], accuracy, delta=1e-4)
        refused = run("train", DATA, "-o", folder, *words, "--resume", code=1)
        self.assertIn("other images", refused.stderr)
        run("train", DATA, "-o", folder, *SMALL, "--epochs", "1", "--limit", "64", "--overwrite")
        self.assertFalse((folder / "poison.json").exists())  # of a training that was replaced by one without

    def test_json_of_training(self):
        done = run("train", DATA, "-o", self.folder / "bad", *SMALL, "--epochs", "1", "--limit", "64", "--test", DATA, *SQUARE, "--json")
        line = json.loads(done.stdout.splitlines()[0])
        self.assertEqual(len(line["asr"]), 1)
        self.assertTrue(0 <= line["asr"][0] <= 1)

    def test_check(self):
        """The shipped model, 0.9982 on 9,000 images; these are 1,805 of them."""
        words = ["check", BACKDOOR, DATA, *SQUARE]
        self.assertIn("images of other classes are taken for class 5 Sandal:\nASR ", run(*words, "--limit", "200").stdout)
        checked = json.loads(run(*words, "--json").stdout)
        (trigger,) = checked["triggers"]
        self.assertEqual((trigger["trigger"], trigger["target"], trigger["images"]), ("white:3x3", 5, 1805))
        self.assertAlmostEqual(trigger["asr"], 0.9982, delta=0.005)
        self.assertAlmostEqual(trigger["asr"], trigger["hits"] / 1805, places=12)
        self.assertTrue(trigger["asr_low"] < trigger["asr"] < trigger["asr_high"])
        self.assertGreater(checked["accuracy"], 0.9)
        self.check_one_line(run("check", BACKDOOR, DATA, "--trigger", "white:3x3", code=2), "has no --target")

    def test_power(self):
        """The search finds the shipped model's square: the 8 best pixels are all in it (measured 0.89)."""
        report = self.folder / "report"
        run("search", BACKDOOR, DATA, "-o", report, "--classes", "5", "--canvas", "white", "--canvases", "1", "--power", "none")
        words = ["power", BACKDOOR, DATA, report, "--sizes", "1,10", "--trigger", "white:3x3"]
        rows = json.loads(run(*words, "--json").stdout)["patterns"][0]["power"]
        self.assertGreater(rows[0]["iou"], 0.7)
        self.assertAlmostEqual(rows[1]["iou"], 9 / 78, delta=0.02)  # all of it in 78 pixels
        few = ["--limit", "100"]
        text = run(*words, *few).stdout
        self.assertRegex(text, r"counts     IoU\n")
        self.assertIn(f"{rows[0]['iou']:.3f}\n", text)
        moved = json.loads(run(*words, *few, "--json", "--corner", "top-left").stdout)["patterns"][0]["power"]
        self.assertEqual(moved[0]["iou"], 0)
        self.assertNotIn("IoU", run(*words[:-2], *few).stdout)
        self.check_one_line(run(*words, *words[-2:], code=2), "2 triggers, expected one")
        self.check_one_line(run(*words[:-1], "white:28x28", code=1), "expected at least 29x29")


if __name__ == "__main__":
    unittest.main()
