"""An index as a district has it after years: millions of reports, made straight into the tables.

Most are the reports of many patients, made inside the database itself; a few patients with hundreds of reports each are
written as the hub writes them, and they are the ones that are asked about.
"""

# ruff: noqa: S608 - the benchmark's own words and numbers, nobody else's

import datetime as dt
import random
from decimal import Decimal

from sqlalchemy import Connection, Index, text

from schemas.catalogue import Scope
from schemas.codes import LOINC, Coding
from schemas.documents import to_json
from schemas.identifiers import RESIDENT_ID, Identifier, authority_system
from schemas.observation import Observation, Quantity
from schemas.organization import Organization, OrganizationKind
from schemas.patient import Patient, PersonName, Sex
from schemas.quality import QualityRecord, Standing
from schemas.report import Report, ReportCategory, ReportStatus
from schemas.shipped_catalogue import shipped
from schemas.study import Series, Study
from storage import observations, organizations, patients, quality, reports, studies
from storage import tables as t
from storage.database import Database

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
HEAVY, EACH = 40, 500
CENTRES = ("CHC01", "CHC02", "CHC03")
_PER_PATIENT = 100
_YEARS = 5
_RESULTS = 4
_CODES = ("718-7", "6690-2", "2823-3", "2951-2")
_TABLES = (t.report, t.report_version, t.observation, t.patient, t.patient_identifier)


def build(database: Database, count: int) -> None:
    """Fills an empty, migrated database with `count` reports, of which HEAVY x EACH are the asked patients'."""
    with database.write() as tx:
        _institutions(tx)
        heavy = [_heavy(tx, number) for number in range(HEAVY)]
    with database.write() as tx:
        _many(tx, count - HEAVY * EACH)
    with database.write() as tx:
        tx.execute(text("ANALYZE"))
    if database.engine.dialect.name == "sqlite":
        # What filling left in the log is no matter of asking.
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    if len(heavy) != HEAVY:
        raise RuntimeError("a patient is missing")


def resident(number: int) -> str:
    """The identity number of an asked patient: of a region that does not exist."""
    digits = f"99010119700101{number:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11]


def _institutions(tx: Connection) -> None:
    for code in CENTRES:
        organizations.put_organization(tx, Organization(code, f"社区{code}", kind=OrganizationKind.COMMUNITY_CENTRE))
        organizations.put_source(tx, code, code, code)
    organizations.put_organization(tx, Organization("DH02", "区中心医院", kind=OrganizationKind.DISTRICT_HOSPITAL))
    year = NOW.year
    records = [
        QualityRecord(code, item.code, Standing.PASSED, dt.date(y, 1, 1), dt.date(y + 1, 1, 1), scope=Scope.CITY)
        for code in CENTRES
        for item in shipped().items
        if not item.members
        for y in (year - 1, year, year + 1)
    ]
    quality.put(tx, records, changed_by="quality", reason="benchmark", now=NOW)


def _heavy(tx: Connection, number: int) -> int:
    """A patient with EACH reports of three institutions over years, one of them from today."""
    chance = random.Random(number)
    male = int(resident(number)[16]) % 2 == 1
    who = Patient(
        (Identifier(authority_system("CHC01"), f"H{number}"), Identifier(RESIDENT_ID, resident(number))),
        PersonName("王芳"),
        dt.date(1970, 1, 1),
        Sex.MALE if male else Sex.FEMALE,
    )
    person = patients.add_person(tx, who, NOW)
    patient = patients.add_patient(tx, person, who, ["wf"])
    # One delivery stands for all: what they were read from is not asked for.
    delivery = _delivery(tx)
    for place in range(EACH):
        at = NOW - dt.timedelta(hours=6) - dt.timedelta(days=_YEARS * 365) * (place / EACH)
        made = _report(chance, who, f"H{number}-{place}", place, at)
        organization = organizations.organization(tx, made.organization).id
        key = reports.add_report(
            tx, made, patient_id=patient, organization_id=organization, delivery_id=delivery, now=NOW
        )
        observations.put_observations(tx, key, 1, made, patient_id=patient, observed_at=at)
        if made.study_instance_uid:
            _study(tx, made, patient, organization, key, at)
    return person


def _delivery(tx: Connection) -> int:
    known = tx.scalar(text("SELECT max(id) FROM delivery"))
    if known:
        return int(known)
    column = t.delivery.c
    values = {each.name: _anything(each) for each in t.delivery.columns if not each.nullable and each.name != "id"}
    return int(tx.scalar(t.delivery.insert().returning(column.id), values) or 0)


def _anything(column: object) -> object:
    kind = type(getattr(column, "type", None)).__name__
    values: dict[str, object] = {"Instant": NOW, "LargeBinary": b"{}", "Boolean": False}
    if kind in values:
        return values[kind]
    return 1 if kind in ("Integer", "BigInteger", "Variant") else "x"


_PANELS = (
    (("718-7", "g/L", "130"), ("6690-2", "10*9/L", "6.5"), ("789-8", "10*12/L", "4.5"), ("777-3", "10*9/L", "210"),
     ("4544-3", "%", "40"), ("787-2", "fL", "90"), ("770-8", "%", "60"), ("736-9", "%", "30")),
    (("2823-3", "mmol/L", "4.1"), ("2951-2", "mmol/L", "140"), ("2075-0", "mmol/L", "102")),
    (("1742-6", "U/L", "22"), ("1920-8", "U/L", "25"), ("2324-2", "U/L", "30"), ("1751-7", "g/L", "44")),
)  # fmt: skip


def _report(chance: random.Random, who: Patient, key: str, place: int, at: dt.datetime) -> Report:
    kind = place % 10
    organization = CENTRES[place % len(CENTRES)]
    if kind >= 8:
        uid = f"1.2.826.0.1.3680043.8.498.{abs(hash(key)) % 10**9}.{place}"
        code = Coding(f"CT{place}", "胸部CT平扫", "urn:dxhub:codes:RIS")
        return Report(key, ReportCategory.IMAGING, ReportStatus.FINAL, code, who, organization, observed_at=at,
                      issued_at=at, conclusion="双肺未见明显异常。", findings="双肺纹理清晰。" * 12,
                      study_instance_uid=uid)  # fmt: skip
    results = tuple(
        Observation(
            Coding(code, code, LOINC),
            Quantity((Decimal(value) * chance.randint(90, 110) / 100).quantize(Decimal("0.1")), unit),
            unit=unit,
            reference_range="3.5-9.5",
            interpretation=("N",),
        )
        for code, unit, value in _PANELS[kind % len(_PANELS)]
    )
    code = Coding(f"LAB{kind}", "检验", "urn:dxhub:codes:LIS")
    return Report(key, ReportCategory.LABORATORY, ReportStatus.FINAL, code, who, organization, observed_at=at,
                  issued_at=at, specimen="静脉血", observations=results)  # fmt: skip


def _study(tx: Connection, made: Report, patient: int, organization: int, report: int, at: dt.datetime) -> None:
    study = Study(made.study_instance_uid, made.patient, f"{at:%Y%m%d}", f"{at:%H%M%S}", description="胸部CT平扫")
    key = studies.add_study(
        tx, study, patient_id=patient, organization_id=organization, report_id=report, observed_at=at, now=NOW
    )
    known = studies.KnownStudy(key, patient, report, "CT")
    studies.add_series(tx, known, Series(f"{made.study_instance_uid}.1", "CT", 1, "肺窗", "CHEST"))
    tx.execute(t.study.update().where(t.study.c.id == key).values(instance_count=60, modalities="CT", completed_at=at))
    tx.execute(t.series.update().where(t.series.c.study_id == key).values(instance_count=60))


def _many(tx: Connection, count: int) -> None:
    """The reports of everybody else, interleaved in time as they came; four results each."""
    if count <= 0:
        return
    sqlite = tx.dialect.name == "sqlite"
    if not sqlite:
        tx.execute(text("SET LOCAL session_replication_role = replica"))  # no foreign key is looked up row by row
    dropped = [index for table in _TABLES for index in table.indexes]
    for index in dropped:
        index.drop(tx)
    blob = "CAST({} AS BLOB)" if sqlite else "convert_to({}, 'UTF8')"
    values = _values(tx, count, blob)
    for statement in _STATEMENTS:
        tx.execute(text(statement.format(**values)))
    for index in dropped:
        _create(tx, index)
    if not sqlite:
        for table in ("person", "patient", "report", "observation"):
            tx.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"))


def _create(tx: Connection, index: Index) -> None:
    index.create(tx)


def _values(tx: Connection, count: int, blob: str) -> dict[str, object]:
    people = max(1, count // _PER_PATIENT)
    first = {
        name: int(tx.scalar(text(f"SELECT coalesce(max(id), 0) FROM {name}")) or 0)
        for name in ("person", "patient", "report")
    }
    sample = _report(random.Random(0), _stranger(), "F", 1, NOW)
    step = int(_YEARS * 365 * 86_400 * 1_000_000 / count)
    return {
        "people": people,
        "count": count,
        "person": first["person"],
        "patient": first["patient"],
        "report": first["report"],
        "delivery": int(tx.scalar(text("SELECT max(id) FROM delivery")) or 0),
        "begin": int(NOW.timestamp() * 1_000_000) - step * count,
        "step": f"CAST({step} AS BIGINT)",
        "centres": len(CENTRES),
        "results": _RESULTS,
        "code": "CASE r.k " + " ".join(f"WHEN {n} THEN '{code}'" for n, code in enumerate(_CODES)) + " END",
        "loinc": LOINC.replace(":", "\\:"),
        "who": blob.format("'" + to_json(_stranger()).decode().replace(":", "\\:") + "'"),
        "document": blob.format("'" + to_json(sample).decode().replace("'", "''").replace(":", "\\:") + "'"),
        "born": "'1960-01-01'" if tx.dialect.name == "sqlite" else "DATE '1960-01-01'",
    }


def _stranger() -> Patient:
    return Patient((Identifier(authority_system("CHC01"), "S1"),), PersonName("李强"), dt.date(1960, 1, 1), Sex.MALE)


_N = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0})"
_PEOPLE, _REPORTS = _N.format("{people}"), _N.format("{count}")
_STATEMENTS = (
    f"INSERT INTO person (id, version) {_PEOPLE} SELECT {{person}} + i, 1 FROM n",
    f"INSERT INTO patient (id, person_id, system, value, birth_date, document) {_PEOPLE}"
    " SELECT {patient} + i, {person} + i, 'urn\\:dxhub\\:authority\\:CHC01', 'S' || i, {born}, {who} FROM n",
    f"INSERT INTO patient_identifier (patient_id, system, value) {_PEOPLE}"
    " SELECT {patient} + i, 'urn\\:dxhub\\:authority\\:CHC01', 'S' || i FROM n",
    f"INSERT INTO report (id, patient_id, organization_id, category, key, version, status, code, observed_at,"
    f" placer_order_number, filler_order_number, accession_number, study_instance_uid) {_REPORTS}"
    " SELECT {report} + i, {patient} + 1 + i % {people}, 1 + i % {centres}, 'laboratory', 'F' || i, 1, 'final', 'LAB',"
    " {begin} + {step} * i, 'P' || i, 'F' || i, '', '' FROM n",
    f"INSERT INTO report_version (report_id, version, delivery_id, observed_at, recorded_at, document) {_REPORTS}"
    " SELECT {report} + i, 1, {delivery}, {begin} + {step} * i, {begin} + {step} * i, {document} FROM n",
    f"INSERT INTO observation (report_id, patient_id, code, code_system, sub_id, slot, version, observed_at)"
    f" {_REPORTS}, r(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM r WHERE k < {{results}} - 1)"
    " SELECT {report} + i, {patient} + 1 + i % {people}, {code}, '{loinc}', '', 0, 1, {begin} + {step} * i FROM n, r",
)
