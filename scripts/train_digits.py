"""Train the classifier of digits that `facewright evaluate` measures MNIST with.

    python scripts/train_digits.py FOLDER_OF_MNIST_IDX_FILES

The seed fixes everything; another torch or processor rounds differently, and then the
hash of the weights, which is part of every number measured with them, changes.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from facewright.data.sources.idx import idx
from facewright.images import to_model_range
from facewright.metrics.extractors.digits import DigitNetwork, Digits

OUT = Path(__file__).parents[1] / "src/facewright/metrics/weights/digits.safetensors"
SEED = 0
EPOCHS = 8
BATCH = 128
LEARNING_RATE = 4e-3
REACH = 2
"""Pixels by which training images are moved, at most, in each direction."""


def read(folder: Path, part: str) -> tuple[np.ndarray, Tensor]:
    """(N, 28, 28, 1) uint8 images and (N,) classes of one part, "train" or "t10k"."""
    source = idx(folder, [folder / f"{part}-images-idx3-ubyte.gz"])
    return np.asarray(source.addresses)[..., None], torch.from_numpy(
        source.labels.values[:, 0]
    ).long()


def moved(images: Tensor, rng: torch.Generator) -> Tensor:
    """The whole batch shifted by the same few pixels, the border filled with background."""
    side = images.shape[3]
    top, left = torch.randint(2 * REACH + 1, (2,), generator=rng).tolist()
    grown = pad(images, (REACH,) * 4, value=-1.0)
    return grown[:, :, top : top + side, left : left + side]


def train(images: Tensor, classes: Tensor) -> DigitNetwork:
    """A trained network; the learning rate rises once and falls to nothing."""
    torch.manual_seed(SEED)
    rng = torch.Generator().manual_seed(SEED)
    network = DigitNetwork()
    steps = len(images) // BATCH
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, EPOCHS * steps)
    for epoch in range(EPOCHS):
        losses = torch.empty(steps)
        # The rest that does not fill a batch is dropped: another one each time.
        order = torch.randperm(len(images), generator=rng)[: steps * BATCH]
        for step, rows in enumerate(order.view(steps, BATCH)):
            loss = cross_entropy(network(moved(images[rows], rng)), classes[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses[step] = loss.detach()
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {losses.mean():.4f}", flush=True)
    return network


def run() -> None:
    """Train, write the weights, and say how well they do on images never trained on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mnist", type=Path, help="folder with the four files of MNIST")
    folder = parser.parse_args().mnist

    torch.set_num_threads(1)
    pixels, classes = read(folder, "train")
    network = train(to_model_range(pixels), classes)
    OUT.write_bytes(save(network.state_dict()))

    digits = Digits()
    pixels, classes = read(folder, "t10k")
    right = digits.logits(digits(pixels)).argmax(1) == classes
    print(f"{right.double().mean():.2%} of {len(right):,} held-out images; {digits.identity}")


if __name__ == "__main__":
    run()
