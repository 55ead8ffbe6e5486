"""iscp reproduce: tables and figures, their files, and going on after Ctrl-C."""

import json
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from command import DATA, EXAMPLES, MODEL, Case, run
from studies import check_page, every_file, interrupt, read_csv

BACKDOOR = str(EXAMPLES / "models" / "fashion-backdoor.safetensors")
MODELS = ["natural=" + MODEL, BACKDOOR + "=backdoored"]  # either side may be the file
LIMIT = "60"
QUICK = ["--limit", LIMIT, "--epochs", "1", "--canvases", "2", "--classes", "0-1"]
ITEMS = ["table1", "table2", "table3", "table5", "table6", "figure1", "figure2", "figure3", "figure4", "figure5", "figure6",
         "figure7", "figure8", "figure9", "figure11", "figure12"]


def words(folder, items=ITEMS):
    return ["reproduce", *items, *MODELS, DATA, "-o", folder, *QUICK]


class Reproduce(Case):
    @classmethod
    def setUpClass(cls):
        cls.whole = Path(tempfile.mkdtemp(prefix="iscp-reproduce-"))
        cls.addClassCleanup(shutil.rmtree, cls.whole, ignore_errors=True)
        cls.done = run(*words(cls.whole))

    def rows(self, name, source):
        head, *rows = read_csv(self.whole / f"{name}.csv")
        self.assertEqual(head[0], "source")
        return [row[1:] for row in rows if row[0] == source]

    def test_files_are_whole(self):
        files = every_file(self.whole)
        for name in ["table1", "table2", "table3", "table5", "table6", "figure8", "figure11", "figure12"]:
            self.assertIn(name + ".csv", files)
        self.assertFalse([name for name in files if name.endswith(".part")])
        page = check_page(self, self.whole / "index.html")
        self.assertEqual(len(page.headings), len(ITEMS) + 1)
        self.assertEqual(page.headings[0], "Table 1. PW by pattern size (the paper's is of CIFAR-10)")
        self.assertRegex(self.done.stderr, r"about \d+ min to do|less than a minute to do")

    def test_relations_are_said(self):
        said = self.done.stdout
        counts = [said.count(f"\n  {word} ") for word in ("held", "did not hold", "not judged")]
        self.assertIn("What the paper says: {} held, {} did not hold, {} not judged.".format(*counts), said)
        sections = re.split(r"^(?=(?:Table|Figure) \d+\. )", said, flags=re.MULTILINE)[1:]
        self.assertEqual(len(sections), len(ITEMS))
        for section in sections:
            self.assertRegex(section, r"\n  (held|did not hold|not judged) ", section)

    def test_the_papers_rows(self):
        """Its means and deviations come out of its classes' rows, to the last digit it prints."""
        for name, classes in ("table1", 10), ("table2", 50):
            rows = {row[0]: [float(x) for x in row[1:]] for row in self.rows(name, "paper")}
            means, stds = rows.pop("mPW"), rows.pop("STD")
            self.assertEqual(len(rows), classes)
            for column in zip(means, stds, *rows.values()):
                mean = sum(column[2:]) / classes
                std = (sum((x - mean) ** 2 for x in column[2:]) / classes) ** 0.5
                self.assertLess(abs(mean - column[0]), 0.00105)  # it rounds, and its rows are rounded
                self.assertLess(abs(std - column[1]), 0.00105)

    def test_numbers_are_those_of_a_search(self):
        out = self.folder / "search"
        run("search", MODEL, DATA, "-o", out, *QUICK, "--preset", "paper", "--images", "all", "--power", "all")
        entries = self.read_result(out)["patterns"]
        selected = [entry for entry in entries if entry["selected"]]
        measured = self.rows("table1", "measured")
        for entry, row in zip(selected, measured):
            self.assertEqual(row[0], entry["name"])
            self.assertEqual([float(x) for x in row[1:6]], [p["pw"] for p in entry["power"]])
            self.assertEqual(float(row[6]), entry["power"][0]["accuracy"])
        self.assertEqual([row[0] for row in measured[2:]], ["mPW", "STD"])
        mean = sum(entry["power"][3]["pw"] for entry in selected) / 2
        self.assertAlmostEqual(float(measured[2][4]), mean, places=12)
        for y, row in enumerate(self.rows("table3", "measured")):
            of_class = [entry["power"][3]["pw"] for entry in entries if entry["class"] == y]
            self.assertEqual([float(x) for x in row[1:3]], of_class)

    def test_transfer_is_that_of_power(self):
        """Patterns of the first model on the second, as iscp power measures the run's folder."""
        folder = self.whole / "runs" / "natural-positive"
        result = json.loads(run("power", BACKDOOR, DATA, folder, "--images", "all", "--json", "--limit", LIMIT).stdout)
        rows = read_csv(self.whole / "figure8.csv")
        for k, row in enumerate(rows[1:]):
            mean = sum(p["power"][k]["pw"] for p in result["patterns"]) / len(result["patterns"])
            self.assertAlmostEqual(float(row[2]), mean, places=12)

    def test_uap_is_that_of_uap(self):
        out = self.folder / "uap"
        run("uap", MODEL, DATA, "-o", out, "--limit", LIMIT, "--classes", "0-1", "--eps", "32")
        rows = json.loads((out / "result.json").read_text())["perturbations"]
        rates = [row["power"][0]["crafted"]["asr"] for row in rows]
        measured = self.rows("table5", "measured")[0]
        self.assertAlmostEqual(float(measured[3]), sum(rates) / 2, places=12)

    def test_interrupted_and_gone_on_with_is_the_same(self):
        """In the first of two searches; perturbations, transfer and a page follow."""
        items, cut, whole = ["table1", "table5", "figure8"], self.folder / "cut", self.folder / "whole"
        errors = interrupt(self, words(cut, items), cut / "runs" / "natural-positive" / "mask-0-0.npy")
        self.assertIn("the same command goes on", errors.splitlines()[-1])
        self.assertFalse((cut / "index.html").exists())
        run(*words(cut, items))
        run(*words(whole, items))
        self.assertEqual(every_file(cut), every_file(whole))

    def test_interrupted_among_patterns_that_no_search_measures(self):
        cut = self.folder / "cut"
        shutil.copytree(self.whole, cut)
        (cut / "index.html").unlink()
        judged = cut / "runs" / "backdoored-figure8-there.txt"
        judged.unlink()
        interrupt(self, words(cut), judged)
        kept = judged.read_text().splitlines()
        self.assertTrue(2 <= len(kept) < 1 + 2 * 5, kept)
        run(*words(cut))
        self.assertEqual(every_file(cut), every_file(self.whole))

    def test_once_more_measures_nothing(self):
        out = self.folder / "out"
        shutil.copytree(self.whole, out)
        again = run("reproduce", "table5", "figure8", "figure11", *MODELS, DATA, "-o", out, *QUICK)
        self.assertNotIn("to do", again.stderr)
        self.assertNotIn("is finished", again.stderr)
        files, before = every_file(out), every_file(self.whole)
        changed = {name for name in before if files[name] != before[name]}
        self.assertEqual({name for name in changed if not name.endswith(".svg")}, {"index.html"})  # an SVG's marks are counted on

    def test_one_positive_canvas_of_other_searches(self):
        """Table 3 is of positive canvases, whatever the searches begin with; one canvas cannot be compared."""
        out = self.folder / "out"
        done = run("reproduce", "table3", MODEL, DATA, "-o", out, *QUICK, "--canvases", "1", "--canvas", "white")
        self.assertEqual([p.name for p in (out / "runs").iterdir()], ["fashion-natural-positive"])
        self.assertEqual(done.stdout.count("\n  not judged "), 2)
        self.assertEqual([row[2:6] for row in self.read_measured(out / "table3.csv")], [[""] * 4] * 2)

    def read_measured(self, path):
        return [row[1:] for row in read_csv(path) if row[0] == "measured"]

    def test_another_run_in_the_folder(self):
        before = every_file(self.whole)
        done = run(*words(self.whole), "--seed", "1", code=1)
        self.assertIn("another run's", done.stderr)
        self.assertEqual(every_file(self.whole), before)


class Usage(Case):
    def test_wrong_words(self):
        out = ["-o", self.folder / "out"]
        cases = [
            (["table7", MODEL, DATA, *out], "table7"),
            ([MODEL, "table1", DATA, *out], "no table or figure"),
            (["table1", MODEL, *out], "too few words"),
            (["table1", "figure1", MODEL, *out], "too few words"),
            (["table1", MODEL, DATA], "-o DIR"),
            (["figure8", MODEL, DATA, *out], "a natural model, then a backdoored one"),
            (["figure4", MODEL, DATA, *out], "checkpoints"),
            (["table1", MODEL, MODEL, DATA, *out], "NAME=MODEL"),
            (["table1", MODEL, DATA, *out, "--canvas", "mine.png"], "--canvas"),
            (["table6", MODEL, DATA, *out, "--learn-canvas"], "--learn-canvas"),
            (["table1", MODEL, DATA, *out, "--images", "some"], "--images"),
        ]
        for words_, expected in cases:
            self.check_one_line(run("reproduce", *words_, code=2), expected)
        self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main()
