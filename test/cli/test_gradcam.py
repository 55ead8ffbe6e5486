"""iscp gradcam: maps of canvases and of chosen images, their patterns' power, and the shift of attention."""

import json
import math
import resource
import unittest

from command import CHANNELS, DATA, LIMIT, MODEL, SIDE, Case, read_npy, read_png, run, search


def gradcam(folder, *words, code=0, **options):
    return run("gradcam", MODEL, DATA, "-o", folder, "--limit", LIMIT, *words, code=code, **options)


class GradCam(Case):
    def read_result(self, folder):
        result = json.loads((folder / "result.json").read_text())
        self.assertEqual(list(result)[:2] + [result["schema"]], ["schema", "manifest", 1])
        self.assertRegex(result["manifest"]["model"]["weights_sha256"], "^[0-9a-f]{64}$")
        self.assertRegex(result["manifest"]["data"]["sha256"], "^[0-9a-f]{64}$")
        return result

    def test_what_is_left(self):
        out = self.folder / "a" / "b"  # parents are made
        done = gradcam(out, "--classes", "1,Bag", "--sizes", "5,10")
        result = self.read_result(out)
        self.assertEqual([m["class"] for m in result["maps"]], [1, 8])
        self.assertEqual((result["manifest"]["stage"], result["manifest"]["sizes"]), (4, [0.05, 0.1]))
        names = {"result.json"} | {m[key] for m in result["maps"] for key in ("map", "overlay", "pattern")}
        self.assertEqual({p.name for p in out.iterdir()}, names)
        for found in result["maps"]:
            self.assertEqual((found["label"], found["predicted"]), (found["class"], found["class"]))  # a positive canvas
            shape, values = read_npy(out / found["map"])
            self.assertEqual(shape, (SIDE, SIDE))
            self.assertAlmostEqual(max(values), found["maximum"], places=9)  # printed with 15 digits
            self.assertGreaterEqual(min(values), 0)
            self.assertEqual([row["pixels"] for row in found["power"]], [39, 78])
            for row in found["power"]:
                self.check_row(row)
                self.assertIn(f"{row['nontarget_hits']}/{row['nontarget']}", done.stdout)
        self.assertIn("mPW at 10 %", done.stdout)

    def test_pictures(self):
        gradcam(self.folder, "--index", "3", "--classes", "0", "--scale", "2", "--power", "none", "--opacity", "0")
        (found,) = self.read_result(self.folder)["maps"]
        self.assertEqual((found["class"], found["image"], found["power"]), (0, 3, []))
        width, height, _, rows = read_png(self.folder / "overlay-0-3.png")
        gap = SIDE // 16 + 1
        self.assertEqual((width, height), (2 * (2 * SIDE + gap), 2 * SIDE))
        # With no heat both sides are the image.
        right = 3 * 2 * (SIDE + gap)
        self.assertTrue(all(row[: 6 * SIDE] == row[right:] for row in rows))
        self.assertEqual(read_png(self.folder / "pattern-0-3.png")[:2], (2 * SIDE, 2 * SIDE))

    def test_index_alone_takes_the_predicted_class(self):
        done = gradcam(self.folder, "--index", "5,2", "--stage", "2", "--power", "none", "--json")
        self.assertEqual(done.stdout, (self.folder / "result.json").read_text())
        maps = json.loads(done.stdout)["maps"]
        self.assertEqual([m["image"] for m in maps], [5, 2])
        self.assertEqual([m["class"] for m in maps], [m["predicted"] for m in maps])
        self.assertEqual([(m["height"], m["width"]) for m in maps], [(14, 14)] * 2)

    def test_shift(self):
        search(self.folder / "report", "--classes", "0,3", "--power", "none")
        out = self.folder / "shift"
        done = gradcam(out, "--patterns", self.folder / "report", "--classes", "3", "--sizes", "10")
        shifts = self.read_result(out)["shifts"]
        self.assertEqual((len(shifts), {s["class"] for s in shifts}), (5, {3}))
        self.assertNotIn(3, [s["label"] for s in shifts])
        (pattern,) = [p for p in json.loads((self.folder / "report/result.json").read_text())["patterns"] if p["class"] == 3]
        mask, evidence = (read_npy(self.folder / "report" / pattern[key])[1] for key in ("mask", "evidence"))
        kept = sorted(range(SIDE * SIDE), key=lambda i: (-mask[i], -evidence[i], i))[:78]
        for shift in shifts:
            self.assertAlmostEqual(shift["area"], 78 / SIDE**2)
            for when in ("before", "after"):
                shape, values = read_npy(out / shift[when])
                self.assertEqual(shape, (SIDE, SIDE))
                total = math.fsum(values)
                inside = math.fsum(values[i] for i in kept) / total if total else 0
                self.assertAlmostEqual(shift[f"inside_{when}"], inside, places=9)
            width, height, channels, _ = read_png(out / shift["picture"])
            self.assertEqual((channels, width > SIDE, height > SIDE), (CHANNELS, True, True))
        self.assertIn("mean inside", done.stdout)
        self.assertTrue((out / "pattern-3.png").exists())

    def test_results_are_not_replaced_unasked(self):
        gradcam(self.folder, "--index", "1", "--power", "none")
        before = (self.folder / "result.json").read_bytes()
        self.check_one_line(gradcam(self.folder, "--index", "2", "--power", "none", code=1), "--overwrite")
        self.assertEqual((self.folder / "result.json").read_bytes(), before)
        gradcam(self.folder, "--index", "2", "--power", "none", "--overwrite")
        self.assertEqual(self.read_result(self.folder)["maps"][0]["image"], 2)

    def test_a_searchs_report_is_never_replaced(self):
        search(self.folder, "--classes", "0", "--power", "none")
        before = (self.folder / "result.json").read_bytes()
        for words in [], ["--overwrite"], ["--overwrite", "--patterns", self.folder]:
            self.check_one_line(gradcam(self.folder, *words, code=1), str(self.folder), "report of iscp search")
        self.assertEqual((self.folder / "result.json").read_bytes(), before)

    def test_a_map_of_zeros_is_told(self):
        """Of ten classes some have nothing in some of ten images that speaks for them."""
        images = ",".join(map(str, range(10)))
        done = gradcam(self.folder, "--index", images, "--classes", "0-9", "--power", "none")
        zeros = [(m["class"], m["image"]) for m in self.read_result(self.folder)["maps"] if m["maximum"] == 0]
        self.assertTrue(0 < len(zeros) < 100, zeros)
        told = [line for line in done.stderr.splitlines() if "nothing speaks for the class" in line]
        self.assertEqual([line.split(":")[1] for line in told], [f" class {y}, image {i}" for y, i in zeros])

    def test_no_class_has_a_canvas(self):
        done = run("gradcam", MODEL, DATA, "-o", self.folder, "--limit", "1", "--classes", "0,3", "--power", "none", code=1)
        self.assertIn("no map to make", done.stderr.splitlines()[-1])
        self.assertEqual((len(done.stderr.splitlines()), list(self.folder.iterdir())), (3, []))  # one line a class too

    def test_memory_is_bounded(self):
        """What one image needs is enough, for the pass over the candidates too."""
        words = ["--classes", "1", "--power", "none"]
        least = gradcam(self.folder / "x", *words, "--memory", "1M", code=1).stderr.split("expected ")[1].split()[0]
        gradcam(self.folder / "free", *words)
        gradcam(self.folder / "bound", *words, "--memory", least)
        images = [self.read_result(self.folder / name)["maps"][0]["image"] for name in ("free", "bound")]
        self.assertEqual(images[0], images[1])

    def test_the_disk_is_full(self):
        """A limit of 9,000 bytes a file stops the map, beyond what the stream holds back."""
        done = gradcam(
            self.folder, "--index", "1", "--power", "none", "--scale", "1", "--resize", "64", "--size", "64", code=1,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)),
            restore_signals=False,  # SIGXFSZ stays ignored, so that the write fails
        )  # fmt: skip
        self.check_one_line(done, "map-", ".npy cannot be written: File too large")
        self.assertEqual([p.name for p in self.folder.iterdir() if p.suffix != ".png"], [])

    def test_wrong_words(self):
        cases = [
            (["--index", "120"], 'image "120" is asked for, expected 0 to 119'),
            (["--index", "x"], '"x"'),
            (["--classes", "10"], "class 10"),
            (["--stage", "5"], '--stage is "5", expected 1 to 4'),
            (["--sizes", "0"], "--sizes"),
            (["--sizes", "x"], "--sizes"),
            (["--opacity", "2"], '--opacity is "2"'),
            (["--power", "some"], "--power"),
            (["--images", "some"], "--images"),
            (["--patterns", "x", "--sizes", "1,2"], "expected one with --patterns"),
        ]
        for words, expected in cases:
            with self.subTest(words=words):
                self.check_one_line(gradcam(self.folder / "x", *words, code=2), expected)
        self.check_one_line(run("gradcam", MODEL, DATA, code=2), "-o DIR")
        self.check_one_line(gradcam(self.folder / "x", "--patterns", self.folder / "none", code=1), "result.json")
        self.assertFalse((self.folder / "x").exists())
        (self.folder / "file").write_text("")
        self.check_one_line(gradcam(self.folder / "file", "--index", "0", "--power", "none", code=1), "file")


if __name__ == "__main__":
    unittest.main()
