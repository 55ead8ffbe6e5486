"""iscp info, and the input contract by options."""

import json
import re
import unittest

from command import EXAMPLES, MODEL, Case, run, without_contract

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

    def test_presets(self):
        listed = run("info", "--input", "list").stdout
        for name in "torchvision-v1", "torchvision-v2", "timm", "kuangliu-cifar", "cifar10", "authors", "mnist", "none":
            self.assertRegex(listed, rf"(?m)^{name} +\S")
        page = (EXAMPLES.parent / "docs/preprocessing.md").read_text()
        table = re.findall(r"(?m)^\| `([\w.-]+)` \|", page[page.index("## Presets") : page.index("## JSON")])
        self.assertEqual([line.split()[0] for line in listed.splitlines()], table)
        info = self.read(MODEL, "--input", "torchvision-v1")
        contract = info["contract"]
        self.assertEqual((contract["resize"], contract["filter"], contract["crop"]), (256, "bilinear", [224, 224]))
        self.assertEqual((contract["mean"], contract["order"], contract["range"]), ([0.485, 0.456, 0.406], "RGB", 1))
        self.assertEqual(info["contract_source"], "preset torchvision-v1")
        self.check_one_line(run("info", MODEL, "--input", "torchvision", code=1), "torchvision-v1", "cifar100")

    def test_options_go_over_a_preset(self):
        words = "--input timm --resize 300x310 --filter bilinear --order BGR --range 255 --mean 1,2,3 --crop-rule floor".split()
        info = self.read(MODEL, *words)
        contract = info["contract"]
        self.assertEqual((contract["resize"], contract["filter"], contract["crop"]), ([300, 310], "bilinear", [224, 224]))
        self.assertEqual((contract["order"], contract["range"], contract["crop_rule"]), ("BGR", 255, "floor"))
        self.assertEqual((contract["mean"], contract["std"]), ([1, 2, 3], [0.229, 0.224, 0.225]))
        self.assertEqual(info["contract_source"], "preset timm and options")
        text = run("info", MODEL, *words).stdout
        for line in "as of: preset timm and options", "resized to 300 x 310 (bilinear)", "cropped to 224 x 224", "BGR in [0,255]":
            self.assertIn(line, text)

    def test_size_and_crop_follow_each_other(self):
        def form(*words):
            contract = self.read(MODEL, "--input", "torchvision-v1", *words)["contract"]
            return contract["height"], contract["width"], contract["resize"], contract["crop"]

        self.assertEqual(form("--size", "288x192", "--resize", "320"), (288, 192, 320, [288, 192]))
        self.assertEqual(form("--crop", "160"), (160, 160, 256, [160, 160]))
        self.assertEqual(form("--crop", "160", "--pad", "2"), (164, 164, 256, [160, 160]))
        self.assertEqual(form("--crop", "no", "--resize", "no", "--size", "32"), (32, 32, None, None))
        self.check_one_line(run("info", MODEL, "--crop", "20", "--size", "28", code=1), "crop_height is 20")

    def test_a_file_says_what_the_input_is(self):
        bare = without_contract(self.folder / "bare.safetensors")
        config = {"pretrained_cfg": {"input_size": [3, 64, 64], "crop_pct": 0.9, "interpolation": "bilinear"}}
        given = self.folder / "given.json"
        given.write_text(json.dumps(config))
        info = self.read(bare, "--input", given)
        self.assertEqual((info["contract"]["resize"], info["contract_source"]), (71, str(given)))
        (self.folder / "config.json").write_text(json.dumps(config))
        info = self.read(bare)
        self.assertEqual(info["contract_source"], str(self.folder / "config.json"))
        self.assertEqual(info["contract"]["crop"], [64, 64])
        own = {"height": 28, "width": 28, "mean": [0.5, 0.5, 0.5], "classes": [*"abcdefghij"]}
        (self.folder / "bare.safetensors.contract.json").write_text(json.dumps(own))
        info = self.read(bare)
        self.assertEqual((info["contract"]["mean"], info["names"]), ([0.5] * 3, [*"abcdefghij"]))
        info = self.read(bare, "--mean", "0.25")
        self.assertEqual(info["contract_source"], str(self.folder / "bare.safetensors.contract.json") + " and options")
        self.assertEqual(self.read(MODEL)["contract_source"], "metadata")
        given.write_text('{"height": 28, "width": 28, "colour": "red"}')
        self.check_one_line(run("info", bare, "--input", given, code=1), "given.json", '"colour"')
        self.check_one_line(run("info", bare, "--input", self.folder / "none.json", code=1), "none.json")

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
