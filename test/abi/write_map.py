#!/usr/bin/env python3
"""Print lib/libiscp.map for the functions that the public headers declare now.

    python3 test/abi/write_map.py > lib/libiscp.map

Before the first stable release every symbol is in one node. Later releases add a node of their own.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def declared(root=ROOT):
    names = set()
    for header in sorted((root / "include/iscp").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        names.update(re.findall(r"ISCP_API[^;]*?\b(iscp_\w+)\s*\(", text))
    return names


if __name__ == "__main__":
    print("ISCP_0.1 {\n  global:")
    for name in sorted(declared()):
        print(f"    {name};")
    print("  local:\n    *;\n};")
