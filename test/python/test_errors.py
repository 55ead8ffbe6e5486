"""Statuses become exceptions."""

import pickle
import unittest

import support

import iscp
from iscp import _errors


class Errors(unittest.TestCase):
    def test_also_the_exception_that_one_would_catch(self):
        pairs = {
            iscp.ArgumentError: ValueError,
            iscp.AllocationError: MemoryError,
            iscp.FileError: OSError,
            iscp.FormatError: ValueError,
            iscp.UnsupportedError: NotImplementedError,
            iscp.MismatchError: ValueError,
            iscp.CancelledError: Exception,
            iscp.AbiError: RuntimeError,
            iscp.BackendError: RuntimeError,
            iscp.BusyError: RuntimeError,
        }
        self.assertEqual(set(pairs), set(_errors.BY_STATUS.values()))
        for status, kind in _errors.BY_STATUS.items():
            with self.subTest(kind=kind.__name__), self.assertRaises(pairs[kind]) as caught:
                raise _errors.from_status(status, "what went wrong")
            error = caught.exception
            self.assertIsInstance(error, iscp.Error)
            self.assertEqual((error.status, error.message, str(error)), (status, "what went wrong", "what went wrong"))

    def test_unknown_status(self):
        self.assertIs(type(_errors.from_status(99, "")), iscp.Error)

    def test_pickle(self):
        for status in _errors.BY_STATUS:
            error = pickle.loads(pickle.dumps(_errors.from_status(status, "text")))
            self.assertEqual((type(error), error.status, str(error)), (_errors.BY_STATUS[status], status, "text"))

    def test_missing_file(self):
        with self.assertRaisesRegex(OSError, "nowhere") as caught:
            iscp.Model.load("/nowhere/model.safetensors")
        self.assertEqual(caught.exception.status, 3)

    def test_not_a_model(self):
        with self.assertRaises(iscp.FormatError):
            iscp.Model.load(support.IMAGES)

    def test_argument_out_of_range(self):
        with self.assertRaisesRegex(ValueError, "epochs"):
            iscp.search(support.model(), support.data(), epochs=0)
