"""Rules about time: both clocks run from sampling or acquisition, never from the report."""

from schemas.region import RegionRules
from schemas.verdict import Asked, Prior

from .saying import CAUTION, EXCLUDES, HOLDS, NONE, SUPPORTS, Said, age, long_en, long_zh, moment

_LOOKED = "sampling or acquisition"


def sampled(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """Without the time of sampling no clock can run."""
    # An age that nobody knows lies within no window; the report's time would make an old result look new.
    if prior.sampled_at is None:
        return Said(
            EXCLUDES, _LOOKED, "not told", "采样（检查）时间不明，无法判断时效", "When it was taken was never told"
        )
    at = moment(prior.sampled_at)
    return Said(HOLDS, _LOOKED, at, f"采样（检查）时间 {at}", f"Taken at {at}")


def future(asked: Asked, prior: Prior, rules: RegionRules) -> Said:
    """A sampling time after the order is a wrong clock, or a wrong result."""
    old = age(asked, prior)
    if old is None:
        return Said(NONE, _LOOKED, "not told", "采样时间不明", "When it was taken was never told")
    if old < -rules.clock_tolerance:
        return Said(EXCLUDES, _LOOKED, "future", "采样时间晚于开单时间，时钟有误", "It was taken after it was ordered")
    return Said(HOLDS, _LOOKED, "past", "采样早于开单", "It was taken before")


def window(asked: Asked, prior: Prior, rules: RegionRules) -> Said:
    """Whether the result still holds: the recognition window."""
    old = age(asked, prior)
    valid = rules.window(asked.item, asked.setting) if asked.item else None
    if old is None or asked.item is None:
        return Said(NONE, _LOOKED, "not told", "无法判断时效", "Whether it still holds cannot be told")
    if valid is None:
        return Said(EXCLUDES, _LOOKED, "no window", "该项目没有互认时限", "Nobody has said how long it holds")
    found = f"{long_en(old)} of {long_en(valid)}"
    if old > valid:
        zh, en = (
            f"已过互认时限：距采样 {long_zh(old)}，时限 {long_zh(valid)}",
            f"Too old: {long_en(old)}, holds {long_en(valid)}",
        )
        return Said(EXCLUDES, _LOOKED, found, zh, en)
    zh, en = (
        f"在互认时限内：距采样 {long_zh(old)}，时限 {long_zh(valid)}",
        f"Still valid: {long_en(old)} of {long_en(valid)}",
    )
    return Said(HOLDS, _LOOKED, found, zh, en)


def early(asked: Asked, prior: Prior, rules: RegionRules) -> Said:
    """Whether a repeat would tell anything new: the minimum retest interval."""
    old = age(asked, prior)
    interval = asked.item.clocks_in(asked.setting).too_early if asked.item else None
    if old is None or interval is None:
        return Said(NONE, _LOOKED, "no interval", "未规定最短复查间隔", "No minimum retest interval")
    found = f"{long_en(old)} of {long_en(interval)}"
    if -rules.clock_tolerance <= old < interval:
        zh, en = (
            f"未到最短复查间隔（{long_zh(interval)}），重复检查无新信息",
            "Too early to repeat: it would tell nothing new",
        )
        return Said(SUPPORTS, _LOOKED, found, zh, en)
    return Said(NONE, _LOOKED, found, f"已过最短复查间隔（{long_zh(interval)}）", "A repeat may tell something new")


def newest(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """An older result must not hide a later one."""
    newer = prior.newer
    if newer is None:
        return Said(HOLDS, "later results", "none", "是该项目最近一次结果", "It is the latest result of this item")
    found = f"DiagnosticReport/{newer.report_id} {moment(newer.sampled_at)}"
    if newer.critical:
        zh, en = "之后另有危急值结果，不能以旧代新", "A later result is critical: the older one hides it"
        return Said(EXCLUDES, "later results", found, zh, en)
    return Said(
        CAUTION, "later results", found, "之后另有更新的结果，请一并查看", "There is a later result: look at it too"
    )
