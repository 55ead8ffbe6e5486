"""iscp sweep: its table, plot and page, and going on after Ctrl-C."""

import unittest

from command import DATA, EXAMPLES, MODEL, Case, read_png, run
from studies import check_page, every_file, interrupt, read_csv

BACKDOOR = str(EXAMPLES / "models" / "fashion-backdoor.safetensors")
QUICK = ["--limit", "60", "--epochs", "1", "--canvases", "1", "--classes", "0-1"]


class Sweep(Case):
    def sweep(self, *words, **options):
        return run("sweep", *words, "-o", self.folder / "out", *QUICK, **options)

    def read(self):
        head, *rows = read_csv(self.folder / "out" / "sweep.csv")
        return [dict(zip(head, row)) for row in rows]

    def test_numbers_are_those_of_searches(self):
        done = self.sweep(MODEL, DATA, "--over", "step=0.02,0.1")
        rows = self.read()
        self.assertEqual(len(rows), 2 * 2 * 5)  # values, classes, sizes
        for value in "0.02", "0.1":
            out = self.folder / value
            run("search", MODEL, DATA, "-o", out, *QUICK, "--step", value)
            powers = [p for entry in self.read_result(out)["patterns"] for p in entry["power"]]
            mine = [row for row in rows if row["step"] == value]
            self.assertEqual([float(row["pw"]) for row in mine], [p["pw"] for p in powers])
            self.assertEqual([int(row["nontarget_hits"]) for row in mine], [p["nontarget_hits"] for p in powers])
            mean = sum(p["pw"] for p in powers if p["size"] == 0.05) / 2
            self.assertIn(f"{mean:.3f}", next(line for line in done.stdout.splitlines() if line.startswith("mPW")))
        check_page(self, self.folder / "out" / "index.html")
        side = 4 * (2 * 29 - 1)  # two values, two classes, enlarged
        self.assertEqual(read_png(self.folder / "out" / "strip.png")[:2], (side, side))

    def test_values_that_differ_in_a_sign(self):
        self.sweep(MODEL, DATA, "--over", "alpha=1e-1,1e+1")
        self.assertEqual({(row["alpha"], float(row["alpha_used"])) for row in self.read()}, {("1e-1", 0.1), ("1e+1", 10)})

    def test_sizes_are_one_search(self):
        self.sweep(MODEL, DATA, "--over", "size=1,20%")
        self.assertEqual(len(list((self.folder / "out" / "runs").iterdir())), 1)
        self.assertEqual([row["size"] for row in self.read()], ["0.01", "0.2"] * 2)

    def test_canvases_add_up(self):
        self.sweep(MODEL, DATA, "--over", "canvas=white,positive+white", "--power", "all")
        masks = {p.parent.name for p in (self.folder / "out" / "runs").rglob("mask-0-1.npy")}
        self.assertEqual(masks, {"fashion-natural-canvas-positive+white"})

    def test_stages(self):
        done = self.sweep("first=" + MODEL, "second=" + BACKDOOR, DATA)
        self.assertRegex(done.stdout, r"class +first +second")
        self.assertEqual({row["model"] for row in self.read()}, {"first", "second"})

    def test_interrupted_and_gone_on_with_is_the_same(self):
        words = ["sweep", MODEL, DATA, "--over", "seed=1,2", *QUICK]
        whole, cut = self.folder / "whole", self.folder / "cut"
        run(*words, "-o", whole)
        errors = interrupt(self, [*words, "-o", cut], cut / "runs" / "fashion-natural-seed-1" / "mask-0-0.npy")
        self.assertIn("the same command goes on", errors.splitlines()[-1])
        run(*words, "-o", cut)
        self.assertEqual(every_file(cut), every_file(whole))

    def test_wrong_words(self):
        cases = [
            ([MODEL, DATA], "nothing to vary"),
            ([MODEL, DATA, "--over", "alpha"], "alpha=0.1"),
            ([MODEL, DATA, "--over", "hue=1,2"], "hue"),
            ([MODEL, DATA, "--over", "classes=1,2"], "classes"),
            ([MODEL, DATA, "--over", "alpha=0.1,x"], "--alpha"),
            ([MODEL, DATA, "--over", "alpha=0.1,0.1"], "twice"),
            ([MODEL, DATA, "--over", "fraction=0.5,1"], "--images all"),
            ([MODEL, DATA, "--over", "size=1,x"], "percent"),
            ([MODEL, DATA, "--over", "size=1,2", "--power", "none"], "--power none"),
        ]
        for words, expected in cases:
            self.check_one_line(self.sweep(*words, code=2), expected)
        self.assertFalse((self.folder / "out").exists())
        self.check_one_line(run("sweep", MODEL, DATA, "--over", "alpha=1,2", code=2), "-o DIR")


if __name__ == "__main__":
    unittest.main()
