#!/usr/bin/env python3
"""Random pictures through the library and through Pillow: the same bytes after decoding, convert('RGB') or convert('L'),
resizing, the crop and the padding.

    check_pillow.py PREPARE [--jpeg] [COUNT [SEED]]

PREPARE is the program of prepare.c; without --jpeg its library reads no JPEG. Sizes and crops are torchvision's formulas,
written out here, or those of Hugging Face. Needs Pillow and NumPy, in this Python or in that of the system."""
import io
import os
import random
import struct
import subprocess
import sys
import tempfile
import zlib

try:
    import numpy as np
    import PIL
    from PIL import Image, ImageFile, features
except ImportError:
    other = "/usr/bin/python3"
    if os.path.realpath(sys.executable) == os.path.realpath(other) or not os.path.exists(other):
        print("skipped: needs Pillow and NumPy")
        sys.exit(77)
    os.execv(other, [other, *sys.argv])

ImageFile.MAXBLOCK = 1 << 22  # Pillow's writer cannot optimise what its buffer does not hold
FILTERS = (Image.BILINEAR, Image.BICUBIC)
HORIZONTAL_FIRST = int(PIL.__version__.split(".")[0]) < 13  # see resize()


# ---- Pictures ----

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack(samples, depth):
    """Rows of samples, height x numbers -> the bytes of each row."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in samples]
    if depth == 8:
        return [row.astype(np.uint8).tobytes() for row in samples]
    bits = (samples[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return [np.packbits(row.reshape(-1)).tobytes() for row in bits.astype(np.uint8)]


PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def png(rng, samples, depth, colour, interlaced, chunks=()):
    """samples: height x width x channels. A filter of each row is chosen at random."""
    height, width, channels = samples.shape
    parts = [samples[y::dy, x::dx] for y, x, dy, dx in PASSES] if interlaced else [samples]
    step = max(1, depth * channels // 8)
    data = b"".join(filtered(rng, pack(part.reshape(part.shape[0], -1), depth), step) for part in parts if part.size)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunk(*c) for c in chunks)
            + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def filtered(rng, rows, step):
    out, above = b"", None
    for row in rows:
        line = np.frombuffer(row, np.uint8).astype(int)
        up = np.zeros_like(line) if above is None else above
        left = np.concatenate([np.zeros(step, int), line])[: len(line)]
        kind = rng.integers(0, 4)
        guess = (0, left, up, (left + up) // 2)[kind]
        out += bytes([kind]) + ((line - guess) & 255).astype(np.uint8).tobytes()
        above = line
    return out


def texture(rng, height, width, channels, top):
    """Noise, stripes or a smooth ramp, of numbers 0 to top."""
    kind = rng.integers(0, 4)
    if kind == 0:
        values = rng.integers(0, top + 1, (height, width, channels))
    elif kind == 1:
        values = rng.integers(0, 2, (height, width, channels)) * top
    else:
        y, x = np.mgrid[0:height, 0:width]
        wave = np.sin(y * rng.uniform(0, 2) + x * rng.uniform(0, 2)) * 0.5 + 0.5
        values = (wave[..., None] * rng.uniform(0.3, 1, channels) * top).astype(int)
        if kind == 3:
            values = np.clip(values + rng.integers(-top // 8 - 1, top // 8 + 2, values.shape), 0, top)
    return values


PNG_KINDS = [(0, d) for d in (1, 2, 4, 8, 16)] + [(2, 8), (2, 16)] + [(3, d) for d in (1, 2, 4, 8)] + [
    (4, 8), (4, 16), (6, 8), (6, 16)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def random_png(rng, height, width):
    colour, depth = PNG_KINDS[rng.integers(0, len(PNG_KINDS))]
    samples = texture(rng, height, width, CHANNELS[colour], 2**depth - 1)
    if (colour, depth) == (0, 16) and rng.integers(0, 2):
        samples //= 200  # most 16-bit grey lies above 255, where Pillow clips
    chunks = [(b"gAMA", struct.pack(">I", int(rng.integers(20000, 200000))))] if rng.integers(0, 4) == 0 else []
    if colour == 3:
        count = int(samples.max()) + 1
        chunks.append((b"PLTE", rng.integers(0, 256, 3 * count, dtype=np.uint8).tobytes()))
        if rng.integers(0, 2):
            chunks.append((b"tRNS", rng.integers(0, 256, count, dtype=np.uint8).tobytes()))
    elif colour == 0 and rng.integers(0, 4) == 0:
        chunks.append((b"tRNS", struct.pack(">H", int(samples[0, 0, 0]))))
    return png(rng, samples, depth, colour, bool(rng.integers(0, 2)), chunks), f"png {colour}/{depth}"


def random_jpeg(rng, height, width):
    mode = ("RGB", "RGB", "RGB", "L", "CMYK")[rng.integers(0, 5)]
    values = texture(rng, height, width, {"RGB": 3, "L": 1, "CMYK": 4}[mode], 255).astype(np.uint8)
    out = io.BytesIO()
    options = {"quality": int(rng.integers(1, 101)), "progressive": bool(rng.integers(0, 2)),
               "optimize": bool(rng.integers(0, 2))}
    if mode == "RGB":
        options["subsampling"] = int(rng.integers(0, 3))
        if rng.integers(0, 4) == 0:  # EXIF orientation 6, which nobody applies
            options["exif"] = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    Image.fromarray(values[..., 0] if mode == "L" else values, mode).save(out, "JPEG", **options)
    data = out.getvalue()
    if mode == "CMYK":
        data, mode = change_inks(rng, data)
    return data, f"jpeg {mode} {options}"


def change_inks(rng, data):
    """As it is, as YCCK, or without Adobe's mark."""
    at = data.index(b"\xff\xee\0\x0eAdobe")
    choice = rng.integers(0, 3)
    if choice == 1:
        return data[: at + 15] + b"\2" + data[at + 16 :], "YCCK"
    return (data[:at] + data[at + 16 :], "CMYK plain") if choice == 2 else (data, "CMYK")


# ---- What torchvision and Pillow make of them ----

def resize(image, height, width, kind):
    """Pillow's resize. Pillow 13 sums along the height first where it shrinks much more than the width: here the width is
    always first, as in all versions before."""
    if not HORIZONTAL_FIRST:
        image = image.resize((width, image.height), kind)
    return image.resize((width, height), kind)


def crop_axis(size, crop, floor):
    """(zeros before, zeros after, start): torchvision.transforms.functional.center_crop, or Hugging Face's center_crop."""
    if crop > size:
        rest = crop - size
        return ((rest + 1) // 2, rest // 2, 0) if floor else (rest // 2, (rest + 1) // 2, 0)
    return 0, 0, (size - crop) // 2 if floor else int(round((size - crop) / 2.0))


def expected(path, form):
    image = Image.open(path).convert("RGB" if form["channels"] == 3 else "L")
    height, width = image.height, image.width
    if form["short"]:
        long = int(form["short"] * max(height, width) / min(height, width))
        size = (form["short"], long) if height <= width else (long, form["short"])
        image = resize(image, *size, FILTERS[form["filter"]])
    elif form["exact"][0]:
        image = resize(image, *form["exact"], FILTERS[form["filter"]])
    array = np.asarray(image).reshape(image.height, image.width, -1)
    if form["crop"][0]:
        top, bottom, y = crop_axis(array.shape[0], form["crop"][0], form["rule"])
        left, right, x = crop_axis(array.shape[1], form["crop"][1], form["rule"])
        array = np.pad(array, ((top, bottom), (left, right), (0, 0)))[y : y + form["crop"][0], x : x + form["crop"][1]]
    top, bottom, left, right = form["pad"]
    array = np.pad(array, ((top, bottom), (left, right), (0, 0)))
    return array.transpose(2, 0, 1).astype(np.float32) / np.float32(255)


# ---- Cases ----

def random_size(rng):
    kind = rng.integers(0, 12)
    if kind == 0:
        return 1, 1
    if kind == 1:
        return 1, int(rng.integers(2, 500))
    if kind == 2:
        return int(rng.integers(2, 500)), int(rng.integers(1, 4))
    if kind == 3:
        return int(rng.integers(100, 400)), int(rng.integers(100, 400))
    return int(rng.integers(1, 80)), int(rng.integers(1, 80))


def random_form(rng, height, width, grey):
    form = {"channels": 3, "short": 0, "exact": (0, 0), "crop": (0, 0), "pad": (0, 0, 0, 0),
            "filter": int(rng.integers(0, 2)), "rule": int(rng.integers(0, 4) == 0)}
    if grey and rng.integers(0, 2):
        form["channels"] = 1
    kind = rng.integers(0, 8)
    side = (int(rng.integers(8, 64)), int(rng.integers(8, 64)))
    if kind < 4:
        form["short"], form["crop"] = int(rng.integers(1, 90)), side
    elif kind < 6:
        form["exact"] = side
    elif kind == 6:
        form["exact"], form["crop"] = (int(rng.integers(1, 90)), int(rng.integers(1, 90))), side
    else:
        form["crop"] = side
    if rng.integers(0, 3) == 0:
        form["pad"] = tuple(int(n) for n in rng.integers(0, 4, 4))
    inner = form["crop"] if form["crop"][0] else form["exact"]
    form["size"] = (inner[0] + sum(form["pad"][:2]), inner[1] + sum(form["pad"][2:]))
    return form


def line(path, form):
    numbers = (form["channels"], *form["size"], form["short"], *form["exact"], form["filter"], *form["crop"],
               form["rule"], *form["pad"])
    return " ".join(map(str, numbers)) + f" {path}\n"


def prepare(program, lines, forms):
    """The status of each line, and its image or None."""
    done = subprocess.run([program], input="".join(lines).encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=True)
    at, out = 0, done.stdout
    for form in forms:
        (status,) = struct.unpack_from("<i", out, at)
        at += 4
        image = None
        if status == 0:
            shape = (form["channels"], *form["size"])
            image = np.frombuffer(out, np.float32, int(np.prod(shape)), at).reshape(shape)
            at += image.nbytes
        yield status, image
    if at != len(out):
        sys.exit(f"{program} wrote {len(out)} bytes, expected {at}")


def check_whole(program, jpeg, count, seed):
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        names, forms, lines = [], [], []
        for i in range(count):
            height, width = random_size(rng)
            make = random_jpeg if jpeg and i % 5 < 2 else random_png
            data, name = make(rng, height, width)
            path = os.path.join(folder, f"{i}")
            with open(path, "wb") as file:
                file.write(data)
            grey = Image.open(path).mode in ("1", "L")
            form = random_form(rng, height, width, grey)
            names.append(f"{name}, {height}x{width}, {form}")
            forms.append(form)
            lines.append(line(path, form))
        faults = 0
        for i, (status, image) in enumerate(prepare(program, lines, forms)):
            wanted = expected(os.path.join(folder, f"{i}"), forms[i])
            if status or not np.array_equal(image, wanted):
                faults += 1
                print(f"{names[i]}: " + (f"status {status}" if status else
                      f"{(image != wanted).sum()} of {wanted.size} numbers differ, by {np.abs(image - wanted).max() * 255:.0f} of 255"))
    print(f"{count} pictures of seed {seed}: {count - faults} have Pillow's bytes")
    return faults


def opens(data):
    try:
        Image.open(io.BytesIO(data)).convert("RGB")
    except (OSError, SyntaxError):
        return False
    return True


def check_cut(program, jpeg, seed):
    """Files cut short anywhere are refused where Pillow refuses them."""
    rng = np.random.default_rng(seed)
    form = {"channels": 3, "short": 0, "exact": (8, 8), "crop": (0, 0), "pad": (0, 0, 0, 0), "filter": 0, "rule": 0,
            "size": (8, 8)}
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        wanted, lines = [], []
        for i in range(120):
            make = random_jpeg if jpeg and i % 2 else random_png
            data, _ = make(rng, int(rng.integers(8, 40)), int(rng.integers(8, 40)))
            cut = int(rng.integers(max(1, len(data) - 24), len(data))) if i % 3 else int(rng.integers(1, len(data)))
            path = os.path.join(folder, f"{i}")
            with open(path, "wb") as file:
                file.write(data[:cut])
            # A PNG without its end is whole to Pillow; here it is damaged.
            wanted.append((opens(data[:cut]), make is random_png, cut, len(data)))
            lines.append(line(path, form))
        for (status, _), (whole, is_png, cut, size) in zip(prepare(program, lines, [form] * len(lines)), wanted):
            if (status == 0) != whole and not (is_png and whole):
                faults += 1
                print(f"{'PNG' if is_png else 'JPEG'} cut to {cut} of {size} bytes: status {status}, Pillow reads it: {whole}")
    print(f"{len(wanted)} cut files: {len(wanted) - faults} as Pillow")
    return faults


def main():
    words = [word for word in sys.argv[1:] if word != "--jpeg"]
    jpeg = "--jpeg" in sys.argv
    program, count = words[0], int(words[1]) if len(words) > 1 else 2000
    seed = int(words[2]) if len(words) > 2 else random.randrange(2**31)
    print(f"Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}")
    sys.exit(bool(check_whole(program, jpeg, count, seed) + check_cut(program, jpeg, seed)))


if __name__ == "__main__":
    main()
