"""Adversarial attacks by projected gradient descent, and what is left of a model's accuracy under them."""

from __future__ import annotations

from ctypes import c_float, c_int32, c_int64
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._abi import NORMS, iscp_attack_info, iscp_attack_options
from ._arrays import address, checked, indices
from ._handle import create
from ._library import defaults, library, sized
from ._progress import ProgressCallback, call
from ._words import code
from .dataset import Dataset
from .model import Model

FEW = 32  # images that are one pass of their own


@dataclass(frozen=True)
class Robustness:
    """Of `images`, `correct` are predicted as labelled, and `robust` of those after every step of the attack too; shares of
    the images and their 95 % Wilson intervals."""

    images: int
    correct: int
    robust: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    robust_accuracy: float
    robust_interval: tuple[float, float]


class Attack:
    """An attack on a model, for many calls; one thread at a time. The arguments are those of iscp.attack, eps, step and
    batch as chosen are attributes."""

    def __init__(
        self,
        model: Model,
        norm: str = "linf",
        eps: float = 0,
        *,
        step: float = 0,
        steps: int = 20,
        random_start: bool = True,
        targeted: bool = False,
        seed: int = 0,
        batch: int = 0,
    ):
        options = defaults(iscp_attack_options)
        options.norm = code(NORMS, norm, "norm")
        options.eps, options.step, options.steps = eps, step, steps
        options.random_start, options.targeted = bool(random_start), bool(targeted)
        options.seed, options.batch = seed, batch
        self._handle = create(
            library.iscp_attack_create, library.iscp_attack_destroy, model._handle, options, keep=[model._handle]
        )
        library.iscp_attack_get_options(self._handle, options)  # those in force
        self.norm = norm
        self.eps: float = options.eps
        self.step: float = options.step
        self.steps: int = options.steps
        self.batch: int = options.batch
        self._shape = model.contract.shape

    def run(self, images: np.ndarray, labels: Any, numbers: np.ndarray | None = None) -> np.ndarray:
        """The images after all steps. `numbers` (int64) name their random starts, as their indices in a set do; else 0, 1 ..."""
        images = checked(images, "images", np.float32, ("N", *self._shape))
        labels = indices(labels, "labels", len(images))
        if numbers is not None:
            numbers = checked(numbers, "numbers", np.int64, (len(images),))
        adversarial = np.empty_like(images)
        library.iscp_attack_run(
            address(adversarial, c_float),
            self._handle,
            address(images, c_float),
            address(labels, c_int32),
            None if numbers is None else address(numbers, c_int64),
            len(images),
        )
        return adversarial

    def accuracy(self, data: Dataset, progress: ProgressCallback | None = None) -> Robustness:
        """Clean and robust accuracy on a set: an image that a step fools the model with is not robust."""
        raw = sized(iscp_attack_info)
        call(library.iscp_attack_accuracy, raw, self._handle, data._handle, progress=progress)
        return Robustness(
            images=raw.images,
            correct=raw.correct,
            robust=raw.robust,
            accuracy=raw.accuracy,
            accuracy_interval=(raw.low, raw.high),
            robust_accuracy=raw.robust_accuracy,
            robust_interval=(raw.robust_low, raw.robust_high),
        )

    def __repr__(self) -> str:
        return f"<iscp.Attack {self.norm}, eps {self.eps:.4g}, {self.steps} steps of {self.step:.4g}>"


def attack(
    model: Model,
    images: np.ndarray,
    labels: Any,
    norm: str = "linf",
    eps: float = 0,
    *,
    step: float = 0,
    steps: int = 20,
    random_start: bool = True,
    targeted: bool = False,
    seed: int = 0,
    batch: int = 0,
) -> np.ndarray:
    """Adversarial images, of the shape of `images` (float32 N x C x H x W in [0,1]), by projected gradient descent.

    labels       the true classes, which the model is led away from; with `targeted` the wanted ones
    norm, eps    how far an image may move: "linf" (0 = 8/255 at every number) or "l2" (0 = 0.5 over all of them)
    steps, step  how many and how long; 0 = eps / 4 of L-inf, eps / 5 of L2
    seed         names the random starts, which `random_start` may leave out"""
    batch = batch or (len(images) if len(images) < FEW else 0)
    own = {"step": step, "steps": steps, "random_start": random_start, "targeted": targeted, "seed": seed, "batch": batch}
    return Attack(model, norm, eps, **own).run(images, labels)


def robust_accuracy(
    model: Model,
    data: Dataset,
    norm: str = "linf",
    eps: float = 0,
    *,
    step: float = 0,
    steps: int = 20,
    random_start: bool = True,
    seed: int = 0,
    batch: int = 0,
    progress: ProgressCallback | None = None,
) -> Robustness:
    """What is left of a model's accuracy on a set when each image may be attacked: PGD-20 in L-inf unless asked otherwise."""
    own = {"step": step, "steps": steps, "random_start": random_start, "seed": seed, "batch": batch}
    return Attack(model, norm, eps, **own).accuracy(data, progress)
