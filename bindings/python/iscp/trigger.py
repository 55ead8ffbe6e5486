"""Triggers of backdoors: what Dataset.poison puts on images."""

from __future__ import annotations

import os

import numpy as np

from ._abi import CORNERS, iscp_trigger_info, iscp_trigger_options
from ._handle import create, view
from ._library import defaults, library, sized
from ._words import code, word
from .context import Context, default_context
from .contract import Contract, contract_of, to_raw
from .model import Model, Path
from .pattern import Pattern


class Trigger:
    """A small picture with alpha, and where it goes on stored pictures: `offset` (y, x) pixels from the sides of `corner`
    ("bottom_right", "bottom_left", "top_right" or "top_left"). Immutable.

    `form` is "white:3x3", "checkerboard:3x3" (any height x width up to 64), or the path of a PNG."""

    def __init__(
        self,
        form: Path,
        *,
        corner: str = "bottom_right",
        offset: tuple[int, int] = (1, 1),
        context: Context | None = None,
    ):
        options = defaults(iscp_trigger_options)
        options.corner = code(CORNERS, corner, "corner")
        options.offset_y, options.offset_x = offset
        context = context or default_context()
        self._handle = create(
            library.iscp_trigger_create,
            library.iscp_trigger_destroy,
            context._handle,
            os.fsencode(form),
            options,
            keep=[context._handle],
        )
        raw = sized(iscp_trigger_info)
        library.iscp_trigger_get_info(self._handle, raw)
        self.height: int = raw.height
        self.width: int = raw.width
        self.corner: str = word(CORNERS, raw.corner)
        self.offset: tuple[int, int] = (raw.offset_y, raw.offset_x)

    @property
    def pixels(self) -> np.ndarray:
        """uint8, height x width x (R, G, B, alpha)."""
        return view(self._handle, library.iscp_trigger_pixels(self._handle), (self.height, self.width, 4))

    def pattern(self, input: Model | Contract, picture: tuple[int, ...], target: int) -> Pattern:
        """Where it lands in the network's input, as a pattern to compare with those that a search finds (Pattern.overlap).
        `picture` is the shape of a stored picture, (height, width) of a grey one or (height, width, channels)."""
        height, width, channels = (*picture, 1)[:3]
        handle = create(
            library.iscp_trigger_pattern,
            library.iscp_pattern_destroy,
            self._handle,
            to_raw(contract_of(input)),
            height,
            width,
            channels,
            target,
            keep=[self._handle],
        )
        return Pattern(handle)

    def __repr__(self) -> str:
        place = f"{self.offset[0]},{self.offset[1]} from {self.corner}"
        return f"<iscp.Trigger {self.height}x{self.width} pixels, {place}>"
