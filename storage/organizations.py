"""Institutions, the systems that send for them, and the hub's own settings. No patient data."""

import datetime as dt
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, select

from schemas.documents import from_json, to_json
from schemas.faults import NotFound
from schemas.identifiers import AUTHORITY
from schemas.organization import Organization, OrganizationRecord, Profile, ProfileVersion, Source

from . import tables as t
from .statement import Statement

_ALL = Statement(select(t.organization.c.id, t.organization.c.document).order_by(t.organization.c.id))


def put_organization(tx: Connection, organization: Organization) -> int:
    """Adds the institution, or replaces what was known under its code; returns its id."""
    values = {"code": organization.code, "document": to_json(organization)}
    known = tx.scalar(select(t.organization.c.id).where(t.organization.c.code == organization.code))
    if known is not None:
        tx.execute(t.organization.update().where(t.organization.c.id == known).values(values))
        return int(known)
    return int(tx.scalar(t.organization.insert().returning(t.organization.c.id), values) or 0)


@lru_cache(maxsize=4096)
def _read(number: int, document: str) -> OrganizationRecord:
    # A district's institutions are asked for with every verdict, and hardly ever change.
    return OrganizationRecord(number, from_json(Organization, document))


def _record(row: Any) -> OrganizationRecord:
    return _read(row[0], row[1])


def organizations(tx: Connection) -> tuple[OrganizationRecord, ...]:
    """Every institution, in the order of registration."""
    return tuple(_record(row) for row in _ALL.all(tx))


def organization(tx: Connection, code: str) -> OrganizationRecord:
    """Raises NotFound for a code that nobody registered."""
    query = select(t.organization.c.id, t.organization.c.document).where(t.organization.c.code == code)
    if row := tx.execute(query).first():
        return _record(row)
    raise NotFound("no institution is registered under this code", where="organization")


def put_source(
    tx: Connection, name: str, organization: str, authority: str, charset: str = "", time_zone: str = "Asia/Shanghai"
) -> None:
    """Registers a sending system by its name on the wire (AE title, MSH-4), or replaces what was known of it."""
    values = {
        "name": name,
        "organization_id": select(t.organization.c.id).where(t.organization.c.code == organization).scalar_subquery(),
        "authority": authority,
        "charset": charset,
        "time_zone": time_zone,
    }
    known = tx.scalar(select(t.source.c.id).where(t.source.c.name == name))
    write = t.source.insert() if known is None else t.source.update().where(t.source.c.id == known)
    tx.execute(write.values(values))


@dataclass(frozen=True, slots=True)
class _Habits:
    """What of a profile has no column of its own."""

    authorities: tuple[tuple[str, str], ...] = ()
    identity_field: str = ""
    repairs: tuple[str, ...] = ()
    new_versions: bool = False


# Asked for every message; a district has tens of senders.
@lru_cache(maxsize=1024)
def _habits(document: bytes) -> _Habits:
    return from_json(_Habits, document)


def _sources() -> Select[Any]:
    return select(
        t.source.c.id,
        t.source.c.name,
        t.organization.c.code,
        t.source.c.authority,
        t.source.c.charset,
        t.source.c.time_zone,
        t.source.c.organization_id,
        t.source.c.profile,
    ).join(t.organization)


_BY_NAME = Statement(_sources().where(t.source.c.name == bindparam("name")))


def _source(row: Any) -> Source:
    known = Source(*row[:-1])
    if row[-1] is None:
        return known
    habits = _habits(row[-1])
    return replace(
        known,
        authorities=habits.authorities,
        identity_field=habits.identity_field,
        repairs=habits.repairs,
        new_versions=habits.new_versions,
    )


def source(tx: Connection, name: str) -> Source | None:
    """The sending system registered under this name on the wire."""
    row = _BY_NAME.first(tx, name=name)
    return _source(row) if row else None


def sources(tx: Connection) -> tuple[Source, ...]:
    """Every sending system, by name."""
    return tuple(_source(row) for row in tx.execute(_sources().order_by(t.source.c.name)))


def put_profile(tx: Connection, source_id: int, profile: Profile, *, saved_by: str, now: dt.datetime) -> None:
    """Sets what is known of a source's habits; what was known before stays as history."""
    habits = _Habits(profile.authorities, profile.identity_field, profile.repairs, profile.new_versions)
    values = {
        "authority": profile.authority,
        "charset": profile.charset,
        "time_zone": profile.time_zone,
        "profile": to_json(habits),
    }
    tx.execute(t.source.update().where(t.source.c.id == source_id).values(values))
    version = {"source_id": source_id, "saved_at": now, "saved_by": saved_by, "document": to_json(profile)}
    tx.execute(t.source_version.insert(), version)


def profile_versions(tx: Connection, source_id: int) -> tuple[ProfileVersion, ...]:
    """The profiles that were saved for a source, newest first."""
    query = select(t.source_version).where(t.source_version.c.source_id == source_id)
    rows = tx.execute(query.order_by(t.source_version.c.id.desc()).limit(100))
    return tuple(ProfileVersion(row.id, from_json(Profile, row.document), row.saved_by, row.saved_at) for row in rows)


def another_registers(tx: Connection, system: str, authority: str) -> bool:
    """Whether identifiers of this system are given out by a registered authority other than this one."""
    named = system.removeprefix(AUTHORITY)
    if named in (system, authority):
        return False
    return bool(tx.scalar(select(exists(select(t.source.c.id).where(t.source.c.authority == named)))))


def setting(tx: Connection, name: str, default: str = "") -> str:
    """A fact that this database remembers about its hub."""
    value = tx.scalar(select(t.setting.c.value).where(t.setting.c.name == name))
    return default if value is None else str(value)


def put_setting(tx: Connection, name: str, value: str) -> None:
    """Remembers a fact about this hub."""
    tx.execute(t.setting.delete().where(t.setting.c.name == name))
    tx.execute(t.setting.insert(), {"name": name, "value": value})
