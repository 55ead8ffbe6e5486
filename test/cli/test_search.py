"""iscp search and iscp power: what they leave and what they print."""

import json
import math
import unittest

from command import DATA, LIMIT, MODEL, SIDE, Case, read_npy, read_png, run, search


class Search(Case):
    def test_what_is_left(self):
        out = self.folder / "a" / "b"  # parents are made
        done = search(out, "--classes", "0,Trouser", "--sizes", "1,5%")
        result = self.read_result(out)
        self.assertEqual((result["finished"], result["manifest"]["classes"]), ([0, 1], [0, 1]))
        self.assertEqual(result["manifest"]["evaluation"]["sizes"], [0.01, 0.05])
        self.assertEqual([e["name"] for e in result["patterns"]], ["T-shirt", "Trouser"])
        self.assertEqual([[r["size"] for r in e["power"]] for e in result["patterns"]], [[0.01, 0.05]] * 2)
        names = {"result.json", "sheet.png", "pattern-0.png", "pattern-1.png"}
        names |= {f"{kind}-{y}-0.npy" for kind in ("mask", "evidence", "canvas") for y in (0, 1)}
        self.assertEqual({p.name for p in out.iterdir()}, names)
        for word in ["ASR", "acc", "counts", "PW", "mPW", "STD", "5 %", f"{out}/sheet.png"]:
            self.assertIn(word, done.stdout)
        counts = result["patterns"][0]["power"][1]
        self.assertIn(f"{counts['nontarget_hits']}/{counts['nontarget']}", done.stdout)
        self.assertIn(f"{counts['target_correct']}/{counts['target']}", done.stdout)

    def test_pictures(self):
        search(self.folder, "--classes", "0", "--sizes", "5", "--scale", "4", "--picture-size", "10")
        width, height, channels, rows = read_png(self.folder / "pattern-0.png")
        self.assertEqual((width, height, channels), (4 * SIDE, 4 * SIDE, 3))
        canvas = read_npy(self.folder / "canvas-0-0.npy")[1]
        plain = 0
        for y in range(SIDE):
            for x in range(SIDE):
                colours = {tuple(rows[4 * y + j][3 * (4 * x + i) :][:3]) for j in range(4) for i in range(4)}
                if len(colours) > 1:
                    continue  # the chequered ground
                plain += 1
                grey = int(canvas[y * SIDE + x] * 255 + 0.5)
                self.assertEqual(colours, {(grey, grey, grey)})
        self.assertEqual(plain, round(0.1 * SIDE * SIDE))
        width, height, channels, _ = read_png(self.folder / "sheet.png")
        self.assertGreater(width, 3 * 4 * SIDE)
        self.assertGreater(height, 4 * SIDE)

    def test_json_is_the_file(self):
        done = search(self.folder, "--classes", "2", "--json", "--power", "none")
        self.assertEqual(done.stdout, (self.folder / "result.json").read_text())
        self.assertEqual(self.read_result(self.folder)["patterns"][0]["power"], [])

    def test_a_run_can_be_repeated(self):
        for name in "a", "b":
            search(self.folder / name, "--classes", "3", "--sizes", "5", "--seed", "0x10")
        for path in (self.folder / "a").iterdir():
            self.assertEqual(path.read_bytes(), (self.folder / "b" / path.name).read_bytes(), path.name)

    def test_every_option_reaches_the_manifest(self):
        search(
            self.folder, "--classes", "9,0-1", "--canvas", "positive,white", "--preset", "authors", "--alpha", "0.5",
            "--tv", "0.25", "--learn-canvas", "--canvas-step", "3", "--turns", "1,2",
            "--batch", "8", "--step", "0.05", "--fraction", "3%", "--seed", "18446744073709551615", "--select", "power",
            "--select-size", "7", "--ties", "index", "--lanes", "2", "--images", "all", "--power", "none",
        )  # fmt: skip
        result = self.read_result(self.folder)
        options = result["manifest"]["search"]
        self.assertEqual((options["preset"], options["alpha_mode"], options["alpha"]), ("authors", "fixed", 0.5))
        self.assertEqual((options["canvas_kinds"], options["batch"]), (["positive", "white"], 8))
        self.assertEqual((options["tv"], options["canvas_steps"], options["mask_steps"]), (0.25, 2, 1))
        self.assertAlmostEqual(options["canvas_step"], 3 / 255, places=14)  # 15 digits are written
        self.assertEqual((options["step"], options["fraction"]), (0.05, 0.03))
        self.assertEqual((options["seed"], options["select"]), ("18446744073709551615", "power"))
        self.assertEqual((options["select_size"], options["ties"], options["lanes"]), (0.07, "index", 2))
        self.assertEqual(result["manifest"]["evaluation"]["images"], "all")
        self.assertEqual([e["canvas"]["kind"] for e in result["patterns"]], ["positive", "white"] * 3)
        self.assertEqual([e["class"] for e in result["patterns"]], [0, 0, 1, 1, 9, 9])

    def test_auto_alpha_is_told(self):
        search(self.folder, "--classes", "0", "--preset", "paper", "--alpha", "auto", "--power", "none")
        result = self.read_result(self.folder)
        self.assertIsNone(result["manifest"]["search"]["alpha"])
        self.assertIn(result["patterns"][0]["alpha"], [0.1, 0.15, 0.2, 0.25, 0.3])

    def test_presets(self):
        """The default is the predictive one; what an option says goes before the preset."""
        names = {"--overwrite": ("predictive", 8, "power"), "--preset=paper": ("paper", 0.2, "loss")}
        for word, (preset, alpha, select) in {**names, "--preset=authors": ("authors", 8, "loss")}.items():
            search(self.folder, "--classes", "0", "--power", "none", "--overwrite", word)
            options = self.read_result(self.folder)["manifest"]["search"]
            self.assertEqual((options["preset"], options["alpha"], options["select"]), (preset, alpha, select))
            self.assertEqual((options["ties"], options["canvas_steps"], options["mask_steps"]), ("evidence", 0, 5))

    def test_learned_canvas(self):
        words = ["--classes", "0", "--canvases", "2", "--sizes", "5", "--scale", "4"]
        search(self.folder / "still", *words)
        done = search(self.folder / "learned", *words, "--learn-canvas", "--turns", "1,1")
        self.assertIn("canvas-<class>.png", done.stdout)
        self.assertFalse((self.folder / "still" / "canvas-0.png").exists())
        chosen = next(e for e in self.read_result(self.folder / "learned")["patterns"] if e["selected"])
        self.assertIn(chosen["steps"] - chosen["canvas_steps"], (0, 1))
        learned = read_npy(self.folder / "learned" / chosen["canvas_file"])[1]
        self.assertNotEqual(learned, read_npy(self.folder / "still" / chosen["canvas_file"])[1])
        width, height, channels, rows = read_png(self.folder / "learned" / "canvas-0.png")
        self.assertEqual((width, height, channels), (4 * SIDE, 4 * SIDE, 3))
        for place in range(SIDE * SIDE):
            y, x = divmod(place, SIDE)
            colour = tuple(int(learned[c * SIDE * SIDE + place] * 255 + 0.5) for c in range(3))
            self.assertEqual(tuple(rows[4 * y + 3][3 * (4 * x + 3) :][:3]), colour)
        # Patterns, and their power read back from the folder, are of the learned canvas.
        again = json.loads(run("power", MODEL, DATA, self.folder / "learned", "--limit", LIMIT, "--sizes", "5", "--json").stdout)
        self.assertEqual(again["patterns"][0]["power"], chosen["power"])
        # A report that replaces it takes the picture away.
        search(self.folder / "learned", *words, "--power", "none", "--overwrite")
        self.assertFalse((self.folder / "learned" / "canvas-0.png").exists())

    def test_own_canvases(self):
        first = self.folder / "first"
        search(first, "--classes", "0", "--power", "none")
        own = first / "canvas-0-0.npy"
        words = ["--classes", "1", "--canvas", f"white,{own}", "--power", "all", "--sizes", "5"]
        done = search(self.folder / "own", *words)
        result = self.read_result(self.folder / "own")
        self.assertEqual([e["canvas"] for e in result["patterns"]][1], {"kind": "user", "index": 0})
        self.assertEqual([len(e["power"]) for e in result["patterns"]], [1, 1])
        self.assertEqual(read_npy(self.folder / "own" / "canvas-1-1.npy"), read_npy(own))
        self.assertIn("user 0", done.stdout)


class Power(Case):
    def test_it_repeats_the_report(self):
        report = self.folder / "report"
        search(report, "--classes", "0-1", "--canvases", "2", "--sizes", "5,10")
        written = self.read_result(report)
        words = ["power", MODEL, DATA, report, "--limit", LIMIT, "--sizes", "5,10"]
        again = json.loads(run(*words, "--json").stdout)
        selected = [e for e in written["patterns"] if e["selected"]]
        self.assertEqual([e["class"] for e in again["patterns"]], [0, 1])
        for old, new in zip(selected, again["patterns"]):
            self.assertEqual(old["canvas"], new["canvas"])
            self.assertEqual(old["power"], new["power"])
        text = run(*words, "--canvases", "all").stdout
        for word in ["PW", "ASR", "mPW", "STD", "counts"]:
            self.assertIn(word, text)
        every = json.loads(run(*words, "--canvases", "all", "--images", "all", "--json").stdout)
        self.assertEqual((len(every["patterns"]), every["image_count"]), (4, int(LIMIT)))
        held = [e["power"][0]["nontarget"] for e in again["patterns"]]
        searched = json.loads(run(*words, "--images", "searched", "--json").stdout)
        for e, held_out, total in zip(searched["patterns"], held, every["patterns"][::2]):
            self.assertEqual(e["power"][0]["nontarget"] + held_out, total["power"][0]["nontarget"])

    def test_mean_and_deviation(self):
        search(self.folder, "--classes", "0-1", "--sizes", "10")
        values = [e["power"][0]["pw"] for e in self.read_result(self.folder)["patterns"]]
        text = run("power", MODEL, DATA, self.folder, "--limit", LIMIT, "--sizes", "10").stdout
        lines = [line.split() for line in text.splitlines() if line.strip()]
        printed = {line[0]: float(line[-1]) for line in lines if line[0] in ("mPW", "STD")}
        mean = sum(values) / 2
        self.assertAlmostEqual(printed["mPW"], mean, places=3)
        self.assertAlmostEqual(printed["STD"], math.sqrt(sum((v - mean) ** 2 for v in values) / 2), places=3)


if __name__ == "__main__":
    unittest.main()
