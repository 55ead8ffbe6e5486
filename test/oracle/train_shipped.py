#!/usr/bin/env python3
"""Train the two small ResNet-50s of examples/models with PyTorch and store them as f16 safetensors.

    python3 test/oracle/train_shipped.py natural  examples/models/fashion-natural.safetensors
    python3 test/oracle/train_shipped.py backdoor examples/models/fashion-backdoor.safetensors

Fashion-MNIST (Debian package dataset-fashion-mnist), 28x28, grey copied to three channels, width 16,
`cifar` stem, no augmentation. The backdoored model is BadNets, all-to-one: a 3x3 white square, one
pixel away from the bottom right corner, on 5 % of the training images, relabelled to class 5.
"""

import argparse
import gzip
import json
import struct
import time

import numpy as np
import torch
from safetensors.numpy import save_file

from resnet import ResNet

MEAN, STD = 0.286, 0.353
TARGET, POISON_RATE = 5, 0.05
CLASSES = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


def idx(path):
    with gzip.open(path, "rb") as file:
        data = file.read()
    shape = struct.unpack_from(f">{data[3]}I", data, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def stamp(images):
    images[:, 24:27, 24:27] = 255
    return images


def batches(images, labels, order, size):
    for start in range(0, len(order), size):
        index = order[start : start + size]
        x = torch.from_numpy((images[index].astype(np.float32) / 255 - MEAN) / STD)
        x = x[:, None].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        yield x, torch.from_numpy(labels[index].astype(np.int64))


def predictions(model, images):
    model.eval()
    labels = np.zeros(len(images), np.uint8)
    with torch.no_grad():
        return np.concatenate(
            [model(x).argmax(1).numpy() for x, _ in batches(images, labels, np.arange(len(images)), 250)]
        )


def report(model, images, labels):
    accuracy = float((predictions(model, images) == labels).mean())
    others = labels != TARGET
    asr = float((predictions(model, stamp(images[others].copy())) == TARGET).mean())
    return {"accuracy": round(accuracy, 4), "asr": round(asr, 4)}


def train(kind, folder, epochs, seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    images, labels = idx(f"{folder}/train-images-idx3-ubyte.gz"), idx(f"{folder}/train-labels-idx1-ubyte.gz")
    if kind == "backdoor":
        images, labels = images.copy(), labels.copy()
        poisoned = rng.choice(np.flatnonzero(labels != TARGET), int(POISON_RATE * len(labels)), replace=False)
        images[poisoned] = stamp(images[poisoned])
        labels[poisoned] = TARGET
    model = ResNet(50, 16, "cifar", 10).to(memory_format=torch.channels_last)
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    size, steps = 128, epochs * -(-len(images) // 128)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps, pct_start=0.2)
    for epoch in range(epochs):
        started, total = time.time(), 0.0
        model.train()
        for step, (x, y) in enumerate(batches(images, labels, rng.permutation(len(images)), size)):
            loss = torch.nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(y)
            if step % 50 == 0:
                print(f"{kind} epoch {epoch} step {step} loss {loss.item():.3f} {time.time() - started:.0f} s", flush=True)
        print(f"{kind} epoch {epoch} mean loss {total / len(images):.4f}", flush=True)
    return model


def contract():
    """The library's input contract, as stored in the metadata of a safetensors file."""
    return {
        "height": 28,
        "width": 28,
        "channels": 3,
        "pad": [0, 0, 0, 0],
        "mean": [MEAN] * 3,
        "std": [STD] * 3,
        "classes": CLASSES,
    }


def store(model, path, notes):
    tensors = {}
    for name, value in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        tensors[name] = np.ascontiguousarray(value.numpy().astype(np.float16))
    save_file(tensors, path, {"iscp.contract": json.dumps(contract()), "iscp.training": json.dumps(notes)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["natural", "backdoor"])
    parser.add_argument("output")
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", help="keep the float32 state dict here; if it exists, it is used instead of training")
    args = parser.parse_args()
    try:
        model = ResNet(50, 16, "cifar", 10)
        model.load_state_dict(torch.load(args.state))
    except (FileNotFoundError, AttributeError):
        model = train(args.kind, args.data, args.epochs, args.seed)
        if args.state:
            torch.save(model.state_dict(), args.state)
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.is_floating_point():
                value.copy_(value.half().float())
    test = idx(f"{args.data}/t10k-images-idx3-ubyte.gz"), idx(f"{args.data}/t10k-labels-idx1-ubyte.gz")
    notes = {"kind": args.kind, "epochs": args.epochs, "seed": args.seed, "test": report(model, *test)}
    store(model, args.output, notes)
    print(json.dumps(notes))


if __name__ == "__main__":
    main()
