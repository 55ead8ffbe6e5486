"""Proves that a change of the code changes no number: runs a fixed list of small jobs by two iscp programs and compares
what they leave, to the byte.

    python3 test/same.py PROGRAM-BEFORE PROGRAM-AFTER [--quick] [--only WORD] [--backends onednn,blas] [--scratch DIR]

Masks, evidence, canvases, pictures, weights, tables and the figures of JSON must be the same; sameness/compare.py lists
the keys that may differ, each with its reason, and those that were renamed, so that a new name hides no changed figure.
New keys, new files and other words around the same numbers are told as notes, and fail nothing. Both programs run with the
same threads and the models are those that the program before has trained. Without oneDNN leave its backend out.

With --scratch what the program before has left is kept and not computed again, as long as its bytes and those of its
library are the same: half the time of every later run, and several worktrees may share DIR. What the program after has
left lies there too, to be looked at. --quick (100 s of processor time, half of it with what is kept) is for after every step, the
whole list, which takes several times as long, for the end; one line a job, and the exit code is 1 if a job differs or fails.
What is not compared: the fast convolutions, which are chosen by a race on the clock, iscp bench, standard error.

It can fail: with the step's 0.02 as 0.021, or the evidence's sign turned, in one of two builds, the searches differ."""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sameness import jobs
from sameness.compare import compare_folders

TIMEOUT = 600  # seconds a command
DIFFERENCES, NOTES = 12, 2  # shown of a job


def fingerprint(program):
    """Of the program and of its libiscp: what was computed by others is not taken for its work."""
    digest = hashlib.sha256(Path(program).read_bytes())
    for path in re.findall(r"libiscp\S* => (\S+)", subprocess.run(["ldd", program], capture_output=True, text=True).stdout):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:12]


def move(work, place):
    """Whole or not at all: of two runs at a time that make the same, one is kept."""
    try:
        work.rename(place)
    except OSError:
        shutil.rmtree(work)


class Runner:
    """Runs jobs by one program; each has a folder, of its files and its commands with their exit codes."""

    def __init__(self, program, folder, places, renamed=None):
        self.program, self.folder, self.places, self.renamed = program, folder, places, renamed or {}

    def words(self, command, backend, threads):
        words = [word.format(**self.places) for word in shlex.split(command)]
        words = [words[0]] + [self.renamed.get(f"{words[0]} {word}", word) for word in words[1:]]
        return [self.program, *words, "--backend", backend, "--threads", str(threads)]

    def run(self, job, backend):
        """The folder of what the job left, and [exit code, last message] of each command."""
        place = self.folder / backend / re.sub(r"\W+", "-", job.name)
        wanted = [self.words(command, backend, job.threads)[1:] for command in job.commands]
        if (kept := self.kept(place)) and kept["commands"] != wanted:
            shutil.rmtree(place)
        elif kept:
            return place / "files", kept["codes"]
        place.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=place.parent))
        (work / "files").mkdir()
        codes = [self.run_command(work / "files", i, words, job.stop.get(i), keep=not job.stop) for i, words in enumerate(wanted)]
        (work / "done.json").write_text(json.dumps({"commands": wanted, "codes": codes}))
        move(work, place)
        return place / "files", codes

    @staticmethod
    def kept(place):
        mark = place / "done.json"
        return json.loads(mark.read_text()) if mark.exists() else None

    def run_command(self, place, number, words, stop, keep):
        with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen([self.program, *words], cwd=place, stdout=said, stderr=errors,
                                       env={**os.environ, "OMP_WAIT_POLICY": "passive"})
            try:
                if stop:
                    self.interrupt(process, place / stop)
                code = process.wait(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            said.seek(0)
            errors.seek(0)
            if keep:
                (place / f"printed-{number + 1}.txt").write_text(said.read())
            return [0 if stop and code == 130 else code, (errors.read().splitlines() or ["no message"])[-1]]

    @staticmethod
    def interrupt(process, sight):
        """Ctrl-C as soon as a file is there; where that is, the clock says, and what comes of it must not."""
        while process.poll() is None and not sight.exists():
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)


def prepare(program, scratch):
    """The runner of the program before: its folder, the images that jobs need, and the networks that it trains for them."""
    folder = scratch / ("before-" + fingerprint(program))
    inputs = folder / "inputs"
    places = {**jobs.PLACES, "inputs": inputs, **{name: inputs / name / "model.safetensors" for name in jobs.MODELS}}
    if not inputs.exists():
        folder.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder))
        jobs.write_inputs(work)
        for command in jobs.MODELS.values():
            words = [word.format(**places) for word in shlex.split(command)]
            subprocess.run([program, *words, "--threads", "1"], cwd=work, check=True, capture_output=True)
        move(work, inputs)
    return Runner(program, folder, places)


def some(lines, most):
    return lines[:most] + ([f"and {len(lines) - most} more like these"] if len(lines) > most else [])


def compare_job(job, backend, before, after):
    """(the word for it, its lines, numbers of files and figures)."""
    (old, codes), (new, new_codes) = before.run(job, backend), after.run(job, backend)
    if [c for c, _ in codes] != [c for c, _ in new_codes]:
        return "differs", [f"exit code {a[0]} became {b[0]}: {b[1]}" for a, b in zip(codes, new_codes) if a[0] != b[0]], 0, 0
    wrong = [said for code, said in codes if code not in job.codes]
    if wrong:
        return "left out" if job.optional else "fails in both", wrong[:1], 0, 0
    found = compare_folders(old, new)
    lines = some(found.differences, DIFFERENCES) + some([f"note: {note}" for note in found.notes], NOTES)
    return "differs" if found.differences else "same", lines, found.files, found.figures


def read_words():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", metavar="PROGRAM-BEFORE", type=os.path.abspath)
    parser.add_argument("after", metavar="PROGRAM-AFTER", type=os.path.abspath)
    parser.add_argument("--backends", default="onednn,blas", type=lambda text: text.split(","))
    parser.add_argument("--quick", action="store_true", help="the jobs that find most in little time")
    parser.add_argument("--only", default="", metavar="WORD", help="the jobs that have this in their names")
    parser.add_argument("--scratch", metavar="DIR", help="where the results are kept; default: nowhere")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="at a time; default: a core each")
    return parser.parse_args()


def compare_all(words, scratch):
    """The number of jobs by the word for them."""
    before = prepare(words.before, scratch)
    folder = scratch / ("after-" + fingerprint(words.after))
    shutil.rmtree(folder, ignore_errors=True)
    after = Runner(words.after, folder, before.places, jobs.RENAMED_OPTIONS)
    chosen = [(job, backend) for job in jobs.JOBS if words.only in job.name and (job.quick or not words.quick)
              for backend in words.backends]
    counts, totals = {}, [0, 0]
    with concurrent.futures.ThreadPoolExecutor(words.jobs) as pool:
        results = pool.map(lambda pair: compare_job(*pair, before, after), chosen)
        for (job, backend), (word, lines, files, figures) in zip(chosen, results):
            print(f"{backend:7}{job.name:34}{word}", *(f"\n         {line}" for line in lines), sep="", flush=True)
            counts[word] = counts.get(word, 0) + 1
            totals = [totals[0] + files, totals[1] + figures]
    said = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    print(f"{len(chosen)} jobs: {said or 'none'}; {totals[0]} files, {totals[1]} numbers compared")
    return counts


def main():
    words = read_words()
    scratch = Path(words.scratch).absolute() if words.scratch else Path(tempfile.mkdtemp(prefix="iscp-same-"))
    try:
        counts = compare_all(words, scratch)
    finally:
        if not words.scratch:
            shutil.rmtree(scratch, ignore_errors=True)
    return 0 if counts and not counts.keys() & {"differs", "fails in both"} else 1


if __name__ == "__main__":
    sys.exit(main())
