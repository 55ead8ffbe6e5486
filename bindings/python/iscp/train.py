"""Training: weights that learn a set of images."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ._abi import NORMS, SCHEDULES, iscp_train_options, iscp_train_state
from ._handle import create
from ._library import defaults, library, sized
from ._progress import ProgressCallback, call
from ._words import code
from .dataset import Dataset
from .model import Model, Path


@dataclass(frozen=True)
class TrainState:
    """Where a training is: `step` steps are done, `epoch_steps` make an epoch. `loss` and `accuracy` are means over the images of
    the present epoch as they were seen, of the last one if the present has not begun (`loss` is NaN before the first step)."""

    epochs: int
    step: int
    epoch_steps: int
    loss: float
    accuracy: float
    learning_rate: float
    images_per_second: float
    memory: int

    @property
    def epoch(self) -> int:
        """Epochs that are finished."""
        return self.step // self.epoch_steps


class Trainer:
    """Trains a copy of `model` on `data`: for state in trainer: print(state.loss).

    An iterator over the TrainStates at the end of each epoch. After Ctrl-C, or an exception of `progress`, iterating again
    goes on where it stopped, to the same result. `model` are the weights as they are now.

    With `attack`, "linf" or "l2", it learns from the images as an attack of `attack_steps` steps from a random start leaves
    them, on the weights of that moment: adversarial training. `attack_eps` and `attack_step` as of iscp.attack."""

    def __init__(
        self,
        model: Model,
        data: Dataset,
        *,
        epochs: int = 3,
        batch: int = 128,
        learning_rate: float = 0.1,
        schedule: str = "one_cycle",
        momentum: float = 0.9,
        nesterov: bool = True,
        weight_decay: float = 5e-4,
        decay_all: bool = False,
        step_epochs: int = 30,
        step_factor: float = 0.1,
        rise: float = 0.3,
        shift: int = 0,
        flip: bool = False,
        seed: int = 0,
        attack: str | None = None,
        attack_eps: float = 0,
        attack_steps: int = 7,
        attack_step: float = 0,
        progress: ProgressCallback | None = None,
    ):
        options = defaults(iscp_train_options)
        options.schedule = code(SCHEDULES, schedule, "schedule")
        options.epochs, options.batch, options.learning_rate = epochs, batch, learning_rate
        options.momentum, options.nesterov = momentum, bool(nesterov)
        options.weight_decay, options.decay_all = weight_decay, bool(decay_all)
        options.step_epochs, options.step_factor, options.rise = step_epochs, step_factor, rise
        options.shift, options.flip, options.seed = shift, bool(flip), seed
        options.attack = 0 if attack is None else code(NORMS, attack, "attack")
        options.attack_eps, options.attack_steps, options.attack_step = attack_eps, attack_steps, attack_step
        self._handle = create(
            library.iscp_trainer_create,
            library.iscp_trainer_destroy,
            model._handle,
            data._handle,
            options,
            keep=[model._handle, data._handle],
        )
        self._context = model.context
        self._progress = progress

    def __iter__(self) -> Trainer:
        return self

    def __next__(self) -> TrainState:
        before = self.state
        if before.epoch == before.epochs:
            raise StopIteration
        call(library.iscp_trainer_epoch, self._handle, progress=self._progress)
        return self.state

    @property
    def state(self) -> TrainState:
        raw = sized(iscp_train_state)
        library.iscp_trainer_get_state(self._handle, raw)
        return TrainState(**{name: getattr(raw, name) for name in TrainState.__dataclass_fields__})

    @property
    def model(self) -> Model:
        """The weights as they are now, with the first model's contract and class names."""
        keep = [self._context._handle]
        return Model(create(library.iscp_trainer_model, library.iscp_model_destroy, self._handle, keep=keep), self._context)

    def save(self, path: Path) -> None:
        """Writes all that the rest of the training depends on."""
        library.iscp_trainer_save(self._handle, os.fsencode(path))

    def resume(self, path: Path) -> None:
        """Goes on from a file of `save`, of a training with the same images and options."""
        library.iscp_trainer_resume(self._handle, os.fsencode(path))
