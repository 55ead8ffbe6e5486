"""A set of labelled images, brought into a network's input form."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from ctypes import c_float, c_int32, c_uint8
from typing import TYPE_CHECKING, Any

import numpy as np

from ._abi import LAYOUTS, POISONS, iscp_dataset_info, iscp_dataset_options, iscp_poison_options
from ._arrays import address, checked, indices
from ._errors import from_status
from ._handle import Handle, create
from ._library import defaults, library, sized
from ._progress import ProgressCallback, call
from ._words import code
from .context import Context, default_context
from .contract import Contract, contract_of, to_raw
from .model import Model, Path

if TYPE_CHECKING:
    from .trigger import Trigger


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
        skip_broken: bool = False,
        memory: int = 0,
        layout: str = "auto",
        progress: ProgressCallback | None = None,
        context: Context | None = None,
    ) -> Dataset:
        """Opens class folders, a folder of pictures with a table of labels, IDX, .npy, .npz, or CIFAR's binary edition
        (include/iscp/dataset.h says what is recognised, and in which order).

        `input` says how images become network input: a Model or a Contract. `labels` is the labels' file if it is not
        found beside the images, `split` "train", "val" or "test" of a set of several, `limit` takes the first images only,
        `classes` is the number of classes if it is not the largest label + 1. With `skip_broken` pictures that cannot be
        used are left out (`broken` lists them), `memory` bounds the bytes of pictures kept (0: 256 MiB, -1: none),
        `layout` is "nhwc" or "nchw" for an array that could be either. `progress` hears of pictures looked at."""
        contract, context = contract_of(input), _context(input, context)
        options = _options(contract, limit, classes)
        options.labels = None if labels is None else os.fsencode(labels)
        options.split = None if split is None else split.encode()
        options.skip_broken = bool(skip_broken)
        options.memory = memory
        options.layout = code(LAYOUTS, layout, "layout")

        def watched(handle: Any, callback: Any, user: Any) -> None:
            options.progress, options.user = callback, user
            library.iscp_dataset_open(handle, context._handle, os.fsencode(path), options)

        handle = create(
            library.iscp_dataset_open,
            library.iscp_dataset_destroy,
            keep=[context._handle],
            call=lambda _, handle: call(watched, handle, progress=progress),
        )
        return cls(handle, context, contract)

    @classmethod
    def from_arrays(
        cls,
        images: np.ndarray,
        labels: Any,
        input: Model | Contract | None = None,
        limit: int = 0,
        *,
        classes: int = 0,
        layout: str = "auto",
        copy: bool = True,
        context: Context | None = None,
    ) -> Dataset:
        """Images in memory, uint8 N x H x W, N x H x W x C or N x C x H x W (C is 1 or 3, and the last axis if both could
        be and `layout` does not say "nchw"), with N class indices. They are copied; with copy=False the array itself is
        used and kept alive, and must not be changed."""
        contract, context = contract_of(input), _context(input, context)
        if np.ndim(images) == 3:
            shape: tuple = ("N", "H", "W")
        else:
            shape = ("N", "H", "W", "C")
            if layout == "auto" and np.ndim(images) == 4 and np.shape(images)[3] not in (1, 3):
                layout = "nchw" if np.shape(images)[1] in (1, 3) else "auto"
        sizes = checked(images, "images", np.uint8, shape).shape
        count, height, width, channels = (*sizes, 1)[:4]
        if len(sizes) == 4 and layout == "nchw":
            count, channels, height, width = sizes
        options = _options(contract, limit, classes)
        options.layout = code(LAYOUTS, layout, "layout") if len(sizes) == 4 else 0
        options.borrow = not copy
        handle = create(
            library.iscp_dataset_from_memory,
            library.iscp_dataset_destroy,
            context._handle,
            address(images, c_uint8),
            address(indices(labels, "labels", count), c_int32),
            count,
            height,
            width,
            channels,
            options,
            keep=[context._handle, *([] if copy else [images])],
        )
        return cls(handle, context, contract)

    def poison(
        self, trigger: Trigger, target: int, rate: float = 0.05, *, seed: int = 0, keep: str = "all"
    ) -> Dataset:
        """A set like this one, some of whose images have the trigger on them (BadNets): the share `rate` of all images, drawn
        by `seed` among those whose label is not `target` and that are not poisoned already; 1 is every one of them.

        keep   "all": the whole set, the chosen images labelled `target`, to be learned; "only": nothing but these, so that
               accuracy on them is the attack's success rate; "stamp": the whole set with the labels as they were"""
        options = defaults(iscp_poison_options)
        options.target, options.rate, options.seed = target, rate, seed
        options.keep = code(POISONS, keep, "keep")
        handle = create(
            library.iscp_dataset_poison,
            library.iscp_dataset_destroy,
            self._handle,
            trigger._handle,
            options,
            keep=[self._handle, trigger._handle],
        )
        return Dataset(handle, self.context, self.contract)

    def poisoned(self, index: int) -> int | None:
        """The class that image `index` was poisoned to, None if it was not."""
        target = library.iscp_dataset_poisoned(self._handle, range(len(self))[index])
        return None if target < 0 else target

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
        """SHA-256 over all pixels and labels as stored, made when it is first asked for."""
        text = library.iscp_dataset_hash(self._handle)
        if text is None:
            raise from_status(3, library.iscp_error_message().decode("utf-8", "replace"))  # a file went away
        return text.decode()

    @property
    def kind(self) -> str:
        """What the set is: "class folders", "listed pictures", "array", "npz", "CIFAR-10", "CIFAR-100", "memory" or
        "poisoned"."""
        return self._info().kind.decode()

    @property
    def broken(self) -> list[tuple[str, str]]:
        """Names and reasons of the pictures that skip_broken left out."""
        return [
            (
                library.iscp_dataset_broken_name(self._handle, index).decode("utf-8", "replace"),
                library.iscp_dataset_broken_reason(self._handle, index).decode("utf-8", "replace"),
            )
            for index in range(library.iscp_dataset_broken_count(self._handle))
        ]

    def _info(self) -> iscp_dataset_info:
        info = sized(iscp_dataset_info)
        library.iscp_dataset_get_info(self._handle, ctypes.byref(info))
        return info

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
