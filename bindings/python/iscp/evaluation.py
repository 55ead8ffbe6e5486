"""Predictive power of a pattern: PW = ASR / accuracy."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from ctypes import POINTER, c_double, c_int64, sizeof
from dataclasses import dataclass

import numpy as np

from ._abi import IMAGES, iscp_evaluate_options, iscp_pattern, iscp_power
from ._arrays import address
from ._handle import create
from ._library import defaults, library, sized
from ._progress import ProgressCallback, call
from ._words import code
from .dataset import Dataset
from .model import Model
from .pattern import Pattern


@dataclass(frozen=True)
class Power:
    """The power of a pattern of `pixels` pixels (`size` if it was cut by size). `asr` is the share of the `nontarget`
    images of other classes that are taken for the target with the pattern (`nontarget_hits`; without it already
    `nontarget_clean`), `accuracy` the clean accuracy on the `target_images`, `pw` = asr / accuracy, which may exceed 1
    and is NaN if the accuracy is 0. The intervals are 95 % Wilson intervals."""

    size: float | None
    pixels: int
    target: int
    asr: float
    accuracy: float
    pw: float
    asr_interval: tuple[float, float]
    accuracy_interval: tuple[float, float]
    nontarget: int
    nontarget_hits: int
    nontarget_clean: int
    target_images: int
    target_correct: int


class Evaluation:
    """Judges patterns of a model on a dataset; one thread at a time.

    `images` is "heldout" (those that a search with this `fraction` and `seed` does not see), "all" or "searched".
    Making one runs the images once, clean; `progress` as in search."""

    def __init__(
        self,
        model: Model,
        data: Dataset,
        images: str = "heldout",
        fraction: float = 0.2,
        seed: int = 0,
        *,
        batch: int = 0,
        progress: ProgressCallback | None = None,
    ):
        options = defaults(iscp_evaluate_options)
        options.images = code(IMAGES, images, "images")
        options.fraction, options.seed, options.batch = fraction, seed, batch
        self._handle = create(
            library.iscp_evaluation_create,
            library.iscp_evaluation_destroy,
            model._handle,
            data._handle,
            options,
            keep=[model._handle, data._handle],
            call=lambda *arguments: call(*arguments, progress=progress),
        )
        accuracy, count = c_double(), c_int64()
        library.iscp_evaluation_accuracy(self._handle, accuracy, count)
        self.accuracy: float = accuracy.value
        self.count: int = count.value

    def power(self, pattern: Pattern, progress: ProgressCallback | None = None) -> Power:
        """Measures a pattern: one pass over the images of other classes."""
        return power_of(self.measure(pattern, progress), pattern)

    def measure(self, pattern: Pattern, progress: ProgressCallback | None = None) -> iscp_power:
        """The same, as the library's struct."""
        raw = sized(iscp_power)
        arguments = (self._handle, pattern._handle, ctypes.byref(raw))
        call(library.iscp_evaluation_power, *arguments, progress=progress)
        return raw

    def powers(self, patterns: Iterable[Pattern], progress: ProgressCallback | None = None) -> list[Power]:
        """Measures several patterns, with one progress for all."""
        held = list(patterns)
        if not held:
            return []
        raw = (iscp_power * len(held))(*(iscp_power(struct_size=sizeof(iscp_power)) for _ in held))
        pointers = (POINTER(iscp_pattern) * len(held))(*(pattern._handle._as_parameter_ for pattern in held))
        call(library.iscp_evaluation_powers, self._handle, pointers, len(held), raw, progress=progress)
        return [power_of(power, pattern) for power, pattern in zip(raw, held)]

    def __repr__(self) -> str:
        return f"<iscp.Evaluation {self.count} images, accuracy {self.accuracy:.4f}>"


def power_of(raw: iscp_power, pattern: Pattern) -> Power:
    return Power(
        size=pattern.size,
        pixels=pattern.info.pixels,
        target=raw.target,
        asr=raw.asr,
        accuracy=raw.accuracy,
        pw=raw.pw,
        asr_interval=(raw.asr_low, raw.asr_high),
        accuracy_interval=(raw.accuracy_low, raw.accuracy_high),
        nontarget=raw.nontarget,
        nontarget_hits=raw.nontarget_hits,
        nontarget_clean=raw.nontarget_clean,
        target_images=raw.target_images,
        target_correct=raw.target_correct,
    )


@dataclass(frozen=True, eq=False)
class Transfer:
    """How patterns do on other models (Figure 8 of the paper). `powers[s, t]` is the mean PW of the patterns searched on
    model s, measured on model t, and `rates[s, t]` = powers[s, s] / powers[s, t], NaN where the target's power is 0: near
    1 or below for patterns that transfer, large for those that do not. `each[s][t]` are the single powers."""

    powers: np.ndarray
    rates: np.ndarray
    each: list[list[list[Power]]]


def transfer(
    evaluations: Sequence[Evaluation],
    patterns: Sequence[Iterable[Pattern]],
    progress: ProgressCallback | None = None,
) -> Transfer:
    """Measures `patterns[s]`, those searched on the model of `evaluations[s]`, by every one of `evaluations`."""
    count = len(evaluations)
    if not count or len(patterns) != count:
        raise ValueError(f"patterns must be of {count or '1 or more'} models, as evaluations, not of {len(patterns)}")
    held = [list(of_model) for of_model in patterns]
    if not all(held):
        raise ValueError("patterns has none of one of the models")
    each = [[evaluation.powers(of_model, progress) for evaluation in evaluations] for of_model in held]
    means = np.array([[mean_std(power.pw for power in powers)[0] for powers in row] for row in each], np.float64)
    rates = np.empty_like(means)
    library.iscp_transfer_rates(address(rates, c_double), address(means, c_double), count)
    return Transfer(means, rates, each)


def mean_std(values: Iterable[float]) -> tuple[float, float]:
    """Mean (mPW) and population standard deviation (STD) over classes."""
    array = np.ascontiguousarray(list(values), np.float64)
    mean, std = c_double(), c_double()
    library.iscp_mean_std(address(array, c_double), len(array), mean, std)
    return mean.value, std.value
