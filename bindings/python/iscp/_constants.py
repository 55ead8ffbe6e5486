"""The enumerations of include/iscp/*.h as words. A test compares them with the headers."""

from __future__ import annotations

BACKENDS = {"auto": 0, "onednn": 1, "blas": 2}
CONVOLUTIONS = {"direct": 0, "fast": 1}
PRECISIONS = {"f32": 0, "bf16": 1}
LOG_LEVELS = {"error": 1, "warning": 2, "info": 3, "debug": 4}
FILTERS = {"bilinear": 0, "bicubic": 1}
CROPS = {"even": 0, "floor": 1}
ORDERS = {"RGB": 0, "BGR": 1}
STEMS = {"imagenet": 1, "cifar": 2}
STRIDES = {"3x3": 1, "1x1": 2}
STORES = {"f32": 1, "f16": 2}
SESSIONS = {"inference": 1, "gradient": 2}
TIES = {"preset": 0, "evidence": 1, "index": 2}
PATTERNS = {"replace": 1, "add": 2}
CUTS = {"size": 1, "gamma": 2}
LAYOUTS = {"auto": 0, "nhwc": 1, "nchw": 2}
CANVASES = {"positive": 1, "negative": 2, "random": 4, "white": 8, "user": 16}
PRESETS = {"paper": 1, "authors": 2, "predictive": 3}
ALPHAS = {"preset": 0, "fixed": 1, "auto": 2}
SELECTS = {"preset": 0, "loss": 1, "power": 2}
IMAGES = {"heldout": 1, "all": 2, "searched": 3}
MEASURES = {"selected": 1, "all": 2, "none": 3, "compared": 4}
STAGES = {"clean": 1, "search": 2, "measure": 3, "write": 4, "done": 5}
SCHEDULES = {"constant": 1, "step": 2, "cosine": 3, "one_cycle": 4}
NORMS = {"linf": 1, "l2": 2}
POISONS = {"all": 0, "only": 1, "stamp": 2}
CORNERS = {"bottom_right": 0, "bottom_left": 1, "top_right": 2, "top_left": 3}
UAPS = {"sgd": 1, "deepfool": 2}
INVERSIONS = {"features": 1, "random": 2, "deterministic": 3}
CAUSES = {"poor": 0, "always": 1, "never": 2}
CAUSE_KINDS = {"none": 0, "scale": 1, "order": 2, "size": 3, "pictures": 4, "labels": 5}


def code(table: dict[str, int], value: object, name: str) -> int:
    """The number of a word, or a ValueError that lists the words."""
    if isinstance(value, str) and value in table:
        return table[value]
    raise ValueError(f"{name} must be one of {', '.join(map(repr, table))}, not {value!r}")


def word(table: dict[str, int], value: int) -> str:
    """The word of a number; the number itself, as text, if a newer library sends one that is unknown here."""
    return next((name for name, number in table.items() if number == value), str(value))


def within(value: int, name: str, low: int, high: int) -> int:
    """The value, or a ValueError: ctypes would cut it to its own width without a word."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}, expected {low} to {high}")
    return value
