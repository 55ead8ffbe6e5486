"""Training against PyTorch in train() mode: the gradient of every parameter, the running statistics, and the weights after some
steps of torch.optim.SGD with each of the schedules."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from resnet import ResNet, randomize
from support import (
    REFERENCE_INPUT,
    REFERENCE_MODEL,
    SHIPPED_IMAGES,
    SHIPPED_LABELS,
    pixels_of,
    read_idx,
    read_safetensors,
    reference_net,
    relative_l2,
    shipped_net,
)

PROGRAM = os.environ["ISCP_ORACLE_TRAINING"]

try:
    from safetensors.torch import save_file
except ImportError:
    save_file = None

CLASSES = 10
# What the project promises.
GRADIENT, STATISTICS, WEIGHTS = 1e-3, 1e-4, 1e-3
# Deep networks on a few images: float32's rounding decides some ReLUs otherwise than float64, in PyTorch as
# here (its own gradients were off by 3e-3 to 9e-3). A term left out is off by more than 0.1, in all layers before it.
FLIPPED = 3e-2


def floats(net):
    return {name: value for name, value in net.state_dict().items() if value.is_floating_point()}


def batch_of(images, channels, size, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(images, channels, size, size, generator=generator), torch.arange(images) % CLASSES


def ours(net, pixels, labels, backend, *steps):
    """What the library's step, or its `steps`, give by name."""
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("net.safetensors", "images.npy", "labels.npy", "out.safetensors")]
        save_file(floats(net), files[0])
        np.save(files[1], pixels.numpy())
        np.save(files[2], labels.numpy())
        subprocess.run([PROGRAM, backend, *files, *map(str, steps)], check=True)
        return read_safetensors(files[3])[0]


def theirs(net, pixels, labels):
    """The same of PyTorch in float64: the referee, since float32's own rounding flips some ReLUs."""
    copy = ResNet(*net.form).double().train()
    copy.load_state_dict(net.state_dict())
    torch.nn.functional.cross_entropy(copy(pixels.double()), labels).backward()
    state = {name: value for name, value in copy.state_dict().items() if "running" in name}
    return state | {name: value.grad for name, value in copy.named_parameters()}


@unittest.skipUnless(save_file, "needs the safetensors package")
class Step(unittest.TestCase):
    def check(self, net, pixels, labels, allowed=GRADIENT):
        """The largest error of a gradient on each backend."""
        expected, largest = theirs(net, pixels, labels), {}
        for backend in ("auto", "blas"):
            with self.subTest(backend):
                found = ours(net, pixels, labels, backend)
                self.assertEqual(set(found), set(expected))
                errors = {name: relative_l2(found[name].numpy(), expected[name].numpy()) for name in found}
                gradients = {name: error for name, error in errors.items() if "running" not in name}
                worst, statistics = max(gradients, key=gradients.get), max(e for n, e in errors.items() if "running" in n)
                print(f"{backend}: gradients within {gradients[worst]:.1e} ({worst}), statistics {statistics:.1e}", flush=True)
                largest[backend] = gradients[worst]
                self.assertLess(gradients[worst], allowed)
                self.assertLess(statistics, STATISTICS)
        return largest

    def check_random(self, form, images, size, seed, allowed=GRADIENT):
        net = randomize(ResNet(*form), seed)
        net.form = form
        with torch.no_grad():
            for name, module in net.named_modules():
                if name.endswith("bn3"):  # as the branches of a network that is being trained: the sum does not grow
                    module.weight.mul_(0.2)
        self.check(net, *batch_of(images, 3, size, seed), allowed)

    def check_trained(self, net, pad):
        """Three batches of 32. A ReLU that rounding decides otherwise is met by one or another, here as in PyTorch's float32 (which
        was off by 9e-3 at the third of the shipped model, 2e-3 at the second)."""
        found = []
        for images in (slice(start, start + 32) for start in (0, 32, 64)):
            pixels = (pixels_of(read_idx(SHIPPED_IMAGES)[images], pad) - REFERENCE_INPUT["mean"]) / REFERENCE_INPUT["std"]
            found.append(self.check(net.model, pixels, torch.from_numpy(read_idx(SHIPPED_LABELS)[images].astype(np.int64)), FLIPPED))
        for backend in found[0]:
            self.assertLess(np.median([largest[backend] for largest in found]), GRADIENT)

    def test_toy_cifar(self):
        self.check_random((18, 8, "cifar", CLASSES), 16, 8, 1)

    def test_toy_imagenet(self):
        self.check_random((18, 16, "imagenet", CLASSES), 16, 64, 21)  # of seed 2 PyTorch's own float32 flips a ReLU: off by 1e-2

    def test_odd_channels(self):
        self.check_random((34, 10, "imagenet", CLASSES), 12, 40, 5)

    def test_resnet50_imagenet_random(self):
        self.check_random((50, 64, "imagenet", CLASSES), 32, 32, 3, FLIPPED)

    def test_resnet50_cifar_random(self):
        self.check_random((50, 64, "cifar", CLASSES), 8, 32, 4, FLIPPED)

    def test_resnet50_cifar_trained(self):
        self.check_trained(shipped_net(), 0)

    @unittest.skipUnless(REFERENCE_MODEL.exists(), "needs the reference model")
    def test_resnet50_imagenet_trained(self):
        self.check_trained(reference_net(), 2)


STEPS = 20
RATE = 0.02  # of oracle-training
SCHEDULES = {
    1: lambda optimiser: torch.optim.lr_scheduler.ConstantLR(optimiser, 1.0),
    2: lambda optimiser: torch.optim.lr_scheduler.StepLR(optimiser, 7, 0.3),
    3: lambda optimiser: torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS),
    4: lambda optimiser: torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS, cycle_momentum=False),
}


def referee(net, nesterov, decay, decay_all):
    """A copy in float64, and its optimiser."""
    copy = ResNet(*net.form).double().train()
    copy.load_state_dict(net.state_dict())
    wide = [p for p in copy.parameters() if p.dim() > 1]
    rest = [p for p in copy.parameters() if p.dim() == 1]
    groups = [{"params": wide, "weight_decay": decay}, {"params": rest, "weight_decay": decay if decay_all else 0}]
    return copy, torch.optim.SGD(groups, lr=RATE, momentum=0.9, nesterov=bool(nesterov))


@unittest.skipUnless(save_file, "needs the safetensors package")
class Steps(unittest.TestCase):
    def check(self, net, pixels, labels, schedule, nesterov, decay, decay_all, backends=("auto", "blas")):
        copy, optimiser = referee(net, nesterov, decay, decay_all)
        scheduler = SCHEDULES[schedule](optimiser)
        for _ in range(STEPS):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(copy(pixels.double()), labels).backward()
            optimiser.step()
            scheduler.step()
        expected = {n: v for n, v in copy.state_dict().items() if v.is_floating_point()}
        for backend in backends:
            with self.subTest(backend):
                found = ours(net, pixels, labels, backend, schedule, nesterov, decay, decay_all, STEPS)
                names = [n for n in expected if "running" not in n]
                together = [torch.cat([state[n].double().ravel() for n in names]).numpy() for state in (found, expected, floats(net))]
                error, moved = relative_l2(together[0], together[1]), relative_l2(together[2], together[1])
                statistics = max(relative_l2(found[n].numpy(), expected[n].numpy()) for n in expected if "running" in n)
                print(f"{backend}, schedule {schedule}: within {error:.1e} of {moved:.1e} moved, statistics {statistics:.1e}")
                self.assertGreater(moved, 2 * WEIGHTS)
                self.assertLess(error, WEIGHTS)

    def toy(self, seed):
        """Biases keep most ReLUs far from their edge, where rounding would decide: one decision grows beyond any tolerance."""
        net = randomize(ResNet(18, 8, "cifar", CLASSES), seed)
        net.form = (18, 8, "cifar", CLASSES)
        with torch.no_grad():
            for module in net.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.weight.mul_(0.5)
                    module.bias.copy_(torch.where(module.bias > 0, 2.0, -1.2))
        return net, *batch_of(32, 3, 8, seed)

    def test_constant(self):
        self.check(*self.toy(11), 1, 0, 0, 0)

    def test_step_with_decay_of_weights(self):
        self.check(*self.toy(12), 2, 0, 5e-2, 0)

    def test_cosine_nesterov_with_decay_of_all(self):
        self.check(*self.toy(13), 3, 1, 5e-2, 1)

    def test_one_cycle_nesterov(self):
        self.check(*self.toy(14), 4, 1, 5e-4, 0)

    def trained(self, net, pad):
        """ResNet-50 at rates a tenth of the toys', as one goes on with a trained network."""
        pixels = (pixels_of(read_idx(SHIPPED_IMAGES)[:16], pad) - REFERENCE_INPUT["mean"]) / REFERENCE_INPUT["std"]
        labels = torch.from_numpy(read_idx(SHIPPED_LABELS)[:16].astype(np.int64))
        self.check(net.model, pixels, labels, 3, 1, 5e-4, 0, backends=("auto",))

    def test_resnet50_cifar(self):
        self.trained(shipped_net(), 0)

    @unittest.skipUnless(REFERENCE_MODEL.exists(), "needs the reference model")
    def test_resnet50_imagenet(self):
        self.trained(reference_net(), 2)
