"""The same ResNets as other projects write them, in plain PyTorch: their names, their modules, their way to compute."""

import torch
from resnet import DEPTHS
from torch import nn
from torch.nn import functional as F


class CifarBlock(nn.Module):
    """pytorch-cifar: `shortcut` is an empty Sequential where nothing is to be done."""

    def __init__(self, channels, planes, stride, kind):
        super().__init__()
        self.kind, out = kind, planes * (4 if kind == "bottleneck" else 1)
        if kind == "bottleneck":
            self.conv1 = nn.Conv2d(channels, planes, kernel_size=1, bias=False)
            self.bn1 = nn.BatchNorm2d(planes)
            self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(planes)
            self.conv3 = nn.Conv2d(planes, out, kernel_size=1, bias=False)
            self.bn3 = nn.BatchNorm2d(out)
        else:
            self.conv1 = nn.Conv2d(channels, planes, kernel_size=3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(planes)
            self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.kind == "bottleneck":
            out = self.bn3(self.conv3(F.relu(out)))
        return F.relu(out + self.shortcut(x))


class CifarNet(nn.Module):
    def __init__(self, depth, width, classes):
        super().__init__()
        kind, blocks = DEPTHS[depth]
        self.conv1 = nn.Conv2d(3, width, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for stage, count in enumerate(blocks):
            layer = []
            for stride in [1 if stage == 0 else 2] + [1] * (count - 1):
                layer.append(CifarBlock(channels, width << stage, stride, kind))
                channels = (width << stage) * (4 if kind == "bottleneck" else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.linear = nn.Linear(channels, classes)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layer4(self.layer3(self.layer2(self.layer1(out))))
        out = F.avg_pool2d(out, 4)  # of 32 x 32 pixels
        return self.linear(out.view(out.size(0), -1))


class ConvLayer(nn.Module):
    """Hugging Face: convolution, normalization, activation."""

    def __init__(self, channels, out, kernel=3, stride=1, activation=True):
        super().__init__()
        self.convolution = nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False)
        self.normalization = nn.BatchNorm2d(out)
        self.activation = nn.ReLU() if activation else nn.Identity()

    def forward(self, x):
        return self.activation(self.normalization(self.convolution(x)))


class HuggingLayer(nn.Module):
    def __init__(self, channels, out, stride, kind):
        super().__init__()
        applies = channels != out or stride != 1
        self.shortcut = ConvLayer(channels, out, 1, stride, activation=False) if applies else nn.Identity()
        if kind == "bottleneck":
            inner = out // 4
            layers = [ConvLayer(channels, inner, 1), ConvLayer(inner, inner, 3, stride)]
            layers.append(ConvLayer(inner, out, 1, activation=False))
        else:
            layers = [ConvLayer(channels, out, 3, stride), ConvLayer(out, out, activation=False)]
        self.layer = nn.Sequential(*layers)

    def forward(self, x):
        return torch.relu(self.layer(x) + self.shortcut(x))


class Holder(nn.Module):
    """A module that has its parts by name."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)


class HuggingNet(nn.Module):
    def __init__(self, depth, width, classes):
        super().__init__()
        kind, blocks = DEPTHS[depth]
        stages, channels = [], width
        for stage, count in enumerate(blocks):
            out = (width << stage) * (4 if kind == "bottleneck" else 1)
            layers = []
            for index in range(count):
                layers.append(HuggingLayer(channels, out, 2 if stage and index == 0 else 1, kind))
                channels = out
            stages.append(Holder(layers=nn.Sequential(*layers)))
        embedder = Holder(embedder=ConvLayer(3, width, 7, 2), pooler=nn.MaxPool2d(3, 2, 1))
        self.resnet = Holder(embedder=embedder, encoder=Holder(stages=nn.ModuleList(stages)))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(channels, classes))

    def forward(self, x):
        x = self.resnet.embedder.pooler(self.resnet.embedder.embedder(x))
        for stage in self.resnet.encoder.stages:
            x = stage.layers(x)
        return self.classifier(F.adaptive_avg_pool2d(x, 1))
