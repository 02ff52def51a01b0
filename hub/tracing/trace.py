"""A lead as an SVG path: whole numbers, relative, and no more points than a printer can show."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from schemas.ecg import NO_SAMPLE_UV

Floats = npt.NDArray[np.float64]
# A path's unit in mm: one sample at 500 Hz and 25 mm/s is two of them, 0.1 mV at 10 mm/mV forty.
UNIT_MM = 0.025
# The finest step that a laser printer and a trained eye can tell apart.
_BUCKET_MM = 0.1


def trace(
    samples_uv: npt.NDArray[np.int32], mm_per_sample: float, mm_per_uv: float, bucket_mm: float = _BUCKET_MM
) -> str:
    """The path of one lead from (0, 0), upwards positive, in units of UNIT_MM; pen up where nothing was recorded.

    More than four samples in 0.1 mm are drawn as their lowest and highest, so that no peak is lost.
    """
    return "".join(
        _path(np.rint(x / UNIT_MM).astype(int), np.rint(y / UNIT_MM).astype(int))
        for x, y in strokes(samples_uv, mm_per_sample, mm_per_uv, bucket_mm)
    )


def strokes(
    samples_uv: npt.NDArray[np.int32], mm_per_sample: float, mm_per_uv: float, bucket_mm: float = _BUCKET_MM
) -> Iterator[tuple[Floats, Floats]]:
    """The same in millimetres, x to the right and y downwards, a stroke for each stretch without a gap."""
    valid = samples_uv != NO_SAMPLE_UV
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valid, [False]]).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        x = np.arange(start, end) * mm_per_sample
        y = samples_uv[start:end].astype(np.float64) * -mm_per_uv
        if mm_per_sample * 4 < bucket_mm:
            x, y = _decimated(x, y, max(2, int(bucket_mm / mm_per_sample)))
        yield x, y


def _decimated(x: Floats, y: Floats, size: int) -> tuple[Floats, Floats]:
    """Of each `size` points the lowest and the highest, in their order."""
    whole = len(y) // size * size
    if not whole:
        return x, y
    rows = y[:whole].reshape(-1, size)
    pairs = np.sort(np.stack([rows.argmin(axis=1), rows.argmax(axis=1)], axis=1), axis=1)
    keep = (pairs + np.arange(len(rows))[:, None] * size).ravel()
    keep = np.concatenate([keep, np.arange(whole, len(y))])
    return x[keep], y[keep]


def _path(x: npt.NDArray[np.int_], y: npt.NDArray[np.int_]) -> str:
    steps = np.stack([np.diff(x), np.diff(y)], axis=1)
    # Equal steps in a row are one longer step of the same line.
    begins = np.flatnonzero(np.concatenate([[True], (np.diff(steps, axis=0) != 0).any(axis=1)])[: len(steps)])
    merged = np.add.reduceat(steps, begins, axis=0).tolist() if len(steps) else [[0, 0]]
    # A minus sign separates as well as a space does.
    return f"M{x[0]} {y[0]}l" + " ".join(f"{dx}{dy}" if dy < 0 else f"{dx} {dy}" for dx, dy in merged)
