"""Universal perturbations in PyTorch: the second opinion on lib/attack, by automatic differentiation throughout."""

from __future__ import annotations

import numpy as np
import torch
from algorithm import ORDER, shuffle
from support import Net


def clamped_loss_gradient(net: Net, images: torch.Tensor, v: torch.Tensor, target: int, clamp: float) -> np.ndarray:
    """d/dv of the sum over images of min(clamp, cross-entropy towards `target`) of clip(x + v, 0, 1)."""
    v = v.clone().requires_grad_(True)
    goals = torch.full((len(images),), target)
    losses = torch.nn.functional.cross_entropy(net.logits((images + v).clamp(0, 1)), goals, reduction="none")
    return torch.autograd.grad(losses.clamp(max=clamp).sum(), v)[0].numpy()


def sgd(net: Net, pixels: torch.Tensor, labels: np.ndarray, target: int, *, eps, epochs, batch, seed=0, clamp=12.0):
    """v after some epochs; the step falls evenly from 0.8 eps to 0."""
    others, v, steps = np.flatnonzero(labels != target), torch.zeros_like(pixels[0]), 0
    whole = epochs * -(-len(others) // batch)
    for epoch in range(epochs):
        order = shuffle(others, seed, ORDER, target, epoch)
        for start in range(0, len(order), batch):
            gradient = clamped_loss_gradient(net, pixels[order[start : start + batch]], v, target, clamp)
            step = 0.8 * eps * (1 - steps / whole)
            v = (v - step * torch.from_numpy(gradient).sign()).clamp(-eps, eps)
            steps += 1
    return v


def deepfool(net: Net, image: torch.Tensor, target: int, *, overshoot=0.02, steps=50) -> tuple[torch.Tensor, int]:
    """(1 + overshoot) r that makes the net say `target` of clip(x + (1 + overshoot) r, 0, 1), and the steps it took."""
    r = torch.zeros_like(image)
    for step in range(steps + 1):
        variable = r.clone().requires_grad_(True)
        logits = net.logits((image + (1 + overshoot) * variable).clamp(0, 1)[None])[0]
        best = int(logits.argmax())
        if best == target:
            return (1 + overshoot) * r, step
        gap = logits[target] - logits[best]
        # The derivative is by what is added to the image, (1 + overshoot) r.
        w = torch.autograd.grad(gap, variable)[0] / (1 + overshoot)
        r = r + (gap.abs().detach() / w.norm() + 1e-4) * w / w.norm()
    raise AssertionError(f"DeepFool does not reach class {target} in {steps} steps")


def fooled(net: Net, pixels: torch.Tensor, labels: np.ndarray, v: torch.Tensor, target: int) -> float:
    """Share of the images of other classes that are taken for the target with v on them."""
    others = pixels[np.flatnonzero(labels != target)]
    with torch.no_grad():
        answers = torch.cat([net.logits((some + v).clamp(0, 1)).argmax(1) for some in others.split(100)])
    return float((answers == target).double().mean())
