"""The types that the library keeps to itself: pointers to them are all that is seen."""

from __future__ import annotations

import ctypes


class iscp_context(ctypes.Structure):
    """Opaque."""


class iscp_model(ctypes.Structure):
    """Opaque."""


class iscp_session(ctypes.Structure):
    """Opaque."""


class iscp_dataset(ctypes.Structure):
    """Opaque."""


class iscp_pattern(ctypes.Structure):
    """Opaque."""


class iscp_search(ctypes.Structure):
    """Opaque."""


class iscp_evaluation(ctypes.Structure):
    """Opaque."""


class iscp_check(ctypes.Structure):
    """Opaque."""


class iscp_gradcam(ctypes.Structure):
    """Opaque."""


class iscp_attack(ctypes.Structure):
    """Opaque."""


class iscp_uap(ctypes.Structure):
    """Opaque."""


class iscp_report(ctypes.Structure):
    """Opaque."""


class iscp_run(ctypes.Structure):
    """Opaque."""


class iscp_inversion(ctypes.Structure):
    """Opaque."""


class iscp_trainer(ctypes.Structure):
    """Opaque."""


class iscp_trigger(ctypes.Structure):
    """Opaque."""


class iscp_pattern_list(ctypes.Structure):
    """Opaque."""
