#!/usr/bin/env python3
"""A user's build: the library installed into an empty folder, the README's example compiled against it by pkg-config, shared and
static, and run.

    install.py BUILD-FOLDER MESON CC MODEL IMAGES
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from write_map import ROOT


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


def main():
    build, meson, cc, model, images = sys.argv[1:]
    source = readme_example()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="iscp-install-"))
    try:
        run([*shlex.split(meson), "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", str(folder)])
        packages = next(folder.rglob("iscp.pc"), None)
        if not packages:
            sys.exit("no iscp.pc was installed")
        environment = dict(os.environ, PKG_CONFIG_PATH=str(packages.parent), PKG_CONFIG_SYSROOT_DIR=str(folder))
        (folder / "first.c").write_text(source)
        for way in ([], ["--static"]):
            flags = shlex.split(run(["pkg-config", *way, "--cflags", "--libs", "iscp"], env=environment))
            # The sysroot is put before system folders too; the system's own libraries are found without.
            flags = [f for f in flags if not (f.startswith(f"-I{folder}") or f.startswith(f"-L{folder}")) or
                     pathlib.Path(f[2:]).is_dir()]
            # Only libiscp is linked statically: what static OpenBLAS would need is not.
            flags = [f for f in flags if f not in ("-lgfortran", "-lquadmath")]
            flags += ["-Wl,-Bstatic", "-liscp", "-Wl,-Bdynamic", *[f for f in flags if f != "-liscp"]] if way else []
            program = folder / ("first" + "".join(way))
            run([*shlex.split(cc), "-std=c11", "-Wall", "-Wextra", "-Werror", str(folder / "first.c"), "-o", str(program), *flags,
                 *(["-fopenmp"] if way else [])])
            library = next(folder.rglob("libiscp.so.0")).parent
            out = run([str(program), model, images], cwd=folder, env=dict(os.environ, LD_LIBRARY_PATH=str(library)))
            if not re.search(r"class 0 at 5 %: PW \d", out) or not (folder / "pattern.png").stat().st_size:
                sys.exit(f"unexpected output: {out}")
            (folder / "pattern.png").unlink()
        print("installed, compiled and run, shared and static")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
