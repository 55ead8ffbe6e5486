#!/usr/bin/env python3
"""Dumps the golden values from PyTorch: two toy ResNets, and for each its logits, losses, input gradients, and masks.

    python3 test/golden/dump_golden.py           dumps the values of the committed weights anew
    python3 test/golden/dump_golden.py --train   trains the weights anew first

Needs PyTorch, numpy and safetensors; reads examples/data (Fashion-MNIST, MIT licence). Each folder NAME gets

    model.safetensors                     f16 weights with the input contract
    images.npy, images-labels.npy         colour pictures, u8 N x H x W x 3, and the classes of the gradient
    logits.npy, losses.npy, gradient.npy  float32, computed in float64
    canvas.npy                            int64: index of the class's top positive canvas, and the size of D_n
    first-PRESET.npy, last-PRESET.npy     masks after one pass over D_n (10 steps) and after five, PyTorch's float32
                                          gradients in the loop
    best-PRESET.npy                       int32: the best 10 % of the pixels of the last mask, best first
    power-PRESET.npy                      float64: their PW

golden.c repeats LIMIT, FRACTION, SEED, TARGET and SIZE."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "oracle"))

from algorithm import best_pixels, draw, power, search  # noqa: E402
from decisions import undecided  # noqa: E402
from resnet import ResNet  # noqa: E402
from support import (  # noqa: E402
    SHIPPED_IMAGES,
    SHIPPED_LABELS,
    input_gradient,
    logits,
    net_of,
    pixels_of,
    read_idx,
    read_safetensors,
)

# Colour by colour another number: swapped channels show.
MEAN, STD = (0.286, 0.301, 0.274), (0.353, 0.337, 0.365)
TOYS = {
    "resnet18-cifar": {"form": (18, 5, "cifar", 10), "pad": 0, "seed": 1},
    "resnet50-imagenet": {"form": (50, 4, "imagenet", 10), "pad": 2, "seed": 2},
}
EPOCHS, BATCH, RATE = 14, 32, 0.05

# Of the first LIMIT images, FRACTION of each class: D_n of class TARGET has 40 images, 10 steps of 4.
LIMIT, FRACTION, SEED, TARGET = 430, 0.1, 7, 0
SIZE = 0.1
PICTURES = 5


def train(form, pad, seed):
    """A ResNet trained on the 2,000 pictures: well enough for its patterns to mean something."""
    torch.manual_seed(seed)
    model = ResNet(*form)
    pixels, labels = pixels_of(read_idx(SHIPPED_IMAGES), pad), torch.from_numpy(read_idx(SHIPPED_LABELS).astype(int))
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    steps = EPOCHS * -(-len(labels) // BATCH)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        total = 0.0
        for some in torch.randperm(len(labels)).split(BATCH):
            loss = torch.nn.functional.cross_entropy(model((pixels[some] - mean) / std), labels[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(some)
        print(f"mean loss {total / len(labels):.3f}", flush=True)
    return model.eval()


def store(model, path, pad):
    size = 28 + 2 * pad
    contract = {"channels": 3, "height": size, "width": size, "pad": [pad] * 4, "mean": MEAN, "std": STD}
    state = {k: v.numpy().astype(np.float16) for k, v in model.state_dict().items() if v.is_floating_point()}
    assert all(np.isfinite(value).all() for value in state.values()), "a weight is beyond float16"
    save_file(state, path, {"iscp.contract": json.dumps(contract)})
    path.chmod(0o644)


def colour(images, seed):
    """Grey pictures in a colour of their own each, with noise: no flat parts, no two equal channels."""
    rng = np.random.default_rng(seed)
    tint = rng.uniform(0.4, 1, (len(images), 1, 1, 3))
    noise = rng.integers(0, 60, (*images.shape, 3))
    return np.clip(images[..., None] * tint * 0.8 + noise, 0, 255).astype(np.uint8)


def pixels_of_colour(images, pad):
    padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0))).astype(np.float32) / np.float32(255)
    return torch.from_numpy(np.ascontiguousarray(padded.transpose(0, 3, 1, 2)))


def choose_pictures(net, pad):
    """Pictures for which float32 has no decision to take that rounding could turn (decisions.py): the gradient golden.c
    compares is then a matter of rounding alone, on every machine."""
    images = colour(read_idx(SHIPPED_IMAGES)[:100], 5)
    pixels = pixels_of_colour(images, pad)
    clear = [i for i, open_ones in enumerate(undecided(net, net.double(), pixels)) if not open_ones]
    print(f"{len(clear)} of {len(images)} pictures are clear")
    chosen = clear[:PICTURES]
    # Another class than the model's: the gradient for a class that it is sure of is lost in rounding.
    targets = (logits(net, pixels[chosen]).argmax(1) + 1) % 10
    return images[chosen], pixels[chosen], targets


def dump_network(folder, net, pad):
    images, pixels, targets = choose_pictures(net, pad)
    referee = net.double()
    values = logits(referee, pixels.double())
    goals = torch.from_numpy(targets)
    losses = torch.nn.functional.cross_entropy(torch.from_numpy(values), goals, reduction="none").numpy()
    np.save(folder / "images.npy", images)
    np.save(folder / "images-labels.npy", targets.astype(np.int32))
    np.save(folder / "logits.npy", values.astype(np.float32))
    np.save(folder / "losses.npy", losses.astype(np.float32))
    np.save(folder / "gradient.npy", input_gradient(referee, pixels.double(), targets).astype(np.float32))


def dump_search(folder, net, pad):
    pixels, labels = pixels_of(read_idx(SHIPPED_IMAGES)[:LIMIT], pad), read_idx(SHIPPED_LABELS)[:LIMIT].astype(int)
    referee, values = net.double(), logits(net, pixels)
    print(f"accuracy {(values.argmax(1) == labels).mean():.3f}")
    right = (values.argmax(1) == TARGET) & (labels == TARGET)
    image = int(np.where(right, values[:, TARGET], -np.inf).argmax())
    searched = draw(labels, FRACTION, SEED)
    count = int((searched & (labels != TARGET)).sum())
    assert count == 40, f"D_n has {count} images"
    np.save(folder / "canvas.npy", np.array([image, count]))
    for preset in "paper", "authors":
        options = {"preset": preset, "fraction": FRACTION, "seed": SEED}
        first = search(net, pixels, labels, pixels[image], TARGET, epochs=1, **options)
        last = search(net, pixels, labels, pixels[image], TARGET, epochs=5, **options)
        # In float64 the same, to the last pixel: on this path no sign hangs on float32's rounding. If other weights or
        # another version of PyTorch stop here, another SEED will do.
        exact = search(referee, pixels.double(), labels, pixels[image].double(), TARGET, epochs=5, **options)
        assert (exact.mask == last.mask).all(), f"{preset}: float32 and float64 part ways"
        best = best_pixels(last.mask, last.evidence, SIZE)
        result = power(net, pixels, labels, ~searched, pixels[image], best, TARGET)
        np.save(folder / f"first-{preset}.npy", first.mask)
        np.save(folder / f"last-{preset}.npy", last.mask)
        np.save(folder / f"best-{preset}.npy", best.astype(np.int32))
        np.save(folder / f"power-{preset}.npy", np.array([result.pw]))
        print(f"{preset}: objective {last.epochs}, PW {result.pw:.3f} ({result})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", action="store_true", help="train the weights anew")
    parser.add_argument("--only", choices=TOYS, help="one of the toys")
    args = parser.parse_args()
    for name, toy in TOYS.items():
        if args.only not in (None, name):
            continue
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        path = folder / "model.safetensors"
        print(name)
        if args.train or not path.exists():
            store(train(toy["form"], toy["pad"], toy["seed"]), path, toy["pad"])
        net = net_of(read_safetensors(path)[0], toy["form"], MEAN, STD)
        dump_network(folder, net, toy["pad"])
        dump_search(folder, net, toy["pad"])


if __name__ == "__main__":
    main()
