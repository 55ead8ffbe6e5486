"""iscp uap: what it leaves, prints, and refuses."""

import json
import signal
import subprocess
import time
import unittest

from command import CHANNELS, DATA, MODEL, PROGRAM, SIDE, Case, read_npy, read_png, run

QUICK = ["--limit", "120", "--epochs", "1", "--batch", "40", "--classes", "8"]
NUMBERS = CHANNELS * SIDE * SIDE


class Uap(Case):
    def craft(self, *words, code=0):
        return run("uap", MODEL, DATA, "-o", self.folder / "uap", *QUICK, *words, code=code)

    def read(self):
        return json.loads((self.folder / "uap" / "result.json").read_text())

    def test_what_it_leaves(self):
        text = self.craft("--eps", "8,64").stdout
        result = self.read()
        self.assertEqual((result["schema"], result["crafted"]["images"]), (1, 120))
        self.assertNotIn("heldout", result)
        self.assertEqual(result["manifest"]["method"], "sgd")
        rates = []
        for row, eps in zip(result["perturbations"], (8, 64)):
            self.assertEqual((row["class"], row["perturbation"]), (8, f"uap-8-{eps}.npy"))
            self.assertAlmostEqual(row["eps"], eps / 255)
            shape, values = read_npy(self.folder / "uap" / row["perturbation"])
            self.assertEqual(shape, (CHANNELS, SIDE, SIDE))
            self.assertLessEqual(max(map(abs, values)), eps / 255 * (1 + 1e-7))  # eps as float32
            changed = sum(any(values[c * SIDE * SIDE + i] for c in range(CHANNELS)) for i in range(SIDE * SIDE))
            (whole,) = row["power"]
            self.assertEqual((whole["size"], whole["pixels"]), (1, changed))
            power = whole["crafted"]
            self.assertEqual(power["nontarget"] + power["target"], 120)
            self.assertAlmostEqual(power["asr"], power["nontarget_hits"] / power["nontarget"])
            rates.append(power["asr"])
            self.check_amplified(read_png(self.folder / "uap" / row["picture"]), values)
            width, height, _, _ = read_png(self.folder / "uap" / row["example"])
            self.assertAlmostEqual(width / height, (2 * SIDE + 1) / SIDE)
            self.assertIn(f"{power['nontarget_hits']}/{power['nontarget']}", text)
        self.assertGreater(rates[1], rates[0])

    def check_amplified(self, picture, values):
        """Each pixel that is changed is grey + v / (2 max |v|); a rounding up or down."""
        width, height, _, rows = picture
        scale, largest = width // SIDE, max(map(abs, values))
        self.assertEqual((width, height), (scale * SIDE, scale * SIDE))
        for i in range(SIDE * SIDE):
            v = [values[c * SIDE * SIDE + i] for c in range(CHANNELS)]
            shown = rows[i // SIDE * scale][i % SIDE * scale * 3 :][:3]
            for one, byte in zip(v, shown):
                if any(v):
                    self.assertAlmostEqual(byte, 255 * (0.5 + one / largest / 2), delta=1)

    def test_held_out_images_and_strongest_pixels(self):
        words = ["--eps", "64", "--fraction", "50%", "--sizes", "5,10"]
        printed = json.loads(self.craft(*words, "--json").stdout)
        self.assertEqual(printed, self.read())
        self.assertEqual(printed["crafted"]["images"] + printed["heldout"]["images"], 120)
        (row,) = printed["perturbations"]
        self.assertEqual([m["size"] for m in row["power"]], [1, 0.05, 0.1])
        self.assertEqual([m["pixels"] for m in row["power"]][1:], [39, 78])
        for m in row["power"]:
            parts = (m["crafted"], m["heldout"])
            self.assertEqual(sum(part["nontarget"] + part["target"] for part in parts), 120)
        self.assertIn(" heldout ", self.craft(*words, "--overwrite").stdout)
        self.assertEqual(self.read(), printed)

    def test_deepfool(self):
        self.craft("--method", "deepfool", "--eps", "64", "--batch", "8", "--stop", "10%")
        result = self.read()
        self.assertEqual((result["manifest"]["method"], result["manifest"]["stop"]), ("deepfool", 0.1))
        self.assertGreater(result["perturbations"][0]["power"][0]["crafted"]["asr"], 0.1)

    def test_results_are_not_replaced_unasked(self):
        self.craft("--eps", "8")
        before = self.read()
        self.check_one_line(self.craft("--eps", "16", code=1), "holds results already", "--overwrite")
        self.assertEqual(self.read(), before)

    def test_what_is_replaced_is_not_told_of(self):
        """Of a run that fails before its first perturbation, the results of the one before do not stand as its own."""
        self.craft("--eps", "8", "--seed", str(2**64 - 1))
        self.assertEqual(self.read()["manifest"]["seed"], str(2**64 - 1))
        done = self.craft("--eps", "8", "--overwrite", "--loss-clamp", "1e-6", code=1)
        self.assertIn("loss_clamp is 1e-06, but the loss of every image towards class 8 is above it", done.stderr)
        self.assertFalse((self.folder / "uap" / "result.json").exists())

    def test_wrong_words(self):
        for words, said in [
            (["--eps", "0"], "--eps"),
            (["--eps", "8,nan"], "--eps"),
            (["--eps", "256"], "--eps"),
            (["--eps", "8,16,8"], "different numbers"),
            (["--loss-clamp", "0"], "--loss-clamp"),
            (["--method", "pgd"], "sgd or deepfool"),
            (["--sizes", "100"], "--sizes"),
            (["--batch", "0"], "--batch"),
            (["--fraction", "0"], "--fraction"),
            (["--classes", "10"], "10"),
        ]:
            with self.subTest(words):
                self.check_one_line(self.craft(*words, code=2), said)
                self.assertFalse((self.folder / "uap").exists())
        self.check_one_line(run("uap", MODEL, DATA, code=2), "-o DIR")

    def test_interrupted_it_keeps_what_is_finished(self):
        command = [PROGRAM, "uap", MODEL, DATA, "-o", self.folder / "uap", *QUICK, "--eps", "8,16", "--epochs", "20"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
            limit = time.monotonic() + 300
            while not (self.folder / "uap" / "result.json").exists() and running.poll() is None and time.monotonic() < limit:
                time.sleep(0.05)
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=300)
        self.assertEqual(running.returncode, 130, said)
        self.assertIn("1 of 2 perturbations are finished", said)
        self.assertEqual(len(self.read()["perturbations"]), 1)


if __name__ == "__main__":
    unittest.main()
