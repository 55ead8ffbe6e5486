"""Finds libiscp, checks that it is the one this package was written for, and declares its functions.

The file that ISCP_LIBRARY names is taken without a fallback. Else, in this order: the package's own folder _lib, the
SONAME as the dynamic linker finds it, and ctypes.util.find_library."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from . import _errors
from ._abi import PROTOTYPES, STRUCTS, iscp_status

VERSION = (0, 1, 0)
SONAME = "libiscp.so.0"

_Struct = TypeVar("_Struct", bound=ctypes.Structure)


def _candidates() -> Iterator[str]:
    exact = os.environ.get("ISCP_LIBRARY")
    if exact:
        yield os.path.abspath(exact)
        return
    bundled = Path(__file__).parent / "_lib" / SONAME
    if bundled.exists():
        yield str(bundled)
    yield SONAME
    found = ctypes.util.find_library("iscp")
    if found and found != SONAME:
        yield found


def _open() -> ctypes.CDLL:
    tried = []
    for name in _candidates():
        try:
            return ctypes.CDLL(name)
        except OSError as error:
            tried.append(f"{name}: {error}")
    source = "ISCP_LIBRARY names no" if os.environ.get("ISCP_LIBRARY") else "there is no"
    raise ImportError(f"{source} libiscp that loads; set ISCP_LIBRARY to the file. Tried " + "; ".join(tried))


def _declare(library: ctypes.CDLL) -> None:
    """Gives every function its types, and those that return a status the check that raises."""

    def check(status, function, arguments):
        if status.value:
            raise _errors.from_status(status.value, library.iscp_error_message().decode("utf-8", "replace"))

    for name, (result, arguments) in PROTOTYPES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
        if result is iscp_status:
            function.errcheck = check


def _check(library: ctypes.CDLL) -> None:
    """The same major version, no older minor version, all functions, and structs that begin as declared here."""
    name, wanted = library._name, f"{VERSION[0]}.{VERSION[1]}"
    try:
        number = library.iscp_version()
        running = (number // 10000, number // 100 % 100)
        if running[0] != VERSION[0] or running[1] < VERSION[1]:
            theirs = f"{running[0]}.{running[1]}"
            raise ImportError(f"{name} is libiscp {theirs}, this package needs {wanted} or a later {VERSION[0]}.x")
        _declare(library)
    except AttributeError as error:
        raise ImportError(f"{name} is not libiscp {wanted}: {error}") from None
    for struct in STRUCTS:
        size, ours = library.iscp_abi_sizeof(struct.__name__.encode()), ctypes.sizeof(struct)
        # A later version may append fields; it takes the shorter struct by its struct_size.
        if size < ours or (size > ours and running == VERSION[:2]):
            raise ImportError(f"{name} has {size} bytes in {struct.__name__}, this package {ours}")


library = _open()
_check(library)


def defaults(struct: type[_Struct]) -> _Struct:
    """An options struct (or a contract) with the library's defaults."""
    options = struct()
    getattr(library, struct.__name__ + "_init")(ctypes.byref(options), ctypes.sizeof(options))
    return options


def sized(struct: type[_Struct]) -> _Struct:
    """A result struct that says how large it is."""
    return struct(struct_size=ctypes.sizeof(struct))
