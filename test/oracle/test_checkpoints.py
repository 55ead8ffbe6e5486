"""Checkpoints as PyTorch, and the safetensors package, write them, against PyTorch: every container, wrapping, prefix,
number type, stride, naming, depth, stem and width gives its logits. Narrow networks of the real depths: what is read does not
depend on the width; one network of the real size goes through each container."""

import argparse
import collections
import copy
import tempfile
import unittest
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch
from resnet import ResNet, randomize
from torch import nn
from zoo import CifarNet, HuggingNet

import iscp

try:
    from safetensors.torch import save_file
except ImportError:
    save_file = None

IMAGES, CLASSES = 3, 7
MEAN, STD = (0.4, 0.5, 0.45), (0.2, 0.25, 0.22)

# What the project promises, of the largest logit. Float32's rounding alone gives 2e-6 at most here.
LOGITS = 1e-4

STREAM = {"_use_new_zipfile_serialization": False}


def network(depth=18, width=8, stem="cifar", classes=CLASSES, seed=1, **more):
    return randomize(ResNet(depth, width, stem, classes, **more), seed)


class Checkpoints(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.largest = 0.0

    def tearDown(self):
        print(f"logits within {self.largest:.1e} of the largest", flush=True)

    def path(self, suffix=".pth"):
        self.count = getattr(self, "count", 0) + 1
        return self.folder / f"{self.count}{suffix}"

    def expect(self, path, net, size=32, channels=3, says=(), **options):
        """The file holds `net`: the library's logits of random images are PyTorch's."""
        height, width = size if isinstance(size, tuple) else (size, size)
        pixels = torch.rand(IMAGES, channels, height, width, generator=torch.Generator().manual_seed(7))
        mean, std = (torch.tensor(values[:channels])[:, None, None] for values in (MEAN, STD))
        with torch.no_grad():
            theirs = net.eval().float()((pixels - mean) / std).numpy()
        contract = {"size": size, "mean": MEAN[:channels], "std": STD[:channels], "channels": channels}
        model = iscp.Model.load(path, **contract, **options)
        for word in says:
            self.assertIn(word, model.source)
        error = np.abs(model.logits(pixels.numpy()) - theirs).max() / np.abs(theirs).max()
        self.largest = max(self.largest, float(error))
        self.assertLess(error, LOGITS, model.source)
        return model

    def save(self, value, net, **options):
        """Writes a checkpoint in both containers; each is read as `net`."""
        for writing in ({}, STREAM):
            path = self.path()
            torch.save(value, path, **writing)
            self.expect(path, net, **options)

    # ---- Networks ----

    def check_network(self, size=32, channels=3, **form):
        net = network(**form, inputs=channels)
        path = self.path()
        torch.save(net.state_dict(), path)
        model = self.expect(path, net, size=size, channels=channels)
        info = model.info
        planes = form.get("planes") or form["width"]
        found = (info.depth, info.width, info.stem, info.planes, info.inner, info.channels)
        inner = form.get("inner") or planes
        self.assertEqual(found, (form["depth"], form["width"], form["stem"], planes, inner, channels))
        model.save(self.path(".safetensors"))
        again = iscp.Model.load(self.folder / f"{self.count}.safetensors")
        self.assertEqual(again.info, info)
        pixels = np.random.default_rng(3).random((2, *model.contract.shape), np.float32)
        np.testing.assert_array_equal(again.logits(pixels), model.logits(pixels))

    def test_depths_and_stems(self):
        for depth, size in ((18, 28), (34, (33, 29)), (50, 37), (101, 32), (152, 28)):
            for stem in ("cifar", "imagenet"):
                with self.subTest(depth=depth, stem=stem):
                    self.check_network(depth=depth, width=6, stem=stem, size=size)

    def test_widths(self):
        for more in (
            {"depth": 50, "width": 8, "stem": "imagenet", "inner": 16},  # wide_resnet50_2
            {"depth": 101, "width": 4, "stem": "cifar", "inner": 8},
            {"depth": 50, "width": 12, "stem": "cifar", "planes": 6},
            {"depth": 50, "width": 4, "stem": "imagenet", "planes": 6, "inner": 10},
            {"depth": 18, "width": 16, "stem": "cifar", "planes": 8},
            {"depth": 34, "width": 5, "stem": "imagenet", "planes": 7},
        ):
            with self.subTest(**more):
                self.check_network(**more)

    def test_channels_classes_and_sizes(self):
        self.check_network(depth=18, width=8, stem="cifar", channels=1, size=28)
        self.check_network(depth=50, width=8, stem="imagenet", channels=1, size=(61, 47))
        self.check_network(depth=18, width=8, stem="imagenet", classes=2, size=(224, 100))
        self.check_network(depth=18, width=8, stem="cifar", classes=1000, size=(29, 31))

    def test_a_stride_in_the_first_convolution(self):
        net = network(depth=50, stem="imagenet", first=True)
        path = self.path()
        torch.save(net.state_dict(), path)
        model = self.expect(path, net, size=64, stride="1x1")
        self.assertEqual(model.info.stride, "1x1")
        other = self.path(".safetensors")
        model.save(other)
        self.assertEqual(self.expect(other, net, size=64).info.stride, "1x1")
        plain = iscp.Model.load(path, size=64, mean=MEAN, std=STD)
        pixels = np.random.default_rng(3).random((2, 3, 64, 64), np.float32)
        self.assertGreater(np.abs(plain.logits(pixels) - model.logits(pixels)).max(), 0.01)

    # ---- Containers ----

    def test_protocols(self):
        net = network()
        for protocol in range(1, 6):
            for writing in ({}, STREAM):
                with self.subTest(protocol=protocol, **writing):
                    path = self.path()
                    torch.save(net.state_dict(), path, pickle_protocol=protocol, **writing)
                    self.expect(path, net, says=["PyTorch legacy stream" if writing else "PyTorch zip", "torchvision"])

    def test_zips_of_other_tools(self):
        net = network()
        plain = self.path()
        torch.save(net.state_dict(), plain)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            path = self.path()
            with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", method) as new:
                for entry in reversed(old.infolist()):
                    with new.open(entry.filename, "w", force_zip64=True) as file:
                        file.write(old.read(entry))
            self.expect(path, net)

    def test_real_size(self):
        net = network(50, 64, "imagenet", 1000)
        self.save(net.state_dict(), net, size=64)
        if save_file:
            path = self.path(".safetensors")
            save_file(net.state_dict(), path)
            self.expect(path, net, size=64, says=["safetensors"])

    # ---- Number types and strides ----

    def test_number_types(self):
        for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
            with self.subTest(dtype=dtype):
                net = network(50).to(dtype)
                state = net.state_dict()
                rounded = network(50)
                rounded.load_state_dict({name: value.float() for name, value in state.items()})
                self.save(state, rounded)
                if save_file:
                    path = self.path(".safetensors")
                    save_file(state, path)
                    self.expect(path, rounded)

    def test_strides(self):
        net = network(50, stem="imagenet")
        self.save(network(50, stem="imagenet").to(memory_format=torch.channels_last).state_dict(), net)
        turned = {}
        for name, value in net.state_dict().items():
            order = tuple(reversed(range(value.dim())))
            turned[name] = value.permute(order).contiguous().permute(order)
        self.save(turned, net)
        sliced = {}
        for name, value in net.state_dict().items():
            larger = torch.zeros([2 * size + 3 for size in value.shape], dtype=value.dtype)
            view = larger[tuple(slice(1, 2 * size + 1, 2) for size in value.shape)]
            sliced[name] = view.copy_(value)
        self.save(sliced, net)
        floats = {name: value for name, value in net.state_dict().items() if value.is_floating_point()}
        flat = torch.cat([value.reshape(-1) for value in floats.values()])
        shared, at = {}, 0
        for name, value in floats.items():
            shared[name] = flat[at : at + value.numel()].view(value.shape)
            at += value.numel()
        self.save(shared, net)

    def test_without_counters(self):
        net = network()
        self.save({name: value for name, value in net.state_dict().items() if "num_batches" not in name}, net)

    # ---- Wrappings and prefixes ----

    def around(self, net):
        """What training scripts save beside the weights."""
        twin = copy.deepcopy(net)
        optimizer = torch.optim.SGD(twin.parameters(), 0.1, momentum=0.9)
        twin(torch.rand(2, 3, 32, 32)).sum().backward()
        optimizer.step()
        return {
            "epoch": 90,
            "arch": "resnet18",
            "args": argparse.Namespace(lr=0.1, gpus={0, 1}, nested=argparse.Namespace(x=(1, 2))),
            "best_acc1": torch.tensor(76.1),
            "acc": np.float64(0.5),
            "optimizer": optimizer.state_dict(),
            "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 30).state_dict(),
            "rng": torch.get_rng_state(),
            "trigger": torch.rand(1, 3, 32, 32),
            "history": collections.defaultdict(list, {"loss": [0.5, 0.25]}),
            "misc": [torch.Size([2]), torch.device("cpu"), torch.float16, b"bytes", {1}, None, 2**70, Path("here")],
        }

    def test_training_checkpoints(self):
        net = network()
        around = self.around(net)
        keys = ("state_dict", "model_state_dict", "model", "net", "network", "module", "model_ema", "state_dict_ema")
        for key in (*keys, "ema", "whatever"):
            with self.subTest(key=key):
                self.save({**around, key: net.state_dict()}, net, says=[f"state dict {key}"])
        self.save({**around, "ema": {"state_dict": net.state_dict(), "decay": 0.5}}, net, says=["ema.state_dict"])

    def test_keys_of_any_text(self):
        """Where the weights are is one line of UTF-8, whatever the file says."""
        net = network()
        for key in ("\u6a21" * 60, "\x1b[31mred\n"):
            path = self.path()
            torch.save({key: net.state_dict()}, path)
            source = self.expect(path, net).source
            self.assertTrue(source.isprintable(), source)
            self.assertNotIn("\ufffd", source)

    def test_the_choice(self):
        net, average = network(), network(seed=2)
        both = {"state_dict_ema": average.state_dict(), "state_dict": net.state_dict()}
        self.save(both, net)
        self.save(both, average, state_dict="state_dict_ema", says=["state dict state_dict_ema"])
        path = self.path()
        torch.save(both, path)
        with self.assertRaisesRegex(iscp.MismatchError, 'no state dict "none".*state_dict, state_dict_ema'):
            iscp.Model.load(path, size=32, mean=MEAN, std=STD, state_dict="none")

    def test_whole_modules(self):
        net = network(50)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the source that the legacy stream keeps
            self.save(net, net)
            self.save(nn.DataParallel(net), net)
            self.save({"model": net, "args": argparse.Namespace(a=1)}, net)

    def test_prefixes(self):
        net = network()
        nested = ("module.model.", "model._orig_mod.")
        for prefix in ("module.", "_orig_mod.", "model.", "backbone.", "net.", "encoder.", *nested):
            with self.subTest(prefix=prefix):
                state = {prefix + name: value for name, value in net.state_dict().items()}
                self.save(state, net, says=["prefix " + prefix])
        heads = {"backbone." + name if not name.startswith("fc.") else "classifier." + name[3:]: value
                 for name, value in net.state_dict().items()}
        self.save(heads, net)

    def test_robustness(self):
        """MadryLab: the network, and again within the attacker, a normalizer beside each."""
        net = network(50, stem="imagenet")
        normalizer = {"new_mean": torch.tensor(MEAN)[:, None, None], "new_std": torch.tensor(STD)[:, None, None]}
        state = {"module.normalizer." + name: value for name, value in normalizer.items()}
        state.update({"module.model." + name: value for name, value in net.state_dict().items()})
        state.update({"module.attacker.normalize." + name: value for name, value in normalizer.items()})
        state.update({"module.attacker.model." + name: value for name, value in net.state_dict().items()})
        self.save({"model": state, "epoch": 1}, net, size=64, says=["prefix module.model.", "torchvision"])

    # ---- Namings ----

    def test_pytorch_cifar(self):
        for depth in (18, 34, 50, 101, 152):
            net = randomize(CifarNet(depth, 6, CLASSES), depth)
            state = {"module." + name: value for name, value in net.state_dict().items()}
            self.save({"net": state, "acc": 95.1, "epoch": 200}, net, says=["pytorch-cifar", "prefix module."])

    def test_hugging_face(self):
        for depth in (18, 34, 50, 101, 152):
            net = randomize(HuggingNet(depth, 6, CLASSES), depth)
            self.save(net.state_dict(), net, size=65, says=["Hugging Face"])
            if save_file:
                path = self.path(".safetensors")
                save_file(net.state_dict(), path, {"format": "pt"})
                self.expect(path, net, size=65)

    def test_children_of_torchvision(self):
        net = network(50, stem="imagenet")
        children = [net.conv1, net.bn1, nn.ReLU(), net.maxpool, net.layer1, net.layer2, net.layer3, net.layer4]
        whole = nn.Module()
        whole.features, whole.fc = nn.Sequential(*children), net.fc
        self.save(whole.state_dict(), net, size=64, says=["Sequential"])
