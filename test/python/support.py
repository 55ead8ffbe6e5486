"""What the tests share: the shipped model and images, and the public headers, taken apart."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MODEL = ROOT / "examples/models/fashion-natural.safetensors"
IMAGES = ROOT / "examples/data/t10k-2000-images-idx3-ubyte.gz"
HEADERS = sorted((ROOT / "include/iscp").glob("*.h"))

# A search of a second or two: one class, one canvas, one pass over a few images.
QUICK = {"classes": [0], "canvases": 1, "epochs": 1, "fraction": 0.1}


@functools.lru_cache(None)
def model():
    import iscp

    return iscp.Model.load(MODEL)


@functools.lru_cache(None)
def data(limit=200):
    import iscp

    return iscp.Dataset.open(IMAGES, input=model(), limit=limit)


@functools.lru_cache(None)
def quick_result():
    import iscp

    return iscp.search(model(), data(), **QUICK)


@functools.lru_cache(None)
def header_text() -> str:
    """All headers, without comments and in one line."""
    text = "\n".join(path.read_text() for path in HEADERS)
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", " ", text, flags=re.S))


def functions() -> dict[str, tuple[str, list[str]]]:
    """Name of every exported function: its result and arguments as C types."""
    found = re.findall(r"ISCP_API ([\w ]+?[ *]+)(iscp_\w+)\(([^)]*)\)\s*;", header_text())
    return {name: (result.strip(), [_type(a) for a in _split(arguments)]) for result, name, arguments in found}


def structs() -> dict[str, list[str]]:
    """Name of every public struct: its fields in order."""
    found = re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", header_text())
    return {name: [field for line in body.split(";") for field in _fields(line)] for name, body in found}


def enumerators() -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"\b(ISCP_\w+) = (\d+)", header_text())}


def compile_c(case: unittest.TestCase, source: str, *flags: str) -> Path:
    """The file that the C compiler makes of a source; skips the test where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        case.skipTest("there is no C compiler")
    folder = Path(tempfile.mkdtemp())
    case.addCleanup(shutil.rmtree, folder)
    (folder / "source.c").write_text(source)
    command = [compiler, "-I", str(ROOT / "include"), *flags, "source.c", "-o", "product"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "product"


def _split(arguments: str) -> list[str]:
    return [] if arguments.strip() in ("", "void") else arguments.split(",")


def _type(argument: str) -> str:
    """`const float *images` -> `const float *`."""
    return re.sub(r"\b\w+$", "", argument.strip()).strip()


def _fields(line: str) -> list[str]:
    """The names that one line of a struct declares."""
    callback = re.search(r"\(\*(\w+)\)", line)
    if callback:
        return [callback.group(1)]
    return [re.search(r"(\w+)(\[\d+\])?$", name.strip()).group(1) for name in line.split(",") if name.strip()]
