#!/usr/bin/env python3
"""The law of folders (folders.py, docs/architecture.md), the doors of the libraries, and the calls that have no place in lib/."""

import ast
import pathlib
import re
import sys

from folders import LIB, PYTHON, ROOT, TREES, includes, python_room, strip

# header -> where it may be included
DOORS = {
    r"(oneapi/)?dnnl.*\.h": r"nn/conv/onednn/",
    r"cblas\.h|openblas.*": r"nn/conv/blas/",
    r"png\.h": r"format/picture/png\.c$",
    r"j(peglib|error)\.h": r"format/picture/jpeg\.c$",
    r"archive(_entry)?\.h": r"format/archive\.c$",
    r"zlib\.h": r"format/array/idx\.c$",
    r"(nettle/)?sha\d*\.h": r"format/digest\.c$",
    r"jansson\.h": r"(base/fields/json|format/checkpoint/safetensors|data/contract/\w+|report/\w+)\.[ch]$",
    r"omp\.h": r"base/context\.c$",
    r"immintrin\.h": r"base/simd\.h$",
}
PROGRAM_DOORS = {
    r"cairo.*\.h": r"plot",
    r"(oneapi/)?dnnl.*\.h|cblas\.h|openblas.*": r"^$",
}
# call -> where it may stand
CALLS = {
    r"printf|fprintf|puts|fputs|exit|_exit|abort|getenv|rand|srand|random|system|strcpy|strcat|sprintf|gets|time|gettimeofday": None,
    r"malloc|calloc|realloc|free|strdup": r"base/memory\.c$",
    r"clock_gettime": r"base/clock\.c$",
}

faults = []


def fault(path, number, text):
    faults.append(f"{path.relative_to(ROOT)}:{number}: {text}")


def check_sight(tree, path, number, room, other, what):
    """Whether `room` sees `other`, which is not itself."""
    if other not in tree.rooms:
        fault(path, number, f"{what} is of no folder of {tree.name}")
    elif other not in tree.rooms[room].sees.split():
        fault(path, number, f"{room} does not see {other}")


# ---- C ----


def check_doors(tree, path, number, name):
    inside = str(path.relative_to(tree.folder))
    for pattern, door in (DOORS if tree is LIB else PROGRAM_DOORS).items():
        if re.fullmatch(pattern, name) and not re.search(door, inside):
            fault(path, number, f"<{name}> is included only in {door}")


def check_include(tree, path, room, number, name, system):
    check_doors(tree, path, number, name)
    if system or (tree is LIB and name == "config.h"):
        return
    folder, _, header = name.rpartition("/")
    other, here = folder.split("/")[0] or ".", str(path.parent.relative_to(tree.folder))
    if folder == here or (other == room and not tree.families):
        return
    known = len(faults)
    if other != room:
        check_sight(tree, path, number, room, other, f'"{name}"')
    if len(faults) == known and (folder != other or header not in (tree.rooms[other].faces or f"{other}.h").split()):
        fault(path, number, f'"{name}" is not a face of {other}')


def check_calls(path, inside, number, line):
    for calls, place in CALLS.items():
        for call in re.findall(rf"(?<![\w.>])({calls})\s*\(", line):
            if not place or not re.search(place, inside):
                fault(path, number, f"{call}() has no place here")


def check_c(tree, path, room, raw):
    text = strip(raw)
    lines = text.split("\n")
    if tree.longest and len(lines) > tree.longest:
        fault(path, 1, f"{len(lines)} lines, expected at most {tree.longest}: one idea a file")
    for number, name, system in includes(text):
        check_include(tree, path, room, number, name, system)
    for number, line in enumerate(lines, 1):
        if tree is LIB and not re.match(r"\s*#\s*include", line):
            check_calls(path, str(path.relative_to(LIB.folder)), number, line)


# ---- Python ----


def imported(tree):
    """(line, dots, module, name) of each import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, 0, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, node.level, node.module or "", alias.name) for alias in node.names)


def check_python(tree, path, raw):
    room = python_room(path.stem)
    standard = getattr(sys, "stdlib_module_names", None)  # since Python 3.10
    for number, dots, module, name in imported(ast.parse(raw)):
        if dots:
            other = python_room((module or name).split(".")[0])
            if other != room:
                check_sight(tree, path, number, room, other, name)
        elif standard and module.split(".")[0] not in standard | {"numpy"}:
            fault(path, number, f"{module} is imported, expected the standard library and numpy alone")


# ---- All ----


def check_text(path, raw, columns):
    for number, line in enumerate(raw.split("\n"), 1):
        if "\t" in line or line != line.rstrip():
            fault(path, number, "a tab or a trailing blank")
        if len(line) > columns:
            fault(path, number, f"{len(line)} columns, expected about 120, at most {columns}")


def check_tree(tree):
    files = tree.files(".py") if tree is PYTHON else tree.files(".c", ".h")
    if len(files) < tree.least:
        sys.exit(f"only {len(files)} files found below {tree.folder}")
    for path in files:
        raw = path.read_text()
        check_text(path, raw, tree.columns)
        if tree is PYTHON:
            check_python(tree, path, raw)
        elif tree.room_of(path) not in tree.rooms:
            fault(path, 1, f"folder {tree.room_of(path)} of {tree.name} has no rank")
        else:
            check_c(tree, path, tree.room_of(path), raw)
    return len(files)


def check_ranks(tree):
    for name, room in tree.rooms.items():
        for other in room.sees.split():
            if tree.rooms[other].rank >= room.rank:
                fault(pathlib.Path(__file__).resolve(), 1, f"{name} of {tree.name} sees {other} of no lower rank")


def check_document(tree):
    """docs/architecture.md says the same: the rows of the table below `### <tree>`."""
    path = ROOT / "docs/architecture.md"
    section = "".join(re.split(rf"^### `{re.escape(tree.name)}`\n", path.read_text(), flags=re.M)[1:])
    section = re.split(r"^##", section, flags=re.M)[0]
    rows = {}
    for name, rank, sees in re.findall(r"^\| `([\w.]+)` \| (\d+) \| ([^|]*?) ?\|", section, flags=re.M):
        rows[name] = (int(rank), sees.strip())
    for name, room in tree.rooms.items():
        if rows.get(name) != (room.rank, room.sees):
            fault(path, 1, f"the row of {name} in {tree.name} is {rows.get(name)}, the lint's {(room.rank, room.sees)}")
    for name in rows.keys() - tree.rooms.keys():
        fault(path, 1, f"the row of {name} in {tree.name} is none of the lint's")


def main():
    count = 0
    for tree in TREES:
        count += check_tree(tree)
        check_ranks(tree)
        check_document(tree)
    print("\n".join(faults))
    print(f"{count} files, {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
