"""A status of the library becomes an exception; each is also the Python exception that one would catch for it."""

from __future__ import annotations


class Error(Exception):
    """A call of the library failed. `status` is ISCP_ERROR_*, `message` one line that names the offending value."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status
        self.message = message

    def __reduce__(self):
        return type(self), (self.status, self.message)


class ArgumentError(Error, ValueError):
    """A wrong argument: out of range, not a number."""


class AllocationError(Error, MemoryError):
    """An allocation failed; everything taken so far was given back."""


class FileError(Error, OSError):
    """A file is missing, unreadable, unwritable, or the disk is full."""


class FormatError(Error, ValueError):
    """A file is truncated, damaged, or not what its name says."""


class UnsupportedError(Error, NotImplementedError):
    """A valid thing that the library, or this build of it, does not do."""


class MismatchError(Error, ValueError):
    """Two things do not fit: weights and network, images and input contract."""


class CancelledError(Error):
    """A progress callback returned true; what is done stays valid."""


class AbiError(Error, RuntimeError):
    """The library does not know a struct as this package declares it."""


class BackendError(Error, RuntimeError):
    """oneDNN or OpenBLAS refused or failed."""


class BusyError(Error, RuntimeError):
    """The object is in use by another thread, or belongs to the process that this one was forked from."""


BY_STATUS: dict[int, type[Error]] = {
    1: ArgumentError,
    2: AllocationError,
    3: FileError,
    4: FormatError,
    5: UnsupportedError,
    6: MismatchError,
    7: CancelledError,
    8: AbiError,
    9: BackendError,
    10: BusyError,
}

for _error in (Error, *BY_STATUS.values()):
    _error.__module__ = "iscp"  # as users know them


def from_status(status: int, message: str) -> Error:
    return BY_STATUS.get(status, Error)(status, message)
