"""iscp info, and the input contract by options."""

import json
import unittest

from command import MODEL, Case, run, without_contract

CONTRACT = ["--size", "28", "--mean", "0.286", "--std", "0.353"]


class Info(Case):
    def read(self, *words):
        return json.loads(run("info", *words, "--json").stdout)

    def test_plain(self):
        text = run("info", MODEL).stdout
        for word in ["ResNet-50, width 16, stem cifar, 10 classes", "Trouser", "mean 0.286", "libiscp", "threads"]:
            self.assertIn(word, text)

    def test_json(self):
        info = self.read(MODEL)
        self.assertEqual((info["depth"], info["width"], info["stem"], info["classes"]), (50, 16, "cifar", 10))
        self.assertEqual(len(info["names"]), 10)
        self.assertRegex(info["weights_sha256"], "^[0-9a-f]{64}$")
        self.assertEqual((info["planes"], info["inner"], info["stride"]), (16, 16, "3x3"))
        self.assertEqual(info["source"], "safetensors, names of torchvision")
        self.assertGreater(info["multiply_adds"], info["parameters"])
        contract = info["contract"]
        self.assertEqual((contract["channels"], contract["height"], contract["pad"]), (3, 28, [0, 0, 0, 0]))
        self.assertEqual((contract["mean"], contract["std"]), ([0.286] * 3, [0.353] * 3))

    def test_where_the_weights_are(self):
        self.assertIn("weights       safetensors, names of torchvision", run("info", MODEL).stdout)
        self.check_one_line(run("info", MODEL, "--state-dict", "ema", code=1), "fashion-natural.safetensors", '"ema"')

    def test_stride(self):
        self.assertEqual(self.read(MODEL, "--stride", "1x1")["stride"], "1x1")
        self.assertEqual(self.read(MODEL, "--stride", "1x1", "--mean", "0.3")["stride"], "1x1")
        self.assertIn("stride in the 1x1 convolution", run("info", MODEL, "--stride", "1x1").stdout)
        self.assertEqual(self.read(MODEL, "--stride", "3x3")["stride"], "3x3")
        self.check_one_line(run("info", MODEL, "--stride", "2x2", code=2), "2x2", "3x3 or 1x1")

    def test_machine_options(self):
        info = self.read(MODEL, "--threads", "1", "--backend", "blas")
        self.assertEqual((info["threads"], info["backend"]), (1, "blas"))

    def test_options_change_the_stored_contract(self):
        contract = self.read(MODEL, "--mean", "0.1,0.2,0.3", "--pad", "1,2,3,4")["contract"]
        self.assertEqual((contract["mean"], contract["std"]), ([0.1, 0.2, 0.3], [0.353] * 3))
        self.assertEqual((contract["pad"], contract["height"]), ([1, 2, 3, 4], 28))

    def test_a_model_without_a_contract(self):
        bare = without_contract(self.folder / "bare.safetensors")
        for words in [], ["--size", "28"], ["--mean", "0.286", "--std", "0.353"]:
            self.check_one_line(run("info", bare, *words, code=1), "bare.safetensors", "--size", "--mean", "--std")
        self.assertEqual(self.read(bare, *CONTRACT)["contract"], self.read(MODEL)["contract"])
        self.assertEqual(self.read(bare, *CONTRACT)["names"], [None] * 10)

    def test_names(self):
        names = self.folder / "names.txt"
        given = ['a "quoted" one', "tab\there", "caf\u00e9", *"defghij"]
        names.write_text("\n".join(given) + "\n\n")
        self.assertEqual(self.read(MODEL, "--names", names)["names"], given)
        names.write_text("too\nfew\n")
        self.check_one_line(run("info", MODEL, "--names", names, code=1), "10")
        names.write_text("")
        self.check_one_line(run("info", MODEL, "--names", names, code=1), "names.txt")
        self.check_one_line(run("info", MODEL, "--names", self.folder / "none", code=1), "none")


if __name__ == "__main__":
    unittest.main()
