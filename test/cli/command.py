"""Runs the iscp program for the tests of this folder, and reads what it leaves: PNG and npy by hand, stdlib only."""

import ast
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib
from pathlib import Path

PROGRAM = os.environ["ISCP_PROGRAM"]
EXAMPLES = Path(os.environ["ISCP_EXAMPLES"])
MODEL = str(EXAMPLES / "models" / "fashion-natural.safetensors")
DATA = str(EXAMPLES / "data" / "t10k-2000-images-idx3-ubyte.gz")
LIMIT = "120"
PROGRESS = re.compile(r"(?!iscp: ).* \d+ %(, [\d:]+ left)?")
QUICK = ["--canvases", "1", "--epochs", "1", "--fraction", "0.05", "--limit", LIMIT]
CHANNELS, SIDE = 3, 28


def run(*words, code=0, **options):
    """Runs iscp, checks its exit code and that a failure is one line on standard error."""
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=900, **options)
    if done.returncode != code:
        raise AssertionError(f"iscp {words}: exit code {done.returncode}, expected {code}\n{done.stderr}")
    done.stderr = without_advice(done.stderr)
    return done


def without_advice(text):
    """What iscp wrote, without its advice on OpenBLAS's kernels: that depends on the machine alone."""
    return "".join(line for line in text.splitlines(keepends=True) if "OPENBLAS_CORETYPE" not in line)


def search(folder, *words, code=0, **options):
    return run("search", MODEL, DATA, "-o", folder, *QUICK, *words, code=code, **options)


def write_png(path, value, side=28):
    """A grey picture of one value."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes([value]) * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def read_png(path):
    """(width, height, channels, rows of bytes) of an 8-bit PNG that is not interlaced."""
    data = Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    place, packed, header = 8, b"", None
    while place < len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        assert struct.unpack(">I", data[place + 8 + size : place + 12 + size])[0] == zlib.crc32(kind + body), path
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        if kind == b"IDAT":
            packed += body
        place += 12 + size
    width, height, depth, colour, _, _, interlaced = header
    assert depth == 8 and not interlaced and kind == b"IEND", path
    channels = {0: 1, 2: 3, 6: 4}[colour]
    return width, height, channels, unfilter(zlib.decompress(packed), width * channels, height, channels)


def unfilter(data, stride, height, channels):
    rows, above = [], bytearray(stride)
    for y in range(height):
        kind, row = data[y * (stride + 1)], bytearray(data[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for i in range(stride):
            left = row[i - channels] if i >= channels else 0
            corner = above[i - channels] if i >= channels else 0
            guess = left + above[i] - corner
            paeth = min((abs(guess - value), rank, value) for rank, value in enumerate((left, above[i], corner)))[2]
            row[i] = (row[i] + [0, left, above[i], (left + above[i]) // 2, paeth][kind]) & 255
        rows.append(bytes(row))
        above = row
    return rows


def read_npy(path):
    """(shape, values as a flat tuple) of a C-ordered little-endian array."""
    data = Path(path).read_bytes()
    assert data[:6] == b"\x93NUMPY", path
    size, start = (struct.unpack("<H", data[8:10])[0], 10) if data[6] == 1 else (struct.unpack("<I", data[8:12])[0], 12)
    header = ast.literal_eval(data[start : start + size].decode())
    assert not header["fortran_order"], path
    letter = {"<f4": "f", "<i4": "i", "<i8": "q", "|u1": "B"}[header["descr"]]
    count = 1
    for side in header["shape"]:
        count *= side
    return header["shape"], struct.unpack(f"<{count}{letter}", data[start + size :])


def without_contract(path):
    """Writes the shipped model without its metadata, as a checkpoint that does not say what its input is."""
    data = Path(MODEL).read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    del header["__metadata__"]
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])
    return str(path)


class Case(unittest.TestCase):
    """A test with a folder of its own in self.folder."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="iscp-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def check_one_line(self, done, *words):
        """One line says what is wrong. Before it a slow machine may have told every ten seconds how far it was."""
        lines = [line for line in done.stderr.splitlines() if not PROGRESS.fullmatch(line)]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("iscp: "), lines[0])
        self.assertFalse(lines[0].endswith("."), lines[0])
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, lines[0])

    def read_result(self, folder):
        """result.json, checked against its schema and against the files that it names."""
        result = json.loads((Path(folder) / "result.json").read_text())
        self.assertEqual(list(result), ["schema", "manifest", "finished", "patterns"])
        self.assertEqual(result["schema"], 1)
        self.assertEqual(result["finished"], sorted(set(result["finished"])))
        for entry in result["patterns"]:
            self.check_entry(Path(folder), entry, result)
        self.check_manifest(result["manifest"])
        return result

    def check_manifest(self, manifest):
        self.assertEqual(
            list(manifest),
            ["library", "backend", "kernels", "convolutions", "precision", "threads", "model", "data", "search", "evaluation", "classes"],
        )
        self.assertRegex(manifest["model"]["weights_sha256"], "^[0-9a-f]{64}$")
        self.assertRegex(manifest["data"]["sha256"], "^[0-9a-f]{64}$")
        self.assertEqual(
            set(manifest["search"]),
            set(
                "preset alpha_mode alpha tv canvas_steps mask_steps canvas_step canvas_kinds step fraction select_size seed canvases epochs batch select ties "
                "lanes pass_batch user_canvas_count user_canvases_sha256".split()
            ),
        )

    def check_entry(self, folder, entry, result):
        self.assertIn(entry["class"], result["finished"])
        self.assertIn(entry["canvas"]["kind"], ["positive", "negative", "random", "white", "user"])
        self.assertIsInstance(entry["selected"], bool)
        self.assertEqual(entry["canvas_steps"] > 0, result["manifest"]["search"]["canvas_steps"] > 0)
        self.assertEqual(len(entry["epochs"]), result["manifest"]["search"]["epochs"])
        shape, mask = read_npy(folder / entry["mask"])
        self.assertEqual(shape, (SIDE, SIDE))
        self.assertTrue(0 <= min(mask) and max(mask) <= 1)
        self.assertEqual((mask.count(1), mask.count(0)), (entry["saturated"], entry["zeros"]))
        self.assertEqual(read_npy(folder / entry["evidence"])[0], (SIDE, SIDE))
        self.assertEqual(read_npy(folder / entry["canvas_file"])[0], (CHANNELS, SIDE, SIDE))
        for row in entry["power"]:
            self.check_row(row)

    def check_row(self, row):
        self.assertEqual(
            list(row),
            "size pixels tied tied_kept pw asr accuracy nontarget nontarget_hits nontarget_clean target target_correct "
            "asr_low asr_high accuracy_low accuracy_high".split(),
        )
        self.assertEqual(row["pixels"], int(row["size"] * SIDE * SIDE + 0.5))
        self.assertAlmostEqual(row["asr"], row["nontarget_hits"] / row["nontarget"], places=12)
        self.assertAlmostEqual(row["accuracy"], row["target_correct"] / row["target"], places=12)
        self.assertAlmostEqual(row["pw"], row["asr"] / row["accuracy"], places=12)
        self.assertTrue(row["asr_low"] <= row["asr"] <= row["asr_high"])
        self.assertTrue(row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"])
