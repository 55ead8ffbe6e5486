"""A pattern: the pixels of a canvas that are put on other images, or a perturbation that is added to them."""

from __future__ import annotations

import os
from ctypes import c_double, c_float, c_int32, c_int64, c_uint8
from dataclasses import dataclass

import numpy as np

from ._abi import CUTS, PATTERNS, TIES, iscp_pattern_info
from ._arrays import address, checked
from ._handle import Handle, create, view
from ._library import library, sized
from ._words import code, word
from .context import Context, default_context
from .model import Path

# The share of the pixels that a pattern keeps when the caller does not say.
SIZE = 0.05


@dataclass(frozen=True)
class PatternInfo:
    """`kind` is "replace" (pixels of a canvas) or "add" (a perturbation). `pixels` are kept; `tied` share the last kept
    pixel's mask value, or sum of |v|, if some of them were left out, of which `tied_kept` were kept."""

    target: int
    channels: int
    height: int
    width: int
    pixels: int
    tied: int
    tied_kept: int
    kind: str = "replace"


class Pattern:
    """Immutable; comes from a search, from a mask by Pattern.cut, or from a perturbation by Pattern.added. `size` or `gamma` is what it was cut by."""

    def __init__(self, handle: Handle, size: float | None = None, gamma: float | None = None):
        self._handle = handle
        self.size = size
        self.gamma = gamma
        raw = sized(iscp_pattern_info)
        library.iscp_pattern_get_info(handle, raw)
        numbers = (raw.target, raw.channels, raw.height, raw.width, raw.pixels, raw.tied, raw.tied_kept)
        self.info = PatternInfo(*numbers, word(PATTERNS, raw.kind))

    @classmethod
    def cut(
        cls,
        mask: np.ndarray,
        canvas: np.ndarray,
        target: int,
        *,
        size: float | None = None,
        gamma: float | None = None,
        evidence: np.ndarray | None = None,
        ties: str = "evidence",
        context: Context | None = None,
    ) -> Pattern:
        """Cuts the pattern of class `target` out of a canvas: the share `size` of the pixels (default 0.05), best first
        by `mask`, or all with mask > `gamma`. `mask` is float32 H x W and `canvas` C x H x W, both in [0,1]; `evidence`
        int32 H x W ranks equal mask values, without it (or by ties="index") the lower index comes first."""
        context = context or default_context()
        height, width = checked(mask, "mask", np.float32, ("H", "W")).shape
        channels = checked(canvas, "canvas", np.float32, ("C", height, width)).shape[0]
        if evidence is not None:
            evidence = address(checked(evidence, "evidence", np.int32, (height, width)), c_int32)
        handle = create(
            library.iscp_pattern_create,
            library.iscp_pattern_destroy,
            context._handle,
            address(mask, c_float),
            evidence,
            address(canvas, c_float),
            channels,
            height,
            width,
            target,
            *cut_arguments(size, gamma),
            code(TIES, ties, "ties"),
            keep=[context._handle],
        )
        return cls(handle, *chosen_cut(size, gamma))

    @classmethod
    def added(cls, perturbation: np.ndarray, target: int, *, context: Context | None = None) -> Pattern:
        """The pattern of class `target` that adds a perturbation v (float32 C x H x W in [-1,1]) to an image and cuts the
        sum off at 0 and 1, at every pixel where v is not zero in some channel."""
        context = context or default_context()
        channels, height, width = checked(perturbation, "perturbation", np.float32, ("C", "H", "W")).shape
        handle = create(
            library.iscp_pattern_create_add,
            library.iscp_pattern_destroy,
            context._handle,
            address(perturbation, c_float),
            channels,
            height,
            width,
            target,
            keep=[context._handle],
        )
        return cls(handle)

    @property
    def kind(self) -> str:
        """ "replace" or "add"."""
        return self.info.kind

    @property
    def values(self) -> np.ndarray:
        """Pixels x channels in the order of `positions`: the canvas's values, or what is added."""
        shape = (self.info.pixels, self.info.channels)
        return view(self._handle, library.iscp_pattern_values(self._handle), shape)

    @property
    def positions(self) -> np.ndarray:
        """The kept pixels, best first, as y * width + x."""
        return view(self._handle, library.iscp_pattern_positions(self._handle), (self.info.pixels,))

    @property
    def mask(self) -> np.ndarray:
        """The kept pixels as bool, H x W."""
        mask = np.zeros((self.info.height, self.info.width), bool)
        mask.flat[self.positions] = True
        return mask

    def attach(self, image: np.ndarray) -> np.ndarray:
        """A copy of an image (C x H x W float32), or of each of N images, with the pattern put on it."""
        many = ("N",) if np.ndim(image) == 4 else ()
        shape = (self.info.channels, self.info.height, self.info.width)
        result = checked(image, "image", np.float32, (*many, *shape)).copy()
        for one in result.reshape((-1, *shape)):
            library.iscp_pattern_attach(self._handle, address(one, c_float))
        return result

    def overlap(self, other: Pattern) -> float:
        """Intersection over union of the two patterns' pixels, 0 to 1, whatever their values."""
        iou = c_double()
        library.iscp_pattern_overlap(self._handle, other._handle, iou)
        return iou.value

    def png(self, scale: int = 0) -> bytes:
        """The pattern on a chequered ground as a PNG, `scale` picture pixels an image pixel (0 = chosen by size). What is
        added is shown amplified, as grey + v / (2 max |v|)."""
        size = c_int64()
        library.iscp_pattern_encode_png(size, self._handle, scale, None, 0)
        picture = (c_uint8 * size.value)()
        library.iscp_pattern_encode_png(size, self._handle, scale, picture, len(picture))
        return bytes(picture)

    def write_png(self, path: Path, scale: int = 0) -> None:
        """Writes the same picture to a file."""
        library.iscp_pattern_write_png(self._handle, os.fsencode(path), scale)

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        info = self.info
        return f"<iscp.Pattern class {info.target}, {info.pixels} of {info.height}x{info.width} pixels>"


def chosen_cut(size: float | None, gamma: float | None) -> tuple[float | None, float | None]:
    """(size, gamma) of which one is None: as given, or the default size."""
    if size is not None and gamma is not None:
        raise ValueError("a pattern is cut by size or by gamma, not by both")
    return (None, gamma) if gamma is not None else (SIZE if size is None else size, None)


def cut_arguments(size: float | None, gamma: float | None) -> tuple[int, float]:
    """The same as the library takes it: what to cut by, and the number."""
    chosen_cut(size, gamma)  # refuses both
    if gamma is not None:
        return CUTS["gamma"], gamma
    return CUTS["size"], SIZE if size is None else size
