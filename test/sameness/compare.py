"""Compares what two programs left of the same job: every file to the byte, and where bytes differ, what in them does."""

import array
import ast
import fnmatch
import itertools
import json
import re
import struct
from pathlib import Path

# Values of JSON (and of a safetensors file's metadata) that need not be equal: (path, the reason). A path is the keys
# and places with points between them; * stands for any of them.
MAY_DIFFER = [
    ("*library", "the versions of the libraries"),
    ("*kernels", "the names of the libraries' code paths"),
    ("*images_per_second", "a time"),
    ("*schema", "the number of the layout, not a figure"),
    ("*weights_sha256", "a hash of the file or of its tensors, as the layout says; the tensors themselves are compared"),
]

# Keys of JSON and names of files that are called otherwise afterwards: {old: new}. What they hold is compared as before.
RENAMED = {}

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
SPEED = re.compile(r"[\d.]+ images/s")
SHOWN = 4  # of the differences of a file


class Findings:
    """What a comparison found: differences fail it, notes (new keys and files, other words) do not."""

    def __init__(self):
        self.differences, self.notes = [], []
        self.files = self.figures = 0

    def differ(self, where, what):
        self.differences.append(f"{where}: {what}")

    def note(self, where, what):
        self.notes.append(f"{where}: {what}")


def may_differ(path):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern, _ in MAY_DIFFER)


def by_how_much(a, b):
    """Two texts of numbers, or of anything."""
    try:
        difference = abs(float(a) - float(b))
    except (TypeError, ValueError):
        return f"{a!r} became {b!r}"
    return f"{a} became {b} (by {difference:.3g})"


# ---- JSON ----


class Number(str):
    """A number of a JSON file as its text stands there, and never equal to a string."""

    def __repr__(self):
        return str(self)

    def __eq__(self, other):
        return isinstance(other, Number) and str.__eq__(self, other)

    def __ne__(self, other):
        return not self == other

    __hash__ = str.__hash__


def read_json(text):
    """One value, or a list of one a line; None if it is neither."""
    read = json.JSONDecoder(parse_int=Number, parse_float=Number).decode
    try:
        return read(text)
    except ValueError:
        pass
    try:
        return [read(line) for line in text.splitlines()] or None
    except ValueError:
        return None


def walk(found, where, path, a, b):
    """A key or an entry at a time."""
    if isinstance(a, dict) and isinstance(b, dict):
        walk_keys(found, where, path, a, b)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            walk(found, where, f"{path}.{i}", x, y)
    elif not may_differ(path):
        found.figures += 1
        if isinstance(a, list) and isinstance(b, list):
            found.differ(where, f"{path} has {len(b)} entries, had {len(a)}")
        elif a != b:
            found.differ(where, f"{path} {by_how_much(a, b)}")


def walk_keys(found, where, path, a, b):
    named = {key: key if key in b else RENAMED.get(key, key) for key in a}
    for key, value in a.items():
        inner = f"{path}.{key}" if path else key
        if named[key] in b:
            walk(found, where, inner, value, b[named[key]])
        elif not may_differ(inner):
            found.differ(where, f"{inner} is missing")
    for key in b.keys() - set(named.values()):
        inner = f"{path}.{key}" if path else key
        if not may_differ(inner):
            found.note(where, f"{inner} is new")


def compare_json(found, where, a, b):
    before, after = read_json(a.decode()), read_json(b.decode())
    if before is None or after is None:
        return compare_text(found, where, a, b)
    walk(found, where, "", before, after)


# ---- Text ----


def plain(data):
    """Without the speeds of a training, and with pictures inside a page cut to their bytes' hash."""
    text = SPEED.sub("images/s", data.decode(errors="replace"))
    return re.sub(r"data:[\w/+]+;base64,[^\"']*", lambda m: f"data:{abs(hash(m[0]))}", text)


def compare_text(found, where, a, b):
    """Other words with the same numbers, in their order, are a note."""
    before, after = plain(a), plain(b)
    numbers = NUMBER.findall(before), NUMBER.findall(after)
    found.figures += len(numbers[0])
    if before == after:
        return
    lines = itertools.zip_longest(before.splitlines(), after.splitlines(), fillvalue="(no line)")
    at, old, new = next((i, x, y) for i, (x, y) in enumerate(lines, 1) if x != y)
    said = f"line {at}: {old[:100]!r} became {new[:100]!r}"
    if numbers[0] == numbers[1]:
        found.note(where, said)
    else:
        found.differ(where, said)


# ---- Numbers of files ----

CODES = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q", "|u1": "B", "F32": "f", "F64": "d", "I32": "i", "I64": "q", "U8": "B"}


def numbers_of(kind, data):
    if kind == "F16" or kind == "<f2":
        return struct.unpack(f"<{len(data) // 2}e", data)
    return array.array(CODES[kind], data) if kind in CODES else data


def compare_numbers(found, where, kind, a, b):
    """Both of one type and size, of which some bytes differ."""
    pairs = [(x, y) for x, y in zip(numbers_of(kind, a), numbers_of(kind, b)) if x != y]
    if not pairs:
        return found.differ(where, "other bytes of equal numbers (a zero's sign, or no number)")
    most = max(abs(x - y) for x, y in pairs)
    found.differ(where, f"{len(pairs)} of {len(numbers_of(kind, a))} numbers differ, by up to {most:.3g}")


def read_npy(data):
    size, start = (struct.unpack("<H", data[8:10])[0], 10) if data[6] == 1 else (struct.unpack("<I", data[8:12])[0], 12)
    return ast.literal_eval(data[start : start + size].decode()), data[start + size :]


def compare_npy(found, where, a, b):
    (head, before), (new_head, after) = read_npy(a), read_npy(b)
    found.figures += len(before) // int(head["descr"][2:])
    if head != new_head:
        found.differ(where, f"{head} became {new_head}")
    elif before != after:
        compare_numbers(found, where, head["descr"], before, after)


def read_safetensors(data):
    """Metadata, in which JSON as text is read too, and {name: (type, shape, bytes)}."""
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    metadata = {key: read_json(text) or text for key, text in header.pop("__metadata__", {}).items()}
    start = 8 + size
    tensors = {}
    for name, about in header.items():
        first, last = about["data_offsets"]
        tensors[name] = (about["dtype"], about["shape"], data[start + first : start + last])
    return metadata, tensors


def compare_safetensors(found, where, a, b):
    (about, before), (new_about, after) = read_safetensors(a), read_safetensors(b)
    walk(found, where, "metadata", about, new_about)
    for name in after.keys() - before.keys():
        found.note(where, f"tensor {name} is new")
    for name, (kind, shape, data) in before.items():
        found.figures += len(data) // max(1, int(re.sub(r"\D", "", kind) or 8) // 8)
        if RENAMED.get(name, name) not in after:
            found.differ(where, f"tensor {name} is missing")
            continue
        new_kind, new_shape, new_data = after[RENAMED.get(name, name)]
        if (kind, shape) != (new_kind, new_shape):
            found.differ(where, f"tensor {name}: {kind} {shape} became {new_kind} {new_shape}")
        elif data != new_data:
            compare_numbers(found, f"{where} {name}", kind, data, new_data)


def compare_bytes(found, where, a, b):
    if a != b:
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        found.differ(where, f"{len(b)} bytes, were {len(a)}, other ones from {at}")


# ---- Folders ----

READERS = {".json": compare_json, ".txt": compare_json, ".npy": compare_npy, ".safetensors": compare_safetensors,
           ".csv": compare_text, ".svg": compare_text, ".html": compare_text}


def every_file(folder):
    return {str(path.relative_to(folder)): path for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def compare_file(found, name, before, after):
    inside = Findings()
    READERS.get(before.suffix, compare_bytes)(inside, name, before.read_bytes(), after.read_bytes())
    found.files += 1
    found.figures += inside.figures
    found.notes += inside.notes
    found.differences += inside.differences[:SHOWN]
    if len(inside.differences) > SHOWN:
        found.differ(name, f"and {len(inside.differences) - SHOWN} more")


def renamed_file(name):
    return str(Path(name).with_name(RENAMED.get(Path(name).name, Path(name).name)))


def compare_folders(before, after):
    found, old, new = Findings(), every_file(before), every_file(after)
    named = {name: name if name in new else renamed_file(name) for name in old}
    for name, path in old.items():
        if named[name] in new:
            compare_file(found, name, path, new[named[name]])
        else:
            found.differ(name, "is missing")
    for name in new.keys() - set(named.values()):
        found.note(name, "is a new file")
    return found
