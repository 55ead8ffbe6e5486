"""examples/first.c, the program that the README prints."""

import gzip
import os
import re
import struct
import subprocess
import unittest
from pathlib import Path

from command import DATA, MODEL, Case, read_png

COUNT = 100


class First(Case):
    def test_it_runs(self):
        for name in "images-idx3", "labels-idx1":
            whole = gzip.decompress(Path(DATA.replace("images-idx3", name)).read_bytes())
            dims = whole[3]
            (total,) = struct.unpack(">I", whole[4:8])
            start = 4 + 4 * dims
            body = whole[start : start + (len(whole) - start) // total * COUNT]
            (self.folder / f"{name}-ubyte").write_bytes(whole[:4] + struct.pack(">I", COUNT) + whole[8:start] + body)
        words = [os.environ["ISCP_FIRST"], MODEL, str(self.folder / "images-idx3-ubyte")]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        line = r"class 0 at 5 %: PW [\d.]+ \(ASR [\d.]+ of (\d+), accuracy [\d.]+ of (\d+)\)\n"
        found = re.fullmatch(line, done.stdout)
        self.assertIsNotNone(found, done.stdout)
        self.assertTrue(60 < int(found[1]) + int(found[2]) < COUNT)
        self.assertEqual(read_png(self.folder / "pattern.png")[:3], (168, 168, 3))
        done = subprocess.run([*words[:2], "nowhere"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nowhere", done.stderr)


if __name__ == "__main__":
    unittest.main()
