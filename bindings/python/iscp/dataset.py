"""A set of labelled images, brought into a network's input form."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from ctypes import c_float, c_int32, c_uint8
from typing import Any

import numpy as np

from ._arrays import address, checked, indices
from ._handle import Handle, create
from ._library import defaults, library
from ._structs import iscp_dataset_options
from .context import Context, default_context
from .contract import Contract, contract_of, to_raw
from .model import Model, Path


class Dataset:
    """An immutable sequence of (image, label), image float32 C x H x W in [0,1]; made by open or from_arrays.
    d[i:j] gives the images as one array N x C x H x W, and their labels."""

    def __init__(self, handle: Handle, context: Context, contract: Contract):
        self._handle = handle
        self.context = context
        self.contract = contract
        count = range(library.iscp_dataset_count(handle))
        self.labels = np.fromiter((library.iscp_dataset_label(handle, i) for i in count), np.int32, len(count))
        self.labels.flags.writeable = False

    @classmethod
    def open(
        cls,
        path: Path,
        split: str | None = None,
        input: Model | Contract | None = None,
        labels: Path | None = None,
        limit: int = 0,
        *,
        classes: int = 0,
        context: Context | None = None,
    ) -> Dataset:
        """Opens an IDX file of images or MNIST's folder, a folder of class folders of PNG and JPEG files, or a .npy array of u8.

        `input` says how images become network input: a Model or a Contract. `labels` is the labels' file if it is not
        found beside the images, `split` "train" or "test" of a folder with both, `limit` takes the first images only,
        `classes` is the number of classes if it is not the largest label + 1."""
        contract, context = contract_of(input), _context(input, context)
        options = _options(contract, limit, classes)
        options.labels = None if labels is None else os.fsencode(labels)
        options.split = None if split is None else split.encode()
        arguments = (context._handle, os.fsencode(path), options)
        return cls._create(library.iscp_dataset_open, arguments, context, contract)

    @classmethod
    def from_arrays(
        cls,
        images: np.ndarray,
        labels: Any,
        input: Model | Contract | None = None,
        limit: int = 0,
        *,
        classes: int = 0,
        context: Context | None = None,
    ) -> Dataset:
        """Copies images in memory, uint8 N x H x W or N x H x W x C (C is 1 or 3), with N class indices."""
        contract, context = contract_of(input), _context(input, context)
        shape = ("N", "H", "W") if np.ndim(images) == 3 else ("N", "H", "W", "C")
        count, height, width, *channels = checked(images, "images", np.uint8, shape).shape
        arguments = (
            context._handle,
            address(images, c_uint8),
            address(indices(labels, "labels", count), c_int32),
            count,
            height,
            width,
            channels[0] if channels else 1,
            _options(contract, limit, classes),
        )
        return cls._create(library.iscp_dataset_from_memory, arguments, context, contract)

    @classmethod
    def _create(cls, function: Any, arguments: tuple, context: Context, contract: Contract) -> Dataset:
        handle = create(function, library.iscp_dataset_destroy, *arguments, keep=[context._handle])
        return cls(handle, context, contract)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return library.iscp_dataset_classes(self._handle)

    @property
    def class_names(self) -> list[str] | None:
        """The classes' names (folders' names), or None if the set has none."""
        names = [library.iscp_dataset_class_name(self._handle, index) for index in range(self.classes)]
        return None if None in names else [name.decode("utf-8", "replace") for name in names]

    @property
    def hash(self) -> str:
        """SHA-256 over all pixels and labels as stored."""
        return library.iscp_dataset_hash(self._handle).decode()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int | slice) -> tuple[np.ndarray, Any]:
        chosen = range(len(self))[index]  # IndexError, negative numbers and slices as everywhere
        if isinstance(chosen, range):
            images = np.empty((len(chosen), *self.contract.shape), np.float32)
            for image, i in zip(images, chosen):
                self._read(i, image)
            return images, self.labels[index]
        image = np.empty(self.contract.shape, np.float32)
        self._read(chosen, image)
        return image, int(self.labels[chosen])

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        return (self[i] for i in range(len(self)))

    def _read(self, index: int, image: np.ndarray) -> None:
        library.iscp_dataset_image(self._handle, index, address(image, c_float))

    def __repr__(self) -> str:
        return f"<iscp.Dataset {len(self)} images, {self.classes} classes, {self.contract.shape}>"


def read_image(path: Path, input: Model | Contract, context: Context | None = None) -> np.ndarray:
    """One picture (PNG, JPEG) or array (.npy) as network input, float32 C x H x W in [0,1]: a canvas of one's own."""
    contract, context = contract_of(input), _context(input, context)
    image = np.empty(contract.shape, np.float32)
    library.iscp_image_read(address(image, c_float), context._handle, os.fsencode(path), to_raw(contract))
    return image


def _options(contract: Contract, limit: int, classes: int) -> iscp_dataset_options:
    options = defaults(iscp_dataset_options)
    options.contract = ctypes.pointer(to_raw(contract))
    options.limit, options.classes = limit, classes
    return options


def _context(source: Any, context: Context | None) -> Context:
    return context or getattr(source, "context", None) or default_context()
