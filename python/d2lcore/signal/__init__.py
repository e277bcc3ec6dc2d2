"""`torch.signal`: window functions."""

from d2lcore.signal import windows as windows
