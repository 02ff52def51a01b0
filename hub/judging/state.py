"""Rules about the result itself: whose it is, whether its source stands by it, whether it can be compared."""

from schemas.catalogue import Item
from schemas.critical import is_critical_mark
from schemas.observation import SETTLED, Quantity
from schemas.observation import WITHDRAWN as WITHDRAWN_RESULT
from schemas.region import RegionRules
from schemas.report import SUPPLEMENT, WITHDRAWN, ReportCategory, ReportStatus
from schemas.specimens import kind_of
from schemas.units import factor
from schemas.verdict import Asked, Prior, Relation

from .saying import CAUTION, EXCLUDES, HOLDS, NONE, Said

_FINAL = frozenset({ReportStatus.FINAL, ReportStatus.AMENDED, ReportStatus.CORRECTED})
CRITICAL_FLAG = "critical"
# What the items of images rest on (hub.catalogue).
OTHER_PART = "body-part"


def relation(asked: Item | None, found: Item | None, rules: RegionRules) -> Relation:
    """Whether two items are the same, the same thing done otherwise, or different things."""
    if asked is None or found is None:
        return Relation.OTHER
    if asked.code == found.code:
        return Relation.SAME
    same_place = bool(asked.modality) and (asked.modality, asked.body_part) == (found.modality, found.body_part)
    return Relation.NEAR if same_place or rules.is_near(asked, found) else Relation.OTHER


def is_critical(prior: Prior) -> bool:
    """Whether the source called the result, or the report on these images, critical."""
    report = prior.record.report
    if CRITICAL_FLAG in report.flags:
        return True
    results = (prior.observation,) if prior.observation else report.observations
    return any(is_critical_mark(code) for each in results for code in each.interpretation)


def identity(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """Whose it is: a doubtful identity is never reused."""
    if prior.record.doubtful:
        return Said(EXCLUDES, "identity", "in-doubt", "患者身份存疑，等待核实", "The patient's identity is in doubt")
    return Said(HOLDS, "identity", "certain", "患者身份无疑问", "The patient's identity is certain")


def catalogue(asked: Asked, prior: Prior, _: RegionRules) -> Said:
    """Only what the catalogue names is recognised."""
    if asked.item is None:
        return Said(EXCLUDES, "order", "no-item", "申请的项目不在互认目录内", "What is ordered is not in the catalogue")
    if prior.item is None:
        return Said(
            EXCLUDES, "result", "no-item", "该结果的项目不在互认目录内", "This result's item is not in the catalogue"
        )
    found = f"{prior.item.code}/{prior.version}"
    return Said(HOLDS, "catalogue", found, f"在互认目录内：{prior.item.zh}", f"In the catalogue: {prior.item.en}")


def withdrawn(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """What its source took back is nobody's result."""
    status = prior.record.report.status
    result = prior.observation.status if prior.observation else ""
    if status in WITHDRAWN or result in WITHDRAWN_RESULT:
        found = status.value if status in WITHDRAWN else result
        return Said(EXCLUDES, "status", found, "出具机构已撤回或取消", "The issuer took it back")
    return Said(HOLDS, "status", status.value, "未被撤回", "It was not taken back")


def current(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """A version that was replaced is not what the source says."""
    number = str(prior.record.version)
    if not prior.record.current:
        return Said(
            EXCLUDES, "version", f"{number} superseded", "报告已有更新的版本", "A newer version of the report exists"
        )
    return Said(HOLDS, "version", number, f"现行版本（第 {number} 版）", f"The version in force ({number})")


def settled(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """Final, amended and corrected stand; anything less may still change."""
    status = prior.record.report.status
    result = prior.observation.status if prior.observation else ""
    if status not in _FINAL or (result and result not in SETTLED):
        found = status.value if status not in _FINAL else result
        return Said(
            EXCLUDES, "status", found, "报告未经审核确认（非正式报告）", "It is not final: nobody has confirmed it yet"
        )
    return Said(HOLDS, "status", status.value, "正式报告", "It is final")


def supplement(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """Doses, measurements and logs are no report."""
    if SUPPLEMENT in prior.record.report.flags:
        return Said(
            EXCLUDES,
            "flags",
            SUPPLEMENT,
            "仅为附属文件（剂量、测量），不是报告",
            "It stands beside a report and is none",
        )
    return Said(HOLDS, "flags", "report", "是报告本身", "It is the report itself")


def critical(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """A critical value asks for action, not for a tick in a box."""
    looked = "interpretation, flags"
    if is_critical(prior):
        return Said(
            EXCLUDES,
            looked,
            "critical",
            "危急值：须立即处置，不得默认互认",
            "A critical value: act on it, do not reuse it",
        )
    return Said(HOLDS, looked, "not critical", "非危急值", "It is not critical")


def same_item(asked: Asked, prior: Prior, rules: RegionRules) -> Said:
    """The same examination, a near match of it, or another one."""
    ordered, found = asked.item, prior.item
    how = relation(ordered, found, rules)
    if ordered is None or found is None or how is Relation.OTHER:
        return Said(EXCLUDES, "item", "other", "不是所申请的项目", "It is another examination than the one ordered")
    if OTHER_PART in prior.doubts:
        return Said(
            EXCLUDES, "body part", "contradicts itself", "检查部位前后不一致", "The body part contradicts itself"
        )
    if how is Relation.NEAR:
        zh, en = f"相近项目：{found.zh}，与所申请的方法不同", f"A near match: {found.en}, done otherwise than ordered"
        return Said(CAUTION, "item", found.code, zh, en)
    if prior.doubts:
        zh, en = "是否使用对比剂未注明，按平扫处理", "Whether contrast was given was not told; taken as plain"
        return Said(CAUTION, "item", ", ".join(prior.doubts), zh, en)
    return Said(HOLDS, "item", found.code, "与所申请的项目相同", "It is what is ordered")


def side(asked: Asked, prior: Prior, _: RegionRules) -> Said:
    """A left knee answers no question about the right one."""
    ours, theirs = asked.laterality, prior.laterality
    if not ours and not theirs:
        return Said(NONE, "laterality", "none", "不分左右", "No side was named")
    if ours and theirs and theirs not in (ours, "B"):
        return Said(EXCLUDES, "laterality", f"{ours} asked, {theirs} found", "左右侧不符", "It is of the other side")
    if not (ours and theirs):
        return Said(
            CAUTION, "laterality", f"{ours or '?'} asked, {theirs or '?'} found", "左右侧未注明", "A side was not told"
        )
    return Said(HOLDS, "laterality", theirs, "侧别相符", "It is of the same side")


def specimen(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """Urine is no blood, whatever the analyte."""
    told, meant = prior.record.report.specimen, prior.item.specimen if prior.item else ""
    ours, theirs = kind_of(told), kind_of(meant)
    if not (ours and theirs):
        return Said(
            NONE, "specimen", told or "not told", "标本未注明或无须比较", "The specimen was not told, or need not be"
        )
    if ours != theirs:
        return Said(EXCLUDES, "specimen", told, f"标本不符：{told}", f"Another specimen: {told}")
    return Said(HOLDS, "specimen", told, f"标本相符：{told}", f"The same specimen: {told}")


def unit(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """A number can be compared where its unit can be converted."""
    wanted, told = (prior.item.unit if prior.item else ""), prior.observation
    if not wanted or told is None:
        return Said(NONE, "unit", "none", "无须比较单位", "No unit to compare")
    if told.value is not None and not isinstance(told.value, Quantity):
        return Said(CAUTION, "value", "no number", "结果不是数值，请核对原文", "It is no number; read it as sent")
    if not prior.unit_code:
        return Said(CAUTION, "unit", told.unit or "not told", "单位无法识别，请核对", "Its unit is not understood")
    if factor(prior.unit_code, wanted) is None:
        return Said(
            CAUTION, "unit", prior.unit_code, f"单位不同：{prior.unit_code}", f"Another unit: {prior.unit_code}"
        )
    return Said(HOLDS, "unit", prior.unit_code, "单位可比", "Its unit can be compared")


def method(asked: Asked, prior: Prior, _: RegionRules) -> Said:
    """Where the catalogue asks for a method, another one is a near match."""
    wanted = asked.item.method if asked.item and asked.item.category is ReportCategory.LABORATORY else ""
    told = prior.observation.method if prior.observation else ""
    if not wanted:
        return Said(NONE, "method", told or "not told", "任一可比方法均可", "Any comparable method will do")
    if told.casefold() != wanted.casefold():
        return Said(
            CAUTION, "method", told or "not told", f"方法不同或未注明（应为 {wanted}）", f"Another method than {wanted}"
        )
    return Said(HOLDS, "method", told, "方法相同", "The same method")
