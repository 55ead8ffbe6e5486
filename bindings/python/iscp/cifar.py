"""CIFAR's Python edition, pickles of numpy arrays, into an .npz that iscp.Dataset.open reads."""

from __future__ import annotations

import io
import os
import pickle
from typing import Any

import numpy as np

from .model import Path

# All that the published files name. Nothing else is looked up, so that a pickle cannot run anything.
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}
_EDITIONS = (
    ("cifar-10-batches-py", [f"data_batch_{i}" for i in range(1, 6)], "test_batch", b"labels"),
    ("cifar-100-python", ["train"], "test", b"fine_labels"),
)


def _bytes_of(text: str, encoding: str) -> bytes:
    """What Python 3 writes bytes as for Python 2: _codecs.encode(text, "latin1")."""
    if encoding != "latin1":
        raise ValueError(f"the pickle has bytes in {encoding}, expected latin1")
    return text.encode("latin1")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return _bytes_of
        if (module, name) not in _ALLOWED:
            raise ValueError(f"the pickle names {module}.{name}, expected arrays only")
        return super().find_class(module, name)


def _read(path: str, key: bytes) -> tuple[np.ndarray, np.ndarray]:
    with open(path, "rb") as file:
        data = io.BytesIO(file.read())
    try:
        batch = _Unpickler(data, encoding="bytes").load()
        images, labels = np.asarray(batch[b"data"]), np.asarray(batch[key])
    except Exception as error:
        raise ValueError(f"{path}: {error}, expected a batch of CIFAR's Python edition") from None
    if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != 3072 or labels.shape != images.shape[:1]:
        raise ValueError(f"{path}: images {images.dtype} {images.shape}, expected uint8 N x 3072 with N labels")
    return images.reshape(-1, 3, 32, 32), labels.astype(np.uint8)


def convert_cifar(folder: Path, file: Path) -> None:
    """Writes the .npz `file` (x_train, y_train, x_test, y_test; images N x 3 x 32 x 32, of CIFAR-100 the fine labels) from
    the folder cifar-10-batches-py or cifar-100-python, or one that holds it.

    The pickles are read without running anything: they may name numpy's arrays and nothing else."""
    folder = os.fsdecode(folder)
    for name, train, test, key in _EDITIONS:
        for place in (folder, os.path.join(folder, name)):
            if not all(os.path.isfile(os.path.join(place, part)) for part in (*train, test)):
                continue
            batches = [_read(os.path.join(place, part), key) for part in train]
            x_train, y_train = (np.concatenate(parts) for parts in zip(*batches))
            x_test, y_test = _read(os.path.join(place, test), key)
            np.savez(file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
            return
    raise FileNotFoundError(f"{folder}: none of the folders {', '.join(e[0] for e in _EDITIONS)} with all their files")
