"""Two years of the district's work, planned from a fixed seed and made when it is needed."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from schemas.delivery import Channel, Format, PatientHint

from . import er7
from .district import COMMUNITY_CENTRES, IMAGING_CENTRE
from .laboratory import LabOrder, measure, reading_message, result_message
from .panels import PANELS
from .past_ecgs import recording
from .past_images import Study, instances, reading_of, study_for
from .people import SEED, Person

SPAN_DAYS = 730
_WANTED = {
    "diabetes": ("HBA1C", "GLU", "RFT"),
    "dyslipidaemia": ("LIPID", "LFT"),
    "kidney": ("RFT", "ELEC", "CBC"),
    "anaemia": ("CBC",),
    "fatty-liver": ("LFT", "LIPID"),
    "hypothyroid": ("TFT",),
    "hypertension": ("ELEC", "RFT"),
    "newborn": ("CBC", "LFT"),
}
_ADULT = 18


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery of the past. at: when the sender issued it, aware of its zone. make: its bytes.

    patient: serial number of the person; deliveries about one person have to keep their order.
    """

    patient: int
    at: dt.datetime
    sender: str
    channel: Channel
    format: Format
    make: Callable[[], bytes]
    hint: PatientHint | None = None


@dataclass(frozen=True, slots=True)
class _Visit:
    """A person at an institution. elapsed: 0 where the history begins, 1 where it ends."""

    person: Person
    institution: str
    at: dt.datetime
    elapsed: float
    first: bool


def history(everybody: tuple[Person, ...], until: dt.date, seed: int = SEED) -> list[Sent]:
    """Everything that was sent in the two years before `until`, oldest first."""
    planned = [sent for person in everybody for sent in _of_person(person, until, seed)]
    return sorted(planned, key=lambda sent: sent.at)


def _of_person(person: Person, until: dt.date, seed: int) -> Iterator[Sent]:
    chance = random.Random(f"{seed} history {person.serial}")
    numbers = count(1)
    for visit in _visits(person, until, chance):
        if visit.first:
            yield _registration(visit)
        yield from _laboratory(visit, chance, numbers, seed)
        yield from _imaging(visit, chance, numbers)
        yield from _ecg(visit, chance)


def _visits(person: Person, until: dt.date, chance: random.Random) -> Iterator[_Visit]:
    """The chronically ill come every few months, others now and then; sometimes to another centre than their own."""
    start = until - dt.timedelta(days=SPAN_DAYS)
    apart = 165 if person.conditions else 380
    day = start + dt.timedelta(days=chance.randint(3, apart))
    known: set[str] = set()
    while day < until:
        away = chance.random() < 0.15 and person.resident_number
        institution = chance.choice(COMMUNITY_CENTRES) if away else person.home
        minute = chance.randint(0, 170)
        at = dt.datetime.combine(day, dt.time(8), er7.ZONE) + dt.timedelta(minutes=minute)
        if day > person.birth_date:
            yield _Visit(person, institution, at, (day - start).days / SPAN_DAYS, institution not in known)
            known.add(institution)
        day += dt.timedelta(days=round(apart * chance.uniform(0.8, 1.25)))


def _hl7(person: Person, at: dt.datetime, sender: str, make: Callable[[], bytes]) -> Sent:
    return Sent(person.serial, at, sender, Channel.MLLP, Format.HL7V2, make)


def _registration(visit: _Visit) -> Sent:
    control_id = f"A{visit.at:%y%m%d%H%M}{visit.person.serial:03d}"
    return _hl7(
        visit.person,
        visit.at,
        visit.institution,
        lambda: er7.registration(visit.person, visit.institution, control_id, visit.at),
    )


def _laboratory(visit: _Visit, chance: random.Random, numbers: "count[int]", seed: int) -> Iterator[Sent]:
    grown = visit.person.age_on(visit.at.date()) >= _ADULT
    wanted = [panel for condition in visit.person.conditions for panel in _WANTED[condition]]
    wanted = wanted or [chance.choice(("CBC", "LFT", "GLU", "LIPID")) if grown else "CBC"]
    for panel in dict.fromkeys(wanted):
        number = f"{visit.at:%y%m%d}{visit.person.serial:03d}{next(numbers):02d}"
        order = LabOrder(
            visit.person,
            visit.institution,
            PANELS[panel],
            number,
            visit.at + dt.timedelta(minutes=20),
            visit.elapsed,
        )
        yield from _results(order, f"H{number}", chance, seed)


def _results(order: LabOrder, control_id: str, chance: random.Random, seed: int) -> Iterator[Sent]:
    """The result; now and then a correction of it, or its withdrawal."""
    values = measure(order, seed)

    def send(suffix: str, given: dict[str, float], status: str, after: dt.timedelta) -> Sent:
        return _hl7(
            order.person,
            order.issued_at + after,
            order.institution,
            lambda: result_message(order, given, control_id + suffix, status=status, after=after),
        )

    yield send("", values, "F", dt.timedelta())
    fate = chance.random()
    if fate < 0.025:
        first = order.panel.analytes[0].local
        yield send("C", {**values, first: values[first] * 0.9}, "C", dt.timedelta(hours=3))
    elif fate < 0.045:
        yield send("X", values, "X", dt.timedelta(hours=5))


def _imaging(visit: _Visit, chance: random.Random, numbers: "count[int]") -> Iterator[Sent]:
    if visit.person.age_on(visit.at.date()) < _ADULT or chance.random() > 0.2:
        return
    accession = f"{visit.institution[-2:]}{visit.at:%y%m%d}{visit.person.serial:03d}{next(numbers)}"
    study = study_for(visit.person, visit.institution, accession, visit.at + dt.timedelta(minutes=40), chance)
    for make in instances(study):
        yield Sent(visit.person.serial, study.performed_at, visit.institution, Channel.C_STORE, Format.DICOM, make)
    if chance.random() < 0.9:
        yield _reading(study, chance)


def _reading(study: Study, chance: random.Random) -> Sent:
    reading = reading_of(study, chance)
    return _hl7(
        reading.person,
        reading.issued_at,
        IMAGING_CENTRE,
        lambda: reading_message(reading, IMAGING_CENTRE, f"R{reading.accession_number}"),
    )


def _ecg(visit: _Visit, chance: random.Random) -> Iterator[Sent]:
    age = visit.person.age_on(visit.at.date())
    if age < _ADULT or chance.random() > (0.3 if age > 55 else 0.12):
        return
    at = visit.at + dt.timedelta(minutes=10)
    kind, make, hint = recording(visit.person, visit.institution, at, chance)
    yield Sent(visit.person.serial, at, visit.institution, Channel.UPLOAD, kind, make, hint)
