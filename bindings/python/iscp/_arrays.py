"""What an array must be before its address is handed to the library."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np


def checked(array: Any, name: str, dtype: Any, shape: Sequence[int | str]) -> np.ndarray:
    """The array itself if it is of this dtype and shape (a letter stands for any length) and lies without gaps."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a numpy array of {np.dtype(dtype)}, not {type(array).__name__}")
    if array.dtype != dtype:
        raise TypeError(f"{name} must be of dtype {np.dtype(dtype)}, not {array.dtype}")
    fits = array.ndim == len(shape) and all(isinstance(w, str) or w == n for w, n in zip(shape, array.shape))
    if not fits:
        expected = ", ".join(map(str, shape))
        raise ValueError(f"{name} must be of shape ({expected}), not {array.shape}")
    if not (array.flags.c_contiguous and array.flags.aligned):
        raise ValueError(f"{name} must be C-contiguous: pass np.ascontiguousarray({name})")
    return array


def indices(values: Any, name: str, count: int | None = None) -> np.ndarray:
    """Integers as a contiguous int32 array of one dimension; nothing is rounded or wrapped around."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, not {array.dtype}")
    if array.ndim != 1 or (count is not None and len(array) != count):
        raise ValueError(f"{name} must be of shape ({'N' if count is None else count},), not {array.shape}")
    narrow = np.ascontiguousarray(array, dtype=np.int32)
    if not np.array_equal(narrow, array):
        raise ValueError(f"{name} holds a value beyond int32")
    return narrow


def address(array: np.ndarray, ctype: Any) -> Any:
    """A typed pointer to the first element; the pointer keeps the array alive."""
    return array.ctypes.data_as(ctypes.POINTER(ctype))
