"""Random-weight networks, written by PyTorch and by safetensors, against PyTorch: logits and input gradients."""

import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from decisions import ROUNDING, Settled, exact_gradient
from resnet import ResNet, randomize
from support import input_gradient, logits, net_of, relative_l2

import iscp

try:
    from safetensors.torch import save_file
except ImportError:
    save_file = None

# Another mean and std for each channel: swapped channels show.
MEAN, STD = (0.4, 0.5, 0.45), (0.2, 0.25, 0.22)
IMAGES = 8
CLASSES = 10

# What the project promises; float32's rounding alone gives less than 1.1e-6 here, in PyTorch as in the library.
LOGITS = 1e-4


def state_of(form, seed, dtype):
    """A random network's state dict as a checkpoint holds it: floats of `dtype`, counters as they are."""
    state = randomize(ResNet(*form), seed).state_dict()
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in state.items()}


def store(state, path, size):
    """Writes a checkpoint and gives what must be said to load it."""
    if path.suffix == ".pth":
        torch.save(state, path)
        return {"size": size, "mean": MEAN, "std": STD}
    contract = {"height": size, "width": size, "mean": MEAN, "std": STD}
    floats = {name: value for name, value in state.items() if value.is_floating_point()}
    save_file(floats, path, {"iscp.contract": json.dumps(contract)})
    return {}


def contexts():
    """One of each backend that the library has."""
    found = []
    for backend in ("onednn", "blas"):
        try:
            found.append(iscp.Context(backend=backend))
        except iscp.UnsupportedError:
            pass
    return found


class Network(unittest.TestCase):
    def check(self, form, size, dtype, suffix, seed):
        """The network `form` (depth, width, stem, classes) on random images of size x size."""
        state = state_of(form, seed, dtype)
        net = net_of(state, form, MEAN, STD)
        pixels = torch.rand(IMAGES, 3, size, size, generator=torch.Generator().manual_seed(seed))
        targets = np.arange(IMAGES) % CLASSES
        exact = exact_gradient(net.double(), pixels, targets)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ("net" + suffix)
            contract = store(state, path, size)
            models = {context.backend: iscp.Model.load(path, **contract, context=context) for context in contexts()}
        for backend, model in models.items():
            with self.subTest(backend):
                print(f"ResNet-{form[0]} {form[2]} {suffix} {backend}:", end=" ")
                self.assertEqual((model.info.depth, model.info.width, model.info.stem, model.info.classes), form)
                self.check_logits(model, net, pixels)
                self.check_gradient(model, net, pixels, targets, exact)

    def check_logits(self, model, net, pixels):
        ours, theirs = model.logits(pixels.numpy()), logits(net, pixels)
        error = np.abs(ours - theirs).max() / np.abs(theirs).max()
        print(f"logits within {error:.1e} of the largest;", end=" ")
        self.assertLess(error, LOGITS)

    def check_gradient(self, model, net, pixels, targets, exact):
        ours, losses = model.input_gradient(pixels.numpy(), targets, return_losses=True)
        theirs = input_gradient(net, pixels, targets)
        settled = Settled(net, net.double(), pixels, targets, ours, exact)
        print(f"gradient {settled}; from PyTorch's float32 {relative_l2(ours, theirs):.1e}", flush=True)
        # The promise of 1e-4 holds for each image; ROUNDING, ten times what was seen, is tighter still.
        self.assertLess(settled.errors.max(), ROUNDING)
        # Most images have no undecided decision: an error in all of them would not pass for decisions.
        self.assertLess(np.median(settled.plain), ROUNDING)
        entropy = torch.nn.functional.cross_entropy(
            torch.from_numpy(logits(net, pixels)), torch.from_numpy(targets), reduction="none"
        )
        # As the logits: a loss is a difference of them.
        np.testing.assert_allclose(losses, entropy.numpy(), rtol=0, atol=LOGITS * entropy.max().item())

    def test_resnet18_cifar_f32(self):
        self.check((18, 64, "cifar", CLASSES), 24, torch.float32, ".pth", 1)

    def test_resnet18_imagenet_f16(self):
        self.check((18, 64, "imagenet", CLASSES), 64, torch.float16, ".pth", 2)

    def test_resnet50_cifar_f16(self):
        self.check((50, 64, "cifar", CLASSES), 20, torch.float16, ".pth", 3)

    def test_resnet50_imagenet_f32(self):
        self.check((50, 64, "imagenet", CLASSES), 64, torch.float32, ".pth", 4)

    @unittest.skipUnless(save_file, "needs the safetensors package")
    def test_resnet50_cifar_safetensors_f32(self):
        self.check((50, 16, "cifar", CLASSES), 28, torch.float32, ".safetensors", 5)

    @unittest.skipUnless(save_file, "needs the safetensors package")
    def test_resnet18_imagenet_safetensors_f16(self):
        self.check((18, 24, "imagenet", CLASSES), 40, torch.float16, ".safetensors", 6)
