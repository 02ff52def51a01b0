"""Imaging studies of the past: few slices each, so that seeding a district does not take all day."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from pydicom.dataset import Dataset

from . import imaging, readings
from .laboratory import ImagingReading
from .people import Person

# Anatomies are drawn from a few seeds: the slow ones among them are made once.
_ANATOMIES = 3
_CT_SLICES, _MR_SLICES = 8, 6
_Kind = tuple[readings.Procedure, int, Callable[[imaging.Examination, int], Dataset]]


@dataclass(frozen=True, slots=True)
class Study:
    """What was examined, and how many instances came of it."""

    examination: imaging.Examination
    kind: str

    @property
    def performed_at(self) -> dt.datetime:
        return self.examination.performed_at


def _ct(examination: imaging.Examination, number: int) -> Dataset:
    return imaging.chest_ct(examination, number, _CT_SLICES)


def _mr(examination: imaging.Examination, number: int) -> Dataset:
    return imaging.head_mr(examination, number, _MR_SLICES)


def _dr(examination: imaging.Examination, _: int) -> Dataset:
    return imaging.chest_radiograph(examination)


def _us(examination: imaging.Examination, _: int) -> Dataset:
    return imaging.abdominal_ultrasound(examination)


_KINDS: dict[str, _Kind] = {
    "CT": (readings.CHEST_CT, _CT_SLICES, _ct),
    "MR": (readings.HEAD_MR, _MR_SLICES, _mr),
    "DR": (readings.CHEST_RADIOGRAPH, 1, _dr),
    "US": (readings.ABDOMINAL_ULTRASOUND, 1, _us),
}


def study_for(person: Person, institution: str, accession: str, at: dt.datetime, chance: random.Random) -> Study:
    """A study of the kinds that a community centre makes; radiographs and ultrasound most of all."""
    kind = chance.choices(("DR", "US", "CT", "MR"), (45, 32, 15, 8))[0]
    charset = chance.choice(("GB18030", "GB18030", "ISO_IR 192"))
    seed = chance.randrange(_ANATOMIES)
    return Study(imaging.Examination(person, institution, accession, at, seed, charset), kind)


def instances(study: Study) -> Iterator[Callable[[], bytes]]:
    """One maker of bytes for each instance of the study."""
    _, number, make = _KINDS[study.kind]
    for index in range(1, number + 1):
        yield partial(_bytes, study, make, index)


def _bytes(study: Study, make: Callable[[imaging.Examination, int], Dataset], index: int) -> bytes:
    return imaging.part10(make(study.examination, index))


def reading_of(study: Study, chance: random.Random) -> ImagingReading:
    """What the imaging centre reported, an hour or two later."""
    examination, procedure = study.examination, _KINDS[study.kind][0]
    findings, impression = chance.choice(procedure.wordings)
    return ImagingReading(
        examination.person,
        examination.institution,
        examination.accession_number,
        examination.study_instance_uid,
        (procedure.code, procedure.name),
        findings,
        impression,
        examination.performed_at,
        examination.performed_at + dt.timedelta(minutes=chance.randint(45, 140)),
        chance.choice(readings.RADIOLOGISTS),
    )
