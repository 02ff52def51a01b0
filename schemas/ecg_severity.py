"""How pressing a recording is, and which rule says so: it orders the list of those that wait, and says no more."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from .codes import LOINC
from .ecg_statements import Rule, Severity, Statement, folded, phrases, recognised, rules, statement
from .observation import Quantity
from .report import Report

# Where a denial ends at the latest: what stands behind is said by itself.
_ENDS = re.compile(r"[。；;,，.!！?？\n]+")
# A denial counts only right before what it denies: 无法排除, `cannot exclude` and `no change in` deny nothing.
_DENIALS = (
    *("未见", "未及", "未发现", "未提示", "没有", "不支持", "已排除", "可排除", "可除外", "无"),
    *(r"\bno\b", r"\bnot\b", r"\bwithout\b", r"\babsence of\b", r"\bnegative for\b"),
)
_BETWEEN = (
    *("明显", "显著", "典型", "确切", "明确", "新发", "急性", "异常", "证据", "征象", "的", "或", "、", "/", r"\s"),
    *(r"\b(?:a|an|any|the|acute|significant|definite|obvious|new|diagnostic|or|of|for|evidence|signs?)\b",),
    *(r"\bcriteria\b", r"\bsuggestive\b", r"\bconsistent\b"),
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a recording is as pressing as that: a statement, words as they stand in the text, or a bound that is passed.

    None of these: nothing is known of what the text says, which somebody is to look at.
    """

    severity: Severity
    statement: Statement | None = None
    words: str = ""
    rule: Rule | None = None
    value: Decimal | None = None


def severity(report: Report) -> Severity:
    """The most pressing of what a report's statements, words and measurements say; abnormal where nothing is known."""
    return reason(report).severity


def reason(report: Report) -> Reason:
    """The first of the most pressing reasons."""
    return min(_reasons(report), key=lambda each: each.severity.rank)


def _reasons(report: Report) -> Iterator[Reason]:
    codes = [each for coding in report.statements if (each := statement(coding.code))]
    known, rest = (tuple(codes), "") if codes else recognised(report.conclusion)
    for each in known:
        yield Reason(each.severity, statement=each)
    yield from _of_words(rest or report.conclusion)
    yield from _of_values(report)
    if rest or not known:
        yield Reason(Severity.ABNORMAL)


def _of_words(text: str) -> Iterator[Reason]:
    clauses = _ENDS.split(folded(text))
    for phrase in phrases():
        for word in phrase.words:
            if any(_says(clause, word) for clause in clauses):
                yield Reason(phrase.severity, words=word)


def _says(clause: str, word: str) -> bool:
    """Whether it says the word and does not deny it."""
    start = clause.find(word)
    while start >= 0:
        if not _denial().search(clause[:start]):
            return True
        start = clause.find(word, start + 1)
    return False


@cache
def _denial() -> re.Pattern[str]:
    # Other findings in the same list are denied with it: `未见ST段抬高、急性心肌梗死`.
    findings = sorted((re.escape(word) for each in phrases() for word in each.words), key=len, reverse=True)
    return re.compile(rf"(?<![不未])(?:{'|'.join(_DENIALS)})(?:{'|'.join((*_BETWEEN, *findings))})*$")


def _of_values(report: Report) -> Iterator[Reason]:
    measured = [
        (each.code.code, each.value.value)
        for each in report.observations
        if each.code.system == LOINC and isinstance(each.value, Quantity)
    ]
    for rule in rules():
        for code, value in measured:
            if code == rule.measure and rule.holds(value):
                yield Reason(rule.severity, rule=rule, value=value)
