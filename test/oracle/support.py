"""What the oracle tests share: where things are, files read without the library, networks in PyTorch, and distances."""

from __future__ import annotations

import gzip
import json
import os
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from resnet import ResNet

ROOT = Path(__file__).resolve().parents[2]
SHIPPED_MODEL = ROOT / "examples/models/fashion-natural.safetensors"
SHIPPED_IMAGES = ROOT / "examples/data/t10k-2000-images-idx3-ubyte.gz"
SHIPPED_LABELS = ROOT / "examples/data/t10k-2000-labels-idx1-ubyte.gz"
FASHION = Path("/usr/share/datasets/fashion-mnist")  # Debian's package dataset-fashion-mnist
REFERENCE_MODEL = Path(
    os.environ.get("ISCP_REFERENCE_MODEL") or ROOT.parent / "shared/models/fashion-resnet50-natural.pth"
)
REFERENCE_INPUT = {"size": 32, "pad": 2, "mean": 0.286, "std": 0.353}


class Net(NamedTuple):
    """A network in PyTorch with the numbers that its input goes through: (pixel - mean) / std."""

    model: ResNet
    mean: torch.Tensor  # C x 1 x 1
    std: torch.Tensor

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.model((pixels - self.mean) / self.std)

    def double(self) -> Net:
        """A copy that computes in float64 with the same float32 weights: the referee."""
        copy = ResNet(*self.model.form).double()
        copy.load_state_dict(self.model.state_dict())
        return Net(copy.eval(), self.mean.double(), self.std.double())


def net_of(state: dict[str, torch.Tensor], form: tuple, mean, std) -> Net:
    """`form` is (depth, width, stem, classes). Numbers of any type become float32, as in the library."""
    model = ResNet(*form)
    missing, unexpected = model.load_state_dict({k: v.float() for k, v in state.items()}, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    model.form = form
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return Net(model.eval(), channels(mean), channels(std))


def channels(values) -> torch.Tensor:
    return torch.tensor(np.broadcast_to(np.float32(values), 3).copy())[:, None, None]


def shipped_net() -> Net:
    state, metadata = read_safetensors(SHIPPED_MODEL)
    contract = json.loads(metadata["iscp.contract"])
    return net_of(state, (50, 16, "cifar", 10), contract["mean"], contract["std"])


def reference_net() -> Net:
    form = (50, 64, "imagenet", 10)
    return net_of(torch.load(REFERENCE_MODEL), form, REFERENCE_INPUT["mean"], REFERENCE_INPUT["std"])


# ---- Files ----


def read_idx(path: Path) -> np.ndarray:
    data = gzip.decompress(path.read_bytes())
    shape = struct.unpack_from(f">{data[3]}I", data, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Tensors and metadata, without the safetensors package."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    metadata, tensors = header.pop("__metadata__", {}), {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        dtype = {"F16": np.float16, "F32": np.float32}[entry["dtype"]]
        array = np.frombuffer(data[8 + length + start : 8 + length + end], dtype).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors, metadata


def pixels_of(images: np.ndarray, pad: int = 0) -> torch.Tensor:
    """Grey u8 images, N x H x W, as network input: N x 3 x H x W float32 in [0,1], zeros around."""
    grey = np.pad(images, ((0, 0), (pad, pad), (pad, pad))).astype(np.float32) / np.float32(255)
    return torch.from_numpy(np.repeat(grey[:, None], 3, 1))


# ---- Gradients and distances ----


def input_gradient(net: Net, pixels: torch.Tensor, targets, batch: int = 32) -> np.ndarray:
    """Gradient of the summed cross-entropy in pixel units, of each image."""
    gradients = []
    for some, goals in zip(pixels.split(batch), torch.as_tensor(targets).long().split(batch)):
        some = some.clone().requires_grad_(True)
        loss = torch.nn.functional.cross_entropy(net.logits(some), goals, reduction="sum")
        gradients.append(torch.autograd.grad(loss, some)[0])
    return torch.cat(gradients).numpy()


def logits(net: Net, pixels: torch.Tensor, batch: int = 100) -> np.ndarray:
    with torch.no_grad():
        return torch.cat([net.logits(some) for some in pixels.split(batch)]).numpy()


def relative_l2(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def relative_l2_each(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.array([relative_l2(x, y) for x, y in zip(a, b)])
