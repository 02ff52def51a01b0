"""What a decision says in the patient's record, and what the patient is told: ready Chinese sentences.

Source: 国卫医发〔2022〕6号, articles 17 to 20: who does not recognise explains it to the patient and writes it down.
"""

from schemas.recognition import Decided, Reason
from schemas.report import ReportRecord
from schemas.wording import ZONE

_EXAMINATION = "检查检验项目"


def record_text(verdict: Decided, record: ReportRecord, issuer: str, reason: Reason | None, comment: str = "") -> str:
    """For the medical record. issuer: name of the institution whose result it is."""
    number = record.report.accession_number or record.report.filler_order_number or str(record.id)
    what = f"患者{_day(record)}于{issuer}所做{_named(record)}（报告号{number}，第{record.version}版）"
    if verdict is Decided.RECOGNISED:
        return f"{what}结果经接诊医师审阅予以互认，本次不再重复检查检验。"
    why = reason.zh if reason else "其他情形"
    added = f"（{comment}）" if comment else ""
    return f"{what}结果经接诊医师审阅未予互认，理由：{why}{added}；已向患者说明，本次重新检查检验。"


def patient_text(verdict: Decided, record: ReportRecord, issuer: str, reason: Reason | None) -> str:
    """For the patient."""
    what = f"您{_day(record)}在{issuer}做的{_named(record)}"
    if verdict is Decided.RECOGNISED:
        return f"{what}，结果我院认可，这次不用重复做。"
    return f"{what}，结果我们看过了。这次仍需要重新做，原因是：{reason.zh if reason else '其他情形'}。"


def _day(record: ReportRecord) -> str:
    at = record.observed_at.astimezone(ZONE)
    return f"{at.year}年{at.month}月{at.day}日"


def _named(record: ReportRecord) -> str:
    return f"“{record.report.code.display or _EXAMINATION}”"
