#!/usr/bin/env python3
"""libiscp.a defines the public functions and nothing else, and asks for nothing of its own.

    archive.py ARCHIVE

BIND's libisc has the prefix isc_ too: a program that links both would take one's functions for the other's.
"""

import re
import subprocess
import sys

from symbols import declared


def symbols(archive, which):
    lines = subprocess.run(["nm", "-g", which, archive], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r" [A-Za-z] (\S+)$", lines, flags=re.M))


def main():
    defined = symbols(sys.argv[1], "--defined-only")
    asked = {name for name in symbols(sys.argv[1], "--undefined-only") if name.startswith(("isc_", "iscp_"))}
    # The compiler's own, which a C program cannot say: of sanitizers and coverage, and the lock of clang's OpenMP reductions.
    more = {name for name in defined - declared() if not name.startswith(("__", "."))}
    for name in sorted(more):
        print(f"{name}: defined, but not public")
    for name in sorted(declared() - defined):
        print(f"{name}: public, but not defined")
    for name in sorted(asked):
        print(f"{name}: asked for, but not defined")
    print(f"{len(defined)} symbols")
    sys.exit(bool(more or asked or declared() - defined))


if __name__ == "__main__":
    main()
