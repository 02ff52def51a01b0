"""Rules about what is ordered, where, and how far the issuer's quality mark reaches."""

from schemas.quality import Assessed, hr_mark
from schemas.region import RegionRules, Tier
from schemas.verdict import Asked, Context, Prior

from .saying import CAUTION, EXCLUDES, HOLDS, NONE, RuleFunction, Said

_CONTEXTS = {
    Context.EMERGENCY: ("急诊、抢救", "Emergency or rescue"),
    Context.OPERATION: ("手术前", "Before an operation"),
    Context.TRANSFUSION: ("输血前", "Before a transfusion"),
    Context.FORENSIC: ("司法、伤残、病退等鉴定", "A forensic or disability assessment"),
}
_STANDS = {
    Assessed.PASSED: ("采样时室间质评合格", "The issuer passed quality assessment when it was taken"),
    Assessed.FAILED: ("采样时室间质评不合格", "The issuer had failed quality assessment when it was taken"),
    Assessed.SUSPENDED: ("采样时项目被暂停互认", "The issuer's mark was suspended when it was taken"),
    Assessed.EXPIRED: ("采样时质评记录已过期", "The issuer's quality record had expired when it was taken"),
    Assessed.UNKNOWN: ("出具机构无该项目的质评记录", "The issuer has no quality record of this item"),
}
_REACHES = {
    "nation": ("全国", "the nation"),
    "region": ("区域", "the region"),
    "province": ("全省", "the province"),
    "city": ("全市", "the city"),
    "district": ("本区", "the district"),
}


def context(which: Context) -> RuleFunction:
    """The rule that nothing is suggested in one context."""
    zh, en = _CONTEXTS[which]

    def rule(asked: Asked, _: Prior, __: RegionRules) -> Said:
        if which in asked.contexts:
            return Said(EXCLUDES, "order", which.value, f"{zh}：不建议互认", f"{en}: reuse is not suggested")
        return Said(HOLDS, "order", "no", f"并非{zh}", f"Not: {en.lower()}")

    return rule


def never(asked: Asked, _: Prior, __: RegionRules) -> Said:
    """What the catalogue never suggests in this setting."""
    if asked.item and asked.item.clocks_in(asked.setting).never:
        zh, en = "该项目在此诊疗场景下不建议互认", "This item is never suggested for reuse in this setting"
        return Said(EXCLUDES, "catalogue", f"never in {asked.setting}", zh, en)
    return Said(HOLDS, "catalogue", asked.setting.value, "该场景下可以互认", "It may be reused in this setting")


def information(asked: Asked, prior: Prior, _: RegionRules) -> Said:
    """A blood group is shown, and typed again before anything rests on it."""
    if any(each and each.information_only for each in (asked.item, prior.item)):
        zh, en = "仅供参考，不作互认（如血型）", "For information only, never reused (as a blood group)"
        return Said(EXCLUDES, "catalogue", "information only", zh, en)
    return Said(HOLDS, "catalogue", "no", "可作互认", "It is more than information")


def quality(_: Asked, prior: Prior, rules: RegionRules) -> Said:
    """The condition of all recognition: the issuer had passed quality assessment at sampling."""
    stands, by = prior.assessment.assessed, prior.assessment.by
    zh, en = _STANDS[stands]
    found = f"{stands.value} {by.record.scheme}".strip() if by else stands.value
    if by:
        zh = f"{zh}（{by.record.since}至{by.record.until}{f'，{by.record.scheme}' if by.record.scheme else ''}）"
        en = f"{en} ({by.record.since} to {by.record.until})"
    outcome = HOLDS if stands is Assessed.PASSED else EXCLUDES
    # "Quality control passed" is the condition of all recognition; a region may be milder with whoever never took part.
    if stands is Assessed.UNKNOWN:
        outcome = rules.unassessed
    return Said(outcome, "quality record at sampling", found, zh, en)


def reach(asked: Asked, prior: Prior, rules: RegionRules) -> Said:
    """Whether the HR mark that follows from it holds where it is ordered."""
    looked = "HR mark"
    if prior.issuer.code == asked.organization.code:
        return Said(HOLDS, looked, "own", "本机构自己的结果", "The institution's own result")
    mark = hr_mark(prior.item, prior.assessment) if prior.item else None
    if mark is None:
        # That it bears none is for the rule of quality to say.
        return Said(NONE, looked, "none", "无互认标识", "It bears no mark")
    zh, en = _REACHES[mark.value]
    if not rules.reaches(mark, prior.issuer, asked.organization):
        zh, en = f"互认标识范围为{zh}，不及本机构", f"Its mark is for {en} and does not reach here"
        return Said(rules.unreached, looked, mark.value, zh, en)
    return Said(HOLDS, looked, mark.value, f"互认标识（{zh}HR）及于本机构", f"Its mark for {en} reaches here")


def tier(asked: Asked, prior: Prior, rules: RegionRules) -> Said:
    """In some provinces a lower tier accepts a higher one."""
    if rules.tier is Tier.OFF or prior.issuer.code == asked.organization.code:
        return Said(NONE, "tiers", "no rule", "本地区不按机构级别约束", "The region does not bind by tier")
    ours, theirs = (rules.tiers.get(each.kind, 0) for each in (asked.organization, prior.issuer))
    if theirs < ours:
        zh, en = "出具机构级别低于本机构，不强制互认", "The issuer's tier is lower: it does not bind"
        return Said(CAUTION, "tiers", f"{theirs} < {ours}", zh, en)
    return Said(HOLDS, "tiers", f"{theirs} >= {ours}", "出具机构级别不低于本机构", "The issuer's tier is no lower")


def stable(asked: Asked, _: Prior, __: RegionRules) -> Said:
    """What changes fast is weighed by whoever sees the patient."""
    if asked.item and asked.item.volatile:
        zh, en = "该项目随病情变化快，请结合临床", "It changes fast in the course of a disease: weigh it"
        return Said(CAUTION, "catalogue", "volatile", zh, en)
    return Said(HOLDS, "catalogue", "stable", "该项目变化较慢", "It changes slowly")
