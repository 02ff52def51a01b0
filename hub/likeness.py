"""Whether two descriptions can be of one person: pure comparison, nothing is looked up."""

from dataclasses import replace

from schemas.identifiers import RESIDENT_ID, Identifier, resident_number
from schemas.patient import Patient, PersonName, Sex, normal_name

_SEXES = {Sex.MALE, Sex.FEMALE}


def contradiction(known: Patient, said: Patient) -> str:
    """The first thing in which two descriptions of a patient exclude each other; empty where they agree.

    What only one of them says contradicts nothing.
    """
    if known.birth_date and said.birth_date and known.birth_date != said.birth_date:
        return "birth-date-differs"
    if {known.sex, said.sex} == _SEXES:
        return "sex-differs"
    if names_differ(known.name, said.name):
        return "name-differs"
    return ""


def contradicts(known: Patient, said: Patient) -> str:
    """As `contradiction`, and where both carry resident numbers, and other ones."""
    ours, theirs = resident(known), resident(said)
    return contradiction(known, said) or ("number-differs" if ours and theirs and ours != theirs else "")


def _writings(name: PersonName) -> set[str]:
    return {normal_name(name.text), normal_name(name.latin)} - {""}


def names_differ(known: PersonName, said: PersonName) -> bool:
    """Whether no writing of the one equals any of the other, where both are written in the same script."""
    ours, theirs = _writings(known), _writings(said)
    same_script = {text.isascii() for text in ours} & {text.isascii() for text in theirs}
    return bool(same_script) and not ours & theirs


def same_description(known: Patient, said: Patient) -> bool:
    """Whether they agree in what is needed to say so: an identifier in common, or the name and the birth date."""
    if contradicts(known, said):
        return False
    if set(known.identifiers) & set(said.identifiers):
        return True
    return bool(alike(known, said))


def alike(known: Patient, said: Patient) -> bool:
    """Whether name and birth date are told by both, and equal."""
    same_birth = bool(known.birth_date) and known.birth_date == said.birth_date
    return same_birth and bool(_writings(known.name) & _writings(said.name))


def described_by(stranger: Patient, known: Patient) -> bool:
    """Whether somebody of whom nothing else is known tells name and birth date, and rightly as far as can be told."""
    names = _writings(stranger.name)
    if not (names and stranger.birth_date) or contradicts(known, stranger):
        return False
    ours = _writings(known.name)
    return bool(ours & names) if ours else known.birth_date == stranger.birth_date


def resident(patient: Patient) -> Identifier | None:
    """The patient's resident identity number, if it is one at all."""
    return next((i for i in patient.identifiers if i.system == RESIDENT_ID and resident_number(i.value)), None)


def unsure(patient: Patient, number: Identifier) -> str:
    """Why the resident number cannot be believed to be this patient's; empty where it can."""
    says = resident_number(number.value)
    if says is None or not patient.birth_date or patient.sex not in _SEXES:
        return "birth-date-or-sex-missing"
    if says.birth_date != patient.birth_date:
        return "number-contradicts-birth-date"
    if says.male != (patient.sex is Sex.MALE):
        return "number-contradicts-sex"
    return ""


def believable_number(patient: Patient) -> Identifier | None:
    """The resident number, where the rest of the description bears it out."""
    number = resident(patient)
    return number if number and not unsure(patient, number) else None


def corrected(known: Patient, said: Patient) -> Patient:
    """What is known after a correction: what it says, and of the rest what it neither says nor asks to forget."""
    systems = {each.system for each in said.identifiers}
    return replace(
        said,
        # A window that writes its own number alone does not mean that the resident number is gone.
        identifiers=(*said.identifiers, *(each for each in known.identifiers if each.system not in systems)),
        name=said.name if said.name.text or "name" in said.deleted else known.name,
        birth_date=said.birth_date or (None if "birth_date" in said.deleted else known.birth_date),
        sex=known.sex if said.sex is Sex.UNKNOWN and "sex" not in said.deleted else said.sex,
        deleted=(),
    )


def completed(known: Patient, said: Patient) -> Patient:
    """What is known, with the gaps filled from what is said now."""
    return Patient(
        identifiers=tuple(dict.fromkeys((*known.identifiers, *said.identifiers))),
        name=PersonName(known.name.text or said.name.text, known.name.latin or said.name.latin),
        birth_date=known.birth_date or said.birth_date,
        sex=known.sex if known.sex is not Sex.UNKNOWN else said.sex,
    )
