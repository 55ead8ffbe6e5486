"""Keywords become an input contract."""

import unittest

import numpy as np

import iscp
from iscp.contract import from_raw, to_raw


class Contract(unittest.TestCase):
    def test_defaults_are_the_librarys(self):
        contract = iscp.Contract()
        self.assertEqual((contract.size, contract.pad, contract.channels), ((224, 224), (0, 0, 0, 0), 3))
        self.assertEqual((contract.mean, contract.std), ((0, 0, 0), (1, 1, 1)))
        self.assertEqual((contract.shape, contract.height, contract.width), ((3, 224, 224), 224, 224))

    def test_one_number_or_several(self):
        self.assertEqual(iscp.Contract(size=32).size, (32, 32))
        self.assertEqual(iscp.Contract(size=(32, 48)).size, (32, 48))
        self.assertEqual(iscp.Contract(pad=2).pad, (2, 2, 2, 2))
        self.assertEqual(iscp.Contract(pad=[1, 2, 3, 4]).pad, (1, 2, 3, 4))
        self.assertEqual(iscp.Contract(mean=0.5).mean, (0.5, 0.5, 0.5))
        self.assertEqual(iscp.Contract(std=np.array([0.25, 0.5, 1])).std, (0.25, 0.5, 1))
        self.assertEqual(iscp.Contract(channels=1, mean=0.5, std=[0.25]).mean, (0.5,))
        self.assertEqual(iscp.Contract(size=np.int64(32)).size, (32, 32))

    def test_wrong_number_of_numbers(self):
        for keywords in ({"size": (1, 2, 3)}, {"pad": (1, 2)}, {"mean": (0, 0)}, {"channels": 1, "std": (1, 1, 1)}):
            with self.subTest(**keywords), self.assertRaisesRegex(ValueError, "must be one number or"):
                iscp.Contract(**keywords)

    def test_reaches_the_struct(self):
        raw = to_raw(iscp.Contract((30, 40), (1, 2, 3, 4), (0.25, 0.5, 0.75), (1, 2, 4)))
        self.assertEqual((raw.height, raw.width, raw.channels), (30, 40, 3))
        self.assertEqual((raw.pad_top, raw.pad_bottom, raw.pad_left, raw.pad_right), (1, 2, 3, 4))
        self.assertEqual((list(raw.mean), list(raw.std)), ([0.25, 0.5, 0.75], [1, 2, 4]))

    def test_is_a_value(self):
        contract = iscp.Contract(size=32, pad=2, mean=0.286, std=(0.1, 0.2, 0.3))
        self.assertEqual(from_raw(to_raw(contract)), contract)
        self.assertEqual(hash(from_raw(to_raw(contract))), hash(contract))
        self.assertNotEqual(iscp.Contract(size=28), contract)
        with self.assertRaises(AttributeError):
            contract.size = (1, 1)
