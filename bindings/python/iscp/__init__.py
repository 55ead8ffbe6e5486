"""Input-space class-wise patterns of image classifiers: what a network has learned for each class, as a picture.

    model = iscp.Model.load("model.safetensors")
    data = iscp.Dataset.open("t10k-images-idx3-ubyte.gz", input=model)
    result = iscp.search(model, data, classes=[0])
    result[0].power([0.05])

Images are float32, N x C x H x W, with pixels in [0,1]."""

from . import _library
from ._errors import (
    AbiError,
    AllocationError,
    ArgumentError,
    BackendError,
    BusyError,
    CancelledError,
    Error,
    FileError,
    FormatError,
    MismatchError,
    UnsupportedError,
)
from ._progress import Progress
from .attack import Attack, Robustness, attack, robust_accuracy
from .check import Cause, Check, ClassCheck, Confusion, check
from .cifar import convert_cifar
from .context import Context, default_context
from .contract import Contract, presets
from .dataset import Dataset, read_image
from .evaluation import Evaluation, Power, Transfer, mean_std, transfer
from .gradcam import AttentionShift, GradCam, GradCamMap
from .invert import Inversion, Inverted, invert
from .model import Model, ModelInfo
from .pattern import Pattern, PatternInfo
from .pictures import heat_overlay, image_png, write_image_png
from .report import SavedPattern, SavedPatterns, write_report
from .result import CanvasResult, ClassResult, SearchResult
from .search import Search, search
from .train import Trainer, TrainState
from .trigger import Trigger
from .uap import Uap, UapInfo, uap

__version__ = ".".join(map(str, _library.VERSION))


def library_version() -> str:
    """One line that names the library's version, its backends, and the versions of their libraries."""
    return _library.library.iscp_version_text().decode()


__all__ = [
    "AbiError",
    "AllocationError",
    "ArgumentError",
    "Attack",
    "AttentionShift",
    "BackendError",
    "BusyError",
    "CancelledError",
    "CanvasResult",
    "Cause",
    "Check",
    "ClassCheck",
    "ClassResult",
    "Confusion",
    "Context",
    "Contract",
    "Dataset",
    "Error",
    "Evaluation",
    "FileError",
    "FormatError",
    "GradCam",
    "GradCamMap",
    "Inversion",
    "Inverted",
    "MismatchError",
    "Model",
    "ModelInfo",
    "Pattern",
    "PatternInfo",
    "Power",
    "Progress",
    "Robustness",
    "SavedPattern",
    "SavedPatterns",
    "Search",
    "SearchResult",
    "TrainState",
    "Trainer",
    "Transfer",
    "Trigger",
    "Uap",
    "UapInfo",
    "UnsupportedError",
    "attack",
    "check",
    "convert_cifar",
    "default_context",
    "heat_overlay",
    "image_png",
    "invert",
    "library_version",
    "mean_std",
    "presets",
    "read_image",
    "robust_accuracy",
    "search",
    "transfer",
    "uap",
    "write_image_png",
    "write_report",
]
