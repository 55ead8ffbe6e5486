"""Ctrl-C, --resume and --overwrite."""

import json
import shlex
import signal
import subprocess
import time
import unittest

from command import DATA, MODEL, PROGRAM, QUICK, Case, search

WORDS = [*QUICK, "--classes", "0-5", "--sizes", "5"]


class Resume(Case):
    def interrupt(self, folder, finished, sign):
        """Starts a search and interrupts it when `finished` classes are on disk."""
        command = [PROGRAM, "search", MODEL, DATA, "-o", str(folder), *WORDS]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if len(json.loads((folder / "result.json").read_text())["finished"]) >= finished:
                    break
            except FileNotFoundError:
                pass
            time.sleep(0.01)
        process.send_signal(sign)
        _, errors = process.communicate(timeout=600)
        self.assertEqual(process.returncode, 130, errors)
        return errors

    def go_on(self, errors):
        """Runs the command that the message names, as a shell reads it."""
        command = shlex.split(errors.splitlines()[-1].split("to go on: ", 1)[1])
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        self.assertEqual(done.returncode, 0, done.stderr)
        return command

    def test_interrupted_and_gone_on_with_is_the_same(self):
        whole, cut = self.folder / "whole", self.folder / "cut in two, by 'hand'"
        search(whole, "--classes", "0-5", "--sizes", "5")
        errors = self.interrupt(cut, 1, signal.SIGINT)
        finished = self.read_result(cut)["finished"]
        self.assertTrue(0 < len(finished) < 6, finished)
        self.assertIn(f"{len(finished)} of 6 classes", errors)
        self.assertEqual(self.go_on(errors)[-1], "--resume")
        self.assertEqual({p.name for p in whole.iterdir()}, {p.name for p in cut.iterdir()})
        for path in whole.iterdir():
            self.assertEqual(path.read_bytes(), (cut / path.name).read_bytes(), path.name)

    def test_terminated_before_the_first_class(self):
        out = self.folder / "out"
        errors = self.interrupt(out, 0, signal.SIGTERM)
        result = self.read_result(out)
        self.assertEqual((result["finished"], result["manifest"]["classes"]), ([], [0, 1, 2, 3, 4, 5]))
        self.assertIn("0 of 6 classes", errors)

    def test_more_classes_later(self):
        both, two = self.folder / "both", self.folder / "two"
        search(both, "--classes", "1-2", "--sizes", "5", "--lanes", "1")
        search(two, "--classes", "2", "--sizes", "5")  # one job, one lane; the resumed run takes the plan that is there
        search(two, "--classes", "1", "--sizes", "5", "--resume")
        self.assertEqual((both / "result.json").read_text(), (two / "result.json").read_text())
        self.assertEqual((both / "sheet.png").read_bytes(), (two / "sheet.png").read_bytes())
        done = search(two, "--classes", "1", "--sizes", "5", "--resume")  # nothing left to do
        self.assertIn("mPW", done.stdout)

    def test_fewer_classes_later(self):
        search(self.folder, "--classes", "1-3", "--canvases", "1", "--power", "none")
        plan = self.read_result(self.folder)["manifest"]["search"]
        search(self.folder, "--classes", "4", "--canvases", "1", "--power", "none", "--resume")
        after = self.read_result(self.folder)
        self.assertEqual((after["finished"], after["manifest"]["search"]), ([1, 2, 3, 4], plan))

    def test_a_broken_report_is_named(self):
        search(self.folder, "--classes", "0", "--power", "none")
        (self.folder / "mask-0-0.npy").unlink()
        self.check_one_line(search(self.folder, "--classes", "0-1", "--resume", code=1), "mask-0-0.npy")

    def test_memory_shrinks_the_passes(self):
        search(self.folder, "--classes", "0-3", "--canvases", "1", "--power", "none", "--memory", "14M")
        plan = self.read_result(self.folder)["manifest"]["search"]
        self.assertLess(plan["pass_batch"], plan["lanes"] * plan["batch"])

    def test_what_is_there_is_kept(self):
        search(self.folder, "--classes", "0", "--power", "none")
        before = {p.name: p.read_bytes() for p in self.folder.iterdir()}
        self.check_one_line(search(self.folder, "--classes", "0", code=1), "--resume", "--overwrite")
        for words in ["--step", "0.03"], ["--seed", "1"], ["--sizes", "3"], ["--limit", "100"], ["--canvas", "white"]:
            done = search(self.folder, "--classes", "0", "--power", "none", "--resume", *words, code=1)
            self.check_one_line(done, "another run's", "there and", "here")
        self.assertEqual(before, {p.name: p.read_bytes() for p in self.folder.iterdir()})
        (self.folder / "mine.txt").write_text("mine")
        search(self.folder, "--classes", "1", "--power", "none", "--overwrite")
        self.assertEqual(self.read_result(self.folder)["finished"], [1])
        left = {"mine.txt", "result.json", "sheet.png", "pattern-1.png"}
        left |= {"mask-1-0.npy", "evidence-1-0.npy", "canvas-1-0.npy"}
        self.assertEqual({p.name for p in self.folder.iterdir()}, left)


if __name__ == "__main__":
    unittest.main()
