"""Runs one test module: run.py test_model. Exit 77 (meson: skipped) where numpy is missing."""

import sys
import unittest
from pathlib import Path

try:
    import numpy  # noqa: F401
except ImportError:
    print("skipped: the Python package needs numpy, which this Python does not have")
    sys.exit(77)

sys.path.insert(0, str(Path(__file__).parent))
unittest.main(module=sys.argv.pop(1), verbosity=2)
