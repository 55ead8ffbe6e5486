#!/usr/bin/env python3
"""Files that need each other, and folders that hold too many.

A file of C needs the headers that it includes and the files that define what it calls or names; a module of Python needs those
that it imports, wherever the import stands. Files that lead back to each other are one file in several pieces: none of them can
be read, tested or moved alone."""

import ast
import re
import sys

from folders import LIB, PROGRAM, PYTHON, ROOT, includes, strip

MOST_FILES = 15

# Circles that are known, each with what keeps it. An entry that is no longer needed is a fault: take it out.
KNOWN_CIRCLES = {}
# Folders that are known to be too full, with how many files they may have. Likewise.
KNOWN_FULL = {
    "bindings/python/iscp": 30,
}

NAME = r"\biscp?_\w+\b"
faults = []


def name_of(path):
    return str(path.relative_to(ROOT))


# ---- Who needs whom: C ----


def definitions(text):
    """Functions and objects that stripped C gives to other files: what begins a line without `static`, and has a body."""
    functions = re.findall(rf"^(?!static|typedef|extern|#)[a-zA-Z_][\w \t*]*?({NAME})\s*\([^;{{}}]*\)\s*\{{", text, flags=re.M)
    objects = re.findall(rf"^(?!static|typedef|extern|#)[a-zA-Z_][\w \t*]*?({NAME})\s*(?:\[[^\]]*\])*\s*=", text, flags=re.M)
    return functions + objects


def find_header(tree, path, name):
    """A header is named from the tree's folder, or from beside the file."""
    for place in (tree.folder, path.parent):
        if (place / name).exists():
            return (place / name).resolve()
    return None


def needs_of_c(tree):
    texts = {path: strip(path.read_text()) for path in tree.files(".c", ".h")}
    makers = {}
    for path, text in texts.items():
        if path.suffix == ".c":
            for name in definitions(text):
                makers.setdefault(name, set()).add(path)
    if len(makers) < 100:
        sys.exit(f"only {len(makers)} definitions found below {tree.folder}")
    needs = {}
    for path, text in texts.items():
        needs[path] = {find_header(tree, path, name) for _, name, system in includes(text) if not system} - {None}
        if path.suffix == ".c":
            for name in set(re.findall(NAME, text)):
                others = makers.get(name, set())
                needs[path] |= others if path not in others else set()  # of two files that define it one is compiled
    return needs


# ---- Who needs whom: Python ----


def modules_of(path, node):
    """Files that an import of the same package means."""
    package = path.parents[node.level - 1]
    base = package.joinpath(*(node.module or "").split(".")) if node.module else package
    if node.module and base.with_suffix(".py").exists():
        return [base.with_suffix(".py")]
    return [(base / alias.name).with_suffix(".py") if (base / alias.name).with_suffix(".py").exists() else base / "__init__.py"
            for alias in node.names]


def needs_of_python(tree):
    needs = {}
    for path in tree.files(".py"):
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom) and node.level]
        needs[path] = {other for node in nodes for other in modules_of(path, node)}
    return needs


# ---- Circles: Tarjan's strongly connected components ----


def circles(needs):
    order, low, stack, found = {}, {}, [], []

    def visit(path):
        order[path] = low[path] = len(order)
        stack.append(path)
        for other in sorted(needs.get(path, ())):
            if other not in order:
                visit(other)
                low[path] = min(low[path], low[other])
            elif other in stack:
                low[path] = min(low[path], order[other])
        if low[path] == order[path]:
            at = stack.index(path)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for path in sorted(needs):
        if path not in order:
            visit(path)
    return [circle for circle in found if len(circle) > 1]


def reasons(needs, circle):
    """One line a file: which of the others it needs."""
    within = {path: sorted(needs[path] & set(circle) - {path}) for path in circle}
    return [f"    {name_of(path)} needs {', '.join(name_of(other) for other in within[path])}" for path in circle]


def check_circles(needs, met):
    for circle in circles(needs):
        names = tuple(name_of(path) for path in circle)
        if names in KNOWN_CIRCLES:
            met.add(names)
        else:
            faults.append("\n".join([f"a circle of {len(circle)} files: {' '.join(names)}"] + reasons(needs, circle)))


# ---- Full folders ----


def check_folders(tree, met):
    counts = {}
    for path in tree.files(".c", ".h", ".py"):
        counts[name_of(path.parent)] = counts.get(name_of(path.parent), 0) + 1
    for folder, count in counts.items():
        if count > MOST_FILES:
            met.add(folder)
        if count > KNOWN_FULL.get(folder, MOST_FILES):
            faults.append(f"{folder}: {count} files, expected at most {KNOWN_FULL.get(folder, MOST_FILES)}")


def self_test():
    """A circle of three beside a line of two, and the forms of a definition."""
    if circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": set()}) != [["a", "b", "c"]]:
        sys.exit("the search for circles is broken")
    text = "int isc_a(int x,\n  int y) {\n}\nstatic int isc_b(void) {\n}\nint isc_c(void);\n"
    text += "const isc_t isc_d = {1};\nisc_t *isc_e[] = {0};\n"
    if definitions(text) != ["isc_a", "isc_d", "isc_e"]:
        sys.exit(f"the search for definitions is broken: {definitions(text)}")


def main():
    self_test()
    met, full = set(), set()
    for needs in (needs_of_c(LIB), needs_of_python(PYTHON)):
        check_circles(needs, met)
    for tree in (LIB, PROGRAM, PYTHON):
        check_folders(tree, full)
    for names in KNOWN_CIRCLES.keys() - met:
        faults.append(f"the known circle {' '.join(names)} is gone or another: change KNOWN_CIRCLES")
    for folder in KNOWN_FULL.keys() - full:
        faults.append(f"the known full folder {folder} is no longer: take it out of KNOWN_FULL")
    print("\n".join(faults))
    print(f"{len(met)} known circles, {len(full)} known full folders, {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
