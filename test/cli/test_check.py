"""iscp check: a model that knows the images, the same one under a wrong input contract, and what a search says of that."""

import json
import unittest

from command import DATA, LIMIT, MODEL, Case, run, search

WRONG = ["--mean", "100", "--std", "1"]


class Check(Case):
    def read(self, *words, code=0):
        return json.loads(run("check", MODEL, DATA, "--limit", LIMIT, *words, "--json", code=code).stdout)

    def test_a_good_model(self):
        text = run("check", MODEL, DATA, "--limit", LIMIT).stdout
        for word in ["right on", "of 120 images", "Trouser", "Taken for another class"]:
            self.assertIn(word, text)
        self.assertNotIn("assumptions", text)

    def test_json(self):
        found = self.read()
        self.assertEqual((found["images"], found["plausible"], found["causes"]), (120, True, []))
        self.assertAlmostEqual(found["accuracy"], found["correct"] / 120, places=12)
        self.assertLess(found["low"], found["accuracy"])
        self.assertEqual(sum(c["images"] for c in found["per_class"]), 120)
        self.assertEqual(sum(c["correct"] for c in found["per_class"]), found["correct"])
        self.assertEqual(sum(c["images"] for c in found["confusions"]), 120 - found["correct"])
        self.assertEqual(found["per_class"][1]["name"], "Trouser")

    def test_a_wrong_contract_is_found_out(self):
        done = run("check", MODEL, DATA, "--limit", LIMIT, *WRONG, code=1)
        for word in ["not plausible", "Most likely: Fashion-MNIST's mean .286 and std .353", "--mean 0.286 --std 0.353"]:
            self.assertIn(word, done.stdout)
        found = self.read(*WRONG, code=1)
        given, best = found["causes"][:2]
        self.assertEqual((given["kind"], best["kind"]), ("none", "scale"))
        self.assertTrue(best["restores"] and not given["restores"])
        advised = ",".join(map(str, best["contract"]["mean"])), ",".join(map(str, best["contract"]["std"]))
        again = self.read("--mean", advised[0], "--std", advised[1])
        self.assertGreater(again["accuracy"], 0.85)

    def test_the_advice_is_whole(self):
        """What the command line does and should not do is undone by the options that are advised, laid over it."""
        words = ["--input", "mnist", "--pad", "0", "--resize", "40", "--crop", "28", "--range", "255", *WRONG]
        text = run("check", MODEL, DATA, "--limit", LIMIT, *words, code=1).stdout
        advice = text.split("with the options ")[1].split("\n")[0].split()
        for word in ["--resize", "--range"]:
            self.assertIn(word, advice)
        self.assertEqual(advice[advice.index("--resize") + 1], "no")
        self.assertEqual(advice[advice.index("--crop") + 1], "no")
        self.assertEqual(advice[advice.index("--range") + 1], "1")
        self.assertGreater(self.read(*words, *advice)["accuracy"], 0.8)

    def test_under_attack(self):
        text = run("check", MODEL, DATA, "--limit", "40", "--attack", "linf").stdout
        self.assertRegex(text, r"right on \d+ of 40 images under attack: robust accuracy 0\.\d{4} \(95 % interval")
        self.assertIn("PGD-20, linf, eps 8/255, step 2/255", text)
        words = ["--attack", "l2", "--attack-eps", "0.25", "--attack-steps", "5", "--attack-step", "25/255"]
        found = self.read("--limit", "40", *words)
        attack = found["attack"]
        self.assertEqual((attack["norm"], attack["eps"], attack["steps"], attack["seed"]), ("l2", 0.25, 5, 0))
        self.assertAlmostEqual(attack["step"], 25 / 255, places=12)
        self.assertEqual(attack["robust_accuracy"], attack["robust"] / 40)
        self.assertLess(attack["robust"], found["correct"])
        self.assertTrue(attack["robust_low"] < attack["robust_accuracy"] < attack["robust_high"])
        self.assertNotIn("attack", self.read("--limit", "40"))

    def test_wrong_attacks(self):
        cases = {
            ("--attack", "l1"): "linf or l2",
            ("--attack", "linf", "--attack-eps", "8/0"): "8/255 or 0.5",
            ("--attack", "linf", "--attack-eps", "8"): "at most 1",
            ("--attack", "linf", "--attack-steps", "0"): "1 to 10000",
            ("--attack-eps", "0.1"): "without --attack",
        }
        for words, expected in cases.items():
            self.check_one_line(run("check", MODEL, DATA, *words, code=2), "--attack", expected)

    def test_causes_by_option(self):
        self.assertEqual(self.read(*WRONG, "--causes", "never", code=1)["causes"], [])
        causes = self.read("--causes", "always", "--sample", "20")["causes"]
        self.assertEqual({c["images"] for c in causes if c["kind"] != "labels"}, {20})
        self.assertFalse(any(c["restores"] for c in causes))
        self.check_one_line(run("check", MODEL, DATA, "--causes", "no", code=2), "--causes", "poor, always or never")
        self.check_one_line(run("check", MODEL, DATA, "--sample", "0", code=2), "--sample", "1 or more")

    def test_a_search_refuses_a_model_that_guesses(self):
        words = ["--classes", "0", *WRONG]
        done = search(self.folder / "refused", *words, code=1)
        self.check_one_line(done, "right on", "of 120 images", "iscp check")
        search(self.folder / "accepted", *words, "--min-accuracy", "none")
        self.check_one_line(search(self.folder / "high", "--classes", "0", "--min-accuracy", "99.9%", code=1), "expected 0.999")
        self.check_one_line(search(self.folder / "x", "--min-accuracy", "2", code=2), "--min-accuracy", "none, or a share")


if __name__ == "__main__":
    unittest.main()
