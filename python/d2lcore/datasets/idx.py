"""Reads ``idx.gz`` files, the format of MNIST (described at https://yann.lecun.com/exdb/mnist/).

A file is: two zero bytes, a byte for the dtype, a byte for the number of dimensions, the sizes as
big-endian 32-bit integers, then the numbers.  Nothing in it is believed before it is checked.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib

import d2lcore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from d2lcore import Tensor

_UBYTE = 8  # the code of unsigned bytes, the only dtype that MNIST's files use
_MOST = 1 << 31  # bytes: a header that promises more is wrong


class DataError(ValueError):
    """A data file that is cut short or of a wrong kind; the message names the file."""


def read_idx(path: str | os.PathLike[str], ndim: int | None = None) -> Tensor:
    """Reads a gzipped idx file of unsigned bytes.

    Args:
        path: the file.
        ndim: how many dimensions it must have (default: any number from 1 on).

    Returns:
        a uint8 tensor of the shape that the file's header gives.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: it is not gzipped, not an idx file, of another dtype or number of dimensions,
            or longer or shorter than its header says.

    Example::

        >>> d2lcore.datasets.read_idx("t10k-labels-idx1-ubyte.gz").shape  # doctest: +SKIP
        torch.Size([10000])
    """
    name = os.fspath(path)
    if not os.path.isfile(name):
        raise FileNotFoundError(f"{name}: no such file")
    try:
        with gzip.open(name, "rb") as file:
            magic = file.read(4)
            if len(magic) < 4 or magic[:2] != b"\0\0":
                raise DataError(f"{name}: not an idx file")
            if magic[2] != _UBYTE:
                raise DataError(f"{name}: dtype code {magic[2]}, expected {_UBYTE} (uint8)")
            if magic[3] == 0 or ndim not in (None, magic[3]):
                raise DataError(f"{name}: {magic[3]} dimensions, expected {ndim or 'at least 1'}")
            header = file.read(4 * magic[3])
            if len(header) < 4 * magic[3]:
                raise DataError(f"{name}: cut short in the header")
            shape = struct.unpack(f">{magic[3]}I", header)
            size = math.prod(shape)
            if size > _MOST:
                raise DataError(f"{name}: the header promises {size} bytes")
            data = bytearray(file.read(size + 1))
    except EOFError:
        raise DataError(f"{name}: the gzip data are cut short") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{name}: not a sound gzip file ({error})") from None
    if len(data) != size:
        found = f"only {len(data)}" if len(data) < size else "more"
        raise DataError(f"{name}: the header promises {size} bytes of data, there are {found}")

    import numpy as np

    return d2lcore.from_numpy(np.frombuffer(data, dtype=np.uint8).reshape(shape))
