"""iscp --help, --version, and what it says to a wrong command line."""

import re
import subprocess
import unittest

from command import DATA, MODEL, PROGRAM, Case, run

COMMANDS = [
    "info", "search", "power", "gradcam", "uap", "transfer", "sweep", "reproduce", "train", "poison", "invert", "bench"
]


class Help(Case):
    def test_of_the_program(self):
        text = run("--help").stdout
        for command in COMMANDS:
            self.assertRegex(text, rf"(?m)^  {command} +(ITEM\.\.\. )?\[?(MODEL|DATA)")
        self.assertIn("iscp search examples/models", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)
        self.assertEqual(run("-h").stdout, text)
        self.assertEqual(run(code=2).stderr, text)

    def test_of_each_command(self):
        for command in COMMANDS:
            text = run(command, "--help").stdout
            self.assertEqual(run(command, "-h").stdout, text)
            self.assertRegex(text, rf"^usage: iscp {command} (ITEM\.\.\. )?\[?(MODEL|DATA)")
            self.assertRegex(text, rf"(?m)^  iscp {command} ")  # an example
            self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_every_option_is_known(self):
        """An option of the help text is refused for its value or for what follows, never as unknown."""
        for command in COMMANDS:
            for option, value in re.findall(r"(?m)^ +(?:-\w, +)?(--[\w-]+)( \S+)?", run(command, "--help").stdout):
                words = [option, "x"] if value else [option]
                words += ["one", "word", "too", "many"] * 3  # transfer takes eight
                done = subprocess.run([PROGRAM, command, *words], capture_output=True, text=True)
                self.assertIn(done.returncode, (1, 2), option)  # 1 where any number of models may follow
                self.assertNotIn("unknown", done.stderr)

    def test_version(self):
        self.assertRegex(run("--version").stdout, r"^libiscp \d+\.\d+\.\d+, ")


class Usage(Case):
    def test_wrong_words(self):
        cases = [
            (["find"], "find"),
            (["search"], "MODEL DATA"),
            (["search", MODEL], "MODEL DATA"),
            (["search", MODEL, DATA], "-o DIR"),
            (["search", MODEL, DATA, "-o", ""], "-o DIR"),
            (["search", MODEL, DATA, "more", "-o", "x"], "more"),
            (["search", "--bogus"], "--bogus"),
            (["search", "-x"], "-x"),
            (["search", "--alpha"], "--alpha"),
            (["search", "--resume=1"], "--resume"),
            (["search", MODEL, DATA, "-o", "x", "--resume", "--overwrite"], "--overwrite"),
            (["search", MODEL, DATA, "-o", "x", "--turns", "5,5"], "--learn-canvas"),
            (["search", MODEL, DATA, "-o", "x", "--canvas-step", "2"], "--learn-canvas"),
            (["info"], "MODEL"),
            (["power", MODEL, DATA], "MODEL DATA DIR"),
            (["bench", MODEL, DATA, "more"], "more"),
            (["bench", MODEL, "--sizes", "32"], "--sizes"),
            (["bench", "--size", "32"], "expected MODEL"),
            (["bench", "--limit", "5"], "expected MODEL and DATA"),
        ]
        for words, expected in cases:
            with self.subTest(words=words):
                self.check_one_line(run(*words, code=2), expected)

    def test_wrong_values(self):
        cases = {
            "alpha": ["x", "", "nan", "1 2"],
            "tv": ["x", "", "1 2"],
            "sizes": ["x", "1,,2", "", "5%%"],
            "fraction": ["x", "0,2"],
            "epochs": ["x", "1.5", "99999999999999999999"],
            "seed": ["-1", "x", "99999999999999999999999"],
            "canvas-step": ["x", "", "0", "-2", "256"],
            "turns": ["x", "5", "0,5", "5,0", "5,5,5", "1001,5", "1.5,2"],
            "preset": ["Paper", ""],
            "select": ["size"],
            "ties": ["none"],
            "images": ["some"],
            "power": ["some"],
            "threads": ["0", "-1", "x"],
            "backend": ["cuda"],
            "limit": ["0", "-5", "x"],
            "size": ["x", "28x", "4x4", "28x28x3"],
            "resize": ["x", "0", "5000", "1x2x3"],
            "filter": ["lanczos", "2"],
            "crop": ["0", "x9"],
            "crop-rule": ["odd"],
            "order": ["rgb"],
            "range": ["256", "1.0"],
            "pad": ["1,2", "-1", "1,2,3,4,5"],
            "mean": ["1,2", "x", "1,2,3,4"],
            "std": ["x"],
            "channels": ["2"],
        }
        for option, values in cases.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    done = run("search", MODEL, DATA, "-o", "x", f"--{option}={value}", code=2)
                    self.check_one_line(done, f"--{option}", f'"{value}"')


if __name__ == "__main__":
    unittest.main()
