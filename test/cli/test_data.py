"""Sets of images as the program takes them: what info says of them, tables, and broken pictures."""

import csv
import json
import os
import shutil
import unittest

from command import DATA, MODEL, Case, run, write_png


class Data(Case):
    def album(self, classes=("cat", "dog"), each=6):
        """Class folders of pictures."""
        folder = self.folder / "album"
        for y, name in enumerate(classes):
            (folder / name).mkdir(parents=True)
            for i in range(each):
                write_png(folder / name / f"{i}.png", 20 * y + i)
        return folder

    def info(self, *words, **options):
        return json.loads(run("info", *words, "--json", **options).stdout)

    def test_class_folders(self):
        folder = self.album()
        text = run("info", folder).stdout
        for word in ["class folders", "images        12", "28 x 28", "cat", "dog"]:
            self.assertIn(word, text)
        told = self.info(folder, "--limit", "7", "--hash")
        self.assertEqual((told["kind"], told["images"], told["broken"]), ("class folders", 7, 0))
        self.assertEqual(told["classes"], [{"name": "cat", "images": 6}, {"name": "dog", "images": 1}])
        self.assertRegex(told["data_sha256"], "^[0-9a-f]{64}$")
        self.assertIsNone(self.info(folder)["data_sha256"])

    def test_with_a_model(self):
        told = self.info(MODEL, DATA, "--limit", "100")
        self.assertEqual((told["depth"], told["data"]["images"], told["data"]["kind"]), (50, 100, "array"))
        self.assertEqual(len(told["data"]["classes"]), 10)
        self.assertIn("Trouser", run("info", MODEL, DATA).stdout.split("classes       10")[1])
        self.check_one_line(run("info", MODEL, self.album(), code=1), "2 class folders, expected 10")

    def test_arrays(self):
        told = self.info(DATA)
        self.assertEqual((told["images"], told["channels"], told["height_low"], told["width_high"]), (2000, 1, 28, 28))
        self.check_one_line(run("info", self.folder / "none.npz", code=1), "none.npz")

    def test_broken_pictures(self):
        folder = self.album()
        (folder / "cat" / "3.png").write_bytes(b"")
        whole = (folder / "dog" / "1.png").read_bytes()
        (folder / "dog" / "1.png").write_bytes(whole[:60])
        self.check_one_line(run("info", folder, code=1), "cat/3.png", "empty", "of 12 pictures")
        done = run("info", folder, "--skip-broken", "--json")
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("2 of 12 pictures are broken", done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual((told["images"], told["broken"], told["broken_first"]), (10, 2, ["cat/3.png", "dog/1.png"]))
        self.assertIn("cat/3.png: ", run("info", folder, "--skip-broken").stdout)

    def test_a_report_says_what_was_left_out(self):
        folder = self.album([str(y) for y in range(10)], 4)
        (folder / "3" / "2.png").write_bytes(b"no picture")
        out = self.folder / "out"
        words = ["--canvas", "white", "--epochs", "1", "--fraction", "0.5", "--classes", "0", "--power", "none"]
        self.check_one_line(run("search", MODEL, folder, "-o", out, *words, code=1), "3/2.png")
        run("search", MODEL, folder, "-o", out, *words, "--skip-broken")
        data = json.loads((out / "result.json").read_text())["manifest"]["data"]
        self.assertEqual((data["images"], data["skipped"], data["skipped_first"]), (39, 1, ["3/2.png"]))
        self.assertEqual(data["sha256"], self.info(folder, "--skip-broken", "--hash")["data_sha256"])

    def test_a_table(self):
        folder = self.folder / "flat"
        folder.mkdir()
        for i in range(4):
            write_png(folder / f"{i}.png", i)
        table = self.folder / "some.csv"
        with open(table, "w", newline="") as file:
            csv.writer(file).writerows([["id", "label"], [2, "b, c"], [0, "a"], [3, "b, c"]])
        done = run("info", folder, "--labels", table, "--json")
        self.assertIn("1 of the 4 pictures", done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual((told["kind"], told["images"]), ("listed pictures", 3))
        self.assertEqual(told["classes"], [{"name": "a", "images": 1}, {"name": "b, c", "images": 2}])
        shutil.copy(table, folder / "labels.csv")
        self.assertEqual(self.info(folder)["images"], 3)
        self.assertEqual(self.info(folder / "labels.csv")["images"], 3)
        os.remove(folder / "3.png")
        self.check_one_line(run("info", folder, code=1), "line 4", "3")

    def test_splits(self):
        for split in "train", "val":
            (self.folder / "sets" / split / "only").mkdir(parents=True)
            write_png(self.folder / "sets" / split / "only" / "x.png", 9)
        self.assertEqual(self.info(self.folder / "sets")["images"], 1)
        self.assertEqual(self.info(self.folder / "sets", "--split", "train")["images"], 1)
        self.check_one_line(run("info", self.folder / "sets", "--split", "test", code=1), "no split \"test\"")
        self.check_one_line(run("info", self.folder / "sets", "--split", "x", code=1), "split is \"x\"")

    def test_image_memory(self):
        self.assertEqual(self.info(self.album(), "--image-memory", "1")["images"], 12)
        self.assertEqual(run("info", DATA, "--image-memory", "much", code=2).stderr.count("image-memory"), 1)


if __name__ == "__main__":
    unittest.main()
