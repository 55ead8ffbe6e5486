#!/usr/bin/env python3
"""The library's version: the same in the headers (in #if too), in the running library, in its SONAME and its file's name.

    versions.py LIBRARY CC CXX

A later release's file sorts after an earlier one's, for ldconfig points the SONAME at the last. docs/abi.md has the rules.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "test/abi"
# In the order in which they might appear, all of one ABI.
RELEASES = ["0.1.0", "0.1.1", "0.2.0", "0.10.0", "0.10.11", "0.255.255", "1.0.0", "1.0.2", "1.1.0", "1.12.0", "2.0.0", "10.0.0"]


def macro(name):
    return int(re.search(rf"^#define ISCP_{name} (\d+)$", (ROOT / "include/iscp/version.h").read_text(), flags=re.M).group(1))


def file_name(abi, release):
    major, minor, patch = map(int, release.split("."))
    return f"libiscp.so.{abi}.{major * 1000 + minor}.{patch}"


def check_names(library):
    abi, parts = macro("ABI_VERSION"), [macro(f"VERSION_{part}") for part in ("MAJOR", "MINOR", "PATCH")]
    if max(parts) > 255:
        sys.exit(f"{parts}: ISCP_VERSION has a byte for each part of the version")
    name = file_name(abi, ".".join(map(str, parts)))
    if library.name != name:
        sys.exit(f"the library is {library.name}, not {name}")
    dynamic = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
    soname = re.search(r"\(SONAME\).*\[(.*)\]", dynamic).group(1)
    if soname != f"libiscp.so.{abi}":
        sys.exit(f"the SONAME is {soname}, not libiscp.so.{abi}")


def check_order(cc, folder):
    """Releases of one ABI in one folder, the latest installed first: ldconfig has to choose the latest all the same."""
    ldconfig = shutil.which("ldconfig", path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
    if not ldconfig:
        print("no ldconfig: the order of releases is not tested")
        return
    empty = folder / "empty.so"
    subprocess.run([*cc, "-shared", "-nostdlib", "-Wl,-soname,libiscp.so.0", "-x", "c", "/dev/null", "-o", empty], check=True)
    for count in range(2, len(RELEASES) + 1):
        place = folder / str(count)
        place.mkdir()
        for release in reversed(RELEASES[:count]):
            shutil.copy(empty, place / file_name(0, release))
        subprocess.run([ldconfig, "-n", place], check=True)
        chosen, latest = os.readlink(place / "libiscp.so.0"), file_name(0, RELEASES[count - 1])
        if chosen != latest:
            sys.exit(f"ldconfig chooses {chosen} before {latest}")


def check_programs(library, compilers, folder):
    for way in compilers:
        program = folder / "version"
        flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", ROOT / "include"]
        linked = ["-x", "none", library, f"-Wl,-rpath,{library.parent}", "-o", program]
        subprocess.run([*way, *flags, HERE / "version.c", *linked], check=True)
        if subprocess.run([program]).returncode:
            sys.exit(f"{way}: iscp_version() is not ISCP_VERSION")
        done = subprocess.run([*way, *flags, "-fsyntax-only", HERE / "deprecated.c"], capture_output=True, text=True,
                              env=dict(os.environ, LC_ALL="C"))
        if not done.returncode or "deprecated" not in done.stderr or "use iscp_version" not in done.stderr:
            sys.exit(f"{way}: ISCP_DEPRECATED does not warn: {done.stderr}")


def main():
    library, cc, cxx = pathlib.Path(sys.argv[1]).resolve(), shlex.split(sys.argv[2]), shlex.split(sys.argv[3])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="iscp-versions-"))
    try:
        check_names(library)
        check_order(cc, folder)
        check_programs(library, [[*cc, "-std=c11", "-x", "c"], [*cxx, "-std=c++11", "-x", "c++"]], folder)
    finally:
        shutil.rmtree(folder)
    print(f"{library.name}: version, SONAME and order of releases agree")


if __name__ == "__main__":
    main()
