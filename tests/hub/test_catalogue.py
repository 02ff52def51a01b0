"""What an order, a result, a report or a study is in the catalogue; where that is not certain, nothing is found."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.catalogue import (
    ASSUMED_PLAIN,
    OTHER_PART,
    Images,
    Match,
    item_of_observation,
    items_of_images,
    items_of_order,
    items_of_report,
)
from schemas.catalogue import Catalogue, ItemVersion
from schemas.codes import CATALOGUE, LOINC, Coding
from schemas.identifiers import Identifier
from schemas.mapping import Concepts, Mapping, MappingKind
from schemas.observation import Observation
from schemas.patient import Patient, PersonName
from schemas.report import Report, ReportCategory, ReportStatus
from schemas.shipped_catalogue import shipped

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
ITEMS = Catalogue(ItemVersion(1, item, NOW) for item in shipped().items)
OURS = "urn:dxhub:codes:CHC01"
NOBODY = Concepts()


def mapped(kind: MappingKind, code: str, concept: Coding) -> Concepts:
    return Concepts([Mapping(kind, OURS, code, concept, "lab", NOW)])


def codes(matches: tuple[Match, ...]) -> list[str]:
    return [each.item.code for each in matches]


def ordered(display: str, code: str = "", system: str = "") -> list[str]:
    return codes(items_of_order(ITEMS, NOBODY, [Coding(code, display, system)]))


# Each as a hospital of the district writes it.
PROCEDURES = [
    ("胸部CT平扫", ["R-CT-CHEST"]),
    ("胸部CT增强", ["R-CT-CHEST-C"]),
    ("胸部CT平扫+增强", ["R-CT-CHEST-C"]),
    ("CT胸部平扫（双源）", ["R-CT-CHEST"]),
    ("CT Chest without contrast", ["R-CT-CHEST"]),
    ("CT chest with contrast", ["R-CT-CHEST-C"]),
    ("Chest CT", ["R-CT-CHEST"]),
    ("肺动脉CTA", ["R-CT-PULMONARYARTERY-A"]),
    ("冠状动脉CT血管成像", ["R-CT-CORONARY-A"]),
    ("头颅CTA", ["R-CT-HEAD-A"]),
    ("胸部CT血管成像", []),
    ("颅脑磁共振平扫", ["R-MR-HEAD"]),
    ("头颅MRI增强", ["R-MR-HEAD-C"]),
    ("头颅MRA", ["R-MR-HEAD-A"]),
    ("脑灌注成像MR", []),
    ("垂体MR增强", ["R-MR-PITUITARY-C"]),
    ("MRCP", ["R-MR-BILIARY-P"]),
    ("颈椎MR平扫", ["R-MR-CSPINE"]),
    ("颈部CT平扫", ["R-CT-NECK"]),
    ("颈动脉彩超", ["R-US-CAROTID"]),
    ("腰椎间盘CT平扫", ["R-CT-LSPINE"]),
    ("胸椎正侧位DR", ["R-DX-TSPINE"]),
    ("胸部正位DR", ["R-DX-CHEST"]),
    ("胸片", ["R-DX-CHEST"]),
    ("XR Chest 2 Views", ["R-DX-CHEST"]),
    ("胸骨正侧位X线", ["R-DX-STERNUM"]),
    ("胸腹部CT平扫", ["R-CT-CHEST", "R-CT-ABDOMEN"]),
    ("胸部、上腹部CT平扫", ["R-CT-CHEST", "R-CT-ABDOMEN"]),
    ("上腹部CT平扫+盆腔CT平扫", ["R-CT-ABDOMEN", "R-CT-PELVIS"]),
    ("全腹CT增强", ["R-CT-ABDOMEN-C"]),
    ("腹部超声", ["R-US-ABDOMEN"]),
    ("肝胆胰脾彩超", ["R-US-ABDOMEN"]),
    ("双肾输尿管膀胱彩超", ["R-US-URINARY"]),
    ("肾上腺CT增强", ["R-CT-ADRENAL-C"]),
    ("甲状腺彩超", ["R-US-THYROID"]),
    ("甲状旁腺超声", ["R-US-PARATHYROID"]),
    ("心脏彩超", ["R-US-HEART"]),
    ("经食管超声心动图", []),
    ("超声引导下甲状腺穿刺", []),
    ("肝脏超声造影", []),
    ("双乳钼靶", ["R-MG-BREAST"]),
    ("乳腺MR增强", ["R-MR-BREAST-C"]),
    ("左膝关节MR平扫", ["R-MR-KNEE"]),
    ("左侧股骨头CT平扫", ["R-CT-HIP"]),
    ("骨盆正位片DR", ["R-DX-PELVIS"]),
    ("上消化道钡餐造影", ["R-RF-UPPERGI"]),
    ("全身骨显像", ["R-NM-BONE"]),
    ("全身PET-CT", ["R-PT-WHOLEBODY"]),
    ("骨密度测定", ["R-BMD-BONE"]),
    ("低剂量胸部CT", []),
    ("外院CT会诊", []),
    ("心电图", ["E-REST12"]),
    ("常规十二导联心电图检查", ["E-REST12"]),
    ("24小时动态心电图", ["E-HOLTER"]),
    ("血常规", ["P-CBC"]),
    ("血细胞分析（五分类）", ["P-CBC"]),
    ("肝功能检查", ["P-LFT"]),
    ("乙肝两对半", ["P-HBV"]),
    ("糖化血红蛋白测定", ["L-4548-4"]),
    ("血钾", ["L-2823-3"]),
    ("血气分析", ["P-ABG"]),
    ("UA", []),
    ("PCT", []),
    ("蛋白质", []),
    ("胸水常规", []),
    ("CT", []),
    ("", []),
]


@pytest.mark.parametrize(("name", "expected"), PROCEDURES, ids=[name or "nothing" for name, _ in PROCEDURES])
def test_an_order_is_known_by_its_name_or_not_at_all(name: str, expected: list[str]) -> None:
    assert sorted(ordered(name)) == sorted(expected)


def test_an_order_is_known_by_a_shared_code_whatever_it_is_called() -> None:
    assert ordered("胸部CT", "29252-4", LOINC) == ["R-CT-CHEST"]
    assert ordered("检验", "58410-2", LOINC) == ["P-CBC"]
    assert ordered("", "718-7", LOINC) == ["L-718-7"]
    assert ordered("随便", "R-MR-KNEE", CATALOGUE) == ["R-MR-KNEE"]
    assert ordered("", "R-MR-MOON", CATALOGUE) == []


def test_an_institution_s_own_code_is_what_a_person_said_it_is_and_nobody_else_s() -> None:
    known = mapped(MappingKind.ORDER, "250101015", Coding("P-CBC", "血常规", CATALOGUE))
    assert codes(items_of_order(ITEMS, known, [Coding("250101015", "血球", OURS)])) == ["P-CBC"]
    assert codes(items_of_order(ITEMS, known, [Coding("250101015", "血球", "urn:dxhub:codes:CHC02")])) == []
    # What a person said comes before what its name would say.
    assert codes(items_of_order(ITEMS, known, [Coding("250101015", "肝功能", OURS)])) == ["P-CBC"]


def test_a_result_is_known_by_its_code_alone() -> None:
    haemoglobin = Observation(Coding("HGB", "血红蛋白", OURS), None)
    assert item_of_observation(ITEMS, NOBODY, haemoglobin) is None
    known = mapped(MappingKind.CODE, "HGB", Coding("718-7", "血红蛋白", LOINC))
    found = item_of_observation(ITEMS, known, haemoglobin)
    assert found is not None
    assert found.code == "L-718-7"


def report(category: ReportCategory, code: Coding, *results: str, recording: str = "") -> Report:
    observations = tuple(Observation(Coding(each, "", LOINC), None) for each in results)
    patient = Patient((Identifier("urn:dxhub:authority:CHC01", "1"),), PersonName("甲"))
    return Report(
        "k", category, ReportStatus.FINAL, code, patient, "CHC01", observations=observations, recording=recording
    )


def test_a_laboratory_report_tells_of_each_result_and_of_its_panel_where_all_of_it_is_there() -> None:
    thyroid = Coding("甲功三项", "")
    found = items_of_report(ITEMS, NOBODY, report(ReportCategory.LABORATORY, thyroid, "3016-3", "14928-6", "14920-3"))
    assert codes(found) == ["P-TFT", "L-3016-3", "L-14928-6", "L-14920-3"]
    found = items_of_report(ITEMS, NOBODY, report(ReportCategory.LABORATORY, thyroid, "3016-3", "14928-6", "99999-9"))
    assert codes(found) == ["L-3016-3", "L-14928-6"], "half a panel is none"


def test_a_laboratory_report_is_no_image_whatever_it_is_called() -> None:
    assert items_of_report(ITEMS, NOBODY, report(ReportCategory.LABORATORY, Coding("X", "胸部CT平扫"))) == ()


def test_a_tracing_without_a_name_is_a_resting_ecg_and_a_text_without_one_is_not() -> None:
    nameless = Coding("", "")
    assert codes(items_of_report(ITEMS, NOBODY, report(ReportCategory.ECG, nameless, recording="ab"))) == ["E-REST12"]
    assert items_of_report(ITEMS, NOBODY, report(ReportCategory.ECG, nameless)) == ()


def test_the_study_says_what_the_name_of_its_reading_leaves_out() -> None:
    reading = report(ReportCategory.IMAGING, Coding("77", "胸部CT"))
    (match,) = items_of_report(ITEMS, NOBODY, reading)
    assert (match.item.code, match.doubts) == ("R-CT-CHEST", (ASSUMED_PLAIN,))
    images = Images(("CT",), ("CHEST",), ("Thorax",), contrast=True)
    (match,) = items_of_report(ITEMS, NOBODY, reading, images)
    assert (match.item.code, match.doubts) == ("R-CT-CHEST-C", ())
    unnamed = report(ReportCategory.IMAGING, Coding("77", "影像检查报告"))
    assert items_of_report(ITEMS, NOBODY, unnamed) == ()
    assert codes(items_of_report(ITEMS, NOBODY, unnamed, images)) == ["R-CT-CHEST-C"]


@pytest.mark.parametrize(
    ("images", "code", "doubts"),
    [
        (Images(("CT",), ("CHEST",), contrast=False), "R-CT-CHEST", ()),
        (Images(("CT",), ("CHEST",)), "R-CT-CHEST", (ASSUMED_PLAIN,)),
        (Images(("CT",), ("CHEST",), contrast=True), "R-CT-CHEST-C", ()),
        (Images(("CT",), ("LUNG",), contrast=False), "R-CT-CHEST", ()),
        (Images(("CR",), ("CHEST",)), "R-DX-CHEST", ()),
        (Images(("DX", "SR", "PR"), ("SKULL",)), "R-DX-SKULL", ()),
        (Images(("MR",), ("BRAIN",), contrast=False), "R-MR-HEAD", ()),
        (Images(("PT", "CT"), ("WHOLEBODY",)), "R-PT-WHOLEBODY", ()),
        # A scanner's preset says CHEST; the technician wrote what was done.
        (Images(("CT",), ("CHEST",), ("头颅CT平扫",)), "R-CT-HEAD", (OTHER_PART,)),
        (Images(("CT", "MR"), ("CHEST",)), None, ()),
        (Images(("SR",), ("CHEST",)), None, ()),
        (Images(("CT",), ("TAIL",)), None, ()),
        (Images(("CT",)), None, ()),
        (Images(("CT",), ("HAND",), contrast=True), None, ()),
    ],
)
def test_a_study_is_known_by_modality_body_part_and_contrast(
    images: Images, code: str | None, doubts: tuple[str, ...]
) -> None:
    found = items_of_images(ITEMS, images)
    assert [(each.item.code, each.doubts) for each in found] == ([(code, doubts)] if code else [])


@pytest.mark.parametrize(
    ("words", "sent", "side"),
    [
        ("左膝关节MR平扫", "", "L"),
        ("Right knee MR plain", "", "R"),
        ("双膝关节MR平扫", "", "B"),
        ("左、右膝关节MR平扫", "", "B"),
        ("膝关节MR平扫", "R", "R"),
        ("膝关节MR平扫", "", ""),
        ("双能膝关节CT平扫", "", ""),
        ("双肺CT平扫", "L", ""),
    ],
)
def test_a_left_knee_is_not_a_right_one(words: str, sent: str, side: str) -> None:
    (match,) = items_of_images(ITEMS, Images(words=(words,), laterality=sent))
    assert match.laterality == side


def test_every_item_of_a_modality_is_found_by_its_own_name_in_both_languages() -> None:
    for item in shipped().items:
        for name in (item.zh, item.en):
            found = ordered(name)
            assert found in ([item.code], []), f"{name}: {found}"
            assert item.category is not ReportCategory.IMAGING or found, name


@given(st.text(max_size=40), st.sampled_from(["", "CT", "MR", "US", "SR", "\x00"]), st.text(max_size=10))
def test_any_text_is_an_item_of_that_modality_or_nothing(words: str, modality: str, part: str) -> None:
    found = items_of_images(ITEMS, Images((modality,), (part,), (words,)))
    assert all(modality in ("", "SR", "\x00", each.item.modality) for each in found)


@given(st.lists(st.sampled_from([name for name, _ in PROCEDURES]), max_size=6).flatmap(st.permutations))
def test_what_is_ordered_does_not_depend_on_the_order_of_its_lines(names: list[str]) -> None:
    lines = [Coding("", name) for name in names]
    found = items_of_order(ITEMS, NOBODY, lines)
    assert set(codes(found)) == set(codes(items_of_order(ITEMS, NOBODY, lines[::-1])))
