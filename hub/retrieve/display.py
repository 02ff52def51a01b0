"""From stored values to grey levels and colours on a screen. Source: DICOM PS3.3 C.7.6.3, C.11.1, C.11.2; PS3.4 N.2."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi

from .pixels import Pixels

MEDIA_TYPES = {"image/jpeg": "JPEG", "image/png": "PNG"}
MAX_SIDE = 4096
Grey = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """VOI window in the units of the modality (Hounsfield units for CT). `function`: as (0028,1056) names it."""

    center: float
    width: float
    function: str = "LINEAR"


def draw(pixels: Pixels, header: Dataset, frame: int, window: Window | None) -> Image.Image:
    """The frame as it is meant to be seen; `window` replaces the one that the instance suggests."""
    shared = _of_frame(header, frame)
    if header.get("PhotometricInterpretation") == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, header)
        return Image.fromarray(_bytes(pixels, 16 if pixels.dtype.itemsize > 1 else 8), "RGB")
    if pixels.ndim == 3:
        return Image.fromarray(_bytes(pixels, int(header.get("BitsStored") or 8)), "RGB")
    grey = _grey(pixels, shared, window)
    inverse = (
        shared.get("PhotometricInterpretation") == "MONOCHROME1" or shared.get("PresentationLUTShape") == "INVERSE"
    )
    levels = np.asarray(np.rint((1 - grey if inverse else grey) * 255), np.uint8)
    return Image.fromarray(levels, "L")


def fit(image: Image.Image, width: int, height: int) -> Image.Image:
    """Scaled to fit, its proportions kept."""
    scale = min(min(width, MAX_SIDE) / image.width, min(height, MAX_SIDE) / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def encode(image: Image.Image, media_type: str, quality: int = 90) -> bytes:
    """The image as a file of `media_type`, one of MEDIA_TYPES."""
    target = io.BytesIO()
    if media_type == "image/png":
        image.save(target, "PNG", compress_level=4)
    else:
        image.save(target, "JPEG", quality=quality)
    return target.getvalue()


def _of_frame(header: Dataset, frame: int) -> Dataset:
    """The header with what the functional groups say of this frame brought to its top level (PS3.3 C.7.6.16)."""
    found = Dataset(header)
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    groups = [*(header.get("SharedFunctionalGroupsSequence") or [])[:1], *per_frame[frame - 1 : frame]]
    for group in groups:
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for item in group.get(name) or []:
                found.update(item)
    return found


def _grey(pixels: Pixels, header: Dataset, window: Window | None) -> Grey:
    """Levels from 0 to 1: modality LUT, then the window asked for, else the instance's own, else all there is."""
    values = apply_modality_lut(pixels, header)
    window = window or _own_window(header)
    if window is None and header.get("VOILUTSequence"):
        lut = header.VOILUTSequence[0]
        bits = int(lut.LUTDescriptor[2]) or 16
        return _unit(apply_voi(values, header).astype(np.float32) / np.float32(2**bits - 1))
    grey = values.astype(np.float32)
    return _windowed(grey, window) if window else _stretched(grey, pixels, header)


def _unit(grey: Grey) -> Grey:
    return np.clip(grey, np.float32(0), np.float32(1), out=grey)


def _own_window(header: Dataset) -> Window | None:
    center, width = _first(header.get("WindowCenter")), _first(header.get("WindowWidth"))
    if center is None or width is None or width <= 0:
        return None
    return Window(center, width, str(header.get("VOILUTFunction") or "LINEAR"))


def _windowed(values: Grey, window: Window) -> Grey:
    center, width = np.float32(window.center), np.float32(max(window.width, 1e-6))
    if window.function == "SIGMOID":
        steep: Grey = np.exp(np.clip(-4 * (values - center) / width, np.float32(-60), np.float32(60)))
        return _unit(np.float32(1) / (steep + np.float32(1)))
    if window.function == "LINEAR_EXACT" or width <= 1:
        return _unit((values - center) / width + np.float32(0.5))
    return _unit((values - (center - np.float32(0.5))) / (width - 1) + np.float32(0.5))


def _stretched(values: Grey, pixels: Pixels, header: Dataset) -> Grey:
    """From the smallest to the largest value, pixels that only pad the image aside."""
    padding = header.get("PixelPaddingValue")
    real = values[pixels != padding] if isinstance(padding, int) else values
    low, high = (real.min(), real.max()) if real.size else (np.float32(0), np.float32(0))
    return _unit((values - np.float32(low)) / np.float32((high - low) or 1))


def _first(value: Any) -> float | None:  # noqa: ANN401 whatever pydicom made of the element
    """The first of one or many numbers; None where there is none."""
    many = hasattr(value, "append")
    try:
        return float(value[0] if many else value)
    except (TypeError, ValueError, IndexError):
        return None


def _bytes(pixels: Pixels, bits: int) -> npt.NDArray[np.uint8]:
    return np.asarray(np.right_shift(pixels, bits - 8) if bits > 8 else pixels, np.uint8)
