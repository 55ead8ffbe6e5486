"""Grad-CAM: where a network looks when it gives a class its logit, and how a pattern moves that."""

from __future__ import annotations

import ctypes
from ctypes import c_float
from dataclasses import dataclass

import numpy as np

from ._abi import iscp_attention_shift, iscp_gradcam_info, iscp_gradcam_options
from ._arrays import address, checked
from ._handle import create
from ._library import defaults, library, sized
from ._words import within
from .model import Model
from .pattern import Pattern, chosen_cut, cut_arguments
from .pictures import heat_overlay, image_png


@dataclass(frozen=True, eq=False)
class GradCamMap:
    """A map (H x W float32, >= 0, not scaled) of the class `class_index` on `image`. `logit` is the class's, `predicted` the
    class of the largest logit, `stage_size` the map's size before it was brought to the image's."""

    map: np.ndarray
    image: np.ndarray
    class_index: int
    predicted: int
    logit: float
    maximum: float
    stage_size: tuple[int, int]

    def overlay(self, opacity: float = 0.5) -> np.ndarray:
        """The map laid over the image in colours: 3 x H x W float32 in [0,1]."""
        return heat_overlay(self.map, self.image, opacity)

    def png(self, scale: int = 0) -> bytes:
        """The overlay as a PNG, `scale` picture pixels an image pixel (0 = chosen by size)."""
        return image_png(self.overlay(), scale)

    def _repr_png_(self) -> bytes:
        return self.png()


@dataclass(frozen=True, eq=False)
class AttentionShift:
    """Maps of the predicted class without and with a pattern of class `target` on an image, and the share of each map's
    sum on the pattern's pixels. `area` is those pixels' share of the image: what an even map would have there."""

    target: int
    predicted_before: int
    predicted_after: int
    inside_before: float
    inside_after: float
    area: float
    before: np.ndarray
    after: np.ndarray


class GradCam:
    """Explains a model's answers by the output of layer<stage> (1 to 4); one thread at a time."""

    def __init__(self, model: Model, stage: int = 4):
        options = defaults(iscp_gradcam_options)
        options.stage = within(stage, "stage", 1, 4)
        self.model = model
        self.stage = stage
        self._handle = create(
            library.iscp_gradcam_create,
            library.iscp_gradcam_destroy,
            model._handle,
            options,
            keep=[model._handle],
        )

    def map(self, image: np.ndarray, class_index: int | None = None) -> GradCamMap:
        """The map of one image, C x H x W float32 in [0,1], for a class; without one for the class that is predicted."""
        pixels = self._pixels(image)
        found, raw = np.empty(self.model.contract.shape[1:], np.float32), sized(iscp_gradcam_info)
        library.iscp_gradcam_map(address(found, c_float), ctypes.byref(raw), self._handle, pixels, self._code(class_index))
        return GradCamMap(
            map=found,
            image=image.copy(),
            class_index=raw.class_index,
            predicted=raw.predicted,
            logit=raw.logit,
            maximum=raw.maximum,
            stage_size=(raw.height, raw.width),
        )

    def pattern(
        self,
        image: np.ndarray,
        class_index: int | None = None,
        *,
        size: float | None = None,
        gamma: float | None = None,
    ) -> Pattern:
        """The image's pixels where the map is highest, as a pattern of the map's class: the share `size` of them (default
        0.05), or those with map / maximum > `gamma`. Equal values by index."""
        handle = create(
            library.iscp_gradcam_pattern,
            library.iscp_pattern_destroy,
            self._handle,
            self._pixels(image),
            self._code(class_index),
            *cut_arguments(size, gamma),
            keep=[self.model._handle],
        )
        return Pattern(handle, *chosen_cut(size, gamma))

    def shift(self, image: np.ndarray, pattern: Pattern) -> AttentionShift:
        """How attention moves when the pattern is put on the image."""
        pixels, raw = self._pixels(image), sized(iscp_attention_shift)
        maps = [np.empty(self.model.contract.shape[1:], np.float32) for _ in range(2)]
        places = [address(found, c_float) for found in maps]
        library.iscp_gradcam_shift(ctypes.byref(raw), *places, self._handle, pixels, pattern._handle)
        return AttentionShift(
            raw.target,
            raw.predicted_before,
            raw.predicted_after,
            raw.inside_before,
            raw.inside_after,
            raw.area,
            *maps,
        )

    def _pixels(self, image: np.ndarray):
        return address(checked(image, "image", np.float32, self.model.contract.shape), c_float)

    def _code(self, class_index: int | None) -> int:
        return -1 if class_index is None else within(class_index, "class_index", 0, self.model.info.classes - 1)

    def __repr__(self) -> str:
        return f"<iscp.GradCam of layer{self.stage}, {self.model!r}>"
