"""What a report says, under the headings of a document. Source: DICOM PS3.16 TID 2000, CID 7001."""

from collections.abc import Iterable

from schemas.codes import DCM, Coding
from schemas.observation import WITHDRAWN, Observation
from schemas.offered import Line, Section
from schemas.report import Report, ReportCategory
from schemas.wording import named, result, spelled, unit

FINDINGS, FINDING = Coding("121070", "检查所见", DCM), Coding("121071", "所见", DCM)
IMPRESSIONS, IMPRESSION = Coding("121072", "诊断意见", DCM), Coding("121073", "诊断意见", DCM)
# TID 300 groups; a laboratory's results are findings too.
RESULTS, MEASUREMENTS = Coding("121070", "检验结果", DCM), Coding("125007", "测量值", DCM)
# HL7 table 0078 as a printed report shows it.
_SIGNS = {"H": "↑", "HH": "↑↑", "L": "↓", "LL": "↓↓", "A": "*", "AA": "**", "POS": "+", "HU": "↑↑", "LU": "↓↓"}


def sections(report: Report) -> tuple[Section, ...]:
    """The parts that are not empty, in the order of a printed report: results, what was seen, what it means."""
    laboratory = report.category is ReportCategory.LABORATORY
    made = (
        Section(RESULTS if laboratory else MEASUREMENTS, FINDING, tuple(_results(report.observations))),
        Section(FINDINGS, FINDING, tuple(_text(report.findings))),
        Section(IMPRESSIONS, IMPRESSION, tuple(_text(report.conclusion))),
    )
    return tuple(each for each in made if each.lines)


def _text(said: str) -> Iterable[Line]:
    if said.strip():
        yield Line(said.strip())


def _results(observations: Iterable[Observation]) -> Iterable[Line]:
    for each in observations:
        if each.status in WITHDRAWN:
            continue
        name = named(each.code)
        value, measure = result(each), spelled(unit(each))
        sign = next((_SIGNS[code] for code in each.interpretation if code in _SIGNS), "")
        said = " ".join(part for part in (value, measure, sign) if part)
        reference = f"（参考范围 {each.reference_range}）" if each.reference_range else ""
        columns = (name, f"{value} {sign}".rstrip(), measure, each.reference_range)
        yield Line(said + reference, each.code, columns)
