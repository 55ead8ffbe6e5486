"""Images as PNG, and maps laid over them."""

from __future__ import annotations

import os
from ctypes import c_float, c_int64, c_uint8

import numpy as np

from ._arrays import address, checked
from ._library import library
from .context import Context, default_context
from .model import Path


def _image_arguments(image: np.ndarray) -> tuple:
    channels, height, width = checked(image, "image", np.float32, ("C", "H", "W")).shape
    return address(image, c_float), channels, height, width


def image_png(image: np.ndarray, scale: int = 0, *, context: Context | None = None) -> bytes:
    """An image, C x H x W float32 in [0,1], as a PNG, `scale` picture pixels an image pixel (0 = chosen by size)."""
    handle = (context or default_context())._handle
    size = c_int64()
    library.iscp_image_encode_png(size, handle, *_image_arguments(image), scale, None, 0)
    picture = (c_uint8 * size.value)()
    library.iscp_image_encode_png(size, handle, *_image_arguments(image), scale, picture, len(picture))
    return bytes(picture)


def write_image_png(image: np.ndarray, path: Path, scale: int = 0, *, context: Context | None = None) -> None:
    """Writes the same picture to a file."""
    handle = (context or default_context())._handle
    library.iscp_image_write_png(handle, *_image_arguments(image), os.fsencode(path), scale)


def heat_overlay(map: np.ndarray, image: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """A map (H x W) laid over an image (C x H x W in [0,1]) in colours, black where it is 0 to pale yellow at its maximum:
    3 x H x W float32. `opacity` 0 is the image, 1 the heat alone."""
    pixels, channels, height, width = _image_arguments(image)
    checked(map, "map", np.float32, (height, width))
    overlay = np.empty((3, height, width), np.float32)
    library.iscp_heat_overlay(
        address(overlay, c_float), address(map, c_float), pixels, channels, height, width, opacity
    )
    return overlay
