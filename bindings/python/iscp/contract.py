"""The input contract: what turns a stored image into a network's input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._library import defaults
from ._structs import iscp_contract


@dataclass(frozen=True, init=False)
class Contract:
    """`size` is (height, width) after padding, or one number for both; `pad` (top, bottom, left, right) rows and
    columns of zeros, or one number for all; `mean` and `std` one number a channel, or one for all, for pixels in [0,1];
    `channels` 1 or 3. What is left out is the library's default: 224 x 224, no padding, mean 0, std 1, 3 channels.

    The fields hold all numbers, as the library has them: mean and std are rounded to float32."""

    size: tuple[int, int]
    pad: tuple[int, int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: int

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        pad: int | Sequence[int] | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        channels: int | None = None,
    ):
        raw = defaults(iscp_contract)
        if channels is not None:
            raw.channels = channels
        if size is not None:
            raw.height, raw.width = _several(size, 2, "size")
        if pad is not None:
            raw.pad_top, raw.pad_bottom, raw.pad_left, raw.pad_right = _several(pad, 4, "pad")
        if mean is not None:
            raw.mean[: _used(raw)] = _several(mean, _used(raw), "mean")
        if std is not None:
            raw.std[: _used(raw)] = _several(std, _used(raw), "std")
        self._take(raw)

    def _take(self, raw: iscp_contract) -> None:
        fields = {
            "size": (raw.height, raw.width),
            "pad": (raw.pad_top, raw.pad_bottom, raw.pad_left, raw.pad_right),
            "mean": tuple(raw.mean[: _used(raw)]),
            "std": tuple(raw.std[: _used(raw)]),
            "channels": raw.channels,
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
    return raw


def contract_of(source: Any) -> Contract:
    """The contract that `input=` means: itself, or that of a Model or a Dataset."""
    contract = getattr(source, "contract", source)
    if not isinstance(contract, Contract):
        raise TypeError(f"input must be a Model or a Contract, not {type(source).__name__}")
    return contract


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
