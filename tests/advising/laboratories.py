"""Two laboratories that send real messages, their quality records, and a doctor who is about to order."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from hub.access import disclosure_for
from hub.advising import Advising
from schemas.catalogue import Scope, Setting
from schemas.codes import CATALOGUE, Coding
from schemas.disclosure import Disclosure, Principal, Role
from schemas.ordering import PlannedOrder
from schemas.organization import Organization, OrganizationKind
from schemas.quality import QualityRecord, Standing
from schemas.verdict import Answer, Context
from storage import organizations, quality
from storage.database import Database

DOCTOR = Principal("clinician", "林医生", Role.CLINICIAN, "DH02")
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
K, NA, HB, WBC = "2823-3", "2951-2", "718-7", "6690-2"
_UNITS = {K: "mmol/L", NA: "mmol/L", HB: "g/L", WBC: "10*9/L"}
_NAMES = {K: "钾", NA: "钠", HB: "血红蛋白", WBC: "白细胞计数"}
RESIDENT = "990101196804123320"


def message(
    values: Mapping[str, str],
    *,
    number: str = "F1",
    sender: str = "CHC01",
    age: dt.timedelta = dt.timedelta(days=2),
    status: str = "F",
    flag: str = "N",
    pid: str = "",
    service: str = "LAB^检验^L",
) -> bytes:
    """Results of one tube, drawn `age` ago and reported now."""
    drawn = (NOW - age).astimezone(dt.timezone(dt.timedelta(hours=8))).strftime("%Y%m%d%H%M%S+0800")
    said = (NOW + dt.timedelta(seconds=len(number))).strftime("%Y%m%d%H%M%S+0000")
    obx = "".join(
        f"OBX|{n}|NM|{code}^{_NAMES.get(code, code)}^LN||{value}|{_UNITS.get(code, '')}||{flag}|||{status}\r"
        for n, (code, value) in enumerate(values.items(), 1)
    )
    who = pid or f"PID|1||P1^^^{sender}^MR~{RESIDENT}^^^^NI||王芳||19680412|F"
    text = (
        f"MSH|^~\\&|LIS|{sender}|HUB|DX|{said}||ORU^R01^ORU_R01|{number}{status}{said}|P|2.5.1||||||UNICODE UTF-8\r"
        f"{who}\r"
        f"OBR|1||{number}|{service}|||{drawn}|||||||||||||||{said}||LAB|{status}\r{obx}"
    )
    return text.encode()


def register(database: Database) -> None:
    """Kinds of institutions, and that both laboratories passed what they measure, this year and last."""
    kinds = {"CHC01": OrganizationKind.COMMUNITY_CENTRE, "CHC02": OrganizationKind.COMMUNITY_CENTRE}
    with database.write() as tx:
        for code, kind in (kinds | {"DH02": OrganizationKind.DISTRICT_HOSPITAL}).items():
            organizations.put_organization(tx, Organization(code, f"机构{code}", code, kind))
    passed(database, *(("CHC01", f"L-{code}") for code in _UNITS), *(("CHC02", f"L-{code}") for code in _UNITS))


def passed(database: Database, *about: tuple[str, str], standing: Standing = Standing.PASSED) -> None:
    """What external assessment said of an institution's items, for two years around now."""
    year = NOW.year
    with database.write() as tx:
        records = [
            QualityRecord(code, item, standing, dt.date(year - 1, 1, 1), dt.date(year + 1, 12, 31), scope=Scope.CITY)
            for code, item in about
        ]
        quality.put(tx, records, changed_by="quality", reason="test", now=NOW)


def order(
    code: str, setting: Setting | None = Setting.OUTPATIENT, *contexts: Context, number: str = ""
) -> PlannedOrder:
    """One item of the catalogue."""
    return PlannedOrder((Coding(code, "", CATALOGUE),), setting, frozenset(contexts), number)


@dataclass
class Desk:
    """The doctor at the moment of ordering."""

    advising: Advising
    doctor: Disclosure = disclosure_for(DOCTOR, "127.0.0.1")  # noqa: RUF009 immutable

    def ask(self, *orders: PlannedOrder, patient: int = 1) -> tuple[Answer, ...]:
        return self.advising.verdicts(self.doctor, orders, patient_id=patient)
