"""The functions that the public headers declare now, found without bindings/generate.py, which the tests are to check."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def declared(root=ROOT):
    names = set()
    for header in sorted((root / "include/iscp").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        names.update(re.findall(r"ISCP_API[^;]*?\b(iscp_\w+)\s*\(", text))
    return names
