"""Algorithm 1 of the paper in PyTorch and numpy: the second opinion on the search, and no translation of the library's
code. The random numbers are Philox4x32-10 (Salmon et al., 2011), named as lib/base/random.c names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from support import Net

SPLIT, ORDER, CANVAS = 1, 2, 3  # purposes of random numbers

STEP = 0.02
HALF = 25  # 0.5 / STEP: a mask value is a whole number of steps, 0 to 50


def philox(counter: list[np.ndarray], key: list[int]) -> list[np.ndarray]:
    """Ten rounds on four words of 32 bits, held in uint64."""
    low = np.uint64(0xFFFFFFFF)
    a, b, c, d = (np.asarray(word, np.uint64) for word in counter)
    for turn in range(10):
        key0 = np.uint64((key[0] + turn * 0x9E3779B9) & 0xFFFFFFFF)
        key1 = np.uint64((key[1] + turn * 0xBB67AE85) & 0xFFFFFFFF)
        left, right = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b, c, d = right >> np.uint64(32) ^ b ^ key0, right & low, left >> np.uint64(32) ^ d ^ key1, left & low
    return [a, b, c, d]


def random_words(seed: int, purpose: int, class_index: int, epoch: int, indices: np.ndarray) -> np.ndarray:
    """64 random bits for each index."""
    index = np.asarray(indices, np.uint64)
    high = index >> np.uint64(32) ^ np.uint64(purpose << 16)
    words = philox(
        [index & np.uint64(0xFFFFFFFF), high, np.uint64(class_index), np.uint64(epoch)], [seed & 0xFFFFFFFF, seed >> 32]
    )
    return words[1] << np.uint64(32) | words[0]


def shuffle(indices: np.ndarray, seed: int, purpose: int, class_index: int, epoch: int) -> np.ndarray:
    return indices[np.lexsort((indices, random_words(seed, purpose, class_index, epoch, indices)))]


def draw(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """The searched part, as bool: of each class the nearest whole number to `fraction`, at least one."""
    searched = np.zeros(len(labels), bool)
    for y in np.unique(labels):
        members = shuffle(np.flatnonzero(labels == y), seed, SPLIT, int(y), 0)
        searched[members[: max(1, int(np.floor(fraction * len(members) + 0.5)))]] = True
    return searched


class Found(NamedTuple):
    mask: np.ndarray  # float32 H x W
    evidence: np.ndarray  # int H x W: the sum of -sign(dL/dm)
    epochs: list[float]  # objective per image
    steps: int
    agreed: list[float]  # of each step: the share of pixels, or values, that both gradients move the same way
    apart: list[float]  # and the largest gradient that moves otherwise, relative to the L2 norm of all; 0 where none does
    canvas: np.ndarray  # float64 C x H x W, as learned
    canvas_steps: int


def search(
    net: Net,
    pixels: torch.Tensor,
    labels: np.ndarray,
    canvas: torch.Tensor,
    target: int,
    *,
    preset: str = "paper",
    fraction: float = 0.2,
    seed: int = 0,
    epochs: int = 5,
    batch: int = 4,
    tv: float = 0,
    canvas_steps: int = 0,
    mask_steps: int = 5,
    canvas_step: float = 2 / 255,
    order_seed: int | None = None,
    gradient_of: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Found:
    """The mask of one canvas, by PyTorch's gradients. Or by others: `gradient_of` gives that of the summed
    cross-entropy with respect to mixed images; PyTorch's, of the same mask, are then only compared with it.

    With `canvas_steps` the canvas is learned: so many minibatches move it after every `mask_steps` of the mask."""
    authors = preset == "authors"
    alpha = 8.0 if authors else 0.2
    dn = np.flatnonzero(draw(labels, fraction, seed) & (labels != target))
    turns = turns_of(epochs * -(-len(dn) // batch), mask_steps, canvas_steps)
    last_of_mask = max(i for i, turn in enumerate(turns) if turn == "mask")
    ticks, evidence = np.full(canvas.shape[1:], HALF), np.zeros(canvas.shape[1:], int)
    learned = canvas.numpy().astype(np.float64)
    objectives, agreed, apart, step = [], [], [], 0
    for epoch in range(epochs):
        order = shuffle(dn, seed if order_seed is None else order_seed, ORDER, target, epoch)
        total = 0.0
        for start in range(0, len(order), batch):
            images = pixels[order[start : start + batch]]
            turn, step = turns[step], step + 1
            mask = torch.tensor((ticks * STEP).astype(np.float32)).to(pixels.dtype).requires_grad_(True)
            canvas = torch.tensor(learned.astype(np.float32)).to(pixels.dtype).requires_grad_(True)
            mixed = mask * canvas + (1 - mask) * images
            loss = objective(net, mixed, mask, target, alpha=alpha, tv=tv, authors=authors)
            total += loss.item()
            if authors and step - 1 == last_of_mask:
                continue  # their last update is computed and never used
            wanted = mask if turn == "mask" else canvas
            theirs = torch.autograd.grad(loss, wanted)[0].numpy()
            direction = sign = -np.sign(theirs).astype(int)
            if gradient_of:
                slope = gradient_of(mixed.detach().numpy()).astype(np.float64)
                if turn == "mask":
                    slope = (slope * (canvas - images).detach().numpy()).sum((0, 1))
                    smooth = torch.autograd.grad(variation(mask), mask)[0].numpy().astype(np.float64)
                    slope += len(images) * tv / mask.numel() * smooth
                    slope += len(images) * alpha / mask.numel() * (authors | (ticks > 0))
                else:
                    slope = (slope * mask.detach().numpy()).sum(0)
                direction = -np.sign(slope).astype(int)
            agreed.append(float((direction == sign).mean()))
            apart.append(float((np.abs(theirs) * (direction != sign)).max() / np.linalg.norm(theirs)))
            if turn == "mask":
                ticks = np.clip(ticks + direction, 0, 2 * HALF)
                evidence += direction
            else:
                learned = np.clip(learned + canvas_step * direction, 0, 1)
        objectives.append(total / len(order))
    painted = turns.count("canvas")
    return Found(
        (ticks * STEP).astype(np.float32), evidence, objectives, len(agreed) - painted, agreed, apart, learned, painted
    )


def turns_of(steps: int, mask_steps: int, canvas_steps: int) -> list[str]:
    """What each minibatch moves, over all epochs."""
    cycle = ["mask"] * mask_steps + ["canvas"] * canvas_steps
    return (cycle * (steps // len(cycle) + 1))[:steps]


def objective(net, mixed, mask, target: int, *, alpha: float, tv: float, authors: bool = False) -> torch.Tensor:
    """Eq. 2 with Eq. 3, summed over the images of a minibatch."""
    goals = torch.full((len(mixed),), target)
    # The authors' code adds up m, the paper |m|: they differ where m = 0.
    size = mask.sum() if authors else mask.abs().sum()
    entropy = torch.nn.functional.cross_entropy(net.logits(mixed), goals, reduction="sum")
    return entropy + len(mixed) / mask.numel() * (alpha * size + tv * variation(mask))


def variation(mask: torch.Tensor) -> torch.Tensor:
    """|grad m|_2^2 of Eq. 3: forward differences in both directions."""
    return (mask[1:] - mask[:-1]).square().sum() + (mask[:, 1:] - mask[:, :-1]).square().sum()


def best_pixels(mask: np.ndarray, evidence: np.ndarray | None, size: float) -> np.ndarray:
    """The pattern's pixels, best first: larger mask, larger evidence (if it counts), lower index."""
    ranks = np.zeros(mask.size) if evidence is None else -evidence.ravel()
    order = np.lexsort((np.arange(mask.size), ranks, -mask.ravel()))
    return order[: int(np.floor(size * mask.size + 0.5))]


def attach(pixels: torch.Tensor, canvas: torch.Tensor, positions: np.ndarray) -> torch.Tensor:
    changed, positions = pixels.flatten(2).clone(), torch.tensor(positions)
    changed[:, :, positions] = canvas.flatten(1)[:, positions]
    return changed.view_as(pixels)


class Power(NamedTuple):
    hits: int
    nontarget: int
    correct: int
    of_target: int

    @property
    def pw(self) -> float:
        return self.hits / self.nontarget / (self.correct / self.of_target)


def power(net: Net, pixels, labels, used: np.ndarray, canvas, positions, target: int) -> Power:
    """Predictive power over the images marked in `used`."""
    others, own = np.flatnonzero(used & (labels != target)), np.flatnonzero(used & (labels == target))
    with torch.no_grad():
        hits = sum(
            int((net.logits(attach(pixels[some], canvas, positions)).argmax(1) == target).sum())
            for some in np.array_split(others, -(-len(others) // 100))
        )
        correct = int((net.logits(pixels[own]).argmax(1) == target).sum())
    return Power(hits, len(others), correct, len(own))
