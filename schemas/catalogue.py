"""The catalogue of mutual recognition: the items that institutions recognise from one another, and their clocks."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .codes import Coding
from .report import ReportCategory


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
    """

    too_early: dt.timedelta | None = None
    valid: dt.timedelta | None = None
    never: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the catalogue.

    code: ours and stable, for example `L-718-7`, `P-CBC`, `R-CT-CHEST`, `E-REST12`.
    codes: what an order or a report may call it in shared systems (LOINC of the analyte or the panel, national codes).
    specimen, unit, method: of a laboratory item; method empty where any comparable one will do. unit in UCUM.
    modality, body_part, contrast: of imaging, as DICOM names them; contrast None where it makes no difference.
    members: codes of the items of a panel, which is covered when they are; empty otherwise.
    information_only: shown beside an order, never offered for reuse (blood group).
    volatile: changes fast in the course of a disease; reuse is offered with caution.
    price_fen: what one examination costs, in hundredths of a yuan.
    source: where the clocks were published; empty where they are the region's own defaults.
    """

    code: str
    category: ReportCategory
    zh: str
    en: str
    codes: tuple[Coding, ...] = ()
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


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """An item as it stood from `since` on. `version` counts from 1; `changed_by` is an account, empty for what we ship.

    retired: no longer in the catalogue, and kept for what was judged by it.
    """

    version: int
    item: Item
    since: dt.datetime
    changed_by: str = ""
    reason: str = ""
    retired: bool = False
