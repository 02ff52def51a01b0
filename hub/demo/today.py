"""What the district sends while somebody watches: new orders of today, whose numbers begin with the run's own."""

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset

from schemas.delivery import PatientHint

from . import ecg_files, er7, imaging, readings, shipped
from .district import IMAGING_CENTRE
from .ecg_signal import Pattern, Rhythm
from .laboratory import ImagingReading, LabOrder, measure, reading_message, result_message
from .panels import PANELS
from .past_ecgs import examination, hint_for
from .people import SEED, Person, find

PATIENT = "张玥"
CT_SLICES = 28
_CENTRE = "CHC03"
# Who comes to the laboratory today, and for what; to their own centre.
_LABORATORY: tuple[tuple[str, tuple[str, ...]], ...] = (
    (PATIENT, ("CBC", "HBA1C", "GLU", "LIPID")),
    ("王喆", ("ELEC", "RFT")),
    ("李珅", ("LFT", "LIPID")),
    ("王弢", ("ELEC", "LIPID")),
    ("李昞", ("CBC",)),
    ("欧阳静", ("TFT", "CBC")),
    ("司马长风", ("HBA1C", "GLU")),
    ("阿依古丽·买买提", ("CBC", "LFT")),
    ("𠮷瑞", ("CBC", "LFT", "RFT")),
    ("陈婴", ("CBC",)),
)


@dataclass(frozen=True, slots=True)
class EcgFile:
    """A recording as a cart wrote it. hint: what the technician has to say beside a PDF."""

    filename: str
    content: bytes
    hint: PatientHint | None = None


@dataclass(frozen=True)
class Today:
    """The day's traffic; the same bytes for the same people and the same moment."""

    everybody: tuple[Person, ...]
    now: dt.datetime

    @cached_property
    def patient(self) -> Person:
        """Whom the story is about."""
        return find(self.everybody, PATIENT)

    @property
    def run(self) -> str:
        """Stands in front of this run's numbers; 12 digits, so that an accession number stays within 16."""
        return f"{self.now.astimezone(er7.ZONE):%y%m%d%H%M%S}"

    def _ago(self, **units: int) -> dt.datetime:
        return self.now.replace(microsecond=0) - dt.timedelta(**units)

    @cached_property
    def ct(self) -> imaging.Examination:
        """The chest CT that the story is about."""
        return imaging.Examination(self.patient, _CENTRE, f"{self.run}CT", self._ago(minutes=55), seed=7)

    def ct_series(self) -> list[Dataset]:
        """Its slices."""
        return [imaging.chest_ct(self.ct, number, CT_SLICES) for number in range(1, CT_SLICES + 1)]

    def contradicting_slice(self) -> Dataset:
        """The first slice again, under the same UID, with other pixels."""
        dataset = imaging.chest_ct(self.ct, 1, CT_SLICES)
        dataset.PixelData = np.flip(np.frombuffer(dataset.PixelData, "<u2")).tobytes()
        return dataset

    def other_images(self) -> Iterator[tuple[str, list[Dataset]]]:
        """An ultrasound, and images of other makers in compressed transfer syntaxes, each from its own centre."""
        person = find(self.everybody, "𠮷瑞")
        examined = imaging.Examination(person, person.home, f"{self.run}US", self._ago(minutes=70), 2, "ISO_IR 192")
        yield person.home, [imaging.abdominal_ultrasound(examined)]
        names = ("王喆", "司马长风", "欧阳静", "李珅")
        others = (find(self.everybody, name) for name in names)
        examinations = (
            imaging.Examination(other, other.home, f"{self.run}X{number}", self._ago(minutes=80 + number), number)
            for number, other in enumerate(others)
        )
        for examination_, dataset in shipped.datasets(examinations):
            yield examination_.institution, [dataset]

    def radiograph(self) -> bytes:
        """A Part 10 file for STOW-RS."""
        person = find(self.everybody, "梁春梅")
        examined = imaging.Examination(person, _CENTRE, f"{self.run}DX", self._ago(minutes=30), 1)
        return imaging.part10(imaging.chest_radiograph(examined))

    def messages(self) -> Iterator[tuple[str, bytes]]:
        """(sender, message): registrations and results of today, a correction, a withdrawal, the reading of the CT."""
        number = 0
        for name, panels in _LABORATORY:
            person = find(self.everybody, name)
            yield person.home, er7.registration(person, person.home, f"{self.run}A{person.serial}", self._ago(hours=4))
            for panel in panels:
                number += 1
                order = self._order(person, panel, number)
                yield person.home, result_message(order, self._values(order), f"{self.run}R{number}")
        yield from self._second_thoughts()
        yield IMAGING_CENTRE, reading_message(self._ct_reading(), IMAGING_CENTRE, f"{self.run}I1")

    def _order(self, person: Person, panel: str, number: int) -> LabOrder:
        return LabOrder(person, person.home, PANELS[panel], f"{self.run}{number:02d}", self._ago(hours=3))

    def _values(self, order: LabOrder) -> dict[str, float]:
        values = measure(order, SEED)
        # A critical potassium, so that somebody has to be called.
        return {**values, "K": 6.74} if order.person.name == "王喆" and "K" in values else values

    def _second_thoughts(self) -> Iterator[tuple[str, bytes]]:
        person = find(self.everybody, "李昞")
        wrong, lost = self._order(person, "CBC", 91), self._order(person, "LFT", 92)
        later = dt.timedelta(minutes=15)
        values = measure(wrong, SEED)
        yield person.home, result_message(wrong, {**values, "PLT": 21.0}, f"{self.run}R91")
        yield person.home, result_message(wrong, values, f"{self.run}R91C", status="C", after=later)
        yield person.home, result_message(lost, measure(lost, SEED), f"{self.run}R92")
        yield person.home, result_message(lost, measure(lost, SEED), f"{self.run}R92X", status="X", after=later)

    def _ct_reading(self) -> ImagingReading:
        procedure, ct = readings.CHEST_CT, self.ct
        findings, impression = procedure.wordings[0]
        return ImagingReading(
            ct.person,
            ct.institution,
            ct.accession_number,
            ct.study_instance_uid,
            (procedure.code, procedure.name),
            findings,
            impression,
            ct.performed_at,
            self._ago(minutes=4),
            readings.RADIOLOGISTS[0],
        )

    def ecgs(self) -> Iterator[EcgFile]:
        """Recordings of the centre's carts, every format that they write."""
        names = (PATIENT, "赵子轩", "梁春梅", "朱晓燕")
        patient, young, older, thyroid = (find(self.everybody, name) for name in names)
        yield EcgFile("ecg-1.dcm", ecg_files.part10(self._ecg(patient, 1, Pattern(rate=76))))
        fibrillation = Pattern(rate=108, rhythm=Rhythm.ATRIAL_FIBRILLATION)
        yield EcgFile("ecg-2.dcm", ecg_files.part10(self._ecg(older, 2, fibrillation), general=True))
        yield EcgFile("ecg-3.xml", ecg_files.xml(self._ecg(patient, 3, Pattern(rate=71))))
        infarction = Pattern(rate=88, st_elevation_mv=0.28, territory="inferior")
        yield EcgFile("ecg-4.xml", ecg_files.xml(self._ecg(older, 4, infarction), encoding="GB2312"))
        yield EcgFile("ecg-5.scp", ecg_files.record(self._ecg(thyroid, 5, Pattern(rate=54, qtc_ms=455))))
        for number, person in ((6, young), (7, thyroid)):
            examined = self._ecg(person, number, Pattern(rate=64 + 4 * number))
            hint = hint_for(person, _CENTRE, examined.observed_at)
            yield EcgFile(f"ecg-{number}.pdf", ecg_files.pdf(examined), hint)

    def emergency_ecg(self) -> Dataset:
        """Of somebody whom nobody knows yet: the cart sends no number, no name, no birth date."""
        examined = self._ecg(find(self.everybody, PATIENT), 0, Pattern(rate=104, st_elevation_mv=0.35))
        dataset = dcmread(io.BytesIO(ecg_files.part10(examined)))
        dataset.PatientID = dataset.PatientName = dataset.PatientBirthDate = dataset.PatientSex = ""
        return dataset

    def _ecg(self, person: Person, number: int, pattern: Pattern) -> ecg_files.Examination:
        return examination(person, _CENTRE, self._ago(minutes=20 + 3 * number), pattern, number)

    def garbled(self) -> tuple[str, bytes]:
        """A message that broke off after the patient, and whose patient lost the identifier."""
        header = f"MSH|^~\\&|LIS|CHC05|DXHUB|TINGLAN|||ORU^R01^ORU_R01|{self.run}G1|P|2.5.1||||||UNICODE UTF-8\r"
        return "CHC05", header.encode() + b"PID|1||\rOBR|1||\rOB"

    def contradicting(self) -> tuple[str, bytes]:
        """A result for a record number that CHC05 knows as somebody else: another birth date, another name."""
        person = find(self.everybody, "王喆")
        other = replace(
            person, given="淑贤", birth_date=dt.date(1988, 8, 8), resident_number="", card_number="", conditions=()
        )
        order = self._order(other, "CBC", 93)
        return "CHC05", result_message(order, measure(order, SEED), f"{self.run}K1")
