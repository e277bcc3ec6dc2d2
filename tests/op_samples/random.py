"""Samples of random numbers: shapes, dtypes, ranges, and the first numbers of PyTorch's streams."""
OPS = []
