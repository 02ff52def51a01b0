"""ECGs, as the carts of the community centres send them: some as DICOM, some as aECG or SCP-ECG, some as a PDF only."""

import datetime as dt
import random
from collections.abc import Callable

from schemas.delivery import Format, PatientHint
from schemas.identifiers import Identifier, authority_system
from schemas.patient import Patient, PersonName
from schemas.report import ReportCategory

from . import ecg_files
from .ecg_signal import Pattern, Rhythm, generate
from .er7 import ZONE
from .people import Person

TITLE = "常规12导联心电图"
_WRITERS: dict[Format, Callable[[ecg_files.Examination], bytes]] = {
    Format.DICOM: ecg_files.part10,
    Format.AECG: ecg_files.xml,
    Format.SCP_ECG: ecg_files.record,
    Format.PDF: ecg_files.pdf,
}
_READERS = ("陆知行", "温如许", "")


def pattern_for(person: Person, chance: random.Random) -> Pattern:
    """What the heart of this person shows; mostly nothing unusual."""
    rate = chance.uniform(56, 92)
    axis = chance.uniform(5, 75)
    if "hypertension" in person.conditions and person.serial % 3 == 0:
        return Pattern(rate=chance.uniform(78, 118), rhythm=Rhythm.ATRIAL_FIBRILLATION, axis_deg=axis)
    if "kidney" in person.conditions and person.serial % 2 == 0:
        return Pattern(rate=rate, left_bundle_branch_block=True, axis_deg=-35, qtc_ms=462)
    if "dyslipidaemia" in person.conditions and chance.random() < 0.3:
        return Pattern(rate=rate, rhythm=Rhythm.PVC, axis_deg=axis)
    return Pattern(rate=rate, axis_deg=axis, pr_ms=chance.randint(130, 190), qtc_ms=chance.randint(388, 438))


def examination(
    person: Person, institution: str, at: dt.datetime, pattern: Pattern, seed: int, confirmed_by: str = ""
) -> ecg_files.Examination:
    """The examination with its ten seconds of signal and what the cart's program says of them."""
    signal = generate(pattern, seed)
    return ecg_files.Examination(
        patient_id=person.record_number(institution),
        name=person.name,
        latin=person.latin,
        birth_date=person.birth_date,
        sex=person.sex,
        # A cart writes the hour on the wall, mostly without a zone.
        observed_at=at.astimezone(ZONE),
        signal=signal,
        statements=ecg_files.statements(pattern, signal.measurements),
        confirmed_by=confirmed_by,
        institution=institution,
        serial=f"{institution}-E1",
    )


def hint_for(person: Person, institution: str, at: dt.datetime) -> PatientHint:
    """What the person who uploads a PDF says beside it."""
    patient = Patient(
        (Identifier(authority_system(institution), person.record_number(institution)),),
        PersonName(person.name),
        person.birth_date,
        person.sex,
    )
    return PatientHint(patient, ReportCategory.ECG.value, TITLE, at)


def recording(
    person: Person, institution: str, at: dt.datetime, chance: random.Random
) -> tuple[Format, Callable[[], bytes], PatientHint | None]:
    """Format, maker of the bytes, and what has to be said beside them."""
    pattern, seed = pattern_for(person, chance), chance.randrange(1 << 30)
    reader = chance.choice(_READERS)
    kind = chance.choices((Format.DICOM, Format.AECG, Format.SCP_ECG, Format.PDF), (40, 25, 15, 20))[0]
    write = _WRITERS[kind]

    def make() -> bytes:
        return write(examination(person, institution, at, pattern, seed, reader))

    return kind, make, hint_for(person, institution, at) if kind is Format.PDF else None
