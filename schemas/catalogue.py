"""The catalogue of mutual recognition: the items that institutions recognise from one another, and their clocks."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from .analytes import plain
from .codes import Coding
from .report import ReportCategory

_BRACKETED = re.compile(r"[(（\[][^()（）\[\]]*[)）\]]")
_ENDING = re.compile("(?:检查|测定|检测|检验|定量)$")


class Setting(StrEnum):
    """How the patient is being treated when something is ordered; each has clocks of its own."""

    OUTPATIENT = "outpatient"
    INPATIENT = "inpatient"
    ACUTE = "acute"


class Scope(StrEnum):
    """How far a recognition mark (HR) reaches, the widest first. Source: 国卫医发〔2022〕6号."""

    NATION = "nation"
    REGION = "region"
    PROVINCE = "province"
    CITY = "city"
    DISTRICT = "district"


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both run from sampling or acquisition, never from the report.

    too_early: minimum retest interval; within it a repeat tells nothing new. None: nobody published one.
    valid: recognition window; None: nobody published one, and the region's default for the category holds.
    never: never suggested for reuse in this setting, however fresh.
    early_source, valid_source: who published it; empty where it is the district's own default.
    """

    too_early: dt.timedelta | None = None
    valid: dt.timedelta | None = None
    never: bool = False
    early_source: str = ""
    valid_source: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the catalogue.

    code: ours and stable, for example `L-718-7`, `P-CBC`, `R-CT-CHEST`, `E-REST12`.
    codes: what an order or a report may call it in shared systems (LOINC of the analyte or the panel, national codes).
    also: other names by which people order it.
    specimen, unit, method: of a laboratory item; method empty where any comparable one will do. unit in UCUM.
      method of an imaging item: its technique (`angiography`), empty for the plain examination of the part.
    modality, body_part, contrast: of imaging, as DICOM names them; contrast None where it makes no difference.
    members: codes of the items of a panel, which is covered when they are; empty otherwise.
    information_only: shown beside an order, never offered for reuse (blood group).
    volatile: changes fast in the course of a disease; reuse is offered with caution.
    price_fen: what one examination costs, in hundredths of a yuan.
    source: where its clocks were published, all of them; empty where they are the district's own defaults.
    """

    code: str
    category: ReportCategory
    zh: str
    en: str
    codes: tuple[Coding, ...] = ()
    also: tuple[str, ...] = ()
    specimen: str = ""
    unit: str = ""
    method: str = ""
    modality: str = ""
    body_part: str = ""
    contrast: bool | None = None
    members: tuple[str, ...] = ()
    clocks: Mapping[Setting, Clocks] = field(default_factory=dict)
    information_only: bool = False
    volatile: bool = False
    price_fen: int = 0
    scope: Scope = Scope.DISTRICT
    source: str = ""

    def clocks_in(self, setting: Setting) -> Clocks:
        """Its clocks in a setting; empty ones where nobody set any."""
        return self.clocks.get(setting, _NO_CLOCKS)


_NO_CLOCKS = Clocks()


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """An item as it stood from `since` on. `version` counts from 1; `changed_by` is an account, empty for what we ship.

    since: our clock; of what a hub began with, the beginning of time: nothing else ever held.
    retired: no longer in the catalogue, and kept for what was judged by it.
    """

    version: int
    item: Item
    since: dt.datetime
    changed_by: str = ""
    reason: str = ""
    retired: bool = False


class Catalogue:
    """The items in force at one moment; immutable, hence safe to keep and to share. Looking one up asks no database.

    stamp: tells this state of the catalogue from others of the same hub.
    """

    def __init__(self, versions: Iterable[ItemVersion] = (), stamp: int = 0) -> None:
        self.stamp = stamp
        self.versions = {each.item.code: each for each in versions}
        self.items = {code: each.item for code, each in self.versions.items() if not each.retired}
        self._coded: dict[tuple[str, str], Item] = {}
        self._imaged: dict[tuple[str, str], tuple[Item, ...]] = {}
        self._panels: dict[str, tuple[Item, ...]] = {}
        for item in self.items.values():
            for coding in item.codes:
                self._coded.setdefault((coding.system, coding.code), item)
            if item.modality:
                place = (item.modality, item.body_part)
                self._imaged[place] = (*self._imaged.get(place, ()), item)
            for member in item.members:
                self._panels[member] = (*self._panels.get(member, ()), item)

    def get(self, code: str) -> Item | None:
        """The item of this code, unless it is retired or there is none."""
        return self.items.get(code)

    def version(self, code: str) -> ItemVersion | None:
        """The version in force of the item of this code, also of a retired one."""
        return self.versions.get(code)

    def coded(self, system: str, code: str) -> Item | None:
        """The item that a shared code stands for."""
        return self._coded.get((system, code))

    def imaged(self, modality: str, body_part: str) -> tuple[Item, ...]:
        """The items of a modality and body part: plain, with contrast, by technique."""
        return self._imaged.get((modality, body_part), ())

    def named(self, name: str) -> Item | None:
        """The only item that people call so, in Chinese, English or short; None where several may be meant.

        Two Latin letters name nothing for certain: UA is urate to one and urinalysis to the next.
        """
        outside = plain(_BRACKETED.sub("", name))
        for form in dict.fromkeys((plain(name), outside, _ENDING.sub("", outside))):
            if found := self._names.get(form, ()) if len(form) >= (3 if form.isascii() else 2) else ():
                return found[0] if len(found) == 1 else None
        return None

    @cached_property
    def _names(self) -> dict[str, tuple[Item, ...]]:
        names: dict[str, tuple[Item, ...]] = {}
        for item in self.items.values():
            for form in {plain(name) for name in (item.zh, item.en, *item.also)}:
                names[form] = (*names.get(form, ()), item)
        return names

    def panels_of(self, code: str) -> tuple[Item, ...]:
        """The panels that an item is a member of."""
        return self._panels.get(code, ())

    def members_of(self, item: Item) -> tuple[Item, ...]:
        """The items of a panel that are in the catalogue; of any other item, itself."""
        return tuple(each for code in item.members if (each := self.items.get(code))) if item.members else (item,)
