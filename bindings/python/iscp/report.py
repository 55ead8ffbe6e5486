"""Results on disk: writing a report, and reading its patterns back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from ctypes import c_double, c_int32, c_uint64
from typing import Any

from ._abi import iscp_canvas_result, iscp_power
from ._handle import create
from ._library import library, sized
from .context import Context, default_context
from .evaluation import Power, power_of
from .model import Path
from .pattern import Pattern, chosen_cut, cut_arguments
from .result import CanvasFacts, SearchResult


def write_report(result: SearchResult, folder: Path, **options: Any) -> None:
    """Writes a search's result.json, arrays and pictures into a folder: SearchResult.write, with its options."""
    result.write(folder, **options)


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


class SavedPatterns(Sequence):
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
