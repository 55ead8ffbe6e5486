"""What a search found: classes, and their canvases."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Iterator, Mapping, Sequence
from ctypes import POINTER, Array, c_double, cast, sizeof
from typing import Any

import numpy as np

from ._abi import CANVASES, IMAGES, iscp_canvas_result, iscp_power, iscp_report_options, iscp_search_options
from ._handle import Handle, create, view
from ._library import defaults, library, sized
from ._progress import ProgressCallback
from ._words import code, word
from .dataset import Dataset
from .evaluation import Evaluation, Power
from .model import Model, Path
from .pattern import SIZE, Pattern, chosen_cut, cut_arguments

SIZES = (0.01, 0.02, 0.03, 0.05, 0.1)


class Run:
    """What the parts of a result share: the search, what it was made of, and its evaluations.

    The parts hold it and not each other, so that the search's memory goes with the last of them, without waiting for
    the garbage collector. `held` is what the options point to."""

    def __init__(self, handle: Handle, model: Model, data: Dataset, options: iscp_search_options, held: Sequence):
        self.handle = handle
        self.model = model
        self.data = data
        self.options = options
        self.held = held
        self._evaluations: dict[str, Evaluation] = {}

    def evaluation(self, images: str, progress: ProgressCallback | None) -> Evaluation:
        if images not in self._evaluations:
            draw = (self.options.fraction, self.options.seed)
            self._evaluations[images] = Evaluation(self.model, self.data, images, *draw, progress=progress)
        return self._evaluations[images]

    def name(self, class_index: int) -> str | None:
        for names in (self.model.class_names, self.data.class_names):
            if names and class_index < len(names):
                return names[class_index]
        return None


class CanvasFacts:
    """What one canvas of a class gave.

    kind, image     "positive", ..., and the index in the dataset (or among the caller's own; None for white)
    alpha           effective weight of the mask's size in the objective
    loss, power     objective per image, and predictive power at the search's select_size; of the images searched on
    selected        whether it is the best canvas of the class
    saturated, zeros, steps   mask values equal to 1 and to 0, mask updates kept
    canvas_steps    updates of a learned canvas, else 0
    """

    def __init__(self, class_index: int, raw: iscp_canvas_result):
        self.class_index = class_index
        self.kind = word(CANVASES, raw.kind)
        self.image: int | None = raw.image if raw.image >= 0 else None
        self.alpha: float = raw.alpha
        self.loss: float = raw.loss
        self.power: float = raw.power
        self.selected = bool(raw.selected)
        self.saturated: int = raw.saturated
        self.zeros: int = raw.zeros
        self.steps: int = raw.steps
        self.canvas_steps: int = raw.canvas_steps

    def __repr__(self) -> str:
        image, mark = "" if self.image is None else f" {self.image}", ", selected" if self.selected else ""
        name = type(self).__name__
        return f"<iscp.{name} class {self.class_index}, {self.kind}{image}, loss {self.loss:.4f}{mark}>"


class CanvasResult(CanvasFacts):
    """One canvas of a class (see CanvasFacts), number `index` of it, with its mask, evidence and pixels."""

    def __init__(self, run: Run, class_index: int, index: int):
        self._run = run
        self._place = (run.handle, class_index, index)
        raw = sized(iscp_canvas_result)
        library.iscp_search_get_canvas(*self._place, raw)
        super().__init__(class_index, raw)
        self.index = index

    @property
    def mask(self) -> np.ndarray:
        """float32 H x W in [0,1]."""
        return self._view(library.iscp_search_mask, self._run.model.contract.size)

    @property
    def evidence(self) -> np.ndarray:
        """int32 H x W: the sum of -sign(dL/dm) over the steps."""
        return self._view(library.iscp_search_evidence, self._run.model.contract.size)

    @property
    def canvas(self) -> np.ndarray:
        """float32 C x H x W in [0,1]; the learned one, if it was learned."""
        return self._view(library.iscp_search_canvas, self._run.model.contract.shape)

    @property
    def epochs(self) -> np.ndarray:
        """float64: the objective per image of each epoch."""
        return self._view(library.iscp_search_epochs, (self._run.options.epochs,))

    def _view(self, function: Any, shape: tuple) -> np.ndarray:
        return view(self._run.handle, function(*self._place), shape)

    def pattern(self, size: float | None = None, gamma: float | None = None) -> Pattern:
        """The share `size` of the pixels (default 0.05), best first, or all pixels with mask > `gamma`."""
        arguments = (*self._place, *cut_arguments(size, gamma))
        keep = [self._run.handle]
        handle = create(library.iscp_search_pattern, library.iscp_pattern_destroy, *arguments, keep=keep)
        return Pattern(handle, *chosen_cut(size, gamma))

    def _repr_png_(self) -> bytes:
        return self.pattern().png()


class ClassResult:
    """A finished class: `class_index`, `name` (None if it has none), and `canvases`, a list of CanvasResult, which is
    empty if the model takes no image for the class."""

    def __init__(self, run: Run, class_index: int):
        self._run = run
        self.class_index = class_index
        self.name = run.name(class_index)
        count = library.iscp_search_canvas_count(run.handle, class_index)
        self.canvases: list[CanvasResult] = [CanvasResult(run, class_index, i) for i in range(count)]

    @property
    def selected(self) -> CanvasResult | None:
        """The best canvas; None if there are none."""
        index = library.iscp_search_selected(self._run.handle, self.class_index)
        return self.canvases[index] if index >= 0 else None

    def pattern(self, size: float | None = None, gamma: float | None = None) -> Pattern:
        """The pattern of the selected canvas; see CanvasResult.pattern."""
        if self.selected is None:
            raise ValueError(f"class {self.class_index} has no canvas and so no pattern")
        return self.selected.pattern(size, gamma)

    def power(
        self, sizes: Sequence[float] = SIZES, images: str = "heldout", progress: ProgressCallback | None = None
    ) -> list[Power]:
        """The power of the selected canvas's pattern at each size, on "heldout", "all" or "searched" images."""
        patterns = [self.pattern(size) for size in np.atleast_1d(sizes).tolist()]
        evaluation = self._run.evaluation(images, progress)
        return [evaluation.power(pattern, progress) for pattern in patterns]

    def _repr_png_(self) -> bytes | None:
        return self.pattern().png() if self.canvases else None

    def __repr__(self) -> str:
        name = "" if self.name is None else f" {self.name!r}"
        return f"<iscp.ClassResult {self.class_index}{name}, {len(self.canvases)} canvases>"


class SearchResult(Mapping):
    """{class index: ClassResult} of the finished classes, in the order in which they were finished."""

    def __init__(self, run: Run):
        self._run = run
        self._classes: dict[int, ClassResult] = {}
        self.model = run.model
        self.data = run.data

    def _add(self, class_index: int) -> None:
        self._classes[class_index] = ClassResult(self._run, class_index)

    def __getitem__(self, class_index: int) -> ClassResult:
        return self._classes[class_index]

    def __iter__(self) -> Iterator[int]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)

    def evaluation(self, images: str = "heldout", progress: ProgressCallback | None = None) -> Evaluation:
        """The Evaluation with this search's draw of images; made once."""
        return self._run.evaluation(images, progress)

    def write(
        self,
        folder: Path,
        *,
        sizes: Sequence[float] = SIZES,
        images: str = "heldout",
        measure: str = "selected",
        resume: bool = False,
        overwrite: bool = False,
        picture_size: float = SIZE,
        scale: int = 0,
        progress: ProgressCallback | None = None,
    ) -> None:
        """Writes result.json, masks, evidence and canvases (.npy), patterns and a sheet (.png) into a folder.

        The power at each of `sizes` on `images` is measured for the "selected" canvas of each class, for "all" canvases, or
        for "none". `resume` adds to a report of the same run, `overwrite` replaces a report; `picture_size` is the size of
        the patterns in the pictures, `scale` picture pixels an image pixel (0 = chosen by size)."""
        if measure not in ("selected", "all", "none"):
            raise ValueError(f"measure must be one of 'selected', 'all', 'none', not {measure!r}")
        options = defaults(iscp_report_options)
        options.resume, options.overwrite = int(resume), int(overwrite)
        options.picture_size, options.scale = picture_size, scale
        options.images = code(IMAGES, images, "images")
        held = (c_double * len(sizes))(*sizes)
        options.sizes, options.size_count = cast(held, POINTER(c_double)), len(sizes)
        run = self._run
        arguments = (os.fsencode(folder), run.model._handle, run.data._handle, run.options, options)
        report = create(library.iscp_report_create, library.iscp_report_destroy, *arguments, keep=[run.handle])
        for found in self.values():
            powers = self._measured(found, sizes, images, measure, progress)
            library.iscp_report_add(report, run.handle, found.class_index, powers)

    def _measured(
        self, found: ClassResult, sizes: Sequence[float], images: str, measure: str, progress: ProgressCallback | None
    ) -> Array:
        """Canvas by canvas, size by size; a row whose target stays -1 was not measured."""
        rows = len(found.canvases) * len(sizes)
        powers = (iscp_power * rows)(*(iscp_power(struct_size=sizeof(iscp_power), target=-1) for _ in range(rows)))
        for canvas in found.canvases:
            if measure == "all" or (measure == "selected" and canvas.selected):
                for i, size in enumerate(sizes):
                    measured = self.evaluation(images, progress).measure(canvas.pattern(size), progress)
                    powers[canvas.index * len(sizes) + i] = measured
        return powers

    def _repr_html_(self) -> str:
        """The selected patterns side by side."""
        figures = []
        for found in self.values():
            caption = html.escape(str(found.class_index if found.name is None else found.name))
            picture = base64.b64encode(found.pattern(SIZE).png()).decode() if found.canvases else ""
            image = f'<img src="data:image/png;base64,{picture}">' if picture else "no canvas"
            figures.append(f'<figure style="display:inline-block">{image}<figcaption>{caption}</figcaption></figure>')
        return "".join(figures)

    def __repr__(self) -> str:
        return f"<iscp.SearchResult classes {list(self)}>"
