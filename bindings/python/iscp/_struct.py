"""What the structs of _abi.py are made of."""

from __future__ import annotations

import ctypes
import operator
from typing import Any, ClassVar

_WHOLE = {
    ctypes.c_uint8: (0, 2**8 - 1),
    ctypes.c_int32: (-(2**31), 2**31 - 1),
    ctypes.c_uint32: (0, 2**32 - 1),
    ctypes.c_int64: (-(2**63), 2**63 - 1),
    ctypes.c_uint64: (0, 2**64 - 1),
}


class Struct(ctypes.Structure):
    """A struct whose whole numbers are what they are set to: ctypes would cut them to their width without a word."""

    _ranges: ClassVar[dict[str, tuple[int, int]]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        fields = cls.__dict__.get("_fields_", ())
        cls._ranges = {**getattr(cls, "_ranges", {}), **{field[0]: _WHOLE[field[1]] for field in fields if field[1] in _WHOLE}}

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._ranges and hasattr(value, "__index__"):  # NumPy's whole numbers too
            value = operator.index(value)
            low, high = self._ranges[name]
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}, expected {low} to {high}")
        super().__setattr__(name, value)
