"""The attributes of C-FIND: at which level, how matched, from where answered. Source: DICOM PS3.4 C.6.1, C.6.2."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pydicom.datadict import dictionary_VR, keyword_for_tag

from schemas.identifiers import AUTHORITY
from schemas.network import Level, Match
from schemas.patient import PersonName, Sex

LEVELS = (Level.PATIENT, Level.STUDY, Level.SERIES, Level.IMAGE)
# These say how an identifier is to be read; they are no keys.
SPECIFIC_CHARACTER_SET, LEVEL, TIMEZONE = 0x00080005, 0x00080052, 0x00080201
RETRIEVE_AE_TITLE, AVAILABILITY = 0x00080054, 0x00080056

_SEXES = {Sex.MALE: "M", Sex.FEMALE: "F", Sex.OTHER: "O"}


class Kind(StrEnum):
    """Table C.6-1 and those behind it: what an SCP has to support."""

    UNIQUE = "U"
    REQUIRED = "R"
    OPTIONAL = "O"


class Matching(StrEnum):
    """PS3.4 C.2.2.2, as far as it is more than universal."""

    NONE = "universal only"
    SINGLE = "single value"
    UIDS = "list of UID"
    WILD = "single value, wild card"
    NAME = "single value, wild card; Chinese, pinyin or alphabetic, case-insensitive"
    RANGE = "single value, range"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. values: what a match has of it, several for a multiplicity of more than one."""

    tag: int
    level: Level
    kind: Kind
    matching: Matching
    values: Callable[[Match], tuple[object, ...]]

    @property
    def keyword(self) -> str:
        """As PS3.6 names it."""
        return keyword_for_tag(self.tag)

    @property
    def vr(self) -> str:
        """As PS3.6 has it."""
        return dictionary_VR(self.tag)


def component_groups(name: PersonName) -> str:
    """A name as PN: alphabetic and ideographic groups. The first word of the alphabetic form is the family name."""
    latin = name.latin or ("" if not name.text.isascii() else name.text)
    alphabetic = latin.replace(" ", "^", 1)
    if name.text.isascii():
        return alphabetic
    # Without an alphabetic form the name stands where every reader looks first.
    return f"{alphabetic}={name.text}" if alphabetic else name.text


def _patient(match: Match) -> tuple[object, ...]:
    return (component_groups(match.study.study.patient.name),)


def _born(match: Match) -> tuple[object, ...]:
    born = match.study.study.patient.birth_date
    return (born.strftime("%Y%m%d") if born else "",)


def _issuer(match: Match) -> tuple[object, ...]:
    return (match.study.study.patient.key.system.removeprefix(AUTHORITY),)


def _counted(name: str) -> Callable[[Match], tuple[object, ...]]:
    return lambda match: (getattr(match.counts, name),) if match.counts else ()


def _of_study(name: str) -> Callable[[Match], tuple[object, ...]]:
    return lambda match: (getattr(match.study.study, name),)


def _of_series(name: str) -> Callable[[Match], tuple[object, ...]]:
    return lambda match: (getattr(match.series.series, name),) if match.series else ()


def _of_instance(name: str) -> Callable[[Match], tuple[object, ...]]:
    return lambda match: (getattr(match.instance, name),) if match.instance else ()


def _sized(name: str) -> Callable[[Match], tuple[object, ...]]:
    return lambda match: (getattr(match.instance, name),) if match.instance and match.instance.rows else ()


_P, _S, _E, _I = LEVELS
_U, _R, _O = Kind.UNIQUE, Kind.REQUIRED, Kind.OPTIONAL
_ONE, _UIDS, _WILD, _NAME, _RANGE = Matching.SINGLE, Matching.UIDS, Matching.WILD, Matching.NAME, Matching.RANGE

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(0x00100010, _P, _R, _NAME, _patient),
    Attribute(0x00100020, _P, _U, _WILD, lambda m: (m.study.study.patient.key.value,)),
    Attribute(0x00100021, _P, _O, _ONE, _issuer),
    Attribute(0x00100030, _P, _O, _RANGE, _born),
    Attribute(0x00100040, _P, _O, _ONE, lambda m: (_SEXES.get(m.study.study.patient.sex, ""),)),
    Attribute(0x00201200, _P, _O, Matching.NONE, _counted("studies")),
    Attribute(0x00201202, _P, _O, Matching.NONE, _counted("series")),
    Attribute(0x00201204, _P, _O, Matching.NONE, _counted("instances")),
    Attribute(0x00080020, _S, _R, _RANGE, _of_study("study_date")),
    Attribute(0x00080030, _S, _R, _RANGE, _of_study("study_time")),
    Attribute(0x00080050, _S, _R, _WILD, _of_study("accession_number")),
    Attribute(0x00200010, _S, _R, _WILD, _of_study("study_id")),
    Attribute(0x0020000D, _S, _U, _UIDS, _of_study("study_instance_uid")),
    Attribute(0x00080061, _S, _O, _WILD, lambda m: m.study.modalities),
    Attribute(0x00080062, _S, _O, _UIDS, lambda m: m.sop_classes),
    Attribute(0x00080090, _S, _O, _WILD, lambda m: (component_groups(PersonName(m.study.study.referring_physician)),)),
    Attribute(0x00081030, _S, _O, _WILD, _of_study("description")),
    Attribute(0x00201206, _S, _O, Matching.NONE, lambda m: (m.study.series_count,)),
    Attribute(0x00201208, _S, _O, Matching.NONE, lambda m: (m.study.instance_count,)),
    Attribute(0x00080060, _E, _R, _WILD, _of_series("modality")),
    Attribute(0x00200011, _E, _R, _ONE, _of_series("series_number")),
    Attribute(0x0020000E, _E, _U, _UIDS, _of_series("series_instance_uid")),
    Attribute(0x0008103E, _E, _O, _WILD, _of_series("description")),
    Attribute(0x00180015, _E, _O, _WILD, _of_series("body_part")),
    Attribute(0x00200060, _E, _O, _ONE, _of_series("laterality")),
    Attribute(0x00201209, _E, _O, Matching.NONE, lambda m: (m.series.instance_count,) if m.series else ()),
    Attribute(0x00200013, _I, _R, _ONE, _of_instance("instance_number")),
    Attribute(0x00080018, _I, _U, _UIDS, _of_instance("sop_instance_uid")),
    Attribute(0x00080016, _I, _O, _UIDS, _of_instance("sop_class_uid")),
    Attribute(0x00083002, _I, _O, _UIDS, _of_instance("transfer_syntax_uid")),
    Attribute(0x00280008, _I, _O, Matching.NONE, _sized("frames")),
    Attribute(0x00280010, _I, _O, Matching.NONE, _sized("rows")),
    Attribute(0x00280011, _I, _O, Matching.NONE, _sized("columns")),
)
BY_TAG = {each.tag: each for each in ATTRIBUTES}
UNIQUE = {each.level: each.tag for each in ATTRIBUTES if each.kind is Kind.UNIQUE}


def supported(level: Level) -> dict[int, Attribute]:
    """The attributes at this level and at those above it."""
    reach = LEVELS[: LEVELS.index(level) + 1]
    return {tag: each for tag, each in BY_TAG.items() if each.level in reach}
