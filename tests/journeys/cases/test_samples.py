"""Every HL7 v2 sample, sent byte by byte over a socket, and what a clinician or an administrator sees afterwards."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.hl7v2.frames import framed
from schemas.disclosure import Role
from tests.engines import Engines
from tests.journeys.cases.desk import Desk, Resource, open_desk, seed
from tests.journeys.cases.expectations import SAMPLES

Shelves = Callable[[int], Desk]
_TAKEN = [name for name, expected in SAMPLES.items() if expected.reports]
_REFUSED = [name for name, expected in SAMPLES.items() if expected.fault]
_OTHERS = [name for name, expected in SAMPLES.items() if expected.patient[0]]


@pytest.fixture(scope="session")
def shelves(
    desk: Desk, another_store: Callable[[], Engines], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shelves]:
    """A hub for each shelf, started when it is asked for."""
    with ExitStack() as opened:
        desks = {0: desk}

        def shelf(number: int) -> Desk:
            if number not in desks:
                urls = another_store()
                seed(urls)
                desks[number] = opened.enter_context(open_desk(urls, tmp_path_factory.mktemp("shelf")))
            return desks[number]

        yield shelf


def sent(desk: Desk, samples: Path, name: str) -> list[Resource]:
    """Sends the file; its reports. A recorded stream goes as it is, a message in a frame."""
    content = (samples / "hl7" / name).read_bytes()
    before = desk.deliveries()
    answers = desk.stream(content if name.endswith(".mllp") else framed(content), len(SAMPLES[name].answers))
    assert tuple(each.code for each in answers) == SAMPLES[name].answers
    return desk.of_delivery(*(desk.deliveries() - before))


def test_no_sample_is_forgotten(samples: Path) -> None:
    folder = samples / "hl7"
    assert {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()} == set(SAMPLES)
    assert sorted(_TAKEN + _REFUSED + _OTHERS) == sorted(SAMPLES)


@pytest.mark.parametrize("name", _TAKEN)
def test_a_clinician_reads_what_the_file_says(shelves: Shelves, samples: Path, name: str) -> None:
    expected = SAMPLES[name]
    desk = shelves(expected.shelf)
    reports = sent(desk, samples, name)
    assert len(reports) == expected.reports
    pages = "\n".join(desk.page(report) for report in reports)
    lines = pages.splitlines()
    assert [each for each in expected.lines if not any(line.startswith(each) for line in lines)] == []
    assert [each for each in expected.words if each not in pages] == []
    assert [each for each in expected.unsaid if each in pages] == []


@pytest.mark.parametrize("name", _REFUSED)
def test_an_administrator_reads_why_the_file_waits(shelves: Shelves, samples: Path, name: str) -> None:
    expected = SAMPLES[name]
    desk = shelves(expected.shelf)
    before = desk.deliveries()
    (answer,) = desk.stream(framed((samples / "hl7" / name).read_bytes()), 1)
    assert (answer.code, answer.place) == (expected.answers[0], expected.place)
    (delivery,) = desk.deliveries() - before
    page = desk.browse(f"/quarantine/{delivery}", Role.ADMIN)
    assert expected.fault in page
    assert f"位置\n{expected.place}" in page
    assert desk.of_delivery(delivery) == []


@pytest.mark.parametrize("name", _OTHERS)
def test_a_message_about_no_report_makes_its_patient_known(shelves: Shelves, samples: Path, name: str) -> None:
    expected = SAMPLES[name]
    desk = shelves(expected.shelf)
    assert sent(desk, samples, name) == []
    number, family = expected.patient
    (patient,) = desk.patients(number)
    assert family in patient["name"][0]["text"]
