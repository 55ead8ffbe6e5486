"""Results on disk: writing a report, and reading its patterns back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from collections.abc import Sequence as SequenceType
from ctypes import POINTER, c_double, c_int32, c_uint64, cast, sizeof

from ._abi import IMAGES, iscp_canvas_result, iscp_power, iscp_report_options
from ._handle import create
from ._library import defaults, library, sized
from ._progress import ProgressCallback
from ._words import code
from .context import Context, default_context
from .evaluation import Power, power_of
from .model import Path
from .pattern import Pattern, chosen_cut, cut_arguments
from .result import SIZES, CanvasFacts, ClassResult, SearchResult


def write_report(
    result: SearchResult,
    folder: Path,
    *,
    sizes: Sequence[float] = SIZES,
    images: str = "heldout",
    measure: str = "selected",
    resume: bool = False,
    overwrite: bool = False,
    picture_size: float = 0.05,
    scale: int = 0,
    progress: ProgressCallback | None = None,
) -> None:
    """Writes result.json, masks, evidence and canvases (.npy), patterns and a sheet (.png) into a folder.

    The power at each of `sizes` on `images` is measured for the "selected" canvas of each class, for "all" canvases, or
    for "none". `resume` adds to a report of the same run, `overwrite` replaces a report; `picture_size` is the size of
    the patterns in the pictures, `scale` picture pixels an image pixel (0 = chosen by size)."""
    if measure not in ("selected", "all", "none"):
        raise ValueError(f"measure must be one of 'selected', 'all', 'none', not {measure!r}")
    options = defaults(iscp_report_options)
    options.resume, options.overwrite = int(resume), int(overwrite)
    options.picture_size, options.scale = picture_size, scale
    options.images = code(IMAGES, images, "images")
    held = (c_double * len(sizes))(*sizes)
    options.sizes, options.size_count = cast(held, POINTER(c_double)), len(sizes)
    report = create(
        library.iscp_report_create,
        library.iscp_report_destroy,
        os.fsencode(folder),
        result.model._handle,
        result.data._handle,
        result._run.options,
        options,
        keep=[result._run.handle],
    )
    for found in result.values():
        powers = _measured(result, found, sizes, images, measure, progress)
        library.iscp_report_add(report, result._run.handle, found.class_index, powers)


def _measured(
    result: SearchResult,
    found: ClassResult,
    sizes: Sequence[float],
    images: str,
    measure: str,
    progress: ProgressCallback | None,
):
    """Canvas by canvas, size by size; a row whose target stays -1 was not measured."""
    rows = len(found.canvases) * len(sizes)
    powers = (iscp_power * rows)(*(iscp_power(struct_size=sizeof(iscp_power), target=-1) for _ in range(rows)))
    for canvas in found.canvases:
        if measure == "all" or (measure == "selected" and canvas.selected):
            for i, size in enumerate(sizes):
                measured = result.evaluation(images, progress).measure(canvas.pattern(size), progress)
                powers[canvas.index * len(sizes) + i] = measured
    return powers


class SavedPattern(CanvasFacts):
    """One canvas of a report (see CanvasFacts), with its class's `name` (None if it has none)."""

    def __init__(self, saved: SavedPatterns, index: int):
        self._place = (saved._handle, index)
        class_index, raw = c_int32(), sized(iscp_canvas_result)
        library.iscp_pattern_list_entry(*self._place, class_index, None)
        library.iscp_pattern_list_canvas(*self._place, raw)
        super().__init__(class_index.value, raw)
        name = library.iscp_pattern_list_class_name(*self._place)
        self.name = None if name is None else name.decode("utf-8", "replace")

    @property
    def powers(self) -> list[Power]:
        """The powers that the report holds of this canvas."""
        powers = []
        for row in range(library.iscp_pattern_list_power_count(*self._place)):
            size, raw = c_double(), sized(iscp_power)
            library.iscp_pattern_list_power(*self._place, row, size, raw)
            powers.append(power_of(raw, self.pattern(size.value)))
        return powers

    def pattern(self, size: float | None = None, gamma: float | None = None) -> Pattern:
        """The share `size` of the pixels (default 0.05), best first, or all pixels with mask > `gamma`."""
        arguments, keep = (*self._place, *cut_arguments(size, gamma)), self._place[:1]
        handle = create(library.iscp_pattern_list_cut, library.iscp_pattern_destroy, *arguments, keep=keep)
        return Pattern(handle, *chosen_cut(size, gamma))


class SavedPatterns(SequenceType):
    """The patterns of a report's folder, in the order of result.json. `fraction` and `seed` are the draw of the search,
    for an Evaluation on the images that it did not see."""

    def __init__(self, folder: Path, context: Context | None = None):
        context = context or default_context()
        arguments = (context._handle, os.fsencode(folder))
        keep = [context._handle]
        self._handle = create(library.iscp_pattern_list_load, library.iscp_pattern_list_destroy, *arguments, keep=keep)
        fraction, seed = c_double(), c_uint64()
        library.iscp_pattern_list_draw(self._handle, fraction, seed)
        self.fraction: float = fraction.value
        self.seed: int = seed.value

    def __len__(self) -> int:
        return library.iscp_pattern_list_count(self._handle)

    def __getitem__(self, index):
        chosen = range(len(self))[index]
        return [SavedPattern(self, i) for i in chosen] if isinstance(chosen, range) else SavedPattern(self, chosen)
