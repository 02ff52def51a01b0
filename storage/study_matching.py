"""What is asked of studies, as SQL conditions: DICOM matching on keys, names and dates. Source: PS3.4 C.2.2.2."""

from typing import Any

from sqlalchemy import and_, select

from schemas.disclosure import Disclosure
from schemas.patient import normal_name
from schemas.study import StudyCriteria

from . import tables as t
from .reports import scope


def _like(pattern: str) -> str:
    """DICOM wildcards (`*`, `?`; PS3.4 C.2.2.2.4) as LIKE's, its own escaped by a backslash."""
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")


def _text(column: Any, pattern: str) -> Any:
    return column.like(_like(pattern), escape="\\") if {"*", "?"} & set(pattern) else column == pattern


def _name(group: str) -> Any:
    """One component group of a name, against the forms in which it was written and the pinyin of the Chinese one."""
    # The column holds the ideographic and the alphabetic form, a line each; `^` between components does not count.
    wanted = _like(group.casefold().replace("^", "*").rstrip("*"))
    tail = "%" if {"*", "?"} & set(group) else ""
    column, key = t.study.c.patient_name, t.patient_search_key.c
    lines = (f"{wanted}{tail}\n%", f"%\n{wanted}{tail}")
    spelt = select(key.patient_id).where(_text(key.search_key, normal_name(group)))
    written = column.like(lines[0], escape="\\") | column.like(lines[1], escape="\\")
    return written | t.study.c.patient_id.in_(spelt)


def matching(criteria: StudyCriteria) -> list[Any]:
    """SQL conditions on the study table."""
    column = t.study.c
    wanted: list[Any] = [] if criteria.hidden else [column.instance_count > 0]
    if criteria.patient_id is not None:
        members = select(t.patient.c.id).where(t.patient.c.person_id == criteria.patient_id)
        wanted.append(column.patient_id.in_(members))
    if criteria.patient_identifier:
        wanted.append(_text(column.patient_identifier, criteria.patient_identifier))
    wanted += [_name(group) for group in criteria.patient_name.split("=") if group.strip("*^ ")]
    if criteria.accession_number:
        wanted.append(_text(column.accession_number, criteria.accession_number))
    if criteria.study_instance_uids:
        wanted.append(column.study_instance_uid.in_(criteria.study_instance_uids))
    if criteria.date_from:
        wanted.append(column.study_date >= criteria.date_from)
    if criteria.date_to:
        wanted.append(and_(column.study_date <= criteria.date_to, column.study_date != ""))
    if criteria.modality:
        wanted.append(("\\" + column.modalities + "\\").contains(f"\\{criteria.modality}\\", autoescape=True))
    if criteria.description:
        wanted.append(_text(column.description, criteria.description.casefold()))
    return wanted


def conditions(disclosure: Disclosure, criteria: StudyCriteria) -> list[Any]:
    """SQL conditions on the study and organization tables: what is asked for, and what the asker may see."""
    return [*matching(criteria), *scope(disclosure)]
