"""What stands below the forty: numbers of nobody's, names typed in full width, and content that is meant to do harm."""

import pytest

from schemas.disclosure import Role
from tests.journeys.cases.desk import Desk
from tests.journeys.cases.er7 import HGB, message, msh, obr, obx, pid, result
from tests.journeys.cases.paper import line_of


def test_the_same_number_of_two_senders_without_authority_is_two_patients(desk: Desk) -> None:
    for facility, name in (("CHC01", "周^一"), ("CHC02", "吴^二")):
        bare = f"PID|1||S001||{name}||19800101|M"
        head = msh(f"MS1{facility}", facility=facility)
        desk.take(message(head, bare, obr(f"FS1{facility}"), obx(HGB, "98")))
    assert sorted(each["name"][0]["text"] for each in desk.patients("S001")) == ["吴二", "周一"]
    assert "周一" in desk.page(desk.report("FS1CHC01"))
    assert "吴二" in desk.page(desk.report("FS1CHC02"))


@pytest.mark.parametrize(("surname", "blank"), [("葛", "　"), ("翟", " "), ("戚", "^"), ("谌", "")])
def test_a_name_is_found_however_its_blanks_were_typed(desk: Desk, surname: str, blank: str) -> None:
    number = f"S2{ord(surname):x}"
    desk.take(result(f"M{number}", pid(f"C{number}", f"　{surname}{blank}三　"), obr(f"F{number}"), obx(HGB, "98")))
    (patient,) = desk.patients(f"C{number}")
    assert "".join(patient["name"][0]["text"].split()) == f"{surname}三"
    assert found_by(desk, f"{surname}三") == {patient["id"]}


@pytest.mark.parametrize(
    ("sex", "said"), [("男", "male"), ("女性", "female"), ("Female", "female"), ("1", "male"), ("不详", "unknown")]
)
def test_a_sex_is_read_however_it_is_typed(desk: Desk, sex: str, said: str) -> None:
    number = f"S3{sex.encode().hex()}"
    desk.take(result(f"M{number}", pid(f"C{number}", sex=sex), obr(f"F{number}"), obx(HGB, "98")))
    assert [each["gender"] for each in desk.patients(f"C{number}")] == [said]


def found_by(desk: Desk, words: str) -> set[str]:
    """The patients whom a clinician's search lists."""
    answer = desk.browsers[Role.CLINICIAN].get("/patients", params={"q": words})
    # Each with the way to the timeline, and with the one to what is about to be ordered.
    return {each.partition('"')[0].removesuffix("/ordering") for each in answer.text.split('href="/patients/')[1:]}


ATTACKS = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "formula": '=HYPERLINK("http://evil","x")',
    "path": "../../../../etc/passwd",
    "unc": "\\\\198.51.100.7\\share\\x",
    "template": "{{ 7*7 }} {% include 'x' %} ${7*7}",
    "sql": "'; DROP TABLE report; --",
    "null": "甲\x00乙",
    "direction": "\u202e文本\u202c",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_words_are_words(desk: Desk, attack: str) -> None:
    words = ATTACKS[attack].replace("&", "\\T\\")
    name = words.replace("^", " ").replace("\\", "\\E\\")
    lines = (pid(f"CS3{attack}", name), obr(f"FS3{attack}"), obx("NOTE^说明^L", name, "ST"), f"NTE|1|L|{name}")
    desk.take(result(f"MS3{attack}", *lines))
    report = desk.report(f"FS3{attack}")
    raw = desk.browsers[Role.CLINICIAN].get(f"/reports/{report['id']}").text
    assert "<script>alert" not in raw
    assert "<img src=x" not in raw
    assert ' onmouseover="alert' not in raw
    shown = line_of(desk.page(report), "说明 NOTE")
    assert ATTACKS[attack].replace("\x00", "\ufffd").split()[0] in shown
    assert desk.results(report)[0]["valueString"].split()[0] in shown


def test_a_pointer_to_a_file_elsewhere_is_shown_and_never_fetched(desk: Desk) -> None:
    address = "\\E\\\\E\\198.51.100.7\\E\\share\\E\\report.pdf"
    desk.take(result("MS4", pid("CS4"), obr("FS4"), obx("DOC^外院报告^L", f"{address}^^AP^PDF", "RP"), obx(HGB, "98")))
    report = desk.report("FS4")
    page = desk.page(report)
    assert "\\\\198.51.100.7\\share\\report.pdf" in page
    assert "98" in line_of(page, "血红蛋白")
    raw = desk.browsers[Role.CLINICIAN].get(f"/reports/{report['id']}").text
    assert 'href="\\\\198' not in raw
    assert 'src="\\\\198' not in raw


def test_a_patient_without_any_number_waits_and_is_nobody(desk: Desk) -> None:
    ack = desk.refuse(result("MS5", pid("", "郑^五"), obr("FS5"), obx(HGB, "98")))
    assert (ack.code, ack.place, ack.text) == ("AE", "PID-3", "no usable patient identifier")
    assert "没有可用的患者标识" in desk.waiting("MS5")
    assert desk.reports("FS5") == []
