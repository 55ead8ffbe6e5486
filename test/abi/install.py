#!/usr/bin/env python3
"""A user's build: the library installed into an empty folder, the README's example compiled against it by pkg-config, shared and
static, and run.

    install.py BUILD-FOLDER MESON CC MODEL IMAGES
"""

import gzip
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

from declared import ROOT


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{shlex.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def readme_example():
    text = (ROOT / "README.md").read_text()
    match = re.search(r"<!-- examples/first.c -->\n```c\n(.*?)```", text, flags=re.S)
    if not match:
        sys.exit("README.md shows no examples/first.c")
    if match.group(1) != (ROOT / "examples/first.c").read_text():
        sys.exit("README.md's example is not examples/first.c")
    return match.group(1)


def first_images(images, folder, count):
    """The first images of the set and their labels, so that the example takes seconds."""
    for path, item in ((images, 28 * 28), (images.replace("images-idx3", "labels-idx1"), 1)):
        data = gzip.open(path).read()
        head = 16 if item > 1 else 8
        name = pathlib.Path(path).name.removesuffix(".gz")
        (folder / name).write_bytes(data[:4] + struct.pack(">I", count) + data[8 : head + count * item])
    return str(folder / pathlib.Path(images).name.removesuffix(".gz"))


def main():
    build, meson, cc, model, images = sys.argv[1:]
    source = readme_example()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="iscp-install-"))
    try:
        run([*shlex.split(meson), "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", str(folder)])
        packages = next(folder.rglob("iscp.pc"), None)
        if not packages:
            sys.exit("no iscp.pc was installed")
        # The installed folder alone: the private libraries' .pc files are not asked for.
        environment = dict(os.environ, PKG_CONFIG_LIBDIR=str(packages.parent), PKG_CONFIG_PATH="",
                           PKG_CONFIG_SYSROOT_DIR=str(folder))
        (folder / "first.c").write_text(source)
        few = first_images(images, folder, 200)
        shared = shlex.split(run(["pkg-config", "--cflags", "--libs", "iscp"], env=environment))
        # As docs/abi.md says it: the archive by its name, and the private libraries, which the file names by their flags.
        private = shlex.split(re.search(r"^Libs\.private: (.*)$", packages.read_text(), flags=re.M).group(1))
        asked = shlex.split(run(["pkg-config", "--static", "--cflags", "--libs", "iscp"], env=environment))
        if "Requires" in packages.read_text() or not {f for f in private if f.startswith("-l")} <= set(asked):
            sys.exit(f"iscp.pc does not name what the archive needs: {packages.read_text()}")
        static = [f for f in shared if not f.startswith("-l")] + ["-l:libiscp.a", *private]
        for way, flags in (("", shared), ("-static", static)):
            program = folder / ("first" + way)
            run([*shlex.split(cc), "-std=c11", "-Wall", "-Wextra", "-Werror", str(folder / "first.c"), "-o", str(program), *flags])
            library = next(folder.rglob("libiscp.so.0")).parent
            out = run([str(program), model, few], cwd=folder,
                      env=dict(os.environ, LD_LIBRARY_PATH=str(library), OMP_WAIT_POLICY="passive"))
            if not re.search(r"class 0 at 5 %: PW \d", out) or not (folder / "pattern.png").stat().st_size:
                sys.exit(f"unexpected output: {out}")
            (folder / "pattern.png").unlink()
        print("installed, compiled and run, shared and static")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
