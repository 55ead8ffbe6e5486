"""Runs one test module: run.py test_network. Exit 77 (meson: skipped) where PyTorch or numpy is missing, or where every
test of the module was skipped."""

import sys
import unittest

try:
    import numpy  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    print(f"skipped: the oracle tests need PyTorch and numpy ({error})")
    sys.exit(77)

result = unittest.main(module=sys.argv.pop(1), verbosity=2, exit=False).result
if not result.wasSuccessful() or not result.testsRun:
    sys.exit(1)
sys.exit(77 if len(result.skipped) == result.testsRun else 0)
