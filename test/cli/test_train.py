"""iscp train: what it leaves, what it says, and that a training which is stopped in any way ends with the same bytes."""

import io
import json
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

from command import DATA, PROGRAM, Case, run, write_png

INPUT = ["--size", "28x28", "--mean", "0.286", "--std", "0.353"]
NETWORK = ["--depth", "18", "--width", "8", "--stem", "cifar", "--threads", "1"]
QUICK = [*INPUT, *NETWORK, "--limit", "640", "--batch", "64", "--epochs", "3", "--rate", "0.05", "--shift", "2", "--flip"]
KILLS = 20


def train(folder, *words, code=0, **options):
    return run("train", DATA, "-o", folder, *QUICK, *words, code=code, **options)


def weights(folder):
    return (Path(folder) / "model.safetensors").read_bytes()


def tensors(folder):
    """Name -> dtype and numbers."""
    data = weights(folder)
    begin = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:begin])
    letters = {"F32": "f", "F16": "e", "I64": "q"}
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = (begin + place for place in entry["data_offsets"])
            found[name] = (entry["dtype"], [x for (x,) in struct.iter_unpack("<" + letters[entry["dtype"]], data[first:last])])
    return found


class Train(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scratch = tempfile.TemporaryDirectory()
        cls.whole = Path(cls.scratch.name) / "whole"
        begin = time.monotonic()
        cls.done = train(cls.whole, "--keep", "2", "--test", DATA)
        cls.seconds = time.monotonic() - begin

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()
        super().tearDownClass()

    def place(self, name):
        return Path(self.scratch.name) / name

    def test_what_it_leaves(self):
        self.assertEqual(
            sorted(path.name for path in self.whole.iterdir()), ["epoch-2.safetensors", "model.safetensors", "state.safetensors"]
        )
        lines = self.done.stdout.splitlines()
        self.assertEqual(len(lines), 4)
        for epoch, line in enumerate(lines[:3], 1):
            self.assertRegex(
                line, rf"^epoch {epoch} of 3: loss \d\.\d{{4}}, accuracy 0\.\d{{4}}, \d+ images/s, test accuracy 0\.\d{{4}}$"
            )
        info = json.loads(run("info", self.whole / "model.safetensors", "--json").stdout)
        self.assertEqual((info["depth"], info["width"], info["classes"]), (18, 8, 10))

    def test_json(self):
        lines = train(self.place("json"), "--json").stdout.splitlines()
        self.assertEqual([json.loads(line)["epoch"] for line in lines], [1, 2, 3])
        self.assertEqual(weights(self.place("json")), weights(self.whole))

    def test_under_attack(self):
        folder, other = self.place("attacked"), self.place("attacked-otherwise")
        words = ["--epochs", "1", "--attack", "linf", "--attack-steps", "2"]
        done = train(folder, *words, "--attack-eps", "25.5/255")
        natural = train(self.place("natural"), "--epochs", "1")
        loss = [float(d.stdout.split("loss ")[1].split(",")[0]) for d in (natural, done)]
        self.assertGreater(loss[1], loss[0])
        train(other, *words, "--attack-eps", "0.1", "--attack-step", "0.025")  # the same, said in other words
        self.assertEqual(weights(folder), weights(other))
        refused = train(folder, *words, "--attack-eps", "0.2", "--resume", code=1)
        self.assertIn("expected attack_eps 0.2", refused.stderr)
        refused = train(folder, "--epochs", "1", "--resume", code=1)
        self.assertIn("expected no attack", refused.stderr)
        self.check_one_line(train(folder, "--attack-steps", "2", code=2), "--attack-steps", "without --attack")

    def test_kill_at_random_moments(self):
        """Killed twenty times, each time a little further on; what is on disk is always whole. Done before that, it starts anew."""
        folder, generator = self.place("killed"), random.Random(1)
        command = [PROGRAM, "train", DATA, "-o", str(folder), *QUICK, "--save-every", "0", "--resume"]
        killed = 0
        while killed < KILLS:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:  # of a whole training's time, so that a slow machine gets as far as a fast one
                self.assertEqual(process.wait(generator.uniform(0.05, 0.5) * self.seconds), 0)
                self.assertEqual(weights(folder), weights(self.whole))
                shutil.rmtree(folder)
            except subprocess.TimeoutExpired:
                process.kill()
                killed += process.wait() == -signal.SIGKILL
        train(folder, "--resume")
        self.assertEqual(weights(folder), weights(self.whole))

    def test_interrupt(self):
        folder = self.place("interrupted")
        process = subprocess.Popen(
            [PROGRAM, "train", DATA, "-o", str(folder), *QUICK], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        time.sleep(0.3 * self.seconds)
        process.send_signal(signal.SIGINT)
        message = process.communicate()[1]
        if process.returncode == 130:  # a fast machine may be done by then
            self.assertIn("--resume goes on with it", message)
            self.assertFalse((folder / "model.safetensors").exists())
        train(folder, "--resume")
        self.assertEqual(weights(folder), weights(self.whole))

    def test_full_disk(self):
        """A state that does not fit leaves the one before, and the training goes on from it once there is room."""
        folder = self.place("full")
        limit = (self.whole / "state.safetensors").stat().st_size // 2
        failed = train(
            folder, code=1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), restore_signals=False
        )
        self.assertIn("state.safetensors", failed.stderr)
        self.assertEqual(list(folder.iterdir()), [])
        train(folder, "--resume")
        self.assertEqual(weights(folder), weights(self.whole))

    def test_an_epoch_that_was_not_finished(self):
        """Stopped between an epoch's state and its weights, it makes up for them."""
        folder = self.place("unfinished")
        (folder / "epoch-1.safetensors").mkdir(parents=True)  # where the file cannot come
        self.assertIn("epoch-1.safetensors", train(folder, "--keep", "1", code=1).stderr)
        (folder / "epoch-1.safetensors").rmdir()
        lines = train(folder, "--keep", "1", "--resume").stdout.splitlines()
        self.assertRegex(lines[0], r"^epoch 1 of 3: loss \d\.\d{4}, accuracy 0\.\d{4}$")
        self.assertEqual(len(lines), 4)
        self.assertEqual(sorted(path.name for path in folder.glob("epoch-*")), [f"epoch-{n}.safetensors" for n in (1, 2, 3)])
        self.assertEqual(weights(folder), weights(self.whole))

    def test_what_is_learned(self):
        """Of splits "train", in an archive too; the test images never unasked; of a set without splits all."""
        small, generator = [*NETWORK, "--batch", "32", "--epochs", "1"], random.Random(2)

        def archive(name, *parts):
            with tarfile.open(self.place(name), "w:gz") as tar:
                for part in parts:
                    records = b"".join(bytes([i % 10]) + generator.randbytes(3072) for i in range(32))
                    entry = tarfile.TarInfo(f"cifar-10-batches-bin/{part}.bin")
                    entry.size = len(records)
                    tar.addfile(entry, io.BytesIO(records))
            return self.place(name)

        def learned(data, name, *words):
            run("train", data, "-o", self.place(name), "--input", "cifar10", *small, *words)
            return weights(self.place(name))

        both = archive("both.tar.gz", *(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
        self.assertEqual(learned(both, "unasked"), learned(both, "asked", "--split", "train"))
        self.assertNotEqual(learned(both, "tested", "--split", "test"), weights(self.place("unasked")))
        none = ["-o", self.place("none"), "--input", "cifar10", *small]
        self.assertIn("train", run("train", archive("test.tar.gz", "test_batch"), *none, code=1).stderr)
        for i in range(32):
            folder = self.place("album") / f"class{i % 4}"
            folder.mkdir(parents=True, exist_ok=True)
            write_png(folder / f"{i}.png", 8 * i, 32)
        learned(self.place("album"), "pictures")

    def test_going_on_from_weights(self):
        tuned = train(self.place("tuned"), "--from", self.whole / "model.safetensors", "--epochs", "1", "--rate", "0.01")
        loss, fresh = (float(done.stdout.split("loss ")[1].split(",")[0]) for done in (tuned, self.done))
        self.assertLess(loss, fresh - 0.3)  # in the first epoch

    def test_store(self):
        """Weights as f16 are half as long, and those of float32 rounded; the state goes on in full."""
        folder = self.place("halves")
        train(folder, "--store", "f16", "--keep", "3")
        halves, whole = ((place / "model.safetensors").stat().st_size for place in (folder, self.whole))
        self.assertLess(halves, 0.55 * whole)
        self.assertEqual((folder / "epoch-3.safetensors").read_bytes(), weights(folder))
        self.assertEqual((folder / "state.safetensors").read_bytes(), (self.whole / "state.safetensors").read_bytes())
        files = [place / "model.safetensors" for place in (folder, self.whole)]
        whole = tensors(self.whole)
        for name, (dtype, numbers) in tensors(folder).items():
            self.assertEqual(dtype, "F16")
            self.assertEqual(numbers, [struct.unpack("<e", struct.pack("<e", x))[0] for x in whole[name][1]], name)  # to the nearest
        right = [json.loads(run("check", file, DATA, "--json").stdout)["accuracy"] for file in files]
        self.assertAlmostEqual(*right, delta=0.01)
        self.assertIn("--store", train(folder, "--store", "f8", code=2).stderr)

    def test_overwrite(self):
        """What is replaced leaves no weights that would be taken for the new ones."""
        folder, others = self.place("replaced"), {"epoch-notes.safetensors", "epoch-3-best.safetensors"}
        train(folder, "--keep", "1")
        for name in others:
            (folder / name).write_bytes(b"of others")
        train(folder, "--keep", "1", "--epochs", "1", "--overwrite")
        left = {path.name for path in folder.iterdir()}
        self.assertEqual(left, {"epoch-1.safetensors", "model.safetensors", "state.safetensors"} | others)
        begin = str(folder / "epoch-1.safetensors")
        self.check_one_line(train(folder, "--from", begin, "--overwrite", code=1), "--from", begin)
        self.assertEqual({path.name for path in folder.iterdir()}, left)
        train(folder, "--rate", "1e30", "--overwrite", code=1)  # nothing is left that --resume would go on with
        self.assertEqual({path.name for path in folder.iterdir()}, others)

    def test_a_loss_that_rises_is_told(self):
        """A rate that grows to 10: the weights stay finite, and nothing is learned any more."""
        words = ["--rate", "10", "--rise", "0.99", "--epochs", "4"]
        told = re.findall(r"iscp: the loss rose from (\S+) to (\S+) in epoch (\d)", train(self.place("rising"), *words).stderr)
        self.assertTrue(told)
        for before, after, epoch in told:
            self.assertGreater(float(after), float(before) + 0.09)  # of numbers that are rounded to 0.01
            self.assertGreater(int(epoch), 1)
        self.assertNotIn("the loss rose", self.done.stderr)

    def test_progress(self):
        """The bar is that of all epochs."""
        screen, terminal = os.openpty()
        command = [PROGRAM, "train", DATA, "-o", str(self.place("watched")), *QUICK]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=terminal)
        os.close(terminal)
        shown = b""
        try:
            while part := os.read(screen, 65536):
                shown += part
        except OSError:  # the end, on Linux
            pass
        os.close(screen)
        self.assertEqual(process.wait(), 0)
        told = [(int(e), int(p)) for e, p in re.findall(rb"(\d)/3 loss [^\r]* (\d+) %(?:,[^\r]* left)?(?=\r|$)", shown)]
        self.assertEqual(sorted(told), told)
        self.assertEqual({epoch for epoch, _ in told}, {1, 2, 3})
        self.assertEqual([max(p for e, p in told if e == epoch) for epoch in (1, 2, 3)], [33, 66, 100])

    def test_what_is_refused(self):
        self.assertIn("--resume", train(self.whole, code=1).stderr)
        self.assertIn("epochs 9", train(self.whole, "--resume", "--epochs", "9", code=1).stderr)
        other = self.place("other")
        self.assertIn("input", train(self.whole, "--resume", "--mean", "0.3", code=1).stderr)
        self.assertIn("exclude", train(other, "--resume", "--overwrite", code=2).stderr)
        self.assertIn("-o DIR", run("train", DATA, *QUICK, code=2).stderr)
        self.assertIn("--input", run("train", DATA, "-o", other, code=2).stderr)
        self.assertIn("--schedule", train(other, "--schedule", "wild", code=2).stderr)
        self.assertIn("momentum is 2", train(other, "--momentum", "2", code=1).stderr)
        self.assertIn("learning rate", train(other, "--rate", "1e30", code=1).stderr)


if __name__ == "__main__":
    unittest.main()
