"""Rules about what is recognised: values, images, tracings. A conclusion without them is none of these."""

from schemas.image_quality import Grade, Shortcoming
from schemas.observation import Moment, Quantity
from schemas.region import RegionRules
from schemas.report import ReportCategory
from schemas.study import Hidden
from schemas.verdict import Asked, Prior

from .saying import CAUTION, EXCLUDES, HOLDS, NONE, Said

# Rejected because they are not what they say they are: another patient's, or not safe to use.
_GRAVE = frozenset({Hidden.WORKLIST.value, Hidden.PATIENT_SAFETY.value})
_POOR = frozenset({Hidden.QUALITY.value})
_ABSENT = frozenset({Shortcoming.SLICES, Shortcoming.ANNOUNCED, Shortcoming.DECLARED})


def _category(prior: Prior) -> ReportCategory:
    return prior.item.category if prior.item else prior.record.report.category


def _pictures(prior: Prior) -> bool:
    return _category(prior) is ReportCategory.IMAGING


def there(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """What is recognised is values, images and tracings; it has to be here."""
    report, category = prior.record.report, _category(prior)
    if category is ReportCategory.IMAGING:
        if not (prior.images and prior.images.shown):
            zh, en = "未收到影像，只有文字报告", "No images are here, only words"
            return Said(EXCLUDES, "images", "none", zh, en)
        number = prior.images.shown
        return Said(HOLDS, "images", str(number), f"影像可调阅（{number} 幅）", f"The images are here ({number})")
    if category is ReportCategory.ECG:
        if not (report.recording or report.attachments or (prior.images and prior.images.shown)):
            return Said(EXCLUDES, "tracing", "none", "未收到心电图波形或图像", "The tracing is not here")
        return Said(HOLDS, "tracing", "there", "心电图可调阅", "The tracing is here")
    told = prior.observation
    if told is None or told.value is None or told.value == "":
        return Said(EXCLUDES, "value", "none", "没有结果值", "It holds no value")
    exact = isinstance(told.value, Quantity | Moment)
    return Said(HOLDS, "value", "number" if exact else "there", "有结果值", "It holds a value")


def graded(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """How good a reader found the images."""
    if not _pictures(prior):
        return Said(NONE, "grade", "no images", "不涉及影像", "It is no image")
    grade = prior.images.grade if prior.images else None
    if grade is None:
        return Said(NONE, "grade", "not graded", "影像未评级", "Nobody has graded the images")
    if grade is Grade.REJECT:
        return Said(EXCLUDES, "grade", grade.value, "影像质量不合格（废片）", "The images were graded unacceptable")
    if grade is Grade.C:
        return Said(CAUTION, "grade", grade.value, "影像质量较差（丙级）", "The images are poor (grade C)")
    return Said(
        HOLDS, "grade", grade.value, f"影像质量{'甲' if grade is Grade.A else '乙'}级", f"Images of grade {grade.value}"
    )


def complete(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """Whether all images are here."""
    if not _pictures(prior) or not prior.images:
        return Said(NONE, "images", "no images", "不涉及影像", "It is no image, or none is here")
    missing = set(prior.images.missing)
    if not prior.images.complete or missing & _ABSENT:
        found = ", ".join(sorted(missing)) or "still arriving"
        return Said(EXCLUDES, "images", found, "影像不完整（缺图或仍在传输）", "The images are incomplete")
    if Shortcoming.LATERALITY in missing:
        return Said(CAUTION, "images", "laterality-missing", "影像未标注左右", "The images do not tell the side")
    return Said(HOLDS, "images", "complete", "影像完整", "The images are complete")


def hidden(_: Asked, prior: Prior, __: RegionRules) -> Said:
    """Whether images were rejected, and why."""
    if not prior.images or not prior.images.hidden:
        return Said(NONE, "images", "none hidden", "无被弃用的影像", "No image was rejected")
    why = set(prior.images.hidden)
    found = ", ".join(sorted(why))
    if why & _GRAVE:
        zh, en = "部分影像因患者或安全原因被弃用", "Images were rejected: wrong patient, or not safe"
        return Said(EXCLUDES, "images", found, zh, en)
    if why & _POOR:
        return Said(CAUTION, "images", found, "部分影像因质量原因被弃用", "Images were rejected for their quality")
    return Said(HOLDS, "images", found, "隐藏的影像与诊断无关", "What is hidden is no matter of diagnosis")
