"""iscp invert: what it leaves, that the new set can be learned, and that a run which is stopped in any way ends with the same bytes."""

import gzip
import json
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from command import DATA, MODEL, PROGRAM, Case, read_npy, read_png, run

COUNT, BATCH, STEPS = 20, 6, 40
QUICK = ["--limit", str(COUNT), "--steps", str(STEPS), "--batch", str(BATCH), "--threads", "1"]
FILES = ["images-labels.npy", "images.npy", "input.json", "invert.json", "strip.png"]
KILLS = 4


def invert(folder, *words, code=0, **options):
    return run("invert", MODEL, DATA, "-o", folder, *QUICK, *words, code=code, **options)


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


class Invert(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scratch = tempfile.TemporaryDirectory()
        cls.whole = Path(cls.scratch.name) / "deep" / "whole"
        begin = time.monotonic()
        cls.done = invert(cls.whole)
        cls.seconds = time.monotonic() - begin

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()
        super().tearDownClass()

    def test_what_it_leaves(self):
        self.assertEqual(list(files(self.whole)), FILES)
        shape, pixels = read_npy(self.whole / "images.npy")
        self.assertEqual((shape, len(pixels)), ((COUNT, 28, 28, 3), COUNT * 28 * 28 * 3))
        self.assertEqual(read_png(self.whole / "strip.png")[:3], (4 * (8 * 29 - 1), 4 * (3 * 29 - 1), 3))
        about = json.loads((self.whole / "invert.json").read_text())
        self.assertEqual((about["images"], about["steps"], about["step"], about["batch"]), (COUNT, STEPS, 0.1, BATCH))
        self.assertEqual((len(about["starts"]), len(about["distances"])), (COUNT, COUNT))
        self.assertTrue(all(start != i and 0 <= start < COUNT for i, start in enumerate(about["starts"])))
        mean = about["mean_distance"]
        self.assertAlmostEqual(sum(about["distances"]) / COUNT, mean["stored"], places=5)
        self.assertLess(mean["made"], 0.5 * mean["start"])
        self.assertLess(mean["stored"] - mean["made"], 0.02)  # what rounding to bytes takes away
        self.assertRegex(self.done.stdout, rf"^mean distance of features: {mean['start']:.4f} at the start, {mean['made']:.4f} after")
        self.assertEqual(json.loads(invert(self.folder / "json", "--json").stdout)["distances"], about["distances"])

    def test_other_labels(self):
        done = invert(self.folder / "next", "--kind", "deterministic", "--steps", "100", "--eps", "1")
        about = json.loads((self.folder / "next" / "invert.json").read_text())
        labels = read_npy(self.folder / "next" / "images-labels.npy")[1]
        self.assertEqual(labels, tuple((label + 1) % 10 for label in read_npy(self.whole / "images-labels.npy")[1]))
        self.assertEqual(about["taken"], sum(a == b for a, b in zip(labels, about["predicted"])))
        self.assertGreater(about["taken"], COUNT // 2)
        self.assertLessEqual(about["mean_distance"]["made"], 1 + 1e-6)
        self.assertTrue(done.stdout.startswith(f"taken for their label: {about['taken']} of {COUNT}; mean distance"))
        self.assertEqual(read_png(self.folder / "next" / "strip.png")[:2], (4 * (8 * 29 - 1), 4 * (2 * 29 - 1)))
        self.check_one_line(invert(self.folder / "next", "--resume", code=1), "another set")

    def test_it_can_be_learned(self):
        """As the last line says; the labels are those of the images."""
        command = self.done.stdout.splitlines()[-1].split("iscp ")[1].replace("MODEL", str(self.folder / "model")).split()
        run(*command, "--depth", "18", "--width", "8", "--stem", "cifar", "--batch", "16", "--epochs", "1")
        learned = json.loads(run("info", self.folder / "model" / "model.safetensors", "--json").stdout)
        self.assertEqual((learned["contract"]["height"], learned["contract"]["pad"]), (28, [0, 0, 0, 0]))
        labels = gzip.decompress(Path(DATA.replace("images-idx3", "labels-idx1")).read_bytes())[8:]
        self.assertEqual(read_npy(self.whole / "images-labels.npy"), ((COUNT,), tuple(labels[:COUNT])))

    def test_kill_at_random_moments(self):
        """Whoever is killed has lost a batch at most: what follows is the same to the byte."""
        folder, generator = self.folder / "killed", random.Random(1)
        command = [PROGRAM, "invert", MODEL, DATA, "-o", str(folder), *QUICK, "--resume"]
        killed = 0
        while killed < KILLS:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                self.assertEqual(process.wait(generator.uniform(0.1, 0.6) * self.seconds), 0)
                self.assertEqual(files(folder), files(self.whole))
                shutil.rmtree(folder)
            except subprocess.TimeoutExpired:
                process.kill()
                killed += process.wait() == -signal.SIGKILL
        invert(folder, "--resume")
        self.assertEqual(files(folder), files(self.whole))

    def test_a_torn_journal(self):
        """What was being written is cut off; a journal without its two lines is begun anew."""
        folder = self.folder / "torn"
        self.interrupt(folder)
        with open(folder / "invert.part", "ab") as journal:
            journal.write(b"half a batch" * 300)
        invert(folder, "--resume")
        self.assertEqual(files(folder), files(self.whole))
        for name in FILES:
            (folder / name).unlink()
        (folder / "invert.part").write_bytes(b"features, mod")
        invert(folder)
        self.assertEqual(files(folder), files(self.whole))

    def interrupt(self, folder):
        """Stops a run once a batch is in the journal."""
        command = [PROGRAM, "invert", MODEL, DATA, "-o", str(folder), *QUICK]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        journal = folder / "invert.part"
        while process.poll() is None and not (journal.exists() and journal.stat().st_size > 5000):
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        message = process.communicate()[1]
        self.assertEqual(process.returncode, 130, message)
        return message

    def test_interrupt(self):
        folder = self.folder / "interrupted"
        message = self.interrupt(folder)
        self.assertRegex(message, rf"iscp: \d+ of {COUNT} images are kept")
        self.assertEqual(list(files(folder)), ["invert.part"])
        self.check_one_line(invert(folder, code=1), "--resume", "--overwrite")
        self.check_one_line(invert(folder, "--resume", "--batch", "9", code=1), f"batch {BATCH}")
        self.check_one_line(invert(folder, "--resume", "--step", "0.2", code=1), "step 0.1", "expected step 0.2")
        self.check_one_line(invert(folder, "--resume", "--limit", "43", code=1), "images ")
        words = message.splitlines()[-1].split()
        self.assertEqual(words[-1], "--resume")
        subprocess.run([PROGRAM, *words[1:]], check=True, capture_output=True)
        self.assertEqual(files(folder), files(self.whole))

    def test_full_disk(self):
        folder, limit = self.folder / "full", 3 * BATCH * (28 * 28 * 3 + 40) + 1000
        failed = invert(
            folder, code=1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), restore_signals=False
        )
        self.check_one_line(failed, "invert.part", "cannot be written")
        invert(folder, "--resume")
        self.assertEqual(files(folder), files(self.whole))

    def test_what_is_there_already(self):
        folder = self.folder / "there"
        shutil.copytree(self.whole, folder)
        self.check_one_line(invert(folder, code=1), "this set already", "--overwrite")
        self.assertIn("this set already", invert(folder, "--resume").stderr)
        self.check_one_line(invert(folder, "--resume", "--seed", "1", code=1), "another set")
        invert(folder, "--overwrite", "--seed", "1")
        self.assertEqual(list(files(folder)), FILES)
        self.assertNotEqual(files(folder)["images.npy"], files(self.whole)["images.npy"])
        self.assertEqual(files(folder)["images-labels.npy"], files(self.whole)["images-labels.npy"])

    def test_pictures_of_others_are_never_replaced(self):
        """The arrays that are read, in the folder that is to be written."""
        folder = self.folder / "own"
        shutil.copytree(self.whole, folder)
        (folder / "invert.json").unlink()
        before = files(folder)
        for words in ([], ["--overwrite"], ["--resume"]):
            self.check_one_line(invert(folder, *words, code=1), "images.npy", "expected another folder")
        self.assertEqual(files(folder), before)

    def test_what_is_refused(self):
        folder = self.folder / "refused"
        self.check_one_line(run("invert", MODEL, DATA, code=2), "-o DIR")
        self.check_one_line(invert(folder, "--resume", "--overwrite", code=2), "exclude")
        for option, value in (("--steps", "0"), ("--step", "far"), ("--batch", "5000"), ("--seed", "-1")):
            self.check_one_line(invert(folder, option, value, code=2), option, value)
        self.check_one_line(invert(folder, "--kind", "wild", code=2), "features, random or deterministic")
        self.check_one_line(invert(folder, "--step", "0", code=1), "step is 0")
        self.check_one_line(invert(folder, "--limit", "1", code=1), "1 images")
        self.assertEqual(list(files(folder)), [])
        (self.folder / "file").write_text("")
        self.check_one_line(invert(self.folder / "file", code=1), "file")


if __name__ == "__main__":
    unittest.main()
