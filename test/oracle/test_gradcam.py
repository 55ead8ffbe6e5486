"""Grad-CAM against PyTorch: autograd by hand in float64, and the package grad-cam on the same weights."""

import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from resnet import ResNet, randomize
from support import (
    FASHION,
    REFERENCE_INPUT,
    REFERENCE_MODEL,
    SHIPPED_IMAGES,
    SHIPPED_LABELS,
    SHIPPED_MODEL,
    net_of,
    pixels_of,
    read_idx,
    reference_net,
    relative_l2,
    shipped_net,
)

import iscp

MEAN, STD = (0.4, 0.5, 0.45), (0.2, 0.25, 0.22)
IMAGES = 6
CLASSES = 5
STAGES = (1, 2, 3, 4)

# What the project promises. Rounding alone leaves 1e-6; a ReLU whose input is 0 to within rounding may stand the other way in
# float32, which moves the few maps that meet one by more.
PROMISE = 1e-4
ROUNDING = 1e-5

# The package imports these for helpers that Grad-CAM does not call.
UNUSED = ("matplotlib", "matplotlib.lines", "sklearn", "sklearn.decomposition", "torchvision", "torchvision.transforms")
UNUSED += ("scipy", "scipy.ndimage", "scipy.sparse", "scipy.sparse.linalg")
try:
    with mock.patch.dict(sys.modules, {name: mock.MagicMock() for name in UNUSED}):
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
except ImportError:
    GradCAM = None


def small_maps(net, pixels, targets, stage):
    """relu(sum of w_k A_k) of each image by autograd, at the size of A."""
    kept = {}
    hook = getattr(net.model, f"layer{stage}").register_forward_hook(lambda _, __, out: kept.update(a=out))
    logits = net.logits(pixels.clone().requires_grad_(True))
    hook.remove()
    chosen = logits[torch.arange(len(pixels)), targets].sum()
    weights = torch.autograd.grad(chosen, kept["a"])[0].mean((2, 3), keepdim=True)
    return torch.relu((weights * kept["a"]).sum(1)).detach()


def resized(maps, size):
    return torch.nn.functional.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)[:, 0].numpy()


def errors_of(ours, net, pixels, targets, stage):
    """Relative L2 of each map from autograd's; of a map that is 0 everywhere 0 if the other is too, else 1."""
    theirs = resized(small_maps(net.double(), pixels.double(), targets, stage), pixels.shape[2:])
    errors = [relative_l2(a, b) if b.max() > 0 else float(a.max() > 0) for a, b in zip(ours, theirs)]
    print(f"layer{stage}: median {np.median(errors):.1e}, worst {max(errors):.1e};", end=" ")
    return [error for error, b in zip(errors, theirs) if b.max() > 0 or error]


def maps_of(model, pixels, targets, stage):
    explain = iscp.GradCam(model, stage)
    return np.stack([explain.map(x, int(y)).map for x, y in zip(pixels.numpy(), targets)])


def package_errors(model, net, pixels, targets, stage):
    """Largest difference of each map from the package's, which scales a map to [0,1] at A's size, resizes it by cv2, which has
    the same rule, and scales it again. Resizing is linear, so that scaling the library's map once comes to the same."""
    inputs = ((pixels - net.mean) / net.std).requires_grad_(True)
    with GradCAM(net.model, [getattr(net.model, f"layer{stage}")]) as package:
        theirs = package(inputs, [ClassifierOutputTarget(int(y)) for y in targets])
    ours = maps_of(model, pixels, targets, stage)
    ours -= ours.min((1, 2), keepdims=True)
    ours /= 1e-7 + ours.max((1, 2), keepdims=True)
    errors = np.abs(ours - theirs).max((1, 2))
    print(f"layer{stage}: median {np.median(errors):.1e}, worst {errors.max():.1e};", end=" ")
    assert theirs.max() > 0.9
    return errors


class RandomNetworks(unittest.TestCase):
    def check_network(self, form, size, context, seed):
        state = randomize(ResNet(*form), seed).state_dict()
        net = net_of(state, form, MEAN, STD)
        pixels = torch.rand(IMAGES, 3, *size, generator=torch.Generator().manual_seed(seed))
        targets = torch.arange(IMAGES) % CLASSES
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "net.pth")
            torch.save(state, path)
            model = iscp.Model.load(path, size=size, mean=MEAN, std=STD, context=context)
        errors = []
        for stage in STAGES:
            errors += errors_of(maps_of(model, pixels, targets, stage), net, pixels, targets, stage)
        print()
        self.assertGreater(len(errors), IMAGES)  # the rest are 0 everywhere
        self.assertLess(np.median(errors), ROUNDING)
        self.assertGreaterEqual(np.mean(np.less(errors, PROMISE)), 0.9)

    def test_autograd(self):
        forms = [((18, 8, "imagenet", CLASSES), (37, 32)), ((34, 8, "cifar", CLASSES), (12, 17))]
        forms += [((50, 16, "imagenet", CLASSES), (64, 64)), ((50, 8, "cifar", CLASSES), (16, 16))]
        for backend in ("onednn", "blas"):
            try:
                context = iscp.Context(backend=backend)
            except iscp.UnsupportedError:
                continue
            for seed, (form, size) in enumerate(forms, 1):
                with self.subTest(backend, form=form):
                    print(f"ResNet-{form[0]} {form[2]} {backend}:", end=" ")
                    self.check_network(form, size, context, seed)


class Shipped(unittest.TestCase):
    IMAGES = 24

    @unittest.skipUnless(GradCAM, "the package grad-cam is not installed")
    def test_package(self):
        """The whole network's ReLUs lie behind layer1: there the median was 1.2e-5, 2 of the 24 maps met one, and the package's own
        in float32 and float64 parted as much."""
        pixels = pixels_of(read_idx(SHIPPED_IMAGES)[: self.IMAGES])
        targets = torch.from_numpy(read_idx(SHIPPED_LABELS)[: self.IMAGES].astype(np.int64))
        model, net = iscp.Model.load(SHIPPED_MODEL), shipped_net()
        for stage in STAGES:
            errors = package_errors(model, net, pixels, targets, stage)
            self.assertLess(np.median(errors), 3 * ROUNDING)
            self.assertGreaterEqual(np.mean(errors < PROMISE), 0.8)
            self.assertLess(errors.max(), 0.05)  # measured: 1.6e-3
        print()


@unittest.skipUnless(REFERENCE_MODEL.exists(), f"there is no {REFERENCE_MODEL.name} beside the project")
@unittest.skipUnless(FASHION.exists(), "needs Debian's package dataset-fashion-mnist")
class ReferenceModel(unittest.TestCase):
    IMAGES = 24

    @classmethod
    def setUpClass(cls):
        cls.pixels = pixels_of(read_idx(FASHION / "t10k-images-idx3-ubyte.gz")[: cls.IMAGES], REFERENCE_INPUT["pad"])
        cls.targets = torch.from_numpy(read_idx(FASHION / "t10k-labels-idx1-ubyte.gz")[: cls.IMAGES].astype(np.int64))
        cls.net = reference_net()
        cls.model = iscp.Model.load(REFERENCE_MODEL, **REFERENCE_INPUT)

    def test_autograd(self):
        for stage in STAGES:
            maps = maps_of(self.model, self.pixels, self.targets, stage)
            errors = errors_of(maps, self.net, self.pixels, self.targets, stage)
            self.assertGreater(len(errors), self.IMAGES / 2)
            self.assertLess(np.median(errors), ROUNDING)
            self.assertGreaterEqual(np.mean(np.less(errors, PROMISE)), 0.9)
        print()

    @unittest.skipUnless(GradCAM, "the package grad-cam is not installed")
    def test_package(self):
        """Of layer4, one place at this size, the package makes 0."""
        for stage in STAGES[:-1]:
            errors = package_errors(self.model, self.net, self.pixels, self.targets, stage)
            self.assertLess(np.median(errors), ROUNDING)
            self.assertGreaterEqual(np.mean(errors < PROMISE), 0.9)
        print()
