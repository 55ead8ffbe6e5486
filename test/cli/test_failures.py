"""Everything that must fail: one clear line, the right exit code, nothing half done on disk."""

import gzip
import resource
import shutil
import subprocess
import unittest
from pathlib import Path

from command import DATA, LIMIT, MODEL, PROGRAM, QUICK, Case, run, search, without_advice

LABELS = DATA.replace("images-idx3", "labels-idx1")


class Inputs(Case):
    def refuse(self, model, data, *words):
        out = self.folder / "out"
        done = run("search", model, data, "-o", out, *QUICK, "--classes", "0", code=1)
        self.check_one_line(done, *words)
        self.assertFalse(out.exists())

    def test_models(self):
        whole = Path(MODEL).read_bytes()
        cut, text, zeros = self.folder / "cut.safetensors", self.folder / "text.pth", self.folder / "zeros.safetensors"
        cut.write_bytes(whole[: len(whole) // 2])
        text.write_text("this is not a model\n")
        zeros.write_bytes(bytes(1000))
        for model in self.folder / "missing.pth", cut, text, zeros, self.folder, "/dev/null", LABELS:
            with self.subTest(model=model):
                self.refuse(model, DATA, str(model))

    def test_images(self):
        cut, empty = self.folder / "images-idx3-ubyte.gz", self.folder / "empty"
        cut.write_bytes(Path(DATA).read_bytes()[:20000])
        shutil.copy(LABELS, self.folder / "labels-idx1-ubyte.gz")
        empty.mkdir()
        alone = self.folder / "alone-images-idx3-ubyte"
        alone.write_bytes(gzip.decompress(Path(DATA).read_bytes()))
        for data in self.folder / "missing", cut, empty, MODEL, LABELS, "/dev/null":
            with self.subTest(data=data):
                self.refuse(MODEL, data, str(data))
        self.refuse(MODEL, alone, "labels")

    def test_options(self):
        cases = [
            (["--sizes", "0.01"], ["0.0001", "0 of 784"]),
            (["--sizes", "0"], ["size", "0"]),
            (["--sizes", "101"], ["1.01"]),
            (["--sizes", "-5"], ["-0.05"]),
            (["--picture-size", "0"], ["picture_size"]),
            (["--scale", "65"], ["scale is 65"]),
            (["--alpha", "-1"], ["alpha", "-1"]),
            (["--tv", "-1"], ["tv", "-1"]),
            (["--epochs", "0"], ["epochs", "0"]),
            (["--batch", "0"], ["batch", "0"]),
            (["--batch", "1025"], ["batch", "1025"]),
            (["--canvases", "0"], ["canvases", "0"]),
            (["--step", "0"], ["step", "0"]),
            (["--fraction", "0"], ["fraction", "0"]),
            (["--fraction", "150%"], ["fraction", "1.5"]),
            (["--select-size", "0"], ["select_size", "0"]),
            (["--lanes", "-1"], ["lanes", "-1"]),
            (["--canvas", "nowhere.png"], ["nowhere.png"]),
            (["--canvas", MODEL], [MODEL]),
            (["--labels", "nowhere"], ["nowhere"]),
            (["--size", "32"], ["28", "32"]),
            (["--std", "0"], ["std", "0"]),
            (["--names", "nowhere"], ["nowhere"]),
        ]
        out = self.folder / "out"
        usage = {
            "--memory": ["0", "M", "-5M", "5MB", "8589934592G", "x"],
            "--convolutions": ["x", ""],
            "--precision": ["f16"],
        }
        for option, values in usage.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    self.check_one_line(search(out, f"{option}={value}", code=2), option, f'"{value}"')
        for options, words in cases:
            with self.subTest(options=options):
                self.check_one_line(search(out, *options, code=1), *words)
                self.assertFalse(out.exists())

    def test_classes(self):
        out = self.folder / "out"
        wrong = {"10": "0 to 9", "-1": "0 to 9", "0-10": "0-10", "5-3": '"5-3"', "shoe": '"shoe"', "": '""'}
        wrong["0,,1"] = '""'
        for classes, word in wrong.items():
            with self.subTest(classes=classes):
                self.check_one_line(search(out, f"--classes={classes}", code=2), "--classes", word)
                self.assertFalse(out.exists())

    def test_reports(self):
        words = ["power", MODEL, DATA, "--limit", LIMIT]
        self.check_one_line(run(*words, self.folder, code=1), "result.json")
        self.check_one_line(run(*words, self.folder / "none", code=1), "none")
        search(self.folder, "--classes", "0", "--power", "none")
        self.check_one_line(run(*words, self.folder, "--sizes", "0.01", code=1), "0.0001")
        (self.folder / "mask-0-0.npy").unlink()
        self.check_one_line(run(*words, self.folder, code=1), "mask-0-0.npy")
        result = self.folder / "result.json"
        result.write_text(result.read_text()[:-20])
        self.check_one_line(run(*words, self.folder, code=1), "result.json")
        self.check_one_line(search(self.folder, "--resume", code=1), "result.json")


class Outputs(Case):
    def test_unwritable(self):
        (self.folder / "file").write_text("x")
        for out in "/dev/null", "/dev/null/x", "/proc/x", self.folder / "file", self.folder / "file" / "x" / "y":
            with self.subTest(out=out):
                self.check_one_line(search(out, "--classes", "0", code=1), str(out))

    def test_standard_output_is_full(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "info", MODEL], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(without_advice(done.stderr), "^iscp: standard output cannot be written: .*\n$")

    def test_a_file_cannot_be_finished(self):
        """A limit of 3,000 bytes a file lets result.json through and stops the arrays: as a disk that fills up."""
        done = subprocess.run(
            [PROGRAM, "search", MODEL, DATA, "-o", str(self.folder), *QUICK, "--classes", "0", "--power", "none"],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)),
            restore_signals=False,  # SIGXFSZ stays ignored, so that the write fails
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("mask-0-0.npy", done.stderr.splitlines()[-1])
        self.assertEqual(self.read_result(self.folder)["finished"], [])
        self.assertEqual([p.name for p in self.folder.iterdir()], ["result.json"])

    def test_the_disk_is_full(self):
        """On a file system of 12 kB, in a mount name space of its own."""
        script = 'mount -t tmpfs -o size=12k none "$1" && shift && exec "$@"'
        words = ["search", MODEL, DATA, "-o", str(self.folder), *QUICK, "--classes", "0", "--power", "none"]
        apart = ["unshare", "-m", "sh", "-c", script, "sh", str(self.folder)]
        if not shutil.which("unshare") or subprocess.run([*apart, "true"], capture_output=True).returncode:
            self.skipTest("no mount name space to be had")
        done = subprocess.run([*apart, PROGRAM, *words], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("No space left on device", done.stderr.splitlines()[-1])
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
