#!/usr/bin/env python3
"""Writes what follows from the public headers and the tables of fields: the ctypes declarations and the symbol map.

    python3 bindings/generate.py            after a change of include/iscp or lib/base/fields
    python3 bindings/generate.py --check    fails if a file is not what would be written

It writes bindings/python/iscp/_abi.py and lib/libiscp.map. Structs, functions, enumerations and comments are read off the
headers; the words that values have in files and in Python are those of the tables, which a small C program prints. Needs a C
compiler (--cc, else CC, else cc) and Python's standard library.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEADERS = ROOT / "include/iscp"
WIDTH = 120

# ---- Headers ----

COMMENT = r"/\*((?:[^*]|\*(?!/))*)\*/"


class Api:
    """What the headers declare, in the order in which they include each other."""

    def __init__(self):
        self.opaque, self.structs, self.callbacks, self.functions, self.enums = {}, {}, {}, {}, {}
        seen = set()
        for header in sorted(HEADERS.glob("*.h")):
            self._read(header, seen)

    def _read(self, header, seen):
        if header.name in seen:
            return
        seen.add(header.name)
        text = header.read_text()
        for other in re.findall(r"#include <iscp/(\w+\.h)>", text):
            self._read(HEADERS / other, seen)
        plain = re.sub(r"\s+", " ", re.sub(COMMENT, " ", re.sub(r"^#.*?(?<!\\)$", " ", text, flags=re.M | re.S)))
        self._types(text, plain, header.name)
        for result, name, arguments in re.findall(r"ISCP_API ([\w ]+?[ *]+)(iscp_\w+)\(([^)]*)\)\s*;", plain):
            self.functions[name] = (result.strip(), _arguments(arguments), header.name)
        for body in re.findall(r"enum \{(.*?)\}", plain):
            for name, value in re.findall(r"ISCP_(\w+) = (\d+)", body):
                prefix, word = name.split("_", 1) if "_" in name else (None, name)
                if prefix not in (None, "ERROR"):
                    self.enums.setdefault(prefix, {})[word] = int(value)

    def _types(self, text, plain, header):
        for name in re.findall(r"typedef struct (\w+) \1;", plain):
            self.opaque[name] = _comment(text, rf"typedef struct {name} {name};") or f"Opaque; {header}."
        for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", plain):
            self.structs[name] = (_members(body), _comment(text, rf"typedef struct {name} \{{") or f"See {header}.")
        for result, name, arguments in re.findall(r"typedef (\w+) \(\*(\w+)\)\(([^)]*)\);", plain):
            self.callbacks[name] = (result, _arguments(arguments))


def _comment(text, declaration):
    """The comment right before a declaration, as one line; empty if there is none."""
    match = re.search(COMMENT + r"\n" + declaration, text)
    lines = match.group(1).split("\n") if match else []
    return " ".join(" ".join(line.strip().lstrip("*").strip() for line in lines).split())


def _arguments(text):
    return [] if text.strip() in ("", "void") else [_type(a) for a in text.split(",")]


def _type(argument):
    """`const float *images` -> `float *`; const says nothing to ctypes."""
    return re.sub(r"\b\w+$", "", re.sub(r"\bconst\b", "", argument).strip()).replace(" *", "*").strip()


def _members(body):
    """(name, type, numbers in a row, None) of data, (name, None, 1, (result, arguments)) of a function."""
    found = []
    for line in filter(str.strip, body.split(";")):
        callback = re.match(r"\s*([\w ]+?[ *]+)\(\*(\w+)\)\((.*)\)\s*$", line)
        if callback:
            found.append((callback[2], None, 1, (callback[1].replace(" ", ""), _arguments(callback[3]))))
            continue
        first, *rest = line.split(",")
        kind = _type(re.sub(r"\[\d+\]", "", first))
        for item in (first, *rest):
            name, count = re.search(r"(\w+)(?:\[(\d+)\])?\s*$", item).groups()
            found.append((name, kind, int(count or 1), None))
    return found


# ---- Tables ----

PROGRAM = r"""
#include <iscp/fields.h>
#include <stdio.h>
int main(void) {
  const char *name, *word;
  iscp_field field = {.struct_size = sizeof field};
  for (int32_t s = 0, value; (name = iscp_fields_struct(s)); s++)
    for (int32_t i = 0; iscp_fields_get(&field, iscp_fields_of(name), i) == ISCP_OK; i++) {
      printf("%s %s %d", name, field.name, field.count);
      for (int32_t w = 0; (word = iscp_fields_word(&value, iscp_fields_of(name), i, w)); w++)
        printf(" %s=%d", word, value);
      printf("\n");
    }
  return 0;
}
"""


def tables(compiler):
    """Of each struct its fields, as (name, numbers in a row, words)."""
    sources = [p for p in sorted((ROOT / "lib/base/fields").glob("*.c")) if p.name != "json.c"]
    sources += [ROOT / "lib/base/options.c", ROOT / "lib/base/status.c"]
    with tempfile.TemporaryDirectory() as folder:
        main, program = pathlib.Path(folder, "main.c"), pathlib.Path(folder, "main")
        main.write_text(PROGRAM)
        flags = ["-std=gnu11", "-I", str(ROOT / "include"), "-I", str(ROOT / "lib")]
        subprocess.run([*compiler, *flags, main, *sources, "-o", program, "-lm"], check=True)
        lines = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout.splitlines()
    found = {}
    for struct, field, count, *words in map(str.split, lines):
        found.setdefault(struct, []).append((field, int(count), {w.split("=")[0]: int(w.split("=")[1]) for w in words}))
    return found


def check_tables(api, found):
    """A field without a row, or a word without an enumerator, is a mistake that the compiler does not see."""
    for struct in sorted({*api.structs, *found}):
        declared = [(name, count) for name, _, count, _ in api.structs.get(struct, ([], ""))[0]]
        rows = [(name, count) for name, count, _ in found.get(struct, [])]
        if declared != rows:
            sys.exit(f"{struct}: the header has {declared}, its table {rows}: see lib/base/fields")
    enums = [{word.lower(): value for word, value in words.items()} for words in api.enums.values()]
    for struct, rows in found.items():
        for field, _, words in rows:
            if words and {word.lower(): value for word, value in words.items()} not in enums:
                sys.exit(f"{struct}.{field}: its words {words} are no enumeration of the headers")


# ---- Python ----

SCALARS = {
    "double": "c_double",
    "float": "c_float",
    "int": "c_int",
    "int32_t": "c_int32",
    "int64_t": "c_int64",
    "size_t": "c_size_t",
    "uint8_t": "c_uint8",
    "uint32_t": "c_uint32",
    "uint64_t": "c_uint64",
    "void*": "c_void_p",
    "char*": "c_char_p",
    "void": "None",
}
# Where the prefix and an s are not the name of the words.
NAMES = {"CANVAS": "CANVASES", "CAUSE": "CAUSE_KINDS", "INVERT": "INVERSIONS", "LOG": "LOG_LEVELS"}
TITLE = '"""Generated from include/iscp and lib/base/fields by bindings/generate.py, which is what to change."""'
STATUS = '''class iscp_status(c_int32):
    """A result of 0 or an error; a type of its own, so that functions that can fail are told from those that count."""'''


def ctype(c):
    c = re.sub(r"\bconst\b|\s", "", c)
    if c in SCALARS:
        return SCALARS[c]
    return f"POINTER({ctype(c[:-1])})" if c.endswith("*") else c


def callback(result, arguments):
    return f"CFUNCTYPE({', '.join([ctype(result), *map(ctype, arguments)])})"


def row(head, items, indent=4, close=("(", ")")):
    """`head(items),` on one line, or an item a line where that is too long."""
    pad, comma = " " * indent, "," if len(items) == 1 and close == ("(", ")") else ""
    line = f"{pad}{head}{close[0]}{', '.join(items)}{comma}{close[1]},"
    if len(line) <= WIDTH:
        return [line]
    return [f"{pad}{head}{close[0]}", *(f"{pad}    {item}," for item in items), f"{pad}{close[1]},"]


def prototype(name, result, arguments):
    items = [ctype(a) for a in arguments]
    inner = f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    line = f'    "{name}": ({result}, {inner}),'
    if len(line) <= WIDTH:
        return [line]
    return [f'    "{name}": (', f"        {result},", *row("", items, indent=8), "    ),"]


def python_class(name, base, comment):
    lines = textwrap.wrap(comment, WIDTH - 10, break_long_words=False)
    if len(lines) == 1:
        doc = [f'    """{lines[0]}"""']
    else:
        doc = [f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """']
    return [f"class {name}({base}):", *doc]


def struct(name, members, comment):
    lines = [*python_class(name, "Struct", comment), "", "    _fields_ = ["]
    before = []
    for member, kind, count, function in members:
        c = f"{member}_fn" if function else ctype(kind)
        if function:
            before.append(f"{member}_fn = {callback(*function)}")
        lines.append(f'        ("{member}", {c}{f" * {count}" if count > 1 else ""}),')
    return [*before, *([""] * 2 if before else []), *lines, "    ]", "", ""]


def words(api, found):
    """The enumerations under the words of the tables; a word that no table has is its enumerator in small letters."""
    told = [words for rows in found.values() for _, _, words in rows if words]
    lines = []
    for prefix, values in api.enums.items():
        small = {word.lower(): value for word, value in values.items()}
        named = next((w for w in told if {k.lower(): v for k, v in w.items()} == small), small)
        name = NAMES.get(prefix, prefix if prefix.endswith("S") else prefix + "S")
        items = [f'"{word}": {value}' for word, value in named.items()]
        line = f"{name} = {{{', '.join(items)}}}"
        lines += [line] if len(line) <= WIDTH else [f"{name} = {{", *(f"    {item}," for item in items), "}"]
    return lines


def python(api, found):
    body = [STATUS, "", ""]
    for name, comment in api.opaque.items():
        body += [*python_class(name, "Structure", comment), "", ""]
    for name, (members, comment) in api.structs.items():
        body += struct(name, members, comment)
        for fn, (result, arguments) in api.callbacks.items():
            if name in fn:
                body += [f"{fn} = {callback(result, arguments)}", "", ""]
    body += ["STRUCTS = (", *(f"    {name}," for name in api.structs), ")", ""]
    body += [*words(api, found), "", "PROTOTYPES = {"]
    header = None
    for name, (result, arguments, where) in api.functions.items():
        body += [f"    # {where}"] if where != header else []
        header = where
        body += prototype(name, ctype(result), arguments)
    text = "\n".join([*body, "}"])
    used = sorted({*re.findall(r"\b(c_\w+|POINTER|CFUNCTYPE|Structure)\b", text)}, key=_isort)
    imports = ["from ctypes import (", *(f"    {name}," for name in used), ")", "", "from ._struct import Struct"]
    return "\n".join([TITLE, "", "from __future__ import annotations", "", *imports, "", "", text, ""])


def _isort(name):
    """Constants, classes, then the rest, as isort has them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


# ---- Symbol map ----


def symbol_map(api):
    """Before the first stable release every symbol is in one node. Later releases add a node of their own."""
    names = [f"    {name};" for name in sorted(api.functions)]
    return "\n".join(["ISCP_0.1 {", "  global:", *names, "  local:", "    *;", "};", ""])


def generate(compiler):
    api, found = Api(), tables(compiler)
    check_tables(api, found)
    return {ROOT / "bindings/python/iscp/_abi.py": python(api, found), ROOT / "lib/libiscp.map": symbol_map(api)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file would change")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"), help="the C compiler")
    options = parser.parse_args()
    stale = []
    for path, text in generate(shlex.split(options.cc)).items():
        if path.exists() and path.read_text() == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if not options.check:
            path.write_text(text)
    if options.check and stale:
        sys.exit(f"{', '.join(stale)}: not what the headers and tables say; run bindings/generate.py")
    print(f"wrote {', '.join(stale)}" if stale else "nothing to change")


if __name__ == "__main__":
    main()
