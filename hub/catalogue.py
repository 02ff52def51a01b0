"""Which item of the catalogue an order, a result, a report or a study is. What is not certain is said, or left out.

An item found wrongly is a stale value of another examination reused: where words may mean several things, none is
found, and a person maps the code.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from schemas.catalogue import Catalogue, Item
from schemas.codes import CATALOGUE, LOINC, Coding
from schemas.mapping import Concepts
from schemas.observation import Observation
from schemas.report import Report, ReportCategory
from schemas.shipped_catalogue import BodyPart, shipped

RESTING_ECG = "E-REST12"
# What had to be assumed, or contradicts itself: a verdict that rests on it says so.
ASSUMED_PLAIN = "contrast"
OTHER_PART = "body-part"

# (0008,0060) and how procedures say it. Several modalities make radiographs.
_MODALITIES = {each: each for each in ("CT", "MR", "DX", "US", "MG", "RF", "NM", "PT", "BMD")} | {
    "CR": "DX",
    "RG": "DX",
}
_MODALITY_WORDS = (
    ("PT", ("pet-ct", "pet/ct", "petct", "pet")),
    ("BMD", ("骨密度", "dexa", "dxa", "densitometry")),
    ("NM", ("核素", "骨显像", "骨扫描", "动态显像", "ect", "spect", "scintigraphy", "bone scan")),
    ("MG", ("钼靶", "mammography", "mammogram", "mg")),
    ("MR", ("磁共振", "核磁", "mrcp", "mra", "mri", "mr")),
    ("CT", ("cta", "ctpa", "ctu", "ct")),
    ("US", ("超声", "彩超", "b超", "ultrasound", "sonography", "us")),
    ("RF", ("钡餐", "钡灌肠", "造影", "fluoroscopy", "barium")),
    ("DX", ("x线", "x光", "平片", "胸片", "dr", "cr", "x-ray", "xray", "radiograph", "radiography", "xr")),
)
_PLAIN = (
    "平扫",
    "非增强",
    "不增强",
    "无增强",
    "无造影剂",
    "plain",
    "without contrast",
    "non-contrast",
    "noncontrast",
    "wo contrast",
)
_CONTRAST = (
    "增强",
    "造影剂",
    "with contrast",
    "w contrast",
    "contrast",
    "enhanced",
    "ctu",
    "c+",
    "gd",
    "post-contrast",
)
_TECHNIQUES = (
    ("angiography", ("cta", "mra", "ctpa", "血管成像", "血管造影", "angiography", "angiogram")),
    ("cholangiopancreatography", ("mrcp", "胰胆管成像", "水成像", "cholangiopancreatography")),
)
# Other examinations than the catalogue's, whatever part of the body they are of.
_OTHER: tuple[str, ...] = (
    *(
        "灌注",
        "波谱",
        "功能成像",
        "弹性成像",
        "超声造影",
        "低剂量",
        "经食管",
        "穿刺",
        "引导",
        "介入",
        "术中",
        "活检",
        "会诊",
    ),
    *("perfusion", "spectroscopy", "fmri", "elastography", "ceus", "low dose", "tee", "biopsy", "guided"),
    *("intraoperative", "consultation"),
)
_LATERALITY = (("B", ("双侧", "双", "bilateral")), ("L", ("左", "left")), ("R", ("右", "right")))
# Tubes and energies of a scanner come in twos as well.
_NO_SIDE = re.compile("双源|双能|双期|双斜")
_AS_WORD = re.compile(r"[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Match:
    """An item found. laterality: `L`, `R`, `B` for both, empty where it was not told; it is no part of the item, and
    a left knee answers no question about the right one. doubts: ASSUMED_PLAIN, OTHER_PART.
    """

    item: Item
    laterality: str = ""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Images:
    """What a study's headers say. words: study, series and procedure descriptions. laterality: (0020,0060) where told.

    contrast: whether a contrast agent (0018,0010) was named; None where nobody has looked.
    """

    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    laterality: str = ""
    contrast: bool | None = None


def item_of(catalogue: Catalogue, concepts: Concepts, coding: Coding) -> Item | None:
    """The item that a code stands for: ours, LOINC, or an institution's own as a person mapped it."""
    if coding.system == CATALOGUE:
        return catalogue.get(coding.code)
    if coding.system == LOINC:
        return catalogue.coded(LOINC, coding.code)
    if mapped := concepts.of_order(coding.system, coding.code):
        return catalogue.get(mapped.code)
    analyte = concepts.of(coding)
    return catalogue.coded(analyte.system, analyte.code) if analyte else None


def item_of_observation(catalogue: Catalogue, concepts: Concepts, observation: Observation) -> Item | None:
    """The item that a result is of. Its name alone is not believed: laboratories call many things alike."""
    analyte = concepts.of(observation.code)
    return catalogue.coded(analyte.system, analyte.code) if analyte else None


def items_of_order(catalogue: Catalogue, concepts: Concepts, services: Iterable[Coding]) -> tuple[Match, ...]:
    """What is ordered: by code, else by name, else by the words of a procedure. Each item once."""
    found: dict[tuple[str, str], Match] = {}
    for service in services:
        for match in _of_service(catalogue, concepts, service):
            found.setdefault((match.item.code, match.laterality), match)
    return tuple(found.values())


def _of_service(catalogue: Catalogue, concepts: Concepts, service: Coding) -> tuple[Match, ...]:
    if item := item_of(catalogue, concepts, service):
        return (Match(item, _side(item, service.display)),)
    # Where a code is all that was told it may itself be a name: `血常规`.
    name = service.display or service.code
    if item := catalogue.named(name):
        return (Match(item, _side(item, name)),)
    return items_of_images(catalogue, Images(words=(name,)))


def items_of_report(
    catalogue: Catalogue, concepts: Concepts, report: Report, images: Images | None = None
) -> tuple[Match, ...]:
    """What a report tells of: each result of a laboratory report, its panel where all of it is there; what images show.

    images: what is known of the study that the report reads.
    """
    if report.category is ReportCategory.LABORATORY:
        return _of_results(catalogue, concepts, report)
    found = items_of_order(catalogue, concepts, (report.code,))
    if report.category is ReportCategory.ECG and not found:
        resting = catalogue.get(RESTING_ECG) if report.recording else None
        return (Match(resting),) if resting else ()
    if report.category is ReportCategory.IMAGING and images and (not found or found[0].doubts):
        # The study tells more than a name that says little.
        return items_of_images(catalogue, replace(images, words=(*images.words, report.code.display))) or found
    return found


def _of_results(catalogue: Catalogue, concepts: Concepts, report: Report) -> tuple[Match, ...]:
    results = (item_of_observation(catalogue, concepts, each) for each in report.observations)
    items = {item.code: item for item in results if item}
    panels = [match.item for match in items_of_order(catalogue, concepts, (report.code,)) if match.item.members]
    whole = [panel for panel in panels if items.keys() >= set(panel.members)]
    return tuple(Match(item) for item in (*whole, *items.values()))


def items_of_images(catalogue: Catalogue, images: Images) -> tuple[Match, ...]:
    """What a study or procedure is of: one item for each part of the body that it names."""
    text = _plain(" ; ".join(images.words))
    modality = _modality(images.modalities, text)
    if not modality or any(_find(word, text) for word in _OTHER):
        return ()
    technique = next((name for name, words in _TECHNIQUES if any(_find(word, text) for word in words)), "")
    named = tuple(part for part in _parts(text) if catalogue.imaged(modality, part.code))
    sent = _sent_parts(images.body_parts, modality, catalogue)
    contrast = _contrast(text) if _contrast(text) is not None else images.contrast
    doubts = (OTHER_PART,) if named and sent and not {p.code for p in named} & {p.code for p in sent} else ()
    found = (_choose(catalogue.imaged(modality, p.code), technique, contrast) for p in named or sent[:1])
    return tuple(
        Match(item, _side(item, text, images.laterality), (*doubts, *more)) for item, more in filter(None, found)
    )


def _choose(items: tuple[Item, ...], technique: str, contrast: bool | None) -> tuple[Item, tuple[str, ...]] | None:
    """The item of one modality and body part that was done so; none where the catalogue has no such one."""
    same = [item for item in items if item.method == technique]
    for item in same:
        if item.contrast is None or (technique and len(same) == 1):
            return item, ()
        if item.contrast == bool(contrast):
            return item, (ASSUMED_PLAIN,) if contrast is None else ()
    # What is only ever done with contrast need not say so: a barium meal.
    if contrast is None and len(same) == 1 and same[0].contrast:
        return same[0], ()
    return None


def _modality(sent: Iterable[str], text: str) -> str:
    told = {_MODALITIES[each] for each in sent if _MODALITIES.get(each)}
    if told == {"CT", "PT"}:
        return "PT"
    if told:
        return told.pop() if len(told) == 1 else ""
    return next((modality for modality, words in _MODALITY_WORDS if any(_find(word, text) for word in words)), "")


def _contrast(text: str) -> bool | None:
    without = text
    for word in _PLAIN:
        without = without.replace(word, " ")
    if any(_find(word, without) for word in _CONTRAST):
        return True
    return False if without != text else None


def _side(item: Item, text: str, sent: str = "") -> str:
    """Which of a pair it was, by its words or as the images say."""
    if item.body_part not in _paired():
        return ""
    plain = _NO_SIDE.sub(" ", _plain(text))
    sides = {side for side, words in _LATERALITY if any(_find(word, plain) for word in words)}
    if {"L", "R"} <= sides:
        return "B"
    return sides.pop() if len(sides) == 1 else sent


@cache
def _paired() -> frozenset[str]:
    return frozenset(part.code for part in shipped().parts if part.paired)


def _parts(text: str) -> tuple[BodyPart, ...]:
    """The parts that a text names, the longest words first, each stretch of it read once: 颈椎 is no neck."""
    found: dict[str, BodyPart] = {}
    for word, parts in _words():
        if _find(word, text):
            text = _without(word, text)
            found |= {part.code: part for part in parts}
    return tuple(found.values())


@cache
def _words() -> tuple[tuple[str, tuple[BodyPart, ...]], ...]:
    known: dict[str, tuple[BodyPart, ...]] = {}
    for part in shipped().parts:
        for word in part.words:
            known[word] = (*known.get(word, ()), part)
    return tuple(sorted(known.items(), key=lambda each: -len(each[0])))


def _sent_parts(sent: Iterable[str], modality: str, catalogue: Catalogue) -> tuple[BodyPart, ...]:
    """The parts that (0018,0015) may mean, those whose own term it is first."""
    names = {name.replace(" ", "").replace("_", "").upper() for name in sent if name}
    meant = [part for part in shipped().parts if names & set(part.dicom) and catalogue.imaged(modality, part.code)]
    return tuple(sorted(meant, key=lambda part: part.dicom[0] not in names))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _find(word: str, text: str) -> bool:
    return bool(_pattern(word).search(text))


def _without(word: str, text: str) -> str:
    return _pattern(word).sub(" ", text)


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """Latin words stand alone: `us` is not in `thrombus`. Chinese ones stand in a row with others."""
    before = r"(?<![a-z])" if _AS_WORD.match(word[0]) else ""
    after = r"(?![a-z])" if _AS_WORD.match(word[-1]) else ""
    return re.compile(before + re.escape(word) + after)
