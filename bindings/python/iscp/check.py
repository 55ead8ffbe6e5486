"""Does a model know these images, and if not, why?"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._abi import CAUSE_KINDS, CAUSES, iscp_cause, iscp_check_class, iscp_check_info, iscp_check_options, iscp_confusion
from ._handle import Handle, create
from ._library import defaults, library, sized
from ._progress import ProgressCallback, call
from ._words import code, word
from .contract import Contract, from_raw
from .dataset import Dataset
from .model import Model


@dataclass(frozen=True)
class ClassCheck:
    """One class: `images` are labelled as it, `correct` of these predicted as it (`accuracy`, with a 95 % Wilson interval),
    `predicted` images of all classes predicted as it (`precision` = correct / predicted). `confused` is the class that its images
    are most often taken for, or None."""

    index: int
    images: int
    correct: int
    predicted: int
    accuracy: float
    interval: tuple[float, float]
    precision: float
    confused: int | None


@dataclass(frozen=True)
class Confusion:
    """`images` of class `label`, the share `share` of them, that were predicted as class `predicted`."""

    label: int
    predicted: int
    images: int
    share: float


@dataclass(frozen=True)
class Cause:
    """An assumption about the input that was tried on a sample. `kind` is "none" (the input as given), "scale", "order", "size",
    "pictures" or "labels"; `restores` tells that it is better than the input as given beyond doubt. With `contract` model and set
    can be opened anew; `labels` is the model's class for each label, if it is their order."""

    kind: str
    text: str
    images: int
    correct: int
    accuracy: float
    interval: tuple[float, float]
    restores: bool
    contract: Contract
    labels: np.ndarray | None


@dataclass(frozen=True)
class Check:
    """What `check` found: over all images, by class, the confusions (most frequent first), and the causes that were tried (the
    input as given, then the best first). `plausible` is false if the accuracy is below `plausible_from`, clearly better
    than guessing, beyond doubt."""

    images: int
    correct: int
    accuracy: float
    interval: tuple[float, float]
    plausible: bool
    plausible_from: float
    favourite: int
    favourite_count: int
    classes: tuple[ClassCheck, ...]
    confusions: tuple[Confusion, ...]
    causes: tuple[Cause, ...]

    @property
    def cause(self) -> Cause | None:
        """The best of those that restore the accuracy, or None."""
        return next((cause for cause in self.causes if cause.restores), None)


def check(
    model: Model,
    data: Dataset,
    *,
    causes: str = "poor",
    sample: int = 0,
    batch: int = 0,
    progress: ProgressCallback | None = None,
) -> Check:
    """Runs the whole set once. `causes` says when the usual mistakes about the input are tried, each on `sample` images (0 = 256):
    "poor" (if the model does badly), "always" or "never"; `progress` as in search."""
    options = defaults(iscp_check_options)
    options.causes = code(CAUSES, causes, "causes")
    options.sample, options.batch = sample, batch
    handle = create(
        library.iscp_check_create,
        library.iscp_check_destroy,
        model._handle,
        data._handle,
        options,
        call=lambda *arguments: call(*arguments, progress=progress),
    )
    info = sized(iscp_check_info)
    library.iscp_check_get_info(handle, byref(info))
    return Check(
        images=info.images,
        correct=info.correct,
        accuracy=info.accuracy,
        interval=(info.low, info.high),
        plausible=bool(info.plausible),
        plausible_from=info.plausible_from,
        favourite=info.favourite,
        favourite_count=info.favourite_count,
        classes=tuple(_class(handle, index) for index in range(info.classes)),
        confusions=tuple(_confusion(handle, index) for index in range(info.confusions)),
        causes=tuple(_cause(handle, index, info.classes) for index in range(info.causes)),
    )


def _told(function: Any, struct: Any, handle: Handle, index: int) -> Any:
    raw = sized(struct)
    function(handle, index, byref(raw))
    return raw


def _class(handle: Handle, index: int) -> ClassCheck:
    raw = _told(library.iscp_check_get_class, iscp_check_class, handle, index)
    return ClassCheck(
        index=index,
        images=raw.images,
        correct=raw.correct,
        predicted=raw.predicted,
        accuracy=raw.accuracy,
        interval=(raw.low, raw.high),
        precision=raw.precision,
        confused=None if raw.confused < 0 else raw.confused,
    )


def _confusion(handle: Handle, index: int) -> Confusion:
    raw = _told(library.iscp_check_confusion, iscp_confusion, handle, index)
    return Confusion(label=raw.label, predicted=raw.predicted, images=raw.images, share=raw.share)


def _cause(handle: Handle, index: int, classes: int) -> Cause:
    raw = _told(library.iscp_check_cause, iscp_cause, handle, index)
    labels: Sequence[int] | None = raw.labels[:classes] if raw.labels else None
    return Cause(
        kind=word(CAUSE_KINDS, raw.kind),
        text=raw.text.decode(),
        images=raw.images,
        correct=raw.correct,
        accuracy=raw.accuracy,
        interval=(raw.low, raw.high),
        restores=bool(raw.restores),
        contract=from_raw(raw.contract.contents),
        labels=None if labels is None else np.array(labels, np.int32),
    )
