"""Training steps of PyTorch, one for each line that bench/training.ts writes.

    python peer.py MODEL BATCH THREADS

Each line on standard input names a variant: eager or compiled, then nchw or channels_last ("eager nchw"). The answer is
one line of JSON: milliseconds on the wall and of processor time, and the loss. {"error"} says why a variant cannot run.
A step is the forward pass, cross-entropy, the backward pass and SGD with momentum 0.9, in float32.
"""

import json
import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(1)
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what else is printed goes to standard error


class BasicBlock(nn.Module):
    """A residual block with the shortcut without parameters (He et al. 2015, option A)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.missing = stride, outputs - inputs

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1:
            half = self.missing // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, half))
        return F.relu(x + y)


def resnet20():
    layers, inputs = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for outputs in (16, 32, 64):
        for block in range(3):
            layers.append(BasicBlock(inputs, outputs, 2 if block == 0 and outputs > 16 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def conv_norm(inputs, outputs, kernel, stride=1, groups=1):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, expand, stride):
        super().__init__()
        wide = inputs * expand
        first = [] if expand == 1 else [*conv_norm(inputs, wide, 1), nn.ReLU6()]
        middle = [*conv_norm(wide, wide, 3, stride, wide), nn.ReLU6()]
        self.layers = nn.Sequential(*first, *middle, *conv_norm(wide, outputs, 1))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.adds else self.layers(x)


def mobilenet_v2():
    layers, inputs = [*conv_norm(3, 32, 3, 2), nn.ReLU6()], 32
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expand, outputs, blocks, stride in stages:
        for block in range(blocks):
            layers.append(InvertedResidual(inputs, outputs, expand, stride if block == 0 else 1))
            inputs = outputs
    last = [*conv_norm(320, 1280, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 10)]
    return nn.Sequential(*layers, *last)


def lenet5():
    first = [nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
    hidden = [nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
    return nn.Sequential(*first, *hidden)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.inner, self.outer = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, tokens, width = x.shape
        split = self.inner(x).view(n, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(split[0], split[1], split[2])
        return self.outer(mixed.transpose(1, 2).reshape(n, tokens, width))


class Layer(nn.Module):
    """A transformer layer, normalised before (`first`) or after each part."""

    def __init__(self, width, heads, first):
        super().__init__()
        self.attention, self.first = Attention(width, heads), first
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        for part, norm in zip((self.attention, self.mlp), self.norms):
            x = x + part(norm(x)) if self.first else norm(x + part(x))
        return x


class Vit(nn.Module):
    def __init__(self, width=192, heads=3, depth=4):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(0.02 * torch.randn(1, 65, width))
        self.layers = nn.Sequential(*[Layer(width, heads, True) for _ in range(depth)], nn.LayerNorm(width))
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), tokens], 1) + self.places
        return self.head(self.layers(x)[:, 0])


class Encoder(nn.Module):
    def __init__(self, width=128, heads=2, depth=2, vocabulary=1000, tokens=64):
        super().__init__()
        self.words, self.places = nn.Embedding(vocabulary, width), nn.Parameter(0.02 * torch.randn(1, tokens, width))
        self.layers = nn.Sequential(nn.LayerNorm(width), *[Layer(width, heads, False) for _ in range(depth)])
        self.pooler, self.head = nn.Linear(width, width), nn.Linear(width, 10)

    def forward(self, ids):
        x = self.layers(self.words(ids) + self.places)
        return self.head(torch.tanh(self.pooler(x[:, 0])))


models = {
    "resnet20": (resnet20, (3, 32, 32)),
    "mobilenet-v2": (mobilenet_v2, (3, 32, 32)),
    "lenet5": (lenet5, (1, 28, 28)),
    "vit": (Vit, (3, 32, 32)),
    "encoder": (Encoder, (64,)),
}


def step_of(variant):
    form, layout = variant.split()
    build, shape = models[name]
    model = build().train()
    images = len(shape) == 3
    x = torch.randn(batch, *shape) if images else torch.randint(0, 10, (batch, *shape))
    label = torch.randint(0, 10, (batch,))
    if layout == "channels_last":
        if not images:
            raise ValueError("it has no images")
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    loss_of = lambda: F.cross_entropy(model(x), label)
    if form == "compiled":
        loss_of = torch.compile(loss_of)

    def step():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(3):  # compiled and warm
        step()
    return step


steps = {}
for line in sys.stdin:
    variant = line.strip()
    try:
        if variant not in steps:
            steps[variant] = step_of(variant)
        wall, used = time.perf_counter(), time.process_time()
        loss = steps[variant]()
        answer = {"wall": 1000 * (time.perf_counter() - wall), "used": 1000 * (time.process_time() - used), "loss": loss}
    except Exception as cause:  # said where it was asked for
        answer = {"error": str(cause).strip().split("\n")[0][:200]}
    print(json.dumps(answer), file=answers, flush=True)
