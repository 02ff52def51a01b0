"""The catalogue that the hub is shipped with, read from `catalogue.toml`."""

import datetime as dt
import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from .analytes import Analyte, analyte
from .catalogue import Clocks, Item, Scope, Setting
from .codes import LOINC, Coding
from .report import ReportCategory

_UNITS = {"h": dt.timedelta(hours=1), "d": dt.timedelta(days=1)}
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class BodyPart:
    """A part of the body as items name it. dicom: what (0018,0015) may say of it. words: how procedures name it.

    paired: there are two, and the left one is not the right one.
    """

    code: str
    zh: str
    en: str
    dicom: tuple[str, ...]
    words: tuple[str, ...]
    paired: bool = False


@dataclass(frozen=True, slots=True)
class Shipped:
    """items: in the order of the file. version: of the file, with a digest of it: no edit of it goes unnoticed."""

    version: str
    items: tuple[Item, ...]
    parts: tuple[BodyPart, ...] = field(default=())


@cache
def shipped() -> Shipped:
    """What `catalogue.toml` says, its names and units of analytes looked up. Raises ValueError where it is wrong."""
    text, names = (
        resources.files("schemas").joinpath(f"{each}.toml").read_bytes() for each in ("catalogue", "analytes")
    )
    data = tomllib.loads(text.decode())
    parts = tuple(
        BodyPart(
            each["code"],
            each["zh"],
            each["en"],
            tuple(each["dicom"]),
            tuple(each["words"]),
            each.get("paired", False),
        )
        for each in data["part"]
    )
    table = _Table(data, {part.code: part for part in parts})
    items = (*table.laboratory(), *table.panels(), *table.imaging(), *table.ecg())
    return Shipped(f"{data['version']} {hashlib.sha256(text + names).hexdigest()[:12]}", items, parts)


@dataclass(frozen=True, slots=True)
class _Table:
    data: Mapping[str, Any]
    parts: Mapping[str, BodyPart]

    def laboratory(self) -> Iterator[Item]:
        """One item for each analyte."""
        for group in self.data["laboratory"]:
            for code in group["loinc"]:
                known = analyte(code)
                if known is None:
                    raise ValueError(f"expected an analyte of analytes.toml, found {code}")
                item = Item(
                    f"L-{code}",
                    ReportCategory.LABORATORY,
                    known.zh,
                    known.en,
                    codes=(known.coding,),
                    also=_also(known, group["specimen"]),
                    specimen=group["specimen"],
                    unit=known.unit,
                    price_fen=group["price"],
                    scope=Scope(group["scope"]),
                )
                yield self._timed(item, group["clocks"])

    def panels(self) -> Iterator[Item]:
        """Each with its members' codes."""
        for panel in self.data["panel"]:
            item = self._named(panel, ReportCategory.LABORATORY)
            members = tuple(f"L-{code}" for code in panel["members"])
            yield replace(item, specimen=panel["specimen"], members=members)

    def imaging(self) -> Iterator[Item]:
        """One item for each modality, body part and way of doing it."""
        for group in self.data["imaging"]:
            modality, suffix = group["modality"], group.get("suffix", "")
            for code, price in group["parts"].items():
                part = self.parts[code]
                zh = group["zh"].format(part=part.zh)
                item = Item(
                    "-".join(filter(None, ("R", modality, code, suffix))),
                    ReportCategory.IMAGING,
                    zh,
                    group["en"].format(part=part.en),
                    codes=tuple(Coding(loinc, zh, LOINC) for loinc in group.get("loinc", _NONE).get(code, ())),
                    method=group.get("technique", ""),
                    modality=modality,
                    body_part=code,
                    contrast=group.get("contrast"),
                    price_fen=price,
                    scope=Scope(group["scope"]),
                )
                yield self._timed(item, group.get("clocks", "imaging"))

    def ecg(self) -> Iterator[Item]:
        """Tracings, and what is measured over a day."""
        for each in self.data["ecg"]:
            yield self._named(each, ReportCategory.ECG)

    def _named(self, row: Mapping[str, Any], category: ReportCategory) -> Item:
        item = Item(
            row["code"],
            category,
            row["zh"],
            row["en"],
            codes=tuple(Coding(code, row["zh"], LOINC) for code in row.get("codes", ())),
            also=tuple(row.get("also", ())),
            price_fen=row["price"],
            scope=Scope(row["scope"]),
        )
        return self._timed(item, row["clocks"])

    def _timed(self, item: Item, name: str) -> Item:
        rule = self.data["clocks"][name]
        clocks = {setting: self._clocks(rule, self.data["default"][item.category], setting) for setting in Setting}
        sources = dict.fromkeys(rule.get(each, _NONE).get("source", "") for each in ("early", "valid"))
        return replace(
            item,
            clocks=clocks,
            information_only=rule.get("information_only", False),
            volatile=rule.get("volatile", False),
            source="; ".join(filter(None, sources)),
        )

    def _clocks(self, rule: Mapping[str, Any], default: Mapping[str, Any], setting: Setting) -> Clocks:
        early, early_source = _clock("early", rule, default, setting)
        valid, valid_source = _clock("valid", rule, default, setting)
        if valid and early and valid < early:
            # A repeat would tell nothing new: then what is there still tells it.
            valid, valid_source = early, ""
        return Clocks(early, valid, setting in rule.get("never", ()), early_source, valid_source)


def _also(known: Analyte, specimen: str) -> tuple[str, ...]:
    """Other names. `蛋白质` means urine to whoever reads a urine report, and to nobody else."""
    names = (*known.short, *known.also)
    return tuple(
        name for name in names if specimen != "urine" or "尿" in name or name.startswith(("U-", "mALB", "24h"))
    )


def _clock(
    name: str, rule: Mapping[str, Any], default: Mapping[str, Any], setting: Setting
) -> tuple[dt.timedelta | None, str]:
    """How long, and who published it."""
    own = rule.get(name, _NONE)
    if setting in own:
        return _duration(own[setting]), own.get("source", "")
    standing = default.get(name, _NONE)
    return (_duration(standing[setting]) if setting in standing else None), ""


def _duration(text: str) -> dt.timedelta:
    return int(text[:-1]) * _UNITS[text[-1]]
