"""The root of everything: threads, backend and log."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any, Callable

from ._abi import BACKENDS, CONVOLUTIONS, LOG_LEVELS, PRECISIONS, iscp_context_options, log_fn
from ._handle import create
from ._library import defaults, library
from ._words import code, word

LogCallback = Callable[[str, str], object]

logger = logging.getLogger("iscp")


class Context:
    """Threads (0 = OpenMP's own default) and backend ("auto", "onednn" or "blas") of the objects made from it.

    `memory` bounds what one run of a network may hold, in bytes (0 = no bound). `convolutions` may be "fast" (Winograd's
    algorithm where it is faster) and `precision` "bf16" (products of rounded factors); both change results beyond
    float32's rounding.

    `log` gets the library's messages: a logging.Logger, a callable (level, message) with a level "error", "warning",
    "info" or "debug", called on any thread, or None for silence. `log_level` is the most detailed level that is sent.
    """

    def __init__(
        self,
        threads: int = 0,
        backend: str = "auto",
        log: logging.Logger | LogCallback | None = logger,
        log_level: str = "warning",
        *,
        memory: int = 0,
        convolutions: str = "direct",
        precision: str = "f32",
    ):
        options = defaults(iscp_context_options)
        options.threads = threads
        options.backend = code(BACKENDS, backend, "backend")
        options.memory = memory
        options.convolutions = code(CONVOLUTIONS, convolutions, "convolutions")
        options.precision = code(PRECISIONS, precision, "precision")
        options.log_level = code(LOG_LEVELS, log_level, "log_level")
        options.log = callback = _callback(log)
        self._handle = create(library.iscp_context_create, library.iscp_context_destroy, options, keep=[callback])

    @property
    def backend(self) -> str:
        """The backend in use, "onednn" or "blas"."""
        return word(BACKENDS, library.iscp_context_backend(self._handle))

    @property
    def threads(self) -> int:
        """Threads that computing calls use."""
        return library.iscp_context_threads(self._handle)

    @property
    def memory(self) -> int:
        """Bytes that one run of a network may hold, 0 without a bound."""
        return library.iscp_context_memory(self._handle)

    @property
    def convolutions(self) -> str:
        """How convolutions are computed, "direct" or "fast"."""
        return word(CONVOLUTIONS, library.iscp_context_convolutions(self._handle))

    @property
    def precision(self) -> str:
        """What convolutions multiply, "f32" or "bf16"."""
        return word(PRECISIONS, library.iscp_context_precision(self._handle))

    @property
    def kernels(self) -> str:
        """One line about the machine as the backend sees it."""
        return library.iscp_context_kernels(self._handle).decode()

    def __repr__(self) -> str:
        return f"Context(threads={self.threads}, backend={self.backend!r})"


def _callback(log: logging.Logger | LogCallback | None) -> Any:
    """What the library calls; it must live as long as any object of the context."""
    if log is None:
        return log_fn()
    if not callable(log) and not isinstance(log, logging.Logger):
        raise TypeError(f"log must be a logging.Logger or callable, not {type(log).__name__}")

    def send(level: int, message: bytes, user: object) -> None:
        name, text = word(LOG_LEVELS, level), message.decode("utf-8", "replace")
        if isinstance(log, logging.Logger):
            log.log(getattr(logging, name.upper(), logging.ERROR), "%s", text)
        else:
            log(name, text)

    return log_fn(send)


_default: Context | None = None
_default_lock = threading.Lock()


def default_context() -> Context:
    """The context of objects that are given none; made when first asked for."""
    global _default
    with _default_lock:
        if _default is None:
            _default = Context()
        return _default


def _forget_default() -> None:
    """A forked child cannot compute with inherited objects and makes its own."""
    global _default, _default_lock
    _default, _default_lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_default)
