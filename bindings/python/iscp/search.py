"""The search for class-wise patterns (Algorithm 1 of the paper)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from ctypes import c_float, c_int32
from typing import Any, Union

import numpy as np

from ._abi import ALPHAS, CANVASES, PRESETS, SELECTS, TIES, iscp_search_options
from ._arrays import address, checked, indices
from ._handle import create
from ._library import defaults, library
from ._progress import ProgressCallback, call
from ._words import code
from .dataset import Dataset
from .model import Model
from .result import ClassResult, Run, SearchResult

Canvas = Union[str, np.ndarray, Sequence[Union[str, np.ndarray]]]


class Search:
    """A search under way: an iterator over the ClassResults as classes are finished. `result` holds those so far.

    After Ctrl-C, or an exception of `progress`, iterating again goes on where it stopped, to the same result. The
    arguments are those of iscp.search."""

    def __init__(
        self,
        model: Model,
        data: Dataset,
        classes: int | Sequence[int] | None = None,
        canvas: Canvas = "positive",
        *,
        canvases: int = 5,
        preset: str = "predictive",
        alpha: float | str | None = None,
        tv: float = 0,
        canvas_steps: int = 0,
        mask_steps: int = 5,
        canvas_step: float = 2 / 255,
        seed: int = 0,
        epochs: int = 5,
        batch: int = 4,
        step: float = 0.02,
        fraction: float = 0.2,
        select: str = "preset",
        select_size: float = 0.05,
        ties: str = "preset",
        lanes: int = 0,
        pass_batch: int = 0,
        min_accuracy: float | None = 0,
        progress: ProgressCallback | None = None,
    ):
        options = defaults(iscp_search_options)
        options.preset = code(PRESETS, preset, "preset")
        options.select = code(SELECTS, select, "select")
        options.ties = code(TIES, ties, "ties")
        options.canvases, options.epochs, options.batch, options.lanes = canvases, epochs, batch, lanes
        options.pass_batch, options.tv = pass_batch, tv
        options.canvas_steps, options.mask_steps, options.canvas_step = canvas_steps, mask_steps, canvas_step
        options.min_accuracy = -1 if min_accuracy is None else min_accuracy
        options.step, options.fraction, options.select_size, options.seed = step, fraction, select_size, seed
        _set_alpha(options, alpha)
        # The struct does not keep what it points to: these lists do.
        held = [_set_classes(options, classes), _set_canvas(options, canvas, model)]
        handle = create(
            library.iscp_search_create,
            library.iscp_search_destroy,
            model._handle,
            data._handle,
            options,
            keep=[model._handle, data._handle],
        )
        library.iscp_search_get_options(handle, options)  # those in force: lanes as chosen
        self._progress = progress
        self.result = SearchResult(Run(handle, model, data, options, held))

    def __iter__(self) -> Iterator[ClassResult]:
        return self

    def __next__(self) -> ClassResult:
        finished = c_int32(-1)
        try:
            call(library.iscp_search_next, self.result._run.handle, ctypes.byref(finished), progress=self._progress)
        finally:
            # Also if the callback raised at the very end of a class, which is finished all the same.
            if finished.value >= 0:
                self.result._add(finished.value)
        if finished.value < 0:
            raise StopIteration
        return self.result[finished.value]


def search(
    model: Model,
    data: Dataset,
    classes: int | Sequence[int] | None = None,
    canvas: Canvas = "positive",
    *,
    canvases: int = 5,
    preset: str = "predictive",
    alpha: float | str | None = None,
    tv: float = 0,
    canvas_steps: int = 0,
    mask_steps: int = 5,
    canvas_step: float = 2 / 255,
    seed: int = 0,
    epochs: int = 5,
    batch: int = 4,
    step: float = 0.02,
    fraction: float = 0.2,
    select: str = "preset",
    select_size: float = 0.05,
    ties: str = "preset",
    lanes: int = 0,
    pass_batch: int = 0,
    min_accuracy: float | None = 0,
    progress: ProgressCallback | None = None,
) -> SearchResult:
    """Searches the patterns of `classes` (None = all): {class index: ClassResult}.

    canvas    "positive", "negative", "random", "white", an array of one's own (float32 C x H x W or N x C x H x W in
              [0,1]), or a list of these; `canvases` of each kind a class
    preset    "predictive", "paper" (its text) or "authors" (its figures): the values of `alpha`, `select` and `ties`
              where these leave it to the preset; include/iscp/search.h lists them
    alpha     weight of the mask's size: None (the preset's), a number, or "auto" (per class, by power on the images
              searched on)
    tv        weight of the mask's total variation (Eq. 3), which smooths it; 0 = none
    canvas_steps  steps in a row that change the canvas by `canvas_step` (Eq. 4; the paper takes 5), after every
              `mask_steps` of the mask; 0 = the canvas stays
    seed      of the images searched on (the share `fraction` of each class), their order, and random canvases
    epochs    passes over them, `batch` images a step that changes the mask by `step`
    select    the best canvas by "loss" or by "power" at `select_size`, or as the "preset" says
    ties      equal mask values are ranked by "evidence" or by "index", or as the "preset" says
    lanes     searches that take their steps together; 0 = chosen, by measurement if the search is long
    pass_batch  images of one pass of the network; 0 = as many as gain speed and the context's memory allows
    min_accuracy  clean accuracy below which the search is refused; 0 = clearly better than guessing, None = go on
    progress  called with a Progress about ten times a second; stops the search by returning true or raising

    To keep what is done when a search is stopped, use Search."""
    running = Search(**locals())
    for _ in running:
        pass
    return running.result


def _set_alpha(options: iscp_search_options, alpha: float | str | None) -> None:
    if alpha is None:
        options.alpha_mode = ALPHAS["preset"]
    elif isinstance(alpha, str):
        if alpha != "auto":
            raise ValueError(f"alpha must be a number, 'auto' or None, not {alpha!r}")
        options.alpha_mode = ALPHAS["auto"]
    else:
        options.alpha_mode, options.alpha = ALPHAS["fixed"], alpha


def _set_classes(options: iscp_search_options, classes: int | Sequence[int] | None) -> np.ndarray | None:
    if classes is None:
        return None
    if np.size(classes) == 0:
        raise ValueError("classes is empty; None stands for all classes")
    array = indices(np.atleast_1d(classes), "classes")
    options.class_count, options.classes = len(array), address(array, c_int32)
    return array


def _set_canvas(options: iscp_search_options, canvas: Canvas, model: Model) -> np.ndarray | None:
    items: list[Any] = [canvas] if isinstance(canvas, (str, np.ndarray)) else list(canvas)
    if not items:
        raise ValueError("canvas names no kind of canvas")
    shape, own, kinds = model.contract.shape, [], 0
    for item in items:
        if isinstance(item, str):
            kinds |= code({k: v for k, v in CANVASES.items() if k != "user"}, item, "canvas")
        else:
            many = ("N",) if np.ndim(item) == 4 else ()
            own.append(checked(item, "canvas", np.float32, (*many, *shape)).reshape((-1, *shape)))
            kinds |= CANVASES["user"]
    options.canvas_kinds = kinds
    if not own:
        return None
    stacked = np.concatenate(own)
    options.user_canvas_count, options.user_canvases = len(stacked), address(stacked, c_float)
    return stacked
