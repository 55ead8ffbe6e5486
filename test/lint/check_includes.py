#!/usr/bin/env python3
"""The law of folders (docs/architecture.md), the doors of the libraries, and the calls that have no place in lib/."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIB = ROOT / "lib"

RANKS = {"base": 0, "tensor": 1, "format": 2, "data": 3, "nn": 3, "model": 4, "evaluate": 5, "search": 6, "explain": 6, "train": 7, "report": 7, "run": 8}
SEES = {
    "base": "",
    "tensor": "base",
    "format": "base tensor",
    "data": "base tensor format",
    "nn": "base tensor",
    "model": "base tensor format data nn",
    "evaluate": "base tensor data nn model",
    "search": "base tensor data nn model evaluate",
    "explain": "base tensor data nn model evaluate",
    "train": "base tensor format data nn model evaluate explain",
    "report": "base tensor format data",
    "run": "base format",
}
# header -> where it may be included
DOORS = {
    r"(oneapi/)?dnnl.*\.h": r"nn/onednn/",
    r"cblas\.h|openblas.*": r"nn/blas/",
    r"png\.h": r"format/png\.c$",
    r"j(peglib|error)\.h": r"format/jpeg\.c$",
    r"archive(_entry)?\.h": r"format/archive\.c$",
    r"zlib\.h": r"format/\w+\.c$",
    r"(nettle/)?sha\d*\.h": r"format/digest\.c$",
    r"jansson\.h": r"(format/safetensors|data/contract\w*|report/\w+)\.[ch]$",
    r"omp\.h": r"base/context\.c$",
    r"immintrin\.h": r"nn/",
}
# call -> where it may stand
CALLS = {
    r"printf|fprintf|puts|fputs|exit|_exit|abort|getenv|rand|srand|random|system|strcpy|strcat|sprintf|gets|time|gettimeofday": None,
    r"malloc|calloc|realloc|free|strdup": r"base/memory\.c$",
    r"clock_gettime": r"base/clock\.c$",
}
LONGEST = 500

faults = []


def fault(path, number, text):
    faults.append(f"{path.relative_to(ROOT)}:{number}: {text}")


def strip(text):
    """Without comments and string contents, line numbers kept."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(\\.|[^"\\\n])*"', lambda m: m.group() if m.group().endswith('.h"') else '""', text)


def check_include(path, folder, number, name, system):
    inside = str(path.relative_to(LIB))
    for pattern, door in DOORS.items():
        if re.fullmatch(pattern, name) and not re.search(door, inside):
            fault(path, number, f"<{name}> is included only in {door}")
    if system or name == "config.h":
        return
    other = name.split("/")[0]
    if other == folder:
        return
    if other not in RANKS:
        fault(path, number, f'"{name}" is of no folder of lib/')
    elif other not in SEES[folder].split():
        fault(path, number, f"{folder} does not see {other}")
    elif name != f"{other}/{other}.h":
        fault(path, number, f'"{name}" is not the face of {other}')


def check_file(path):
    inside = path.relative_to(LIB)
    folder = inside.parts[0]
    if folder not in RANKS:
        fault(path, 1, f"folder {folder} has no rank")
        return
    raw = path.read_text()
    lines = strip(raw).split("\n")
    if len(lines) > LONGEST:
        fault(path, 1, f"{len(lines)} lines, expected at most {LONGEST}: one idea a file")
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            check_include(path, folder, number, match.group(2), match.group(1) == "<")
            continue
        for calls, place in CALLS.items():
            for call in re.findall(rf"(?<![\w.>])({calls})\s*\(", line):
                if not place or not re.search(place, str(inside)):
                    fault(path, number, f"{call}() has no place here")
    for number, line in enumerate(raw.split("\n"), 1):
        if "\t" in line or line != line.rstrip():
            fault(path, number, "a tab or a trailing blank")
        if len(line) > 130:
            fault(path, number, f"{len(line)} columns, expected about 120")


def check_table():
    """docs/architecture.md says the same."""
    text = (ROOT / "docs/architecture.md").read_text()
    rows = dict()
    for row in re.findall(r"^\| `(\w+)` \| (\d) \| `([\w/.]+)` \| ([\w ]*?) ?\|", text, flags=re.M):
        rows[row[0]] = (int(row[1]), row[3].strip())
    for folder, rank in RANKS.items():
        if rows.get(folder) != (rank, SEES[folder]):
            fault(ROOT / "docs/architecture.md", 1, f"the row of {folder} is {rows.get(folder)}, the lint's {(rank, SEES[folder])}")
    for folder, seen in SEES.items():
        for other in seen.split():
            if RANKS[other] >= RANKS[folder]:
                fault(ROOT / "test/lint/check_includes.py", 1, f"{folder} sees {other} of no lower rank")


# ---- The rooms of the program: who sees whom in examples/iscp, by which headers ----

PROGRAM = ROOT / "examples/iscp"
ROOM_RANKS = {
    "cli": 0, "measure": 0, "inputs": 1, "page": 1, "plot": 1, "search": 2, "study": 3, "paper": 4, "commands": 4, "main.c": 5,
}
ROOM_FACES = {
    "cli": "cli.h",
    "measure": "measure.h",
    "inputs": "attacking.h inputs.h poisoning.h",
    "page": "grid.h page.h strip.h",
    "plot": "plot.h",
    "search": "options.h table.h",
    "study": "show.h study.h sweep.h transfer.h",
    "paper": "reproduce.h",
    "commands": "commands.h",
}
ROOM_SEES = {
    "cli": "",
    "measure": "",
    "inputs": "cli",
    "page": "cli",
    "plot": "cli",
    "search": "cli inputs",
    "study": "cli measure inputs page plot search",
    "paper": "cli inputs page plot search study",
    "commands": "cli measure inputs page plot search",
    "main.c": "cli commands study paper",
}
MOST_FILES = 15


def check_room_include(path, number, name):
    """Inside a room's folder anything; of a room that is seen, and of one's own from a folder below, its faces."""
    inside = path.relative_to(PROGRAM)
    folder, _, header = name.rpartition("/")
    room = inside.parts[0]
    if folder == str(inside.parent):
        return
    if folder not in ROOM_FACES:
        fault(path, number, f'"{name}" is of no room of the program')
    elif folder != room and folder not in ROOM_SEES[room].split():
        fault(path, number, f"{room} does not see {folder}")
    elif header not in ROOM_FACES[folder].split():
        fault(path, number, f'"{name}" is not a face of {folder}')


def check_room_file(path):
    if path.relative_to(PROGRAM).parts[0] not in ROOM_RANKS:
        fault(path, 1, "it stands in no room")
        return
    raw = path.read_text()
    lines = strip(raw).split("\n")
    if len(lines) > LONGEST:
        fault(path, 1, f"{len(lines)} lines, expected at most {LONGEST}: one idea a file")
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if match:
            check_room_include(path, number, match.group(1))
    for number, line in enumerate(raw.split("\n"), 1):
        if "\t" in line or line != line.rstrip() or len(line) > 130:
            fault(path, number, "a tab, a trailing blank, or more than 130 columns")


def check_room_table():
    """docs/architecture.md says the same."""
    rows = dict()
    for row in re.findall(r"^\| `([\w.]+)` \| (\d) \| ([\w. ]*?) ?\| ([\w ]*?) ?\| ", (ROOT / "docs/architecture.md").read_text(), flags=re.M):
        rows[row[0]] = (int(row[1]), row[2], row[3])
    for room, rank in ROOM_RANKS.items():
        here = (rank, ROOM_FACES.get(room, ""), ROOM_SEES[room])
        if rows.get(room) != here:
            fault(ROOT / "docs/architecture.md", 1, f"the row of the room {room} is {rows.get(room)}, the lint's {here}")
        for other in ROOM_SEES[room].split():
            if ROOM_RANKS[other] >= rank:
                fault(ROOT / "test/lint/check_includes.py", 1, f"{room} sees {other} of no lower rank")


def check_rooms():
    files = sorted(PROGRAM.rglob("*.[ch]"))
    if len(files) < 20:
        sys.exit(f"only {len(files)} files found below {PROGRAM}")
    for path in files:
        check_room_file(path)
    for folder in {path.parent for path in files}:
        count = sum(path.parent == folder for path in files)
        if count > MOST_FILES:
            fault(folder, 1, f"{count} files, expected at most {MOST_FILES}")
    check_room_table()
    return len(files)


def main():
    files = sorted(LIB.rglob("*.[ch]"))
    if len(files) < 20:
        sys.exit(f"only {len(files)} files found below {LIB}")
    for path in files:
        check_file(path)
    check_table()
    rooms = check_rooms()
    print("\n".join(faults))
    print(f"{len(files)} + {rooms} files, {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
