#!/usr/bin/env python3
"""Makes small files with the real writers (PyTorch, safetensors, NumPy, Pillow) and says what each holds.

    make_fixtures.py FOLDER [SEED]

writes the files and expected.txt, whose lines are: file, name of the tensor or "-", type, shape, SHA-256 of the numbers
in C order; or file, "metadata", key, value. A library that is not installed makes no files. check_formats.py uses the
same functions with another seed at each run."""
import argparse
import collections
import gzip
import hashlib
import os
import pathlib
import struct
import sys
import warnings
import zipfile
import zlib

try:
    import numpy
except ImportError:
    numpy = None
try:
    import torch
except ImportError:
    torch = None
try:
    import safetensors.torch
except ImportError:
    safetensors = None
try:
    from PIL import Image
except ImportError:
    Image = None


class Folder:
    """Files made so far and the lines that describe them."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        os.makedirs(path, exist_ok=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def expect(self, file, name, dtype, shape, numbers):
        text = "x".join(str(size) for size in shape) or "scalar"
        self.lines.append("\t".join([file, name, dtype, text, hashlib.sha256(numbers).hexdigest()]))

    def expect_array(self, file, array):
        self.expect(file, "-", str(array.dtype), array.shape, array.tobytes("C"))

    def expect_metadata(self, file, key, value):
        self.lines.append("\t".join([file, "metadata", key, value]))

    def expect_state(self, file, state, choice="top level"):
        self.expect_metadata(file, "pytorch.dict", choice)
        for name, tensor in state.items():
            self.expect_tensor(file, name, tensor)

    def expect_tensor(self, file, name, tensor):
        plain = tensor.detach().contiguous()
        numbers = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        self.expect(file, name, str(tensor.dtype).replace("torch.", ""), tensor.shape, numbers)


def all_types():
    floats = {str(t): torch.randn(3, 5).to(t) for t in (torch.float32, torch.float16, torch.bfloat16, torch.float64)}
    whole = {str(t): torch.randint(-100, 100, (2, 3)).to(t)
             for t in (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8)}
    return {**floats, **whole, "flags": torch.tensor([True, False, True]), "scalar": torch.tensor(7),
            "empty": torch.zeros(0, 4), "specials": torch.tensor([0.0, -0.0, float("inf"), float("nan"), 1e-42])}


def strided_views():
    base = torch.randn(4, 6)
    image = torch.randn(2, 3, 4, 5)
    return {"channels_last": image.to(memory_format=torch.channels_last), "transposed": base.t(), "base": base,
            "inner": base[1:3, 2:5], "column": base[:, 4], "steps": base[::2, ::3], "expanded": base[0].expand(3, 6),
            "one": base[2:3], "permuted": image.permute(3, 1, 0, 2)}


def rezip(source, target):
    """The same entries deflated, in reverse order, as a zip tool leaves them."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in reversed(old.infolist()):
            new.writestr(entry.filename, old.read(entry))


def make_torch(folder):
    if not torch:
        return

    def save(file, value, state, choice="top level", **options):
        torch.save(value, folder.file(file), **options)
        folder.expect_state(file, state, choice)

    types, views = all_types(), strided_views()
    save("types.pth", types, types)
    save("views.pth", views, views)
    save("protocol4.pth", types, types, pickle_protocol=4)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.BatchNorm2d(2))
    save("module.pth", net.state_dict(), net.state_dict())
    save("parameters.pth", dict(net.named_parameters()), dict(net.named_parameters()))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(2, 3, 5, 5)).sum().backward()
    optimizer.step()
    save("checkpoint.pth", {"epoch": 3, "acc": 0.5, "arch": "tiny", "optimizer": optimizer.state_dict(),
                            "state_dict": net.state_dict()}, net.state_dict(), "state_dict")
    save("net.pth", {"net": net.half().state_dict(), "acc": 81.25, "epoch": 2 ** 40, "big": -2 ** 80},
         net.state_dict(), "net")
    rezip(folder.file("types.pth"), folder.file("deflated.pth"))
    folder.expect_state("deflated.pth", types)
    mixed = {"epoch": 3, "weight": types["torch.float16"], "note": "text", "more": {"inner": torch.zeros(2)}}
    save("mixed.pth", mixed, {"weight": mixed["weight"]})
    # The folder within the archive is named after the file.
    accents = {"poids": types["torch.float32"], "été": views["inner"]}
    torch.save(accents, folder.file("réseau.pth"))
    os.rename(folder.file("réseau.pth"), folder.file("accents.pth"))
    folder.expect_state("accents.pth", accents)


class Trained(torch.nn.Sequential if torch else object):
    """A module that is saved whole, with attributes of other classes."""


def swap(source, target):
    """The same as a big-endian machine writes it: numbers of 4 bytes swapped."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if "/data/" in entry.filename:
                data = numpy.frombuffer(data, "<u4").byteswap().tobytes()
            new.writestr(entry.filename, b"big" if entry.filename.endswith("/byteorder") else data)


def make_legacy_torch(folder):
    """Both containers of what stands around a state dict, in each protocol."""
    if not torch or not numpy:
        return

    def save(file, value, state, choice="top level", **options):
        torch.save(value, folder.file(file), **options)
        folder.expect_state(file, state, choice)

    old = {"_use_new_zipfile_serialization": False}
    views = strided_views()
    for protocol in (1, 2, 3, 4, 5):
        save(f"legacy{protocol}.pth", views, views, pickle_protocol=protocol, **old)
    save("protocol1.pth", views, views, pickle_protocol=1)
    save("protocol5.pth", views, views, pickle_protocol=5)
    types = all_types()
    save("legacy-types.pth", types, types, **old)
    net = Trained(torch.nn.Conv2d(3, 2, 3), torch.nn.BatchNorm2d(2))
    net.config = argparse.Namespace(rate=0.1, names={"a", "b"})
    parameter = torch.nn.Parameter(torch.randn(2, 2, 3, 3))
    parameter.note = "an attribute"
    rest = {"epoch": 3, "args": net.config, "best": numpy.float64(0.5), "rng": torch.get_rng_state(),
            "size": torch.Size([2]), "device": torch.device("cpu"), "dtype": torch.float16,
            "complex": torch.zeros(3) + 0j, "path": pathlib.PurePath("a"),
            "optimizer": {"state": {0: {"exp_avg": torch.randn(7)}}},
            "history": collections.defaultdict(list, {"loss": [1.5]}), "bytes": b"bytes", "set": {1}, "frozen": frozenset([2]), "array": numpy.arange(3), "none": None}
    for name, options in (("zip", {}), ("stream", old)):
        save(f"around-{name}.pth", {**rest, "model": {"conv.weight": parameter, "note": "text", "epoch": 2}},
             {"conv.weight": parameter}, "model", **options)
        save(f"nested-{name}.pth", {**rest, "ema": {"state_dict": net.state_dict(), "decay": 0.9}}, net.state_dict(),
             "ema.state_dict", **options)
        save(f"other-{name}.pth", {**rest, "classifier": net.state_dict()}, net.state_dict(), "classifier", **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a class whose source is not found
            save(f"whole-{name}.pth", net, net.state_dict(), **options)
            save(f"whole-inner-{name}.pth", {**rest, "net": net}, net.state_dict(), "net", **options)
    four = {name: views[name] for name in ("base", "channels_last", "steps")}
    torch.save(four, folder.file("little.pth"))
    swap(folder.file("little.pth"), folder.file("big.pth"))
    os.remove(folder.file("little.pth"))
    folder.expect_state("big.pth", four)


def make_large_torch(folder):
    """Storages of more than one block, some of no tensor that is wanted."""
    if torch:
        state = {"wide": torch.randn(300, 400), "strided": torch.randn(500, 130).t(), "small": torch.randn(3)}
        whole = {"optimizer": {"a": torch.randn(700, 100)}, "model": state, "size": torch.Size([3])}
        torch.save(whole, folder.file("large.pth"))
        folder.expect_state("large.pth", state, "model")


def make_safetensors(folder):
    if not torch or not safetensors:
        return
    types = all_types()
    metadata = {"format": "pt", "naïve": "\"\n\t\\"}
    safetensors.torch.save_file(types, folder.file("types.safetensors"), metadata=metadata)
    folder.expect_metadata("types.safetensors", "format", "pt")
    folder.expect_metadata("types.safetensors", "naïve", "\"??\\")
    safetensors.torch.save_file({}, folder.file("none.safetensors"))
    safetensors.torch.save_file({"w": types["torch.float16"]}, folder.file("one.safetensors"))
    folder.expect_tensor("one.safetensors", "w", types["torch.float16"])
    for name, tensor in types.items():
        folder.expect_tensor("types.safetensors", name, tensor)


def make_npy(folder, random):
    for name in ("float32", "float16", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"):
        array = random.integers(0, 100, (3, 4, 2)).astype(name)
        for order in "CF":
            file = f"{name}-{order}.npy"
            numpy.save(folder.file(file), numpy.asarray(array, order=order))
            folder.expect_array(file, array)
    shapes = {"scalar": (), "vector": (5,), "empty": (2, 0, 3), "deep": (1, 2, 1, 2, 1, 2, 1, 2)}
    for name, shape in shapes.items():
        array = random.standard_normal(shape).astype("float32") if shape else numpy.float32(random.random())
        numpy.save(folder.file(name + ".npy"), array)
        folder.expect_array(name + ".npy", numpy.asarray(array))
    for version in (2, 3):
        array = numpy.asfortranarray(random.integers(0, 9, (2, 3), dtype="int64"))
        with open(folder.file(f"version{version}.npy"), "wb") as file:
            numpy.lib.format.write_array(file, array, version=(version, 0))
        folder.expect_array(f"version{version}.npy", array)
    old = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }"
    old += b" " * (-(len(old) + 11) % 16) + b"\n"
    numbers = random.standard_normal((2, 3)).astype("<f4")
    with open(folder.file("python2.npy"), "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(old)) + old + numbers.tobytes())
    folder.expect_array("python2.npy", numbers)


def make_idx(folder, random):
    codes = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}
    for name, code in codes.items():
        array = random.integers(0, 100, (3, 4, 5)).astype(name)
        numbers = array.astype(array.dtype.newbyteorder(">")).tobytes()
        data = bytes([0, 0, code, 3]) + struct.pack(">3I", 3, 4, 5) + numbers
        with open(folder.file(name + "-idx3"), "wb") as file:
            file.write(data)
        with open(folder.file(name + "-idx3.gz"), "wb") as file:
            file.write(gzip.compress(data, mtime=0))
        folder.expect_array(name + "-idx3", array)
        folder.expect_array(name + "-idx3.gz", array)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bytes(width, height, depth, colour, rows, extra=b"", interlace=0):
    """A PNG of unfiltered rows, for the layouts that Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra
            + png_chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9)) + png_chunk(b"IEND", b""))


def adam7(pixels):
    """The rows of an interlaced picture, pass after pass."""
    for top, left, down, right in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
                                   (1, 0, 2, 1)):
        part = pixels[top::down, left::right]
        if part.size:
            yield from (row.tobytes() for row in part)


def make_plain_png(folder, random):
    colour = random.integers(0, 256, (5, 7, 3), dtype="uint8")
    wide = random.integers(0, 65536, (5, 7, 3)).astype(">u2")
    gamma = png_chunk(b"gAMA", struct.pack(">I", 100000)) + png_chunk(b"tEXt", b"Comment\0text")
    files = {"wide.png": (png_bytes(7, 5, 16, 2, [row.tobytes() for row in wide]), (wide >> 8).astype("uint8")),
             "interlaced.png": (png_bytes(7, 5, 8, 2, adam7(colour), interlace=1), colour),
             "gamma.png": (png_bytes(7, 5, 8, 2, [row.tobytes() for row in colour], gamma), colour)}
    for depth in (1, 2, 4):
        grey = random.integers(0, 2 ** depth, (5, 8), dtype="uint8")
        bits = numpy.unpackbits(grey[..., None], axis=-1)[..., 8 - depth:].reshape(5, -1)
        rows = [row.tobytes() for row in numpy.packbits(bits, axis=1)]
        files[f"grey{depth}.png"] = (png_bytes(8, 5, depth, 0, rows), grey[..., None] * (255 // (2 ** depth - 1)))
    for file, (data, pixels) in files.items():
        with open(folder.file(file), "wb") as out:
            out.write(data)
        folder.expect_array(file, pixels)


def make_pillow_png(folder, random):
    if not Image:
        return

    def save(file, image, **options):
        image.save(folder.file(file), **options)
        read = Image.open(folder.file(file))
        pixels = numpy.asarray(read.convert("L" if read.mode in ("1", "L", "LA") else "RGB"))
        folder.expect_array(file, pixels[..., None] if pixels.ndim == 2 else pixels)

    colour = Image.fromarray(random.integers(0, 256, (6, 9, 3), dtype="uint8"), "RGB")
    clear = Image.fromarray(random.integers(0, 256, (6, 9, 4), dtype="uint8"), "RGBA")
    grey = Image.fromarray(random.integers(0, 256, (6, 9), dtype="uint8"), "L")
    save("rgb.png", colour)
    save("rgba.png", clear)
    save("grey.png", grey)
    save("grey-alpha.png", clear.convert("LA"))
    save("bits.png", grey.convert("1"))
    save("palette.png", colour.quantize(7))
    save("palette-clear.png", colour.quantize(40), transparency=3)
    save("grey-clear.png", grey, transparency=17)
    save("rgb-clear.png", colour, transparency=(1, 2, 3))


def make_all(path, seed):
    folder = Folder(path)
    if torch:
        torch.manual_seed(seed)
    make_torch(folder)
    make_legacy_torch(folder)
    make_safetensors(folder)
    if numpy:
        random = numpy.random.default_rng(seed)
        make_npy(folder, random)
        make_idx(folder, random)
        make_plain_png(folder, random)
        make_pillow_png(folder, random)
    folder.lines.sort()
    return folder


if __name__ == "__main__":
    made = make_all(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    for made_file in os.listdir(made.path):
        os.chmod(made.file(made_file), 0o644)
    with open(made.file("expected.txt"), "w", encoding="utf-8") as out:
        out.write("\n".join(made.lines) + "\n")
