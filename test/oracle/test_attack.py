"""Projected gradient descent against PyTorch's, in float64 with the same weights, and the network that an adversarial training
attacks against PyTorch in eval() mode.

Ten steps of two right programs part: a number whose gradient is nearly 0 goes to one side or the other, a ReLU within rounding
of 0 passes or not (decisions.py), and everything behind follows. So each of the ten is held against PyTorch's step from the
same place.

- L-inf: of the numbers whose gradient is above 1e-3 of their image's largest, which nine in ten must be, the sign; all but one in
  500 (in an image whose ReLU is decided otherwise a few turn).
- L2: where a step leads, within 1e-3 of its length, of nine images in ten; of the others within a tenth.
- The mean loss after all of them, each program on its own way, within 5 %: it is what the attack is for."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from decisions import ROUNDING, Settled
from resnet import ResNet, randomize
from support import (
    REFERENCE_INPUT,
    REFERENCE_MODEL,
    SHIPPED_IMAGES,
    SHIPPED_LABELS,
    SHIPPED_MODEL,
    Net,
    channels,
    input_gradient,
    logits,
    pixels_of,
    read_idx,
    reference_net,
    relative_l2,
    shipped_net,
)
from test_training import CLASSES, PROGRAM, batch_of, floats, read_safetensors, save_file

import iscp

IMAGES, STEPS = 8, 10
TRAINED = 12  # images that a network in training is attacked on


def moved(x, clean, gradient, norm, eps, step):
    """The robustness package's order: a step, into the ball around `clean`, into [0,1]."""
    if norm == "linf":
        d = (x + step * gradient.sign() - clean).clamp(-eps, eps)
    else:
        lengths = gradient.flatten(1).norm(dim=1)[:, None, None, None]
        d = (x + step * gradient / lengths - clean).renorm(p=2, dim=0, maxnorm=eps)
    return (clean + d).clamp(0, 1)


class Attack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.labels = read_idx(SHIPPED_LABELS)[:IMAGES].astype(np.int64)
        cls.clean = pixels_of(read_idx(SHIPPED_IMAGES)[:IMAGES])
        cls.model, cls.net = iscp.Model.load(SHIPPED_MODEL), shipped_net().double()

    def check(self, norm, eps, step, targeted):
        """Every step: PyTorch's from where the library's attack was one step before."""
        labels, clean = (self.labels + targeted) % CLASSES, self.clean.double()
        own = {"step": step, "random_start": False, "targeted": targeted}
        before, theirs, clear, same, errors = clean, clean, [], [], []
        for steps in range(1, STEPS + 1):
            mine = iscp.attack(self.model, self.clean.numpy(), labels, norm, eps, steps=steps, **own)
            gradients = [torch.from_numpy(input_gradient(self.net, x, labels)) * (-1 if targeted else 1) for x in (before, theirs)]
            expected = moved(before, clean, gradients[0], norm, eps, step).numpy()
            theirs = moved(theirs, clean, gradients[1], norm, eps, step)
            size = np.abs(gradients[0].numpy())
            clear.append(size > 1e-3 * size.max(axis=(1, 2, 3), keepdims=True))
            same.append(np.abs(mine - expected) < 1e-6)
            errors.append(np.sqrt(((mine - expected) ** 2).sum(axis=(1, 2, 3))) / step)
            before = torch.from_numpy(mine).double()
        self.compare_losses(before, theirs, torch.as_tensor(labels))
        return np.stack(clear), np.stack(same), np.stack(errors)

    def compare_losses(self, mine, theirs, labels):
        ours, other = (
            torch.nn.functional.cross_entropy(torch.from_numpy(logits(self.net, x)), labels) for x in (mine, theirs)
        )
        print(f"loss after all steps {ours:.5f}, PyTorch's {other:.5f}", flush=True)
        self.assertAlmostEqual((ours / other).item(), 1, delta=0.05)

    def test_linf(self):
        for targeted in (False, True):
            clear, same, _ = self.check("linf", 8 / 255, 2 / 255, targeted)
            print(f"{clear.mean():.3f} of the numbers are clear, {1 - same[clear].mean():.1e} of them not the same", flush=True)
            self.assertGreater(clear.mean(), 0.9)
            self.assertGreater(same[clear].mean(), 0.998)

    def test_l2(self):
        for targeted in (False, True):
            *_, errors = self.check("l2", 0.5, 0.1, targeted)
            most = np.quantile(errors, [0.5, 0.9, 1])
            print("steps lead apart by %.1e (half), %.1e (nine in ten), %.1e of their length" % tuple(most), flush=True)
            self.assertLess(most[1], 1e-3)
            self.assertLess(most[2], 0.1)


@unittest.skipUnless(save_file, "needs the safetensors package")
class Training(unittest.TestCase):
    """isc_training_predict and isc_training_backward_src after a forward pass of training, which moved the statistics."""

    def check(self, net, pixels, labels, backends=("auto", "blas")):
        for backend in backends:
            with self.subTest(backend), tempfile.TemporaryDirectory() as folder:
                files = [str(Path(folder) / name) for name in ("net.safetensors", "images.npy", "labels.npy", "out.safetensors")]
                save_file(floats(net), files[0])
                np.save(files[1], pixels.numpy())
                np.save(files[2], labels.numpy())
                subprocess.run([PROGRAM, backend, *files, "attack"], check=True)
                found = read_safetensors(files[3])[0]
                copy = Net(ResNet(*net.form).eval(), channels(0), channels(1))
                copy.model.form = net.form
                outputs = {name: found.pop(name).numpy() for name in ("logits", "diff_src")}
                self.assertGreater(relative_l2(found["bn1.running_var"].numpy(), net.state_dict()["bn1.running_var"].numpy()), 1e-3)
                copy.model.load_state_dict(found, strict=False)
                error = relative_l2(outputs["logits"], logits(copy.double(), pixels.double()))
                settled = Settled(copy, copy.double(), pixels, labels, outputs["diff_src"])
                print(f"{backend}: logits within {error:.1e}, gradients: {settled}", flush=True)
                self.assertLess(error, 1e-5)
                self.assertLess(settled.errors.max(), 1e-3)
                # Of an image that the network is sure of, 1 - p is nearly nothing and has few digits in float32: two of the
                # twelve shipped ones have p = 1 to rounding, and come within 3e-5.
                self.assertGreaterEqual(np.mean(settled.errors < ROUNDING), 0.8)
                self.assertLess(np.median(settled.plain), ROUNDING)

    def random(self, form, images, size, seed):
        net = randomize(ResNet(*form), seed)
        net.form = form
        self.check(net, *batch_of(images, 3, size, seed))

    def test_toy_cifar(self):
        self.random((18, 8, "cifar", CLASSES), 16, 8, 1)

    def test_toy_imagenet(self):
        self.random((18, 16, "imagenet", CLASSES), 16, 64, 2)

    def test_odd_channels(self):
        self.random((34, 10, "imagenet", CLASSES), 12, 40, 5)

    def trained(self, net, pad, backends=("auto", "blas")):
        pixels = (pixels_of(read_idx(SHIPPED_IMAGES)[:TRAINED], pad) - REFERENCE_INPUT["mean"]) / REFERENCE_INPUT["std"]
        self.check(net.model, pixels, torch.from_numpy(read_idx(SHIPPED_LABELS)[:TRAINED].astype(np.int64)), backends)

    def test_resnet50_cifar(self):
        self.trained(shipped_net(), 0)

    @unittest.skipUnless(REFERENCE_MODEL.exists(), "needs the reference model")
    def test_resnet50_imagenet(self):
        """On OpenBLAS equal pixels give numbers that differ in the last digit, and in an even background the max-pool chooses
        another of nine than PyTorch, by the hundred."""
        self.trained(reference_net(), 2, ["auto"])


if __name__ == "__main__":
    unittest.main()
