#!/usr/bin/env python3
"""The symbol map's nodes: one a release, chained, each function in that of the release that its header says brought it.

    nodes.py LIBRARY

A program then names in its binary the oldest release that has all it calls. docs/abi.md has the rules.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = re.compile(r"^(\w+(?:\.\w+)*) \{(.*?)\}\s*([\w.]*);", flags=re.M | re.S)


def since():
    """The release of each function: that of the last "Since" before its declaration, as one comment may head several; of a
    function before the first, the header's own."""
    said = re.compile(r"\bSince\s+(\d+\.\d+)|^ISCP_API[^;]*?\b(iscp_\w+)\s*\(", flags=re.M)
    found = {}
    for header in sorted((ROOT / "include/iscp").glob("*.h")):
        marks = said.findall(header.read_text())
        release = next((number for number, _ in marks if number), None)
        for number, name in marks:
            release = number or release
            if name:
                found[name] = release
    return found


def faults(text, releases, current):
    """What is wrong with a map, in words."""
    wrong, before, placed = [], None, {}
    for name, body, parent in NODE.findall(text):
        version = re.fullmatch(r"ISCP_(\d+)\.(\d+)", name)
        if not version:
            wrong.append(f"node {name}: not ISCP_<major>.<minor>")
            continue
        key = tuple(map(int, version.groups()))
        if key > current:
            wrong.append(f"node {name}: newer than version.h")
        if before and (key <= before or parent != "ISCP_%d.%d" % before):
            wrong.append(f"node {name}: has to follow ISCP_%d.%d and inherit from it" % before)
        if not before and parent:
            wrong.append(f"node {name}: the first one inherits from none")
        if bool(re.search(r"local:\s*\*;", body)) == bool(before):
            wrong.append(f"node {name}: the first node, and no other, says local: *")
        before = key
        for symbol in re.findall(r"^\s+(iscp_\w+);", body, flags=re.M):
            if symbol in placed:
                wrong.append(f"{symbol}: in two nodes")
            placed[symbol] = name
    for symbol, node in placed.items():
        if f"ISCP_{releases.get(symbol)}" != node:
            wrong.append(f"{symbol}: in node {node}, but its header says since {releases.get(symbol)}")
    return wrong


GOOD = """ISCP_0.1 {
  global:
    iscp_one;
  local:
    *;
};
ISCP_0.2 {
  global:
    iscp_two;
} ISCP_0.1;
"""
BAD = {
    "not chained": GOOD.replace("} ISCP_0.1;", "};"),
    "moved to an older node": GOOD.replace("iscp_one;", "iscp_one;\n    iscp_two;").replace("    iscp_two;\n}", "}"),
    "in two nodes": GOOD.replace("iscp_two;", "iscp_two;\n    iscp_one;"),
    "of a release to come": GOOD.replace("ISCP_0.2", "ISCP_0.9"),
    "local twice": GOOD.replace("} ISCP_0.1;", "  local:\n    *;\n} ISCP_0.1;"),
    "another name": GOOD.replace("ISCP_0.2", "LIBISCP_0.2"),
}


def check_the_check():
    releases = {"iscp_one": "0.1", "iscp_two": "0.2"}
    if faults(GOOD, releases, (0, 2)):
        sys.exit(f"a good map is refused: {faults(GOOD, releases, (0, 2))}")
    for name, text in BAD.items():
        if not faults(text, releases, (0, 2)):
            sys.exit(f"a map is accepted whose node is {name}")


def in_the_library(library):
    lines = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", library], check=True, capture_output=True,
                           text=True).stdout
    return dict(re.findall(r" [A-Z] (iscp_\w+)@@?(\S+)$", lines, flags=re.M))


def main():
    check_the_check()
    header = (ROOT / "include/iscp/version.h").read_text()
    current = tuple(int(re.search(rf"#define ISCP_VERSION_{part} (\d+)", header).group(1)) for part in ("MAJOR", "MINOR"))
    releases = since()
    wrong = faults((ROOT / "lib/libiscp.map").read_text(), releases, current)
    for symbol, node in in_the_library(sys.argv[1]).items():
        if node != f"ISCP_{releases.get(symbol)}":
            wrong.append(f"{symbol}: {node} in the library, but its header says since {releases.get(symbol)}")
    print(*wrong, f"{len(releases)} functions, {len(wrong)} faults of nodes", sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
