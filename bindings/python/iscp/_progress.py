"""Long calls: progress, cancelling, and exceptions that come out of the call.

ctypes prints an exception of a callback and drops it. So it is stored here, the library is told to stop, and it is
raised again when the call has returned. The library calls back even if nobody asked for progress, because Python
notices Ctrl-C only while it runs."""

from __future__ import annotations

import ctypes
from collections.abc import Generator
from typing import Any, Callable, NamedTuple

from ._abi import iscp_progress, iscp_progress_fn
from ._errors import CancelledError


class Progress(NamedTuple):
    """How far a call has come: `done` of `total` steps of a stage; `total` is 0 if it is not known."""

    stage: str
    done: int
    total: int


ProgressCallback = Callable[[Progress], object]


def _answers(report: ProgressCallback | None, raised: list[BaseException]) -> Generator[int, Any, None]:
    """Takes pointers to iscp_progress, gives what the library is to be told: 0 to go on, 1 to stop (and stays at that).

    A generator and not a function: Python raises a pending KeyboardInterrupt where its code is entered, in a function
    ahead of the first line and outside any `try`, in a generator at the `yield`, which is inside."""
    answer = 0
    while True:
        try:
            while True:
                pointer = yield answer
                if report and not answer:
                    now = pointer[0]
                    answer = 1 if report(Progress((now.stage or b"").decode(), now.done, now.total)) else 0
        except GeneratorExit:
            return
        except BaseException as error:
            raised.append(error)
            answer = 1


# generator.send takes one argument. The library passes two; the second, the unused `user`, is the caller's to clean up.
_one_argument = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(iscp_progress))


def call(function: Callable, *arguments: Any, progress: ProgressCallback | None = None) -> None:
    """Calls a function whose last two arguments are a progress callback and its user pointer.

    `progress` gets a Progress; it stops the work by returning true (CancelledError) or by an exception, which comes out
    of this call."""
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be callable, not {type(progress).__name__}")
    raised: list[BaseException] = []
    answers = _answers(progress, raised)
    next(answers)
    callback = _one_argument(answers.send)
    try:
        function(*arguments, ctypes.cast(callback, iscp_progress_fn), None)
    except CancelledError:
        if not raised:
            raise
    if raised:
        raise raised.pop(0)
