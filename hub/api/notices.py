"""Notices to those who relied on what is no longer so, for programs that keep an inbox of their own."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from schemas.notice import Notice, NoticeKind, Reliance

from .dependencies import Asker, TheVerbs
from .outcomes import Problem
from .recognition import Key

router = APIRouter(
    prefix="/recognition",
    tags=["recognition"],
    responses={"default": {"model": Problem, "description": "why it was refused"}},
)


class ChangeView(BaseModel):
    """One thing that differs. what: a result's name, or `status`, `findings`, `conclusion`, `patient`, `quality`."""

    what: str
    before: str
    after: str


class NoticeView(BaseModel):
    """What somebody of the asker's institution relied on, and what became of it."""

    id: int
    kind: NoticeKind
    reliance: Reliance
    report: int
    seen_version: int
    version: int
    patient: int
    institution: str
    account: str
    changes: list[ChangeView]
    raised_at: dt.datetime
    acknowledged_at: dt.datetime | None
    acknowledged_by: str
    remark: str
    escalated_at: dt.datetime | None


def _notice(notice: Notice) -> NoticeView:
    changes = [ChangeView(what=each.what, before=each.before, after=each.after) for each in notice.changes]
    return NoticeView(
        id=notice.id,
        kind=notice.kind,
        reliance=notice.reliance,
        report=notice.report_id,
        seen_version=notice.seen_version,
        version=notice.version,
        patient=notice.patient_id,
        institution=notice.organization,
        account=notice.account,
        changes=changes,
        raised_at=notice.raised_at,
        acknowledged_at=notice.acknowledged_at,
        acknowledged_by=notice.acknowledged_by,
        remark=notice.remark,
        escalated_at=notice.escalated_at,
    )


class Acknowledging(BaseModel):
    """remark: what was done about it; needed where the notice is to a colleague."""

    model_config = ConfigDict(extra="forbid")

    remark: str = Field("", max_length=500)


@router.get("/notices", summary="What the asker relied on and has changed since")
def notices(
    verbs: TheVerbs,
    asker: Asker,
    institution: Annotated[bool, Query(description="also those to colleagues of the same institution")] = False,
) -> list[NoticeView]:
    """Those that wait for an acknowledgement first, then the newest."""
    return [_notice(each) for each in verbs.recall.inbox(asker, institution=institution)]


@router.post("/notices/{notice_id}/acknowledgement", summary="Say that one knows of a change")
def acknowledge(notice_id: Key, said: Acknowledging, verbs: TheVerbs, asker: Asker) -> NoticeView:
    """Once; a notice to a colleague takes a remark."""
    return _notice(verbs.recall.acknowledge(asker, notice_id, said.remark))
