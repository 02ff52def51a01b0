"""The verdict on one prior result: a pure function. Every rule is always asked, so that every reason can be shown.

What each rule means for patients stands in the table of cases in its tests. Source: 国卫医发〔2022〕6号;
国卫医政发〔2024〕37号.
"""

import datetime as dt
from collections.abc import Mapping

from schemas.quality import Assessment
from schemas.region import RegionRules
from schemas.verdict import Advice, Asked, Basis, Context, Outcome, Prior, QualityRef, Rule, RuleFinding, Verdict

from . import content, order, state, time
from .saying import RuleFunction

RULES: Mapping[Rule, RuleFunction] = {
    Rule.IDENTITY: state.identity,
    Rule.CATALOGUE: state.catalogue,
    Rule.WITHDRAWN: state.withdrawn,
    Rule.CURRENT: state.current,
    Rule.SETTLED: state.settled,
    Rule.SUPPLEMENT: state.supplement,
    Rule.CRITICAL: state.critical,
    Rule.EMERGENCY: order.context(Context.EMERGENCY),
    Rule.OPERATION: order.context(Context.OPERATION),
    Rule.TRANSFUSION: order.context(Context.TRANSFUSION),
    Rule.FORENSIC: order.context(Context.FORENSIC),
    Rule.NEVER: order.never,
    Rule.INFORMATION: order.information,
    Rule.QUALITY: order.quality,
    Rule.ITEM: state.same_item,
    Rule.SIDE: state.side,
    Rule.SPECIMEN: state.specimen,
    Rule.CONTENT: content.there,
    Rule.GRADE: content.graded,
    Rule.COMPLETE: content.complete,
    Rule.HIDDEN: content.hidden,
    Rule.SAMPLED: time.sampled,
    Rule.FUTURE: time.future,
    Rule.WINDOW: time.window,
    Rule.NEWEST: time.newest,
    Rule.REACH: order.reach,
    Rule.TIER: order.tier,
    Rule.UNIT: state.unit,
    Rule.METHOD: state.method,
    Rule.STABLE: order.stable,
    Rule.EARLY: time.early,
}
_ADVICE = {Outcome.EXCLUDES: Advice.NOT_SUGGESTED, Outcome.CAUTION: Advice.WITH_CAUTION}


def judge(asked: Asked, prior: Prior, rules: RegionRules, judged_at: dt.datetime) -> Verdict:
    """What the rules say of one prior result for one item. judged_at: our clock, up to which records are known."""
    findings = tuple(_finding(rule, ask, asked, prior, rules) for rule, ask in RULES.items())
    advice, decisive = _decided(findings)
    return Verdict(advice, decisive, findings, _basis(asked, prior, rules, judged_at))


def _finding(rule: Rule, ask: RuleFunction, asked: Asked, prior: Prior, rules: RegionRules) -> RuleFinding:
    return RuleFinding(rule, *ask(asked, prior, rules))


def _decided(findings: tuple[RuleFinding, ...]) -> tuple[Advice, Rule]:
    for outcome, advice in _ADVICE.items():
        for finding in findings:
            if finding.outcome is outcome:
                return advice, finding.rule
    early = next(finding for finding in findings if finding.rule is Rule.EARLY)
    return Advice.REUSABLE, Rule.EARLY if early.outcome is Outcome.SUPPORTS else Rule.WINDOW


def _basis(asked: Asked, prior: Prior, rules: RegionRules, judged_at: dt.datetime) -> Basis:
    return Basis(
        report_id=prior.record.id,
        report_version=prior.record.version,
        slot=prior.slot,
        ordered=asked.item.code if asked.item else "",
        ordered_version=asked.version,
        item=prior.item.code if prior.item else "",
        item_version=prior.version,
        region=rules.version,
        setting=asked.setting,
        at=asked.at,
        judged_at=judged_at,
        contexts=tuple(sorted(asked.contexts)),
        ordering=asked.organization.code,
        ordering_kind=asked.organization.kind,
        issuer=prior.issuer.code,
        issuer_kind=prior.issuer.kind,
        asked_laterality=asked.laterality,
        laterality=prior.laterality,
        doubts=prior.doubts,
        unit_code=prior.unit_code,
        current=prior.record.current,
        doubtful=prior.record.doubtful,
        assessed=prior.assessment.assessed,
        quality=_quality(prior.assessment),
        images=prior.images,
        newer=prior.newer,
    )


def _quality(assessment: Assessment) -> QualityRef | None:
    if assessment.by is None:
        return None
    record = assessment.by.record
    return QualityRef(record.organization, record.item, record.method, record.since, assessment.by.version)
