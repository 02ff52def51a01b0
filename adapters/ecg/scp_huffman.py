"""Huffman codes of SCP-ECG: section 2 and the table that the standard presumes. Source: EN 1064, 5.5 and annex C.3."""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.faults import InvalidPayload

_DEFAULT = 19999
_CODE = struct.Struct("<BBBhI")


@dataclass(frozen=True, slots=True)
class _Code:
    """extra_bits: signed bits after the prefix, added to `value`. switch: `value` is the number of the next table."""

    extra_bits: int
    switch: bool
    value: int


@dataclass(frozen=True, slots=True)
class Table:
    """Codes by their prefix, written as a text of 0 and 1, and the lengths that occur."""

    codes: dict[str, _Code]
    lengths: tuple[int, ...]


def _table(codes: dict[str, _Code]) -> Table:
    return Table(codes, tuple(sorted({len(prefix) for prefix in codes})))


def _default() -> Table:
    codes = {"0": _Code(0, False, 0), "1111111110": _Code(8, False, 0), "1111111111": _Code(16, False, 0)}
    for size in range(1, 9):
        codes["1" * size + "00"] = _Code(0, False, size)
        codes["1" * size + "01"] = _Code(0, False, -size)
    return _table(codes)


DEFAULT = _default()


def tables(body: bytes) -> list[Table]:
    """The tables of section 2. Raises InvalidPayload where they are cut short or empty."""
    count = struct.unpack_from("<H", body)[0] if len(body) >= 2 else 0
    if count == _DEFAULT:
        return [DEFAULT]
    found, at = [], 2
    for _ in range(count):
        size = struct.unpack_from("<H", body, at)[0] if at + 2 <= len(body) else 0
        end = at + 2 + size * _CODE.size
        if not size or end > len(body):
            raise InvalidPayload("code table is cut short", where="section 2")
        found.append(_table(dict(_code(*row) for row in _CODE.iter_unpack(body[at + 2 : end]))))
        at = end
    if not found:
        raise InvalidPayload("expected a code table, found none", where="section 2")
    return found


def _code(prefix_bits: int, total_bits: int, mode: int, value: int, base: int) -> tuple[str, _Code]:
    if not 1 <= prefix_bits <= 32 or not prefix_bits <= total_bits <= prefix_bits + 32:
        raise InvalidPayload(f"code of {prefix_bits} bits in {total_bits}", where="section 2")
    # The base code is stored with its first bit lowest.
    prefix = f"{base & ((1 << prefix_bits) - 1):0{prefix_bits}b}"[::-1]
    return prefix, _Code(total_bits - prefix_bits, mode == 0, value)


def decode(data: bytes, count: int, known: list[Table], where: str) -> npt.NDArray[np.int64]:
    """`count` values. Raises InvalidPayload where the bits end early or fit no code."""
    if count > len(data) * 8:
        raise InvalidPayload(f"expected {count} samples, found {len(data)} bytes", where=where)
    bits = bin(int.from_bytes(b"\1" + data, "big"))[3:]
    values: list[int] = []
    table, at = known[0], 0
    switches = 0
    while len(values) < count:
        code, at = _next(bits, at, table, where)
        if code.switch:
            switches += 1
            if not 1 <= code.value <= len(known) or switches > count:
                raise InvalidPayload("switch to a code table that does not exist", where=where)
            table = known[code.value - 1]
            continue
        value = code.value
        if code.extra_bits:
            extra = bits[at : at + code.extra_bits]
            if len(extra) < code.extra_bits:
                raise InvalidPayload(f"samples end after {len(values)} of {count}", where=where)
            value += int(extra, 2) - ((1 << code.extra_bits) if extra[0] == "1" else 0)
            at += code.extra_bits
        values.append(value)
    return np.array(values, dtype=np.int64)


def _next(bits: str, at: int, table: Table, where: str) -> tuple[_Code, int]:
    for length in table.lengths:
        code = table.codes.get(bits[at : at + length])
        if code is not None:
            return code, at + length
    raise InvalidPayload(f"no code fits at bit {at}", where=where)
