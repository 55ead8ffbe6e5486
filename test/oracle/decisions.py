"""The input gradient up to the decisions that float32 cannot take.

A ReLU passes the gradient or not by the sign of its input, a max-pool passes it to the largest of nine. Where the
input, or the lead over the second, is within rounding of zero, two right float32 programs may decide differently, and
then the gradients of that image differ by 1e-5 to 3e-2, however exact the rest is: PyTorch in float32 differs so from
PyTorch in float64 on one in ten random images, one in forty real ones. Rather than a tolerance of 3e-2, under which
most mistakes would pass, such decisions are named in float64, taken the other way, and then the gradient must be met to
rounding."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from support import Net, input_gradient, relative_l2, relative_l2_each
from torch import nn

# Rounding alone gives 5e-7 (ResNet-18) to 1.1e-6 (ResNet-50) relative L2; a decision, hardly ever less than 1e-5.
ROUNDING = 1e-5

# Decisions of one image tried the other way, nearest to the fence first; there are about five.
MOST = 24


class Decisions:
    """Runs a network with its decisions in the open: `inputs` are those of each ReLU, `leads` says by how much each
    decision was taken, layer by layer, N x units; `flips` are taken the other way, as [(row, layer, unit)]."""

    def __init__(self, flips=()):
        self.flips = flips
        self.inputs: list[torch.Tensor] = []
        self.leads: list[torch.Tensor] = []

    @contextmanager
    def of(self, net: Net):
        pool = net.model.maxpool
        if isinstance(pool, nn.MaxPool2d):
            net.model.maxpool = _Pool(self)
        try:
            with mock.patch.object(torch, "relu", self.relu):
                yield self
        finally:
            net.model.maxpool = pool

    def relu(self, x: torch.Tensor) -> torch.Tensor:
        passes = self._flip((x > 0).flatten(1)).reshape(x.shape)
        self.inputs.append(x.detach().flatten(1))
        self.leads.append(x.detach().abs().flatten(1))
        return x * passes

    def pool(self, x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        # Zeros may stand in for the padding: x comes out of a ReLU.
        windows = F.unfold(F.pad(x, (1, 1, 1, 1)), 3, stride=2).view(n, c, 9, -1)
        best = _levelled(windows.detach()).sort(dim=2, descending=True, stable=True)  # of equal values the first wins
        first = self._flip(torch.ones(n, c * windows.shape[3], dtype=torch.bool)).view(n, c, -1)
        chosen = torch.where(first, best.indices[:, :, 0], best.indices[:, :, 1])
        lead = best.values[:, :, 0] - best.values[:, :, 1]
        # Equal values come of equal inputs, in flat parts of a picture: nothing that rounding decides.
        self.leads.append(lead.masked_fill(lead == 0, torch.inf).flatten(1))
        self.inputs.append(x.detach().flatten(1))
        return windows.gather(2, chosen[:, :, None]).view(n, c, (h + 1) // 2, (w + 1) // 2)

    def _flip(self, taken: torch.Tensor) -> torch.Tensor:
        for row, layer, unit in self.flips:
            if layer == len(self.leads):
                taken[row, unit] = ~taken[row, unit]
        return taken


def _levelled(values: torch.Tensor) -> torch.Tensor:
    """Equal patches of a picture are equal again where float64 added them in different orders, 1e-16 apart, in the middle
    of a row and at its end. Differences that float32 could see are 1e-8."""
    return values if values.dtype == torch.float32 else (values * 2**40).round() / 2**40


class _Pool(nn.Module):
    def __init__(self, decisions: Decisions):
        super().__init__()
        self.decisions = decisions

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decisions.pool(x)


def exact_gradient(referee: Net, pixels: torch.Tensor, targets) -> np.ndarray:
    """The referee's gradient, in which equal values are equal."""
    with Decisions().of(referee):
        return input_gradient(referee, pixels.double(), targets)


def undecided(net: Net, referee: Net, pixels: torch.Tensor) -> list[list[tuple[int, int]]]:
    """For each image its (layer, unit) where float32 may decide either way, the nearest to the fence first.

    How far float32 strays in a layer is measured: the largest difference between PyTorch's float32 and float64 of that
    layer. Another float32 program adds in another order; four times as far is allowed for."""
    with torch.no_grad():
        with Decisions().of(net) as single:
            net.logits(pixels)
        with Decisions().of(referee) as double:
            referee.logits(pixels.double())
    found: list[list] = [[] for _ in pixels]
    for layer, lead in enumerate(double.leads):
        strays = 4 * (single.inputs[layer] - double.inputs[layer]).abs().max().item()
        for row, unit in (lead <= strays).nonzero().tolist():
            found[row].append((lead[row, unit].item() / strays, layer, unit))
    return [[(layer, unit) for _, layer, unit in sorted(some)[:MOST]] for some in found]


def settle(gradient: np.ndarray, exact: np.ndarray, candidates: list, gradients: Callable) -> tuple[float, int]:
    """Takes of the candidates those the other way that explain a gradient best: the relative L2 that is left, and how
    many they are. `gradients` gives the referee's gradient under each choice of candidates."""
    # What each decision alone changes; then one after the other, the one that explains most of what is left.
    alone = gradients([[c] for c in candidates]) - exact
    taken, left = [], gradient - exact
    while True:
        lengths = [np.linalg.norm(left - change) for change in alone]
        best = int(np.argmin(lengths))
        if lengths[best] >= np.linalg.norm(left):
            break
        taken.append(candidates[best])
        left = left - alone[best]
        alone[best] = np.inf  # each once
    return relative_l2(gradient, gradients([taken])[0] if taken else exact), len(taken)


class Settled:
    """What is left of the difference between a float32 gradient and the referee's once the undecided decisions are
    taken as the float32 program must have taken them: `errors`, relative L2 of each image. `flipped` counts the
    decisions of each image that were taken the other way, `plain` is the error without that."""

    def __init__(self, net: Net, referee: Net, pixels: torch.Tensor, targets, gradient: np.ndarray, exact=None):
        exact = exact_gradient(referee, pixels, targets) if exact is None else exact
        self.plain = relative_l2_each(gradient, exact)
        self.errors = self.plain.copy()
        self.flipped = np.zeros(len(pixels), int)
        rows = np.flatnonzero(self.plain > ROUNDING)
        if len(rows):
            for row, candidates in zip(rows, undecided(net, referee, pixels[rows])):
                if candidates:
                    image, target = pixels[row].double(), int(targets[row])
                    self._settle(referee, row, image, target, gradient[row], exact[row], candidates)

    def _settle(self, referee, row, image, target, gradient, exact, candidates) -> None:
        gradients = lambda choices: _gradients(referee, image, target, choices)  # noqa: E731
        self.errors[row], self.flipped[row] = settle(gradient, exact, candidates, gradients)

    def __str__(self) -> str:
        images, most = f"{np.count_nonzero(self.flipped)} of {len(self.plain)} images", self.plain.max()
        return (
            f"median {np.median(self.plain):.1e}, largest {most:.1e}, in {images} {self.flipped.sum()} other "
            f"decisions, largest with these settled {self.errors.max():.1e}"
        )


def _gradients(referee: Net, image: torch.Tensor, target: int, choices: list[list[tuple[int, int]]]) -> np.ndarray:
    """The gradient of one image under each choice of flipped decisions."""
    results = []
    for start in range(0, len(choices), 8):
        some = choices[start : start + 8]
        flips = [(row, layer, unit) for row, choice in enumerate(some) for layer, unit in choice]
        with Decisions(flips).of(referee):
            pixels = image[None].expand(len(some), -1, -1, -1)
            results.append(input_gradient(referee, pixels, [target] * len(some)))
    return np.concatenate(results)
