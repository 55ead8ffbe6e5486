"""iscp bench: that it measures and says what; never how fast."""

import json
import signal
import subprocess
import unittest

from command import DATA, MODEL, PROGRAM, Case, run

QUICK = ["--seconds", "0.1", "--threads", "1"]
FIELDS = "work size stem depth batch backend threads ms_per_image images_per_second gflops peak_gflops share_of_peak pairs bytes".split()


class Bench(Case):
    def read(self, *words):
        done = run("bench", *words, *QUICK, "--json")
        bench = json.loads(done.stdout)
        self.assertEqual(
            list(bench)[:9],
            "peak_gflops peak_gflops_one_thread peak_kernel library kernels threads convolutions precision "
            "results".split(),
        )
        self.assertGreater(bench["peak_gflops"], 0)
        for row in bench["results"]:
            self.assertEqual(list(row), FIELDS)
            self.assertAlmostEqual(row["images_per_second"] * row["ms_per_image"], 1000, delta=0.1)  # as they are printed
            for name in "ms_per_image gflops peak_gflops share_of_peak bytes".split():
                self.assertGreater(row[name], 0)
            self.assertGreaterEqual(row["pairs"], 3)
            # Nothing computes faster than its peak, but for the drift of the machine between the two.
            self.assertLess(row["share_of_peak"], 2)
        return bench

    def test_random_weights(self):
        bench = self.read("--sizes", "32", "--batches", "4,6")
        rows = [(r["work"], r["size"], r["stem"], r["batch"], r["depth"]) for r in bench["results"]]
        works = [(w, 32, "imagenet", b, 50) for b in (4, 6) for w in ("step", "inference")]
        self.assertEqual(rows, works)
        self.assertNotIn("search", bench)
        step, inference = bench["results"][:2]
        self.assertGreater(step["bytes"], inference["bytes"])

    def test_works_and_stems(self):
        bench = self.read("--sizes", "16-cifar,32-imagenet", "--batches", "1", "--works", "inference")
        rows = [(r["work"], r["size"], r["stem"], r["batch"]) for r in bench["results"]]
        self.assertEqual(rows, [("inference", 16, "cifar", 1), ("inference", 32, "imagenet", 1)])

    def test_train(self):
        bench = self.read("--sizes", "16-cifar", "--batches", "2,8", "--works", "train,inference")
        rows = [(r["work"], r["size"], r["stem"], r["batch"]) for r in bench["results"]]
        self.assertEqual(rows, [(w, 16, "cifar", b) for b in (2, 8) for w in ("inference", "train")])
        inference, train = bench["results"][2:]
        # Gradients and momenta of all weights, 24 million numbers each, and the activations of every layer.
        self.assertGreater(train["bytes"], inference["bytes"] + 2 * 4 * 23.5e6)
        computed = [row["gflops"] * row["ms_per_image"] for row in (train, inference)]
        self.assertAlmostEqual(computed[0] / computed[1], 3, delta=1e-3)

    def test_train_of_a_model(self):
        bench = self.read(MODEL, "--works", "train")
        self.assertEqual([(r["work"], r["batch"]) for r in bench["results"]], [("train", 128)])

    def test_train_needs_two_images(self):
        done = run("bench", "--sizes", "16", "--batches", "1", "--works", "train", *QUICK, code=1)
        self.check_one_line(done, "batch")

    def test_blas(self):
        bench = self.read("--sizes", "32", "--batches", "4", "--works", "step", "--backend", "blas")
        self.assertEqual([r["backend"] for r in bench["results"]], ["blas"])

    def test_own_model(self):
        bench = self.read(MODEL)
        self.assertEqual([r["work"] for r in bench["results"]], ["step", "inference"])
        self.assertEqual({r["size"] for r in bench["results"]}, {28})
        self.assertNotIn("search", bench)

    def test_time_of_a_search(self):
        bench = self.read(MODEL, DATA)
        step, inference = bench["results"]
        search = bench["search"]
        self.assertEqual((search["classes"], search["canvases"], search["epochs"]), (10, 5, 5))
        # D_n: 400 of 2000 images, in nine searches of ten; then the objective and the power; before, the clean pass.
        self.assertEqual(search["step_images"], 400 * 9 * 5 * 5)
        self.assertEqual(search["inference_images"], 400 * 9 * 5 * 2 + 2000 + 1600 * (1 + 9 * 5))
        expected = search["step_images"] * step["ms_per_image"] + search["inference_images"] * inference["ms_per_image"]
        self.assertAlmostEqual(search["seconds"], expected / 1000, delta=expected / 1e6)

    def test_table(self):
        text = run("bench", MODEL, DATA, *QUICK).stdout
        for word in ["GFLOP/s", "share", "ms/image", "step", "inference", "a search of all 10 classes", "about"]:
            self.assertIn(word, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 120)

    def test_wrong_values(self):
        cases = {
            "sizes": ["x", "7", "32-other", "32,,16", ""],
            "works": ["x", "step,", ""],
            "batches": ["0", "x", "4,", "2000"],
            "seconds": ["0", "x", "1000"],
        }
        for option, values in cases.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    done = run("bench", f"--{option}={value}", code=2)
                    self.check_one_line(done, f"--{option}", f'"{value}"')
        self.check_one_line(run("bench", self.folder / "none", code=1), "none")

    def test_interrupt(self):
        words = [PROGRAM, "bench", "--sizes", "32", "--seconds", "600", "--json"]
        running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with self.assertRaises(subprocess.TimeoutExpired):
            running.wait(3)
        running.send_signal(signal.SIGINT)
        output, _ = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 130)
        if output:  # what was measured until then
            self.assertEqual(json.loads(output)["results"][0]["work"], "step")


if __name__ == "__main__":
    unittest.main()
