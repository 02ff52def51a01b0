"""One card an order, with the result inside: what it is, why it qualifies, and two ways to answer.

Source: CDS Hooks 2.0, HTTP Response. Chinese, as doctors read it; the evidence behind it is in the portal.
"""

import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from hub.advising.carding import leading_of
from schemas.card import ShownCard
from schemas.quality import Assessed
from schemas.recognition import Reason, reason_list
from schemas.report import ReportCategory
from schemas.verdict import Advice, Judged, Line, Outcome, Relation
from schemas.wording import moment, result, spelled, unit

REASONS = "urn:dxhub:recognition-reasons"
_LABEL = "区检查检验结果互认平台"
_LONGEST = 139
_SHOWN_ITEMS = 12
_POINTS = 4
_ADVICE = {Advice.REUSABLE: "可互认", Advice.WITH_CAUTION: "可互认，请留意"}
_ACCEPT = "互认该结果，不再重复检查"


def suggestion_id(card: str) -> str:
    """Of the one suggestion that a card has: known from the card's own id, hence kept nowhere."""
    return str(uuid.uuid5(uuid.UUID(card), "accept"))


def card(shown: ShownCard, base: str, patient_id: int) -> dict[str, Any]:
    """The card as JSON. base: address of this hub."""
    answer, leading = shown.answer, leading_of(shown.answer)
    advice = answer.advice if all(each.relation is Relation.SAME for each in leading) else Advice.WITH_CAUTION
    made: dict[str, Any] = {
        "uuid": shown.uuid,
        "summary": _summary(shown, leading, advice),
        "detail": "\n\n".join(_details(shown, leading, base)),
        "indicator": "info" if advice is Advice.REUSABLE else "warning",
        "source": {"label": _LABEL, "url": base, "topic": {"system": REASONS, "code": "prior-results"}},
        "selectionBehavior": "at-most-one",
        "suggestions": [_suggestion(shown.uuid, shown.reference, recommended=advice is Advice.REUSABLE)],
        "overrideReasons": [_coding(each) for each in reasons(shown)],
        "links": _links(shown, leading, base, patient_id),
    }
    return made


def reasons(shown: ShownCard) -> Sequence[Reason]:
    """The reasons of the list in force that can be given for this order."""
    return [each for each in reason_list().reasons if shown.kept.order.diagnosis or not each.needs_diagnosis]


def _coding(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "system": REASONS, "display": reason.zh}


def _suggestion(card_uuid: str, reference: str, *, recommended: bool) -> dict[str, Any]:
    action = {"type": "delete", "description": "撤下这张申请", "resourceId": reference}
    return {
        "label": _ACCEPT,
        "uuid": suggestion_id(card_uuid),
        "isRecommended": recommended,
        "actions": [action] if reference else [],
    }


def _summary(shown: ShownCard, leading: Sequence[Judged], advice: Advice) -> str:
    first = leading[0]
    name = shown.answer.item.zh if shown.answer.item else shown.answer.display
    issuers = "、".join(dict.fromkeys(each.prior.issuer.name for each in leading))
    what = value(first) if len(leading) == 1 else f"{len(leading)} 项齐全"
    near = "（相近项目）" if first.relation is Relation.NEAR and len(leading) == 1 else ""
    text = f"{name}{near} {what} · {issuers} · {moment(first.prior.sampled_at)} · {_ADVICE[advice]}"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def value(judged: Judged) -> str:
    """What was found, in a few words."""
    observation = judged.prior.observation
    if observation is None:
        number = judged.prior.images.shown if judged.prior.images else 0
        return f"影像 {number} 幅" if number else "心电图可调阅"
    mark = "".join(each for each in observation.interpretation if each not in ("N", ""))
    return " ".join(filter(None, (result(observation), spelled(unit(observation)), mark)))


def _details(shown: ShownCard, leading: Sequence[Judged], base: str) -> list[str]:
    rows = ["| 项目 | 结果 | 参考 | 采样（检查）时间 | 出具机构 |", "| --- | --- | --- | --- | --- |"]
    for each in leading[:_SHOWN_ITEMS]:
        observation, item = each.prior.observation, each.prior.item
        cells = (
            item.zh if item else "",
            value(each),
            observation.reference_range if observation else "",
            moment(each.prior.sampled_at),
            each.prior.issuer.name,
        )
        rows.append(f"| {' | '.join(map(_plain, cells))} |")
    parts = ["\n".join(rows)]
    if trend := _trend(shown.answer.lines):
        parts.append(f"**近期变化** {trend}")
    parts.append("**依据** " + "；".join(dict.fromkeys(each.verdict.decisive.zh for each in leading)))
    supports = [f.zh for each in leading for f in each.verdict.findings if f.outcome is Outcome.SUPPORTS]
    if supports:
        parts.append("**另** " + supports[0])
    if cautions := dict.fromkeys(found.zh for each in leading for found in each.verdict.against):
        parts.append("**请留意** " + "；".join(cautions))
    parts.append("**出具机构质评** " + "；".join(dict.fromkeys(_quality(each) for each in leading)))
    if pictures := _thumbnail(leading, base):
        parts.append(pictures)
    parts.append("互认的是结果本身，诊断意见由接诊医师判断。")
    return parts


def _trend(lines: Sequence[Line]) -> str:
    """The last values of the one item asked for, oldest first."""
    if len(lines) != 1:
        return ""
    found = [each.prior for each in lines[0].judged if each.prior.observation and each.prior.sampled_at]
    found = sorted(found, key=lambda each: str(each.sampled_at))[-_POINTS:]
    return " → ".join(_plain(result(each.observation)) for each in found if each.observation) if len(found) > 1 else ""


def _quality(judged: Judged) -> str:
    by = judged.prior.assessment.by
    if judged.prior.assessment.assessed is not Assessed.PASSED or by is None:
        return f"{judged.prior.issuer.name}：未见合格记录"
    return (
        f"{judged.prior.issuer.name}：合格（{by.record.since} 至 {by.record.until}，{by.record.scheme or '室间质评'}）"
    )


def _thumbnail(leading: Sequence[Judged], base: str) -> str:
    uid = leading[0].prior.record.report.study_instance_uid
    imaging = leading[0].prior.item is not None and leading[0].prior.item.category is ReportCategory.IMAGING
    return f"[缩略图]({base}/dicomweb/studies/{uid}/thumbnail)" if imaging and uid else ""


def _plain(text: str) -> str:
    """A source's own words, so that they neither end a cell nor become markup in the ordering system."""
    kept = " ".join(text.split())
    for sign in ("\\", "|", "<", ">", "[", "]", "*", "_", "`", "#", "!"):
        kept = kept.replace(sign, f"\\{sign}")
    return kept


def _links(shown: ShownCard, leading: Sequence[Judged], base: str, patient_id: int) -> list[dict[str, str]]:
    order = shown.kept.order
    context = {"item": shown.kept.item, "setting": order.setting, "order": order.number}
    context = {name: told for name, told in context.items() if told}
    made = [
        {
            "label": "查看全部依据并决定",
            "url": f"{base}/patients/{patient_id}/ordering?{urlencode(context)}",
            "type": "absolute",
        }
    ]
    for report_id, version in shown.kept.reports[:3]:
        issuer = next(each.prior.issuer.name for each in leading if each.prior.record.id == report_id)
        url = f"{base}/reports/{report_id}?version={version}"
        made.append({"label": f"打开报告（{issuer}）", "url": url, "type": "absolute"})
    return made
