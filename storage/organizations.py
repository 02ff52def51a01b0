"""Institutions, the systems that send for them, and the hub's own settings. No patient data."""

from typing import Any

from sqlalchemy import Connection, exists, select

from schemas.documents import from_json, to_json
from schemas.faults import NotFound
from schemas.identifiers import AUTHORITY
from schemas.organization import Organization, OrganizationRecord, Source

from . import tables as t


def put_organization(tx: Connection, organization: Organization) -> int:
    """Adds the institution, or replaces what was known under its code; returns its id."""
    values = {"code": organization.code, "document": to_json(organization)}
    known = tx.scalar(select(t.organization.c.id).where(t.organization.c.code == organization.code))
    if known is not None:
        tx.execute(t.organization.update().where(t.organization.c.id == known).values(values))
        return int(known)
    return int(tx.scalar(t.organization.insert().returning(t.organization.c.id), values) or 0)


def _record(row: Any) -> OrganizationRecord:
    return OrganizationRecord(row[0], from_json(Organization, row[1]))


def organizations(tx: Connection) -> tuple[OrganizationRecord, ...]:
    """Every institution, in the order of registration."""
    query = select(t.organization.c.id, t.organization.c.document).order_by(t.organization.c.id)
    return tuple(_record(row) for row in tx.execute(query))


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


def source(tx: Connection, name: str) -> Source | None:
    """The sending system registered under this name on the wire."""
    query = (
        select(
            t.source.c.id,
            t.source.c.name,
            t.organization.c.code,
            t.source.c.authority,
            t.source.c.charset,
            t.source.c.time_zone,
            t.source.c.organization_id,
        )
        .join(t.organization)
        .where(t.source.c.name == name)
    )
    row: Any = tx.execute(query).first()
    return Source(*row) if row else None


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
