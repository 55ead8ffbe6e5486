"""The law of folders in code: which trees there are, which rooms each has, and what each room may see.

docs/architecture.md holds the same tables for people; check_includes.py compares the two."""

import pathlib
import re
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Room(NamedTuple):
    rank: int
    sees: str  # rooms of lower rank, in the order of their ranks
    faces: str = ""  # the headers by which others see it; empty is the header of its name


class Tree(NamedTuple):
    name: str  # its folder, from the root of the project
    rooms: dict
    least: int  # files that are surely there: fewer, and the lint looks in the wrong place
    columns: int  # of a line, at most
    families: bool = False  # a folder below a room sees of that room its own files and the room's faces alone
    longest: int = 0  # lines of a file without its comments; 0 is no limit

    @property
    def folder(self):
        return ROOT / self.name

    def files(self, *endings):
        return sorted(path for path in self.folder.rglob("*") if path.suffix in endings and "__pycache__" not in path.parts)

    def room_of(self, path):
        """The folder right below the tree; "." for what lies in the tree itself."""
        parts = path.relative_to(self.folder).parts
        return parts[0] if len(parts) > 1 else "."


LIB = Tree("lib", least=20, columns=130, longest=500, rooms={
    "base": Room(0, "", "base.h simd.h"),  # the latter is what kernels are written in, for those that have some
    "tensor": Room(1, "base"),
    "format": Room(2, "base tensor"),
    "data": Room(3, "base tensor format"),
    "nn": Room(3, "base tensor"),
    "model": Room(4, "base tensor format data nn"),
    "evaluate": Room(5, "base tensor data nn model"),
    "check": Room(6, "base tensor data nn model evaluate"),
    "search": Room(6, "base tensor data nn model evaluate"),
    "attack": Room(6, "base tensor data nn model evaluate"),
    "explain": Room(6, "base tensor data nn model"),
    "train": Room(7, "base tensor format data nn model attack"),
    "invert": Room(7, "base tensor data nn model attack"),
    "report": Room(7, "base tensor format data"),
    "run": Room(8, "base format"),
})

# Of the library the program sees the public headers alone.
PROGRAM = Tree("examples/iscp", least=20, columns=130, longest=500, families=True, rooms={
    "cli": Room(0, ""),
    "measure": Room(0, ""),
    "inputs": Room(1, "cli", "attacking.h inputs.h poisoning.h"),
    "page": Room(1, "cli", "grid.h page.h strip.h"),
    "plot": Room(1, "cli"),
    "search": Room(2, "cli inputs", "options.h table.h"),
    "study": Room(3, "cli measure inputs page plot search", "show.h study.h sweep.h transfer.h"),
    "paper": Room(4, "cli inputs page plot search study", "reproduce.h"),
    "commands": Room(4, "cli measure inputs page plot search"),
    ".": Room(5, "cli study paper commands"),
})

# Modules of Python lie in one package; a room is a set of them. The inner ones begin with an underscore.
PYTHON = Tree("bindings/python", least=10, columns=160, longest=500, rooms={
    "inner": Room(0, ""),
    "public": Room(1, "inner"),
    "package": Room(2, "inner public"),
})

TREES = (LIB, PROGRAM, PYTHON)


def python_room(name):
    """The room of a module by its name."""
    return "package" if name == "__init__" else "inner" if name.startswith("_") else "public"


def strip(text):
    """C without comments and string contents, line numbers kept; names of included headers stay."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(\\.|[^"\\\n])*"', lambda m: m.group() if m.group().endswith('.h"') else '""', text)


def includes(text):
    """(line, name, whether in angle brackets) of each #include of stripped C."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            found.append((number, match.group(2), match.group(1) == "<"))
    return found
