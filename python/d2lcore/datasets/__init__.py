"""Data sets: the handwritten digits that the package carries, and MNIST's files from a folder."""

from __future__ import annotations

import os

import d2lcore
from d2lcore.datasets.idx import DataError, read_idx

TYPE_CHECKING = False
if TYPE_CHECKING:
    from d2lcore import Tensor

__all__ = ["DataError", "digits", "mnist", "read_idx"]


def _pair(images_path: str, labels_path: str) -> tuple[Tensor, Tensor]:
    """Reads images and labels that belong together, and checks that they do."""
    images, labels = read_idx(images_path, ndim=3), read_idx(labels_path, ndim=1)
    if len(images) != len(labels):
        raise DataError(
            f"{images_path} holds {len(images)} images, but {labels_path} {len(labels)} labels"
        )
    if len(images) == 0:
        raise DataError(f"{images_path}: no images")
    if int(labels.max()) > 9:
        raise DataError(f"{labels_path}: labels must be 0 to 9, found {int(labels.max())}")
    return images, labels.to(d2lcore.int64)


def digits() -> tuple[Tensor, Tensor]:
    """Returns 1,797 handwritten digits: images ``(1797, 8, 8)`` uint8 and labels ``(1797,)`` int64.

    The images' grey levels go from 0 (paper) to 255 (ink).  Source: E. Alpaydin and C. Kaynak,
    *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository, 1998 (CC BY 4.0),
    as scikit-learn ships it; see ``NOTICE.md`` beside the files.

    Example::

        >>> images, labels = d2lcore.datasets.digits()
        >>> images.shape, labels[:5]
        (torch.Size([1797, 8, 8]), tensor([0, 1, 2, 3, 4]))
    """
    folder = os.path.dirname(os.path.abspath(__file__))
    return _pair(
        os.path.join(folder, "digits-images-idx3-ubyte.gz"),
        os.path.join(folder, "digits-labels-idx1-ubyte.gz"),
    )


def mnist(directory: str | os.PathLike[str], train: bool = True) -> tuple[Tensor, Tensor]:
    """Reads MNIST or Fashion-MNIST from their original files in a folder.

    Args:
        directory: holds ``train-images-idx3-ubyte.gz``, ``train-labels-idx1-ubyte.gz``,
            ``t10k-images-idx3-ubyte.gz`` and ``t10k-labels-idx1-ubyte.gz``.
        train: the 60,000 training images, or the 10,000 test images.

    Returns:
        images ``(N, 28, 28)`` uint8, 0 to 255, and labels ``(N,)`` int64, 0 to 9.

    Raises:
        FileNotFoundError: a file is missing.
        DataError: a file is cut short or of another kind, or the two do not belong together.

    Example::

        >>> images, labels = d2lcore.datasets.mnist("/usr/share/datasets/fashion-mnist")
        ... # doctest: +SKIP
    """
    part = "train" if train else "t10k"
    return _pair(
        os.path.join(directory, f"{part}-images-idx3-ubyte.gz"),
        os.path.join(directory, f"{part}-labels-idx1-ubyte.gz"),
    )
