"""Predictive power of a pattern: PW = ASR / accuracy."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from ctypes import c_double, c_int64
from dataclasses import dataclass

import numpy as np

from ._arrays import address
from ._constants import IMAGES, code
from ._handle import create
from ._library import defaults, library, sized
from ._progress import ProgressCallback, call
from ._structs import iscp_evaluate_options, iscp_power
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


def mean_std(values: Iterable[float]) -> tuple[float, float]:
    """Mean (mPW) and population standard deviation (STD) over classes."""
    array = np.ascontiguousarray(list(values), np.float64)
    mean, std = c_double(), c_double()
    library.iscp_mean_std(address(array, c_double), len(array), mean, std)
    return mean.value, std.value
