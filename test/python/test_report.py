"""Reports: written, and read back."""

import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import support

import iscp


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name, "report")
        self.result = support.quick_result()

    def test_write_and_read(self):
        self.result.write(self.folder, sizes=[0.05, 0.1], images="searched")
        written = json.loads((self.folder / "result.json").read_text())
        self.assertEqual(len(written["patterns"]), 1)
        self.assertTrue((self.folder / "sheet.png").exists())
        mask = np.load(self.folder / "mask-0-0.npy")
        np.testing.assert_array_equal(mask, self.result[0].selected.mask)

        saved = iscp.SavedPatterns(self.folder)
        self.assertEqual((len(saved), saved.fraction, saved.seed), (1, support.QUICK["fraction"], 0))
        (entry,) = saved
        found = self.result[0]
        self.assertEqual((entry.class_index, entry.selected, entry.name), (0, True, found.name))
        self.assertEqual(
            (entry.kind, entry.image, entry.steps), ("positive", found.selected.image, found.selected.steps)
        )
        np.testing.assert_array_equal(entry.pattern(size=0.1).positions, found.pattern(size=0.1).positions)
        for ours, theirs in zip(found.power([0.05, 0.1], images="searched"), entry.powers):
            self.assertEqual(
                (theirs.size, theirs.pixels, theirs.nontarget_hits), (ours.size, ours.pixels, ours.nontarget_hits)
            )
        self.assertEqual(saved[:][0].class_index, saved[-1].class_index)
        with self.assertRaises(IndexError):
            saved[1]

    def test_not_measured(self):
        self.result.write(self.folder, measure="none")
        self.assertEqual(iscp.SavedPatterns(self.folder)[0].powers, [])
        with self.assertRaisesRegex(ValueError, "measure must be one of"):
            self.result.write(self.folder, measure="some")

    def test_over_another_report(self):
        self.result.write(self.folder, measure="none")
        with self.assertRaises(iscp.FileError):
            self.result.write(self.folder, measure="none")
        self.result.write(self.folder, measure="none", overwrite=True)
