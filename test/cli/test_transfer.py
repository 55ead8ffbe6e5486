"""iscp transfer: patterns of two models measured on both."""

import csv
import json
import math
import shlex
import signal
import subprocess
import time
import unittest

from command import DATA, EXAMPLES, MODEL, PROGRAM, Case, run, without_contract
from test_page import check_page

OTHER = str(EXAMPLES / "models" / "fashion-backdoor.safetensors")
# Sandal is the class that the backdoor answers with. White is the canvas that its trigger can be shown on.
QUICK = ["--classes", "0,5", "--canvas", "white", "--epochs", "2", "--fraction", "0.1", "--limit", "400", "--sizes", "1,5"]


def transfer(folder, *words, code=0):
    return run("transfer", f"natural={MODEL}", f"backdoor={OTHER}", DATA, "-o", folder, *words, code=code)


def read_rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


class Transfer(Case):
    def cells(self, result):
        return {(c["source"], c["target"], c["size"]): c for c in result["cells"]}

    def test_what_is_left(self):
        out = self.folder / "a" / "b"
        result = json.loads(transfer(out, *QUICK, "--json").stdout)
        self.assertEqual(result, json.loads((out / "transfer.json").read_text()))
        self.assertEqual([m["name"] for m in result["models"]], ["natural", "backdoor"])
        cells = self.cells(result)
        self.assertEqual(len(cells), 8)
        self.check_cells(cells)
        self.check_tables(out, cells)
        self.check_power(out, cells)
        # Figure 8: natural patterns transfer, the backdoor's does not.
        sandal = {key: cell["power"][1]["pw"] for key, cell in cells.items() if key[2] == 0.01}
        self.assertGreater(sandal["backdoor", "backdoor", 0.01], 2 * sandal["backdoor", "natural", 0.01])
        text, page = check_page(self, out / "index.html")
        self.assertEqual(sum("pattern-" in str(p) for p in out.glob("*/pattern-*.png")), 4)
        self.assertIn("Sandal", text)
        self.check_again(out, result)

    def check_cells(self, cells):
        for (source, target, size), cell in cells.items():
            mean = sum(p["pw"] for p in cell["power"]) / 2
            own = sum(p["pw"] for p in cells[source, source, size]["power"]) / 2
            self.assertAlmostEqual(cell["mean_pw"], mean, places=12)
            self.assertEqual([p["class"] for p in cell["power"]], [0, 5])
            if mean:
                self.assertAlmostEqual(cell["rate"], own / mean, places=9)
            else:
                self.assertIsNone(cell["rate"])
            if own:
                self.assertAlmostEqual(cell["kept"], mean / own, places=9)
            for p in cell["power"]:
                self.assertAlmostEqual(p["pw"], p["nontarget_hits"] / p["nontarget"] / (p["target_correct"] / p["target"]))

    def check_tables(self, out, cells):
        rows = read_rows(out / "transfer.csv")
        self.assertEqual(len(rows), 16)
        for row in rows:
            powers = cells[row["source"], row["target"], float(row["size"])]["power"]
            power = {p["class"]: p for p in powers}[int(row["class"])]
            self.assertAlmostEqual(float(row["pw"]), power["pw"], places=12)  # JSON's numbers are shorter
            self.assertEqual(int(row["nontarget_hits"]), power["nontarget_hits"])
        for row in read_rows(out / "matrix.csv"):
            cell = cells[row["source"], row["target"], float(row["size"])]
            for name in "mean_pw", "std", "rate", "kept":
                value = float(row[name])
                self.assertEqual(math.isnan(value), cell[name] is None)
                if cell[name] is not None:
                    self.assertAlmostEqual(value, cell[name], places=9)

    def check_power(self, out, cells):
        """The counts of iscp power, which knows nothing of transfers."""
        words = ["--limit", "400", "--sizes", "1,5", "--json"]
        measured = json.loads(run("power", OTHER, DATA, out / "natural", *words).stdout)
        for k, pattern in enumerate(measured["patterns"]):
            for row in pattern["power"]:
                power = cells["natural", "backdoor", row["size"]]["power"][k]
                for name in "nontarget", "nontarget_hits", "target", "target_correct":
                    self.assertEqual(power[name], row[name])

    def check_again(self, out, result):
        """Refused without a word; nothing to do with --resume; the same from the reports alone."""
        self.check_one_line(transfer(out, *QUICK, code=1), "--resume", "--overwrite")
        before = (out / "transfer.csv").read_bytes()
        self.assertEqual(json.loads(transfer(out, *QUICK, "--json", "--resume").stdout), result)
        self.assertEqual((out / "transfer.csv").read_bytes(), before)
        transfer(self.folder / "again", "--patterns", out, "--limit", "400", "--sizes", "1,5")
        for a, b in zip(read_rows(out / "transfer.csv"), read_rows(self.folder / "again" / "transfer.csv"), strict=True):
            for name, value in a.items():
                if name in ("source", "target") or value.isdigit():
                    self.assertEqual(b[name], value)
                else:  # a report's numbers have fewer digits
                    self.assertAlmostEqual(float(b[name]), float(value), places=12)

    def test_interrupted_and_gone_on_with(self):
        out = self.folder / "out"
        command = [PROGRAM, "transfer", MODEL, f"b={OTHER}", DATA, "-o", str(out), *QUICK]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline and process.poll() is None and not (out / "b" / "result.json").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=600)
        self.assertEqual(process.returncode, 130, errors)
        again = shlex.split(errors.splitlines()[-1].split("to go on: ", 1)[1])
        self.assertEqual(again, [*command, "--resume"])
        done = subprocess.run(again, capture_output=True, text=True, timeout=900)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("fashion-natural: class", done.stderr)  # what was finished is kept
        self.assertRegex(done.stdout, r"(?m)^fashion-natural +b +[\d.]+ +[\d.]+$")
        self.assertEqual(len(read_rows(out / "transfer.csv")), 16)


class Refused(Case):
    def refused(self, code, words, *expected):
        self.check_one_line(run("transfer", *words, code=code), *expected)

    def test_wrong_words(self):
        out = ["-o", self.folder / "x"]
        self.refused(2, [MODEL, DATA, *out], "MODEL MODEL")
        self.refused(2, [MODEL, OTHER, DATA], "-o DIR")
        self.refused(2, [MODEL, f"fashion-natural={OTHER}", DATA, *out], 'two models are called "fashion-natural"')
        self.refused(2, [f"..={MODEL}", OTHER, DATA, *out], "expected NAME=PATH")
        self.refused(2, [f"a b={MODEL}", OTHER, DATA, *out], "a b", "expected NAME=PATH")
        self.refused(2, ["a=", OTHER, DATA, *out], "expected NAME=PATH")
        self.refused(2, [MODEL, OTHER, DATA, *out, "--patterns", "y", "--resume"], "--patterns")
        self.refused(1, [MODEL, f"b={self.folder / 'none.pth'}", DATA, *out], "none.pth")
        self.refused(1, [MODEL, OTHER, DATA, *out, "--patterns", self.folder], "result.json")

    def test_what_is_replaced_is_not_told_of(self):
        """A run that fails leaves nothing of the one before as its own, but one that cannot begin leaves all."""
        names = ["transfer.csv", "transfer.json", "matrix.csv", "index.html"]
        for words, left in (["--patterns", self.folder / "none"], names), (["--limit", "100", "--min-accuracy", "1"], []):
            for name in names:
                (self.folder / name).touch()
            run("transfer", f"natural={MODEL}", OTHER, DATA, "-o", self.folder, "--overwrite", *words, code=1)
            self.assertEqual([name for name in names if (self.folder / name).exists()], left)

    def test_models_of_another_form(self):
        """One that says of itself that it takes pictures of another size."""
        other = without_contract(self.folder / "other.safetensors")
        contract = {"channels": 3, "height": 32, "width": 32, "pad": [2, 2, 2, 2], "mean": [0.286] * 3, "std": [0.353] * 3}
        (self.folder / "other.safetensors.contract.json").write_text(json.dumps(contract))
        done = run("transfer", MODEL, other, DATA, "-o", self.folder / "x", code=1)
        self.check_one_line(done, "3x28x28", "3x32x32", "does not fit")


if __name__ == "__main__":
    unittest.main()
