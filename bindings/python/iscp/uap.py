"""Universal adversarial perturbations, targeted at a class: a rival of the patterns that a search finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._abi import UAPS, iscp_uap_info, iscp_uap_options
from ._handle import create, view
from ._library import defaults, library, sized
from ._progress import ProgressCallback, call
from ._words import code
from .dataset import Dataset
from .model import Model
from .pattern import Pattern


@dataclass(frozen=True)
class UapInfo:
    """How far a perturbation is: `finished` once it is crafted and counted; `epochs` passes over the `images` of other
    classes, `steps` changes; `fooled` of the images are taken for the class, `asr` is their share, the interval a 95 %
    Wilson interval."""

    class_index: int
    finished: bool
    epochs: int
    steps: int
    images: int
    fooled: int
    asr: float
    asr_interval: tuple[float, float]


class Uap:
    """A perturbation towards a class. `run` crafts it; after Ctrl-C, or an exception of `progress`, a further call goes on
    where it stopped, to the same result. The arguments are those of iscp.uap."""

    def __init__(
        self,
        model: Model,
        data: Dataset,
        class_index: int,
        eps: float = 8 / 255,
        method: str = "sgd",
        *,
        step: float = 0,
        fraction: float = 1,
        seed: int = 0,
        epochs: int = 0,
        batch: int = 0,
        loss_clamp: float = 12,
        overshoot: float = 0.02,
        inner_steps: int = 50,
        stop: float = 0.8,
    ):
        options = defaults(iscp_uap_options)
        options.method = code(UAPS, method, "method")
        options.eps, options.step, options.fraction, options.seed = eps, step, fraction, seed
        options.epochs, options.batch, options.inner_steps = epochs, batch, inner_steps
        options.loss_clamp, options.overshoot, options.stop = loss_clamp, overshoot, stop
        self._handle = create(
            library.iscp_uap_create,
            library.iscp_uap_destroy,
            model._handle,
            data._handle,
            class_index,
            options,
            keep=[model._handle, data._handle],
        )
        library.iscp_uap_get_options(self._handle, options)  # those in force
        self.method = method
        self.eps: float = options.eps
        self.step: float = options.step
        self.epochs: int = options.epochs
        self.batch: int = options.batch
        contract = model.contract
        self._shape = (contract.channels, contract.height, contract.width)

    def run(self, progress: ProgressCallback | None = None) -> None:
        """Crafts the perturbation to the end; does nothing once it is finished."""
        call(library.iscp_uap_run, self._handle, progress=progress)

    @property
    def info(self) -> UapInfo:
        raw = sized(iscp_uap_info)
        library.iscp_uap_get_info(self._handle, raw)
        return UapInfo(
            class_index=raw.class_index,
            finished=bool(raw.finished),
            epochs=raw.epochs,
            steps=raw.steps,
            images=raw.images,
            fooled=raw.fooled,
            asr=raw.asr,
            asr_interval=(raw.asr_low, raw.asr_high),
        )

    @property
    def asr(self) -> float:
        """Share of the images that it was crafted on, none of the class itself, that are taken for the class with it."""
        return self.info.asr

    @property
    def perturbation(self) -> np.ndarray:
        """v, float32 C x H x W, |v| <= eps."""
        return view(self._handle, library.iscp_uap_perturbation(self._handle), self._shape)

    def pattern(self, size: float = 1.0) -> Pattern:
        """The perturbation as a pattern that is added: all of it, or the share `size` of the pixels, the strongest."""
        handle = create(
            library.iscp_uap_pattern, library.iscp_pattern_destroy, self._handle, size, keep=[self._handle]
        )
        return Pattern(handle, size)

    def __repr__(self) -> str:
        info = self.info
        state = f"ASR {info.asr:.4f}" if info.finished else f"{info.epochs} of {self.epochs} epochs"
        return f"<iscp.Uap class {info.class_index}, {self.method}, eps {255 * self.eps:g}/255, {state}>"


def uap(
    model: Model,
    data: Dataset,
    class_index: int,
    eps: float = 8 / 255,
    method: str = "sgd",
    *,
    step: float = 0,
    fraction: float = 1,
    seed: int = 0,
    epochs: int = 0,
    batch: int = 0,
    loss_clamp: float = 12,
    overshoot: float = 0.02,
    inner_steps: int = 50,
    stop: float = 0.8,
    progress: ProgressCallback | None = None,
) -> Uap:
    """Crafts one perturbation, at most `eps` at every pixel, that makes the model say `class_index` of any image.

    method       "sgd" (sign steps, from `step` at the first, 0 = 0.8 eps, falling evenly to 0; an image whose loss is
                 above `loss_clamp` has no say) or "deepfool" (targeted DeepFool of at most `inner_steps` steps on the
                 images not yet taken for the class, until the share `stop` of them is)
    fraction     share of each class that it is crafted on, drawn by `seed` as a search's D_n is; images of the class
                 itself are left out
    epochs,      passes over the images and images a step; 0 = chosen by method
    batch"""
    crafted = Uap(
        model,
        data,
        class_index,
        eps,
        method,
        step=step,
        fraction=fraction,
        seed=seed,
        epochs=epochs,
        batch=batch,
        loss_clamp=loss_clamp,
        overshoot=overshoot,
        inner_steps=inner_steps,
        stop=stop,
    )
    crafted.run(progress)
    return crafted
