#!/usr/bin/env python3
"""Each public header compiles alone, pedantically, as C11 and as C++11: headers.py cc c++"""

import subprocess
import sys

from declared import ROOT

FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", str(ROOT / "include")]


def main():
    ways = [[sys.argv[1], "-std=c11"], [sys.argv[2], "-std=c++11", "-x", "c++"]]
    headers = sorted((ROOT / "include/iscp").glob("*.h"))
    if not headers:
        sys.exit("no header found")
    failed = 0
    for header in headers:
        for way in ways:
            failed += bool(subprocess.run([*way, *FLAGS, str(header)]).returncode)
    print(f"{len(headers)} headers, {failed} failures")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
