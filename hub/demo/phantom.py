"""Bodies made of ellipses: enough anatomy for a chest CT, a head MR, a radiograph and an ultrasound to be recognisable.

Lengths in millimetres; x grows to the patient's left, y to the back, z to the head. CT numbers in Hounsfield units.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Slice = npt.NDArray[np.int16]
Plane = npt.NDArray[np.floating[Any]]

_AIR, _FAT, _MUSCLE, _LUNG, _BLOOD, _BONE, _MARROW = -1000, -95, 50, -850, 45, 700, 220


@dataclass(frozen=True, slots=True)
class _Ellipsoid:
    """Filled with `value`, whatever was there before. turn: radians about z."""

    value: float
    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    turn: float = 0.0


_CHEST = (
    _Ellipsoid(_FAT, (0, 0, 0), (185, 130, 900)),
    _Ellipsoid(_MUSCLE, (0, 2, 0), (172, 116, 900)),
    _Ellipsoid(_LUNG, (-82, -4, -20), (66, 92, 150), 0.12),
    _Ellipsoid(_LUNG, (84, -4, -20), (62, 90, 150), -0.12),
    _Ellipsoid(_MUSCLE, (0, -18, 0), (34, 62, 900)),  # mediastinum
    _Ellipsoid(_BLOOD, (30, -28, -60), (62, 52, 62), 0.5),  # heart
    _Ellipsoid(_BLOOD, (10, -30, 50), (17, 15, 70)),  # ascending aorta
    _Ellipsoid(_BLOOD, (26, 46, 0), (13, 13, 900)),  # descending aorta
    _Ellipsoid(_AIR, (0, -2, 70), (9, 8, 60)),  # trachea
    _Ellipsoid(_AIR, (-16, 4, 0), (7, 6, 22), 0.3),
    _Ellipsoid(_AIR, (16, 4, 0), (7, 6, 22), -0.3),
    _Ellipsoid(_MUSCLE, (-70, -10, -165), (95, 88, 70)),  # liver dome below the diaphragm
    _Ellipsoid(_BONE, (0, 76, 0), (24, 20, 900)),  # vertebral body
    _Ellipsoid(_MARROW, (0, 76, 0), (20, 16, 900)),
    _Ellipsoid(15, (0, 101, 0), (9, 8, 900)),  # spinal canal
    _Ellipsoid(_BONE, (0, -103, 10), (17, 6, 90)),  # sternum
    _Ellipsoid(_MARROW, (0, -103, 10), (13, 3, 86)),
)
_NODULE = _Ellipsoid(35, (-88, 20, 12), (6.5, 6, 6.5))
_VESSELS = 46


@dataclass(frozen=True, slots=True)
class Chest:
    """A chest to be cut or looked through. nodule: a round one of 13 mm in the right lung."""

    seed: int
    nodule: bool = True

    def slice(self, z: float, size: int) -> Slice:
        """An axial slice with the scanner's noise, shape (size, size), over 400 mm."""
        x, y = _grid(size, 400)
        image = np.full((size, size), _AIR, np.float32)
        for part in (*_CHEST, *_vessels(self.seed), *((_NODULE,) if self.nodule else ())):
            _fill(image, part, x, y, z)
        _ribs(image, x, y, z)
        noise = np.random.default_rng((self.seed, round(z * 10) + 10_000)).normal(0, 14, image.shape)
        seen: Slice = np.clip(image + noise, -1024, 3071).astype(np.int16)
        return seen

    def radiograph(self, size: int, views: int = 90) -> npt.NDArray[np.uint16]:
        """Seen from the front, 12 bits, dense is bright: the sum of attenuation along y. Shape (size, size)."""
        low, high = -170.0, 150.0
        rows = np.array([self._shadow(z, size) for z in np.linspace(high, low, views)])
        stretched = np.array([np.interp(np.linspace(0, views - 1, size), np.arange(views), c) for c in rows.T]).T
        scaled = (stretched - stretched.min()) / float(np.ptp(stretched))
        noise = np.random.default_rng(self.seed).normal(0, 0.006, scaled.shape)
        seen: npt.NDArray[np.uint16] = (np.clip(scaled**0.8 + noise, 0, 1) * 4095).astype(np.uint16)
        return seen

    def _shadow(self, z: float, size: int) -> Plane:
        density = (self.slice(z, 160).astype(np.float32) + 1000) / 1000
        across = np.interp(np.linspace(0, 159, size), np.arange(160), density.sum(axis=0))
        row: Plane = across.astype(np.float32)
        return row


def head(z: float, size: int, seed: int) -> npt.NDArray[np.uint16]:
    """An axial T2-weighted slice of a head over 240 mm, 12 bits: fluid bright, bone dark. Shape (size, size)."""
    x, y = _grid(size, 240)
    image: Plane = np.full((size, size), 30, np.float32)
    for part in _HEAD:
        _fill(image, part, x, y, z)
    # Folds of the cortex: fluid between them, near the surface only.
    radius, angle = np.hypot(x / 66, y / 84), np.arctan2(y, x)
    folds = (np.sin(angle * 23 + z / 7) > 0.72) & (radius > 0.78) & (radius < 0.97) & (image > 500)
    image[folds] = 1900
    noise = np.random.default_rng((seed, round(z) + 1000)).normal(0, 28, image.shape)
    seen: npt.NDArray[np.uint16] = np.clip(image + noise, 0, 4095).astype(np.uint16)
    return seen


_HEAD = (
    _Ellipsoid(620, (0, 0, 0), (78, 97, 110)),  # scalp
    _Ellipsoid(90, (0, 0, 0), (74, 92, 106)),  # skull
    _Ellipsoid(2100, (0, 0, 0), (69, 87, 100)),  # cerebrospinal fluid
    _Ellipsoid(1050, (-31, 0, 0), (36, 84, 94)),  # grey matter, one hemisphere each
    _Ellipsoid(1050, (31, 0, 0), (36, 84, 94)),
    _Ellipsoid(760, (-33, 0, 0), (25, 70, 80)),  # white matter
    _Ellipsoid(760, (33, 0, 0), (25, 70, 80)),
    _Ellipsoid(940, (-17, 4, 0), (10, 19, 18)),  # basal ganglia
    _Ellipsoid(940, (17, 4, 0), (10, 19, 18)),
    _Ellipsoid(2300, (-10, -16, 14), (5, 24, 22), 0.25),  # lateral ventricles
    _Ellipsoid(2300, (10, -16, 14), (5, 24, 22), -0.25),
    _Ellipsoid(2300, (-13, 36, 14), (6, 16, 16), -0.35),
    _Ellipsoid(2300, (13, 36, 14), (6, 16, 16), 0.35),
)


def abdomen_ultrasound(rows: int, columns: int, seed: int) -> npt.NDArray[np.uint8]:
    """A curved-array view of the liver with a gallstone and its shadow, 8 bits. Shape (rows, columns)."""
    down, across = np.mgrid[0:rows, 0:columns].astype(np.float32)
    apex = -0.22 * rows
    angle = np.arctan2(across - columns / 2, down - apex)
    depth = np.hypot(across - columns / 2, down - apex) / rows
    speckle: Plane = np.random.default_rng(seed).rayleigh(1.0, (rows, columns)).astype(np.float32)
    speckle = (speckle + np.roll(speckle, 1, 1) + np.roll(speckle, -1, 1)) / 3
    echo: Plane = 62 * speckle * np.exp(-0.45 * depth)
    bladder = ((across - 0.56 * columns) / (0.14 * columns)) ** 2 + ((down - 0.46 * rows) / (0.12 * rows)) ** 2
    echo[bladder < 1] *= 0.06
    wall = (bladder > 0.94) & (bladder < 1.16)
    echo[wall] = 175
    stone = ((across - 0.58 * columns) / (0.035 * columns)) ** 2 + ((down - 0.53 * rows) / (0.022 * rows)) ** 2
    behind = (np.abs(angle - np.arctan2(0.08 * columns, 0.53 * rows - apex)) < 0.035) & (down > 0.54 * rows)
    echo[behind] *= 0.1
    echo[stone < 1] = 245
    echo[(np.abs(angle) > 0.56) | (depth < 0.34) | (depth > 1.14)] = 0
    seen: npt.NDArray[np.uint8] = np.clip(echo, 0, 255).astype(np.uint8)
    return seen


def _grid(size: int, extent: float) -> tuple[Plane, Plane]:
    along = ((np.arange(size, dtype=np.float32) + 0.5) / size - 0.5) * extent
    return along[None, :], along[:, None]


def _fill(image: Plane, part: _Ellipsoid, x: Plane, y: Plane, z: float) -> None:
    (cx, cy, cz), (rx, ry, rz) = part.centre, part.radii
    rest = 1 - ((z - cz) / rz) ** 2
    if rest <= 0:
        return
    cos, sin = float(np.cos(part.turn)), float(np.sin(part.turn))
    u = ((x - cx) * cos + (y - cy) * sin) / rx
    v = ((y - cy) * cos - (x - cx) * sin) / ry
    image[u * u + v * v <= rest] = part.value


def _ribs(image: Plane, x: Plane, y: Plane, z: float) -> None:
    """Twelve pairs that slope down to the front; each slice cuts a few of them obliquely."""
    ring = np.hypot(x / 160, y / 107)
    # A rib's height falls by 60 mm from the spine to the sternum; ribs follow each other every 26 mm.
    height = np.mod(z + (107 - y) / 214 * 60 + 1000, 26)
    cage = (np.abs(ring - 1) < 0.035) & (np.abs(y) < 100)
    image[cage & (height < 11)] = _BONE
    image[(np.abs(ring - 1) < 0.018) & (np.abs(y) < 100) & (height > 2.5) & (height < 8.5)] = _MARROW


def _vessels(seed: int) -> tuple[_Ellipsoid, ...]:
    """Branches within the lungs, thinner towards the pleura."""
    chance = np.random.default_rng(seed)
    found = []
    for number in range(_VESSELS):
        side = -1 if number % 2 else 1
        out, angle = chance.uniform(0.15, 0.85), chance.uniform(0, 2 * np.pi)
        centre = (
            side * 83 + out * 58 * float(np.cos(angle)),
            -4 + out * 82 * float(np.sin(angle)),
            float(chance.uniform(-110, 110)),
        )
        thick = float(4.2 - 3.2 * out)
        found.append(_Ellipsoid(40, centre, (thick * 2.2, thick, 30), float(chance.uniform(0, np.pi))))
    return tuple(found)
