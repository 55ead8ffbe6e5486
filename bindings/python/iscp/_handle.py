"""Who owns an object of the library, and numpy's views of its memory."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from typing import Any, Callable

import numpy as np


class Handle:
    """Owns one object of the library, and destroys it once nobody holds the handle, neither an object of this package
    nor an array that shows its memory. `keep` is held as long. Passes as the pointer it owns."""

    __slots__ = ("_as_parameter_", "keep", "__weakref__")

    def __init__(self, pointer: Any, destroy: Callable, keep: Sequence = ()):
        self._as_parameter_ = pointer
        self.keep = tuple(keep)
        # Not at exit: a daemon thread may still be computing then, and the memory goes with the process.
        weakref.finalize(self, destroy, pointer).atexit = False


def create(
    function: Any, destroy: Callable, *arguments: Any, keep: Sequence = (), call: Callable | None = None
) -> Handle:
    """Calls a function whose first argument is the place of the new object. `call` may stand between (progress)."""
    pointer = function.argtypes[0]._type_()
    try:
        if call:
            call(function, ctypes.byref(pointer), *arguments)
        else:
            function(ctypes.byref(pointer), *arguments)
    except BaseException:
        destroy(pointer)  # made all the same if a callback raised after the last step; else NULL
        raise
    return Handle(pointer, destroy, keep)


class _Memory:
    """Memory of the library in the form that numpy takes, with its owner."""

    def __init__(self, owner: Handle, address: int, shape: tuple, dtype: np.dtype):
        self.owner = owner
        self.__array_interface__ = {"version": 3, "data": (address, True), "shape": shape, "typestr": dtype.str}


def view(owner: Handle, pointer: Any, shape: tuple) -> np.ndarray:
    """A read-only array on memory that lives as long as `owner`; the array keeps the owner alive."""
    if not pointer:
        raise RuntimeError("the library has no such array")
    address = ctypes.cast(pointer, ctypes.c_void_p).value or 0
    return np.asarray(_Memory(owner, address, shape, np.dtype(pointer._type_)))
