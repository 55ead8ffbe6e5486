"""Sets made by a model out of a set: which features of the images a network uses."""

from __future__ import annotations

from ctypes import byref
from dataclasses import dataclass, fields

import numpy as np

from ._abi import INVERSIONS, iscp_invert_info, iscp_invert_options, iscp_inverted
from ._handle import create, view
from ._library import defaults, library, sized
from ._progress import ProgressCallback, call
from ._words import code
from .contract import Contract
from .dataset import Dataset
from .model import Model


@dataclass(frozen=True)
class Inverted:
    """Pictures that were made, N of them: `pixels` uint8 N x H x W x C, `images` the same before rounding, float32 N x C x H x W,
    and `labels`; `index` says of which image of the set each is, `starts` from which one it began. The distances, at the start,
    of `images` and of `pixels`, are |f(x) - f(t)| / |f(t)| of "features", |x - t| of the other kinds, which also have
    `predicted`, the classes that the model takes `pixels` for (-1 of "features").

    `contract` is the model's without resizing, crop and padding: Dataset.from_arrays(made.pixels, made.labels, made.contract)."""

    pixels: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    index: np.ndarray
    starts: np.ndarray
    start_distances: np.ndarray
    distances: np.ndarray
    stored_distances: np.ndarray
    predicted: np.ndarray
    contract: Contract

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<iscp.Inverted {len(self)} pictures, mean distance {np.mean(self.stored_distances):.4f}>"


class Inversion:
    """An iterator over the batches of pictures, as Inverted. After Ctrl-C, or an exception of `progress`, iterating again goes on
    where it stopped, to the same result. The arguments are those of iscp.invert."""

    def __init__(
        self,
        model: Model,
        data: Dataset,
        kind: str = "features",
        *,
        steps: int = 0,
        step: float = 0.1,
        eps: float = 0.5,
        seed: int = 0,
        first: int = 0,
        count: int = 0,
        batch: int = 0,
        progress: ProgressCallback | None = None,
    ):
        options = defaults(iscp_invert_options)
        options.kind = code(INVERSIONS, kind, "kind")
        options.steps, options.step, options.eps, options.seed = steps, step, eps, seed
        options.first, options.count, options.batch = first, count, batch
        self._handle = create(
            library.iscp_inversion_create,
            library.iscp_inversion_destroy,
            model._handle,
            data._handle,
            options,
            keep=[model._handle, data._handle],
        )
        library.iscp_inversion_get_options(self._handle, byref(options))  # those in force
        self.kind = kind
        self.steps: int = options.steps
        self.count: int = options.count
        self.batch: int = options.batch
        self._contract = _as_made(model.contract)
        self._progress = progress

    def __iter__(self) -> Inversion:
        return self

    def __next__(self) -> Inverted:
        call(library.iscp_inversion_next, self._handle, progress=self._progress)
        info = sized(iscp_invert_info)
        library.iscp_inversion_get_info(self._handle, byref(info))
        if not info.rows:
            raise StopIteration
        return self._read(info.rows)

    def _read(self, rows: int) -> Inverted:
        channels, height, width = self._contract.shape
        found = []
        for row in range(rows):
            raw = sized(iscp_inverted)
            library.iscp_inversion_get(byref(raw), self._handle, row)
            found.append(raw)
        return Inverted(
            pixels=np.stack([view(self._handle, raw.stored, (height, width, channels)) for raw in found]),
            images=np.stack([view(self._handle, raw.image, self._contract.shape) for raw in found]),
            labels=np.array([raw.label for raw in found], np.int32),
            index=np.array([raw.index for raw in found], np.int64),
            starts=np.array([raw.start for raw in found], np.int64),
            start_distances=np.array([raw.start_distance for raw in found]),
            distances=np.array([raw.distance for raw in found]),
            stored_distances=np.array([raw.stored_distance for raw in found]),
            predicted=np.array([raw.predicted for raw in found], np.int32),
            contract=self._contract,
        )


def invert(
    model: Model,
    data: Dataset,
    kind: str = "features",
    *,
    steps: int = 0,
    step: float = 0.1,
    eps: float = 0.5,
    seed: int = 0,
    first: int = 0,
    count: int = 0,
    batch: int = 0,
    progress: ProgressCallback | None = None,
) -> Inverted:
    """A picture for each of the `count` images of `data` from `first` on (0 = all), in `steps` steps (0 = chosen by kind) of length
    `step` (Ilyas et al., 2019):

    "features"       one that the model takes for much the same, out of another image of the set, drawn by `seed`: the penultimate
                     features are brought near. It keeps the label: D_R of an adversarially trained model, D_NR of a natural one
    "random",        the image changed by at most `eps` (L2), so that the model takes it for a class drawn by `seed`, or for the
    "deterministic"  one after its own; it gets that label: D_rand, D_det

    All of it is held in memory; Inversion gives it batch by batch."""
    inversion = Inversion(
        model,
        data,
        kind,
        steps=steps,
        step=step,
        eps=eps,
        seed=seed,
        first=first,
        count=count,
        batch=batch,
        progress=progress,
    )
    batches = list(inversion)
    arrays = [field.name for field in fields(Inverted) if field.name != "contract"]
    return Inverted(
        **{name: np.concatenate([getattr(some, name) for some in batches]) for name in arrays}, contract=inversion._contract
    )


def _as_made(contract: Contract) -> Contract:
    """Pictures of the network's size, which need no resizing, crop and padding."""
    return Contract(
        contract.size, 0, contract.mean, contract.std, contract.channels, order=contract.order, range=contract.range
    )
