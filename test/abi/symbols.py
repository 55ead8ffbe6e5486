#!/usr/bin/env python3
"""The functions declared in the headers, those in the symbol map, and those the library exports are the same set.

    symbols.py LIBRARY
"""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from declared import ROOT, declared  # noqa: E402


def mapped():
    text = (ROOT / "lib/libiscp.map").read_text()
    return set(re.findall(r"^\s+(iscp_\w+);", text, flags=re.M))


def exported(library):
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    names = {line.split()[-1].split("@")[0] for line in lines.splitlines() if line.split()[-2] != "A"}
    return names


def main():
    sets = {"headers": declared(), "map": mapped(), "library": exported(sys.argv[1])}
    if not sets["headers"]:
        sys.exit("no function found in the headers")
    wrong = 0
    for name in sorted(set.union(*sets.values())):
        where = [key for key, names in sets.items() if name in names]
        if len(where) != 3:
            wrong += 1
            missing = ", ".join(key for key in sets if key not in where)
            print(f"{name}: not in {missing}; lib/libiscp.map is written by bindings/generate.py")
    print(f"{len(sets['headers'])} functions declared, {wrong} differ")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
