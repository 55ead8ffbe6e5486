#!/usr/bin/env python3
"""The library's ABI against the committed one.

    abi.py check LIBRARY     fails on any change; exit 77 (skipped) without libabigail or on another machine than amd64
    abi.py store LIBRARY     makes the library's ABI the committed one: with a line in docs/changelog.md, in the same commit

The library is built by gcc with debug information. An addition needs a new baseline too: somebody has to have looked at it.
"""

import platform
import re
import shutil
import subprocess
import sys
import tempfile

from declared import ROOT

BASELINE = ROOT / "test/abi/libiscp.0.amd64.abi"


def opaque():
    """Types whose inside is nobody's business: the handles, and everything that is not public."""
    text = "".join(header.read_text() for header in (ROOT / "include/iscp").glob("*.h"))
    return ["isc_.*", *sorted(set(re.findall(r"^typedef struct (iscp_\w+) \1;", text, flags=re.M)))]


def dump(library, out):
    with tempfile.NamedTemporaryFile("w", suffix=".suppr") as rules:
        rules.write(f"[suppress_type]\n  name_regexp = ^({'|'.join(opaque())})$\n  drop = yes\n")
        rules.flush()
        subprocess.run(["abidw", "--suppr", rules.name, "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path",
                        "--exported-interfaces-only", "--out-file", out, library], check=True)


def main():
    action, library = sys.argv[1:]
    if platform.machine() != "x86_64" or not shutil.which("abidw") or not shutil.which("abidiff"):
        print("skipped: needs libabigail's abidw and abidiff on amd64")
        sys.exit(77)
    if action == "store":
        dump(library, BASELINE)
        print(f"wrote {BASELINE.relative_to(ROOT)}")
        return
    with tempfile.NamedTemporaryFile(suffix=".abi") as now:
        dump(library, now.name)
        done = subprocess.run(["abidiff", str(BASELINE), now.name], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}the ABI changed: if that is meant, run test/abi/abi.py store, and say it in docs/changelog.md")
    print("the ABI is the committed one")


if __name__ == "__main__":
    main()
