"""A trained classifier: network, input contract and class names."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import c_char_p, c_float, c_int32
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from ._abi import SESSIONS, STEMS, STORES, STRIDES, iscp_model_info, iscp_model_options
from ._arrays import address, checked, indices
from ._handle import Handle, create
from ._library import defaults, library, sized
from ._words import code, word
from .context import Context, default_context
from .contract import Contract, from_raw, to_raw

Path = Union[str, "os.PathLike[str]"]

# Images a pass of the network when the caller does not say.
BATCH = 32


@dataclass(frozen=True)
class ModelInfo:
    """What a model is made of; `multiply_adds` are those of one image's forward pass. `planes` are the channels that the
    first stage's blocks end in (of bottlenecks a quarter of them), `inner` those of its 3x3 convolutions, and `stride`
    says which convolution of a bottleneck has it: "3x3" or "1x1"."""

    depth: int
    width: int
    stem: str
    classes: int
    channels: int
    parameters: int
    multiply_adds: int
    planes: int
    inner: int
    stride: str


class Model:
    """An immutable network; made by Model.load or Model.create. Threads may share it."""

    def __init__(self, handle: Handle, context: Context):
        self._handle = handle
        self._idle: dict[str, tuple[int, Handle]] = {}
        self.context = context
        self.contract: Contract = from_raw(library.iscp_model_contract(handle)[0])
        self.info = _info(handle)

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        size: int | Sequence[int] | None = None,
        pad: int | Sequence[int] | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        channels: int | None = None,
        class_names: Sequence[str] | None = None,
        state_dict: str | None = None,
        stride: str | None = None,
        context: Context | None = None,
        contract: Contract | None = None,
        **more: Any,
    ) -> Model:
        """Loads a PyTorch checkpoint or a safetensors file; `source` says what was found in it.

        A PyTorch file holds no input contract: give it as `contract`, or by size, pad, mean, std, channels and all other
        keywords of Contract (preset="torchvision-v1"), which together replace the one that a file may hold or that may lie
        beside it. `class_names` likewise. `state_dict` are the keys that lead to the weights where a checkpoint has several,
        as "model_ema"; `stride` is "3x3" (PyTorch's networks) or "1x1"."""
        context = context or default_context()
        options = _options(_given(contract, size, pad, mean, std, channels, **more), class_names)
        options.state_dict = None if state_dict is None else state_dict.encode()
        options.stride = 0 if stride is None else code(STRIDES, stride, "stride")
        create_arguments = (context._handle, os.fsencode(path), options)
        handle = create(library.iscp_model_load, library.iscp_model_destroy, *create_arguments, keep=[context._handle])
        return cls(handle, context)

    @classmethod
    def create(
        cls,
        depth: int = 50,
        *,
        width: int = 64,
        stem: str = "imagenet",
        classes: int = 1000,
        seed: int = 0,
        size: int | Sequence[int] | None = None,
        pad: int | Sequence[int] | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        channels: int | None = None,
        class_names: Sequence[str] | None = None,
        planes: int | None = None,
        inner: int | None = None,
        stride: str = "3x3",
        context: Context | None = None,
        contract: Contract | None = None,
        **more: Any,
    ) -> Model:
        """A ResNet of random weights, which `seed` names, as torchvision initialises them: not trained.

        `stem` is "imagenet" or "cifar"; the input is `contract`, or what size, pad, mean, std, channels and the other
        keywords of Contract say; planes, inner and stride are those of a ModelInfo, as a rule `width`, `planes` and "3x3"."""
        context = context or default_context()
        contract = _given(contract, size, pad, mean, std, channels, **more) or Contract()
        info = sized(iscp_model_info)
        info.depth, info.width, info.stem, info.classes = depth, width, code(STEMS, stem, "stem"), classes
        info.channels, info.stride = contract.channels, code(STRIDES, stride, "stride")
        info.planes, info.inner = planes or 0, inner or 0
        handle = create(
            library.iscp_model_create,
            library.iscp_model_destroy,
            context._handle,
            info,
            _options(contract, class_names),
            seed,
            keep=[context._handle],
        )
        return cls(handle, context)

    def save(self, path: Path, half: bool = False) -> None:
        """Writes safetensors with contract and class names; `half` stores the weights as float16."""
        library.iscp_model_save(self._handle, os.fsencode(path), STORES["f16" if half else "f32"])

    @property
    def class_names(self) -> list[str] | None:
        """The classes' names, or None if the model has none."""
        names = [library.iscp_model_class_name(self._handle, index) for index in range(self.info.classes)]
        return None if None in names else [name.decode("utf-8", "replace") for name in names]

    @property
    def contract_source(self) -> str:
        """Where the input contract is from: "options", "metadata" of the file, or the path of a file beside it."""
        return os.fsdecode(library.iscp_model_contract_source(self._handle))

    @property
    def source(self) -> str:
        """Where the weights came from: container, state dict, prefix and whose names they had."""
        return library.iscp_model_source(self._handle).decode("utf-8", "replace")

    @property
    def hash(self) -> str:
        """SHA-256 of the file that the model was loaded from; of a created model, of its weights."""
        return library.iscp_model_hash(self._handle).decode()

    def logits(self, x: np.ndarray, batch: int | None = None) -> np.ndarray:
        """N x classes float32 of N images, float32 N x C x H x W in [0,1]; `batch` images at a time."""
        x = checked(x, "x", np.float32, ("N", *self.contract.shape))
        logits = np.empty((len(x), self.info.classes), np.float32)
        with self._session("inference", batch, len(x)) as (session, step):
            for i in range(0, len(x), step):
                some = x[i : i + step]
                library.iscp_session_logits(session, address(some, c_float), len(some), address(logits[i:], c_float))
        return logits

    def input_gradient(
        self, x: np.ndarray, targets: Any, *, batch: int | None = None, return_losses: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Gradient of the summed cross-entropy against `targets` (N class indices) with respect to the images `x`, in
        pixel units and of their shape; with `return_losses` also each image's cross-entropy."""
        x = checked(x, "x", np.float32, ("N", *self.contract.shape))
        targets = indices(targets, "targets", len(x))
        gradient, losses = np.empty_like(x), np.empty(len(x), np.float32)
        with self._session("gradient", batch, len(x)) as (session, step):
            for i in range(0, len(x), step):
                some, rest = x[i : i + step], slice(i, None)
                library.iscp_session_input_gradient(
                    session,
                    address(some, c_float),
                    address(targets[rest], c_int32),
                    len(some),
                    address(gradient[rest], c_float),
                    address(losses[rest], c_float),
                    None,
                )
        return (gradient, losses) if return_losses else gradient

    @contextmanager
    def _session(self, purpose: str, batch: int | None, count: int) -> Iterator[tuple[Handle, int]]:
        """A session and its batch. The last one used is kept, and taken out while in use: sessions are one thread's."""
        batch = batch if batch is not None else max(1, min(count, BATCH))
        idle = self._idle.pop(purpose, None)
        if idle is None or idle[0] != batch:
            idle = None  # its memory goes before the new one's is taken
            made = create(
                library.iscp_session_create,
                library.iscp_session_destroy,
                self._handle,
                batch,
                SESSIONS[purpose],
                keep=[self._handle],
            )
            idle = (batch, made)
        try:
            yield idle[1], batch
        finally:
            self._idle[purpose] = idle

    def __repr__(self) -> str:
        return f"<iscp.Model ResNet-{self.info.depth}, {self.info.classes} classes, {self.contract.shape}>"


def _given(contract: Contract | None, *positions: Any, **keywords: Any) -> Contract | None:
    """The contract that the caller gave, whole or in pieces; None if neither."""
    pieces = [value for value in (*positions, *keywords.values()) if value is not None]
    if contract is not None and pieces:
        raise ValueError("contract and its pieces (size, mean, preset, ...) exclude each other")
    return contract if contract is not None or not pieces else Contract(*positions, **keywords)


def _options(contract: Contract | None, class_names: Sequence[str] | None) -> iscp_model_options:
    options = defaults(iscp_model_options)
    if contract is not None:
        options.contract = ctypes.pointer(to_raw(contract))
    if class_names is not None:
        names = [name.encode() for name in class_names]
        options.class_count, options.class_names = len(names), (c_char_p * len(names))(*names)
    return options


def _info(handle: Handle) -> ModelInfo:
    raw = sized(iscp_model_info)
    library.iscp_model_get_info(handle, raw)
    planes = raw.planes or raw.width
    return ModelInfo(
        raw.depth,
        raw.width,
        word(STEMS, raw.stem),
        raw.classes,
        raw.channels,
        raw.parameters,
        raw.multiply_adds,
        planes,
        raw.inner or planes,
        word(STRIDES, raw.stride or STRIDES["3x3"]),
    )
