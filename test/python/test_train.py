"""Training from Python."""

import math
import tempfile
import unittest
from pathlib import Path

import numpy as np
import support

import iscp

OPTIONS = {"epochs": 2, "batch": 40, "learning_rate": 0.02, "shift": 1, "flip": True, "seed": 5}


def fresh():
    return iscp.Model.create(18, width=8, stem="cifar", classes=10, contract=support.model().contract, seed=3)


class Train(unittest.TestCase):
    def test_states_and_model(self):
        model = fresh()
        trainer = iscp.Trainer(model, support.data(), **OPTIONS)
        self.assertTrue(math.isnan(trainer.state.loss))
        states = list(trainer)
        self.assertEqual([s.epoch for s in states], [1, 2])
        self.assertEqual([s.step for s in states], [5, 10])
        self.assertTrue(all(0 < s.loss < 5 and 0 <= s.accuracy <= 1 and s.images_per_second > 0 for s in states))
        self.assertEqual(trainer.model.contract, model.contract)
        self.assertNotEqual(trainer.model.hash, model.hash)
        x = support.data()[:4][0]
        self.assertGreater(np.abs(trainer.model.logits(x) - model.logits(x)).max(), 0)

    def test_going_on_after_an_exception_and_from_a_file(self):
        whole = iscp.Trainer(fresh(), support.data(), **OPTIONS)
        list(whole)

        def stop(progress):
            raise KeyboardInterrupt

        halted = iscp.Trainer(fresh(), support.data(), **OPTIONS, progress=stop)
        with self.assertRaises(KeyboardInterrupt):
            next(halted)
        with tempfile.TemporaryDirectory() as folder:
            halted.save(Path(folder) / "state.safetensors")
            rest = iscp.Trainer(fresh(), support.data(), **OPTIONS)
            rest.resume(Path(folder) / "state.safetensors")
            self.assertEqual(rest.state.step, halted.state.step)
            list(rest)
            self.assertEqual(rest.model.hash, whole.model.hash)
            other = iscp.Trainer(fresh(), support.data(), **{**OPTIONS, "seed": 6})
            with self.assertRaisesRegex(iscp.MismatchError, "seed 6"):
                other.resume(Path(folder) / "state.safetensors")

    def test_wrong_arguments(self):
        with self.assertRaisesRegex(ValueError, "schedule must be one of"):
            iscp.Trainer(fresh(), support.data(), schedule="none")
        with self.assertRaisesRegex(ValueError, "epochs is 4294967299"):
            iscp.Trainer(fresh(), support.data(), epochs=2**32 + 3)
        with self.assertRaisesRegex(iscp.ArgumentError, "momentum is 1"):
            iscp.Trainer(fresh(), support.data(), momentum=1, batch=40)
        with self.assertRaisesRegex(iscp.ArgumentError, "200 images"):
            iscp.Trainer(fresh(), support.data(), batch=201)
