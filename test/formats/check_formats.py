#!/usr/bin/env python3
"""Compares what the library reads with what the real writers wrote, and what it writes with what the real readers read.

    check_formats.py DUMP FIXTURES

The committed fixtures are compared with their expected.txt everywhere; files made afresh, and the reading back, need
the libraries that made them and are left out one by one without them."""
import os
import random
import subprocess
import sys
import tempfile

import make_fixtures

DUMP, FIXTURES = sys.argv[1:3]


def dump(*words, locale=None):
    environment = dict(os.environ, LC_ALL=locale) if locale else None
    done = subprocess.run([DUMP, *words], stdout=subprocess.PIPE, check=False, env=environment)
    if done.returncode:
        sys.exit(f"{DUMP} {' '.join(words)} returned {done.returncode}")
    return sorted(line for line in done.stdout.decode("utf-8").split("\n") if line)


def compare(what, got, expected):
    for line in sorted(set(got) - set(expected)):
        print(f"{what}: read     {line}")
    for line in sorted(set(expected) - set(got)):
        print(f"{what}: expected {line}")
    if sorted(got) != sorted(expected):
        sys.exit(1)
    print(f"{what}: {len(got)} lines agree")


def files_of(folder):
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name != "expected.txt"]


def check_copies(folder, files):
    """Every file goes through the library's writers; the real readers, and its own, must find the same in the copy."""
    out = os.path.join(folder, "copies")
    os.makedirs(out)
    for path in files:
        name = os.path.basename(path)
        checkpoint = name.endswith((".pth", ".safetensors"))
        copy = os.path.join(out, name + (".safetensors" if checkpoint else ".png" if name.endswith(".png") else ".npy"))
        if name.startswith("none"):
            continue
        dump("--copy", path, copy)
        before = [line.split("\t")[1:] for line in dump(path)]
        after = [line.split("\t")[1:] for line in dump(copy)]
        if before != after:
            sys.exit(f"{name} and its copy differ: {before} {after}")
        seen = make_fixtures.Folder(out)
        if not read_back(seen, name, copy):
            continue
        real = sorted(line.split("\t")[1:] for line in seen.lines)
        if real != [line for line in after if line[0] != "metadata"]:
            sys.exit(f"{copy} is read differently by the real reader: {real} {after}")
    print(f"copies: {len(files)} files agree")


def read_back(seen, name, copy):
    if copy.endswith(".npy") and make_fixtures.numpy:
        seen.expect_array(name, make_fixtures.numpy.load(copy))
    elif copy.endswith(".png") and make_fixtures.Image:
        pixels = make_fixtures.numpy.asarray(make_fixtures.Image.open(copy))
        seen.expect_array(name, pixels if pixels.ndim == 3 else pixels[..., None])
    elif copy.endswith(".safetensors") and make_fixtures.safetensors:
        for key, tensor in make_fixtures.safetensors.torch.load_file(copy).items():
            seen.expect_tensor(name, key, tensor)
    else:
        return False
    return True


with open(os.path.join(FIXTURES, "expected.txt"), encoding="utf-8") as file:
    lines = file.read().rstrip("\n").split("\n")
compare("fixtures", dump(*files_of(FIXTURES)), lines)
compare("fixtures in the C locale", dump(*files_of(FIXTURES), locale="C"), lines)
with tempfile.TemporaryDirectory() as temporary:
    seed = random.randrange(2 ** 31)
    fresh = make_fixtures.make_all(temporary, seed)
    make_fixtures.make_large_torch(fresh)
    made = files_of(temporary)
    if made:
        compare(f"files of seed {seed}", dump(*made), fresh.lines)
    check_copies(temporary, made or files_of(FIXTURES))
