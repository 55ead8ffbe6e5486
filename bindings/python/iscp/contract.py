"""The input contract: what turns a stored image into a network's input."""

from __future__ import annotations

import os
from collections.abc import Sequence
from ctypes import byref, c_char_p
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from ._abi import CROPS, FILTERS, ORDERS, iscp_contract
from ._library import defaults, library
from ._words import code, word
from .context import Context, default_context

Path = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True, init=False)
class Contract:
    """`size` is (height, width) after padding, or one number for both; `pad` (top, bottom, left, right) rows and
    columns of zeros, or one number for all; `mean` and `std` one number a channel, or one for all, of the network's input;
    `channels` 1 or 3.

    `resize` is the short side after resizing, or (height, width); `filter` "bilinear" or "bicubic"; `crop` (height, width)
    from the middle, or one number for both, `crop_rule` "even" (torchvision) or "floor" (Hugging Face); `order` "RGB" or "BGR"
    and `range` 1 or 255 are those of the network's input. Where only one of size and crop is given, the other follows.

    What is left out is the preset's, or without one the library's default: 224 x 224, no resizing, no padding, mean 0,
    std 1, 3 channels. The fields hold all numbers, as the library has them: mean and std are rounded to float32; `resize` and
    `crop` are None where there is none."""

    size: tuple[int, int]
    pad: tuple[int, int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: int
    resize: int | tuple[int, int] | None
    filter: str
    crop: tuple[int, int] | None
    crop_rule: str
    order: str
    range: int

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        pad: int | Sequence[int] | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        channels: int | None = None,
        *,
        resize: int | Sequence[int] | None = None,
        filter: str | None = None,
        crop: int | Sequence[int] | None = None,
        crop_rule: str | None = None,
        order: str | None = None,
        range: int | None = None,
        preset: str | None = None,
    ):
        raw = defaults(iscp_contract)
        if preset is not None:
            library.iscp_contract_preset(byref(raw), preset.encode())
        if channels is not None:
            raw.channels = channels
        if pad is not None:
            raw.pad_top, raw.pad_bottom, raw.pad_left, raw.pad_right = _several(pad, 4, "pad")
        if resize is not None:
            _set_resize(raw, resize)
        _set_sides(raw, size, crop)
        if mean is not None:
            raw.mean[: _used(raw)] = _several(mean, _used(raw), "mean")
        if std is not None:
            raw.std[: _used(raw)] = _several(std, _used(raw), "std")
        if filter is not None:
            raw.filter = code(FILTERS, filter, "filter")
        if crop_rule is not None:
            raw.crop_rule = code(CROPS, crop_rule, "crop_rule")
        if order is not None:
            raw.order = code(ORDERS, order, "order")
        if range is not None:
            raw.range = _plain(range)
        self._take(raw)

    @classmethod
    def read(cls, path: Path, context: Context | None = None) -> Contract:
        """From a JSON file: one that `write` made, a timm config, or a Hugging Face preprocessor_config.json."""
        raw = defaults(iscp_contract)
        library.iscp_contract_read(byref(raw), (context or default_context())._handle, os.fsencode(path))
        return from_raw(raw)

    def write(self, path: Path, class_names: Sequence[str] | None = None, context: Context | None = None) -> None:
        """As JSON: named "<weights file>.contract.json", Model.load finds it beside the weights."""
        names = [name.encode() for name in class_names or ()]
        library.iscp_contract_write(
            byref(to_raw(self)),
            (context or default_context())._handle,
            os.fsencode(path),
            (c_char_p * len(names))(*names) if names else None,
            len(names),
        )

    def _take(self, raw: iscp_contract) -> None:
        fields = {
            "size": (raw.height, raw.width),
            "pad": (raw.pad_top, raw.pad_bottom, raw.pad_left, raw.pad_right),
            "mean": tuple(raw.mean[: _used(raw)]),
            "std": tuple(raw.std[: _used(raw)]),
            "channels": raw.channels,
            "resize": (raw.resize_height, raw.resize_width) if raw.resize_height else raw.resize_short or None,
            "filter": word(FILTERS, raw.filter),
            "crop": (raw.crop_height, raw.crop_width) if raw.crop_height else None,
            "crop_rule": word(CROPS, raw.crop_rule),
            "order": word(ORDERS, raw.order),
            "range": raw.range,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def height(self) -> int:
        return self.size[0]

    @property
    def width(self) -> int:
        return self.size[1]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of an image."""
        return (self.channels, *self.size)


def presets() -> dict[str, str]:
    """The names that Contract(preset=...) takes, each with a line about it."""
    found = {}
    while (name := library.iscp_contract_preset_name(len(found))) is not None:
        found[name.decode()] = library.iscp_contract_preset_summary(len(found)).decode()
    return found


def from_raw(raw: iscp_contract) -> Contract:
    contract = Contract.__new__(Contract)
    contract._take(raw)
    return contract


def to_raw(contract: Contract) -> iscp_contract:
    raw = defaults(iscp_contract)
    raw.channels = contract.channels
    raw.height, raw.width = contract.size
    raw.pad_top, raw.pad_bottom, raw.pad_left, raw.pad_right = contract.pad
    raw.mean[: len(contract.mean)] = contract.mean
    raw.std[: len(contract.std)] = contract.std
    if contract.resize is not None:
        _set_resize(raw, contract.resize)
    if contract.crop is not None:
        raw.crop_height, raw.crop_width = contract.crop
    raw.filter, raw.crop_rule = FILTERS[contract.filter], CROPS[contract.crop_rule]
    raw.order, raw.range = ORDERS[contract.order], contract.range
    return raw


def contract_of(source: Any) -> Contract:
    """The contract that `input=` means: itself, or that of a Model or a Dataset."""
    contract = getattr(source, "contract", source)
    if not isinstance(contract, Contract):
        raise TypeError(f"input must be a Model or a Contract, not {type(source).__name__}")
    return contract


def _set_resize(raw: iscp_contract, resize: int | Sequence[int]) -> None:
    raw.resize_short = raw.resize_height = raw.resize_width = 0
    if np.ndim(resize) == 0:
        raw.resize_short = _plain(resize)
    else:
        raw.resize_height, raw.resize_width = _several(resize, 2, "resize")


def _set_sides(raw: iscp_contract, size: int | Sequence[int] | None, crop: int | Sequence[int] | None) -> None:
    """Size and crop differ by the padding; of one that is not given, the other decides."""
    if size is not None:
        raw.height, raw.width = _several(size, 2, "size")
    rows, columns = raw.pad_top + raw.pad_bottom, raw.pad_left + raw.pad_right
    if crop is not None:
        raw.crop_height, raw.crop_width = _several(crop, 2, "crop")
        if size is None:
            raw.height, raw.width = raw.crop_height + rows, raw.crop_width + columns
    elif raw.crop_height:
        raw.crop_height, raw.crop_width = raw.height - rows, raw.width - columns


def _used(raw: iscp_contract) -> int:
    """How many of the three places of mean and std count."""
    return max(0, min(raw.channels, 3))


def _several(value: Any, count: int, name: str) -> list:
    """`count` numbers out of so many, or out of one."""
    if np.ndim(value) == 0:
        return [_plain(value)] * count
    if len(value) != count:
        raise ValueError(f"{name} must be one number or {count}, not {len(value)}")
    return [_plain(v) for v in value]


def _plain(value: Any) -> Any:
    """A number that ctypes takes, from one of numpy's."""
    return value.item() if isinstance(value, np.generic) else value
