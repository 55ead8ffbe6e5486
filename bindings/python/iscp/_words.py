"""The words of _abi.py's enumerations to their numbers and back."""

from __future__ import annotations


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
