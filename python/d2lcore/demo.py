"""Trains a small network on handwritten digits: ``python -m d2lcore.demo``.

Without options on the 1,797 digits of the package; ``--data DIR`` takes MNIST or Fashion-MNIST.
This is the example to copy: load tensors, build a model, loop over batches, look at the result.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import d2lcore as torch
from d2lcore import nn
from d2lcore.datasets import DataError, digits, mnist
from d2lcore.utils.data import DataLoader, TensorDataset


def positive(text: str) -> int:
    """An integer from 1 on, for the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def options(argv: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m d2lcore.demo", description=__doc__)
    parser.add_argument("--data", metavar="DIR", help="folder with MNIST's four idx.gz files")
    parser.add_argument("--epochs", type=positive, help="default: 20, with --data 5")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=positive, help="default: all cores")
    parser.add_argument("--no-plot", action="store_true", help="save no picture")
    return parser.parse_args(argv)


def load(directory: str | None) -> tuple[TensorDataset, TensorDataset]:
    """Returns the training set and the test set, which training never sees."""
    if directory is not None:
        train, test = mnist(directory, train=True), mnist(directory, train=False)
        if train[0].shape[1:] != test[0].shape[1:]:
            raise DataError(f"{directory}: training and test images differ in size")
        return TensorDataset(*train), TensorDataset(*test)
    images, labels = digits()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    parts = order[:1437], order[1437:]  # four fifths and one fifth
    train_set, test_set = [TensorDataset(images[part], labels[part]) for part in parts]
    return train_set, test_set


def predict(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Returns the most likely class of each image."""
    model.eval()
    with torch.no_grad():
        guesses: torch.Tensor = model(images / 255).argmax(dim=1)
    return guesses


def train(
    model: nn.Module, train_set: TensorDataset, test_set: TensorDataset, epochs: int, batch: int
) -> list[float]:
    """Trains the model, prints a line per epoch, and returns the loss of every batch."""
    from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

    loader = DataLoader(train_set, batch_size=batch, shuffle=True)
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    test_images, test_labels = test_set.tensors
    losses: list[float] = []
    for epoch in range(1, epochs + 1):
        model.train()
        for images, labels in tqdm(loader, desc=f"epoch {epoch}/{epochs}", leave=False):
            loss = loss_function(model(images / 255), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        mean_loss = sum(losses[-len(loader) :]) / len(loader)
        accuracy = (predict(model, test_images) == test_labels).float().mean().item()
        print(f"epoch {epoch:2d}  loss {mean_loss:.4f}  test accuracy {accuracy:.2%}", flush=True)
    return losses


def plot(model: nn.Module, test_set: TensorDataset, losses: list[float], path: Path) -> None:
    """Saves a picture: the loss curve, and test images with predictions, wrong ones in red."""
    from matplotlib.figure import Figure

    images, labels = test_set.tensors
    guesses = predict(model, images)
    wrong = (guesses != labels).nonzero().flatten().tolist()[:8]
    right = (guesses == labels).nonzero().flatten().tolist()
    figure = Figure(figsize=(10, 6), layout="constrained")
    top, bottom = figure.subfigures(2, 1)  # type: ignore[misc,unused-ignore]
    axes = top.subplots()
    axes.plot(losses, linewidth=0.8)
    axes.set(xlabel="batch", ylabel="cross entropy", yscale="log", title="training loss")
    grid = list(bottom.subplots(3, 8).flat)
    for ax in grid:
        ax.set_axis_off()
    for ax, i in zip(grid, wrong + right, strict=False):
        guess, label = int(guesses[i]), int(labels[i])
        ax.imshow(images[i].numpy(), cmap="gray_r", vmin=0, vmax=255)
        title, color = (f"{guess}", "k") if guess == label else (f"{guess}, is {label}", "r")
        ax.set_title(title, color=color, fontsize=9)
    figure.savefig(path, dpi=120)


def run(args: argparse.Namespace) -> None:
    """Loads, trains, shows."""
    start = time.perf_counter()
    if not args.no_plot:
        import matplotlib  # noqa: F401  # where it is missing, say so before the training
    train_set, test_set = load(args.data)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    pixels = train_set.tensors[0][0].numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 256), nn.ReLU(), nn.Linear(256, 10))
    print(f"{len(train_set)} images to train on, {len(test_set)} to test on\n{model}")
    small = args.data is None
    epochs, batch = args.epochs or (20 if small else 5), 32 if small else 128
    losses = train(model, train_set, test_set, epochs, batch)
    if not args.no_plot:
        path = Path("digits.png" if small else "mnist.png").resolve()
        plot(model, test_set, losses, path)
        print(f"picture: {path}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux KiB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(f"time {time.perf_counter() - start:.1f} s, peak memory {peak:.0f} MiB")


def main(argv: list[str] | None = None) -> int:
    """Runs the demo and returns the exit code."""
    try:
        run(options(argv))
    except ImportError as error:
        print(f"demo: {error}; install it with: pip install 'd2lcore[demo]'", file=sys.stderr)
        return 1
    except (OSError, DataError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
