"""What a profile may say, and what the standard says to a vendor, in the words that people use."""

import re
from collections.abc import Callable

from schemas.identifiers import HEALTH_CARD, RESIDENT_ID
from schemas.mapping import MappingKind
from schemas.task import TaskState

from .i18n import N_, Translate

# By the name of the repair: what it is called, and what it does.
REPAIR = {
    "text-encoded-twice": (
        N_("Text was encoded twice"),
        N_("An interface took the text for Western European and encoded it once more (çŽ‹ for 王)."),
    ),
    "standard-encoding-characters": (
        N_("MSH-2 is empty or wrong"),
        N_("The message is written with the standard's delimiters ^~\\& and does not say so."),
    ),
    "given-name-first": (
        N_("Given name first"),
        N_("PID-5 holds the given name before the family name (芳^王 is 王芳)."),
    ),
    "sex-0-male-1-female": (N_("Sex: 0 male, 1 female"), N_("PID-8 holds a code of the sender's own.")),
    "sex-0-female-1-male": (N_("Sex: 0 female, 1 male"), N_("PID-8 holds a code of the sender's own.")),
    "times-as-displayed": (N_("Times as displayed"), N_("Times look like 2026/1/5 8:05:00 or 下午 3:05.")),
    "times-day-first": (N_("Day before month"), N_("Times look like 05/01/2026 08:05, the day first.")),
    "code-in-sub-id": (
        N_("Code in OBX-4"),
        N_("OBX-3 holds a channel number of the analyser, OBX-4 the code of the result."),
    ),
    "flag-behind-value": (N_("Flag behind the value"), N_("OBX-5 holds 12.5↑ or 3.1 L instead of a number and OBX-8.")),
    "unit-behind-value": (N_("Unit behind the value"), N_("OBX-5 holds 5.6 mmol/L instead of a number and OBX-6.")),
    "final-when-unsaid": (
        N_("No status means final"),
        N_("Neither OBR-25 nor OBX-11 says a status, and only released results are sent."),
    ),
}
CHARSET = {
    "utf-8": "UTF-8",
    "gb18030": "GB 18030 (GBK, GB 2312)",
    "big5hkscs": "Big5",
    "iso8859-1": "ISO 8859-1",
    "cp1252": "Windows-1252",
}
AUTHORITY = {RESIDENT_ID: N_("Resident identity number"), HEALTH_CARD: N_("Health card")}
# Fields of a profile, as its history names them.
PROFILE_FIELD = {
    "authority": N_("Assigning authority"),
    "charset": N_("Character set"),
    "time_zone": N_("Time zone"),
    "authorities": N_("Authorities as sent"),
    "identity_field": N_("Field of the identity number"),
    "repairs": N_("Repairs"),
    "new_versions": N_("New versions of images"),
}
IDENTITY_FIELDS = ("PID-2", "PID-3", "PID-4", "PID-19", "PV1-19", "IN1-36", "ZPI-3")
TASK_STATE = {
    TaskState.OPEN: (N_("Unmapped"), "warn"),
    TaskState.MAPPED: (N_("Mapped"), "good"),
    TaskState.DISMISSED: (N_("Dismissed"), "quiet"),
}
TASK_KIND = {MappingKind.CODE: N_("Code"), MappingKind.UNIT: N_("Unit"), MappingKind.ORDER: N_("Examination")}

# What the strict check says; the names of fields and data types stay those of the standard.
FINDINGS = (
    N_("nothing"),
    N_("none"),
    N_("too many"),
    N_("another segment"),
    N_("something else"),
    N_("a value that is not in it"),
    N_("a value that is too long"),
    N_("a value that is none"),
    N_("a line that is no segment"),
    N_("something that no strict parser can read"),
    N_("what the standard defines"),
    N_("segments separated by a carriage return"),
    N_("as many fields as the segment has"),
    N_("the data type of the value in OBX-5"),
    N_("a message that can be split into segments"),
    N_("a message type such as ORU^R01^ORU_R01"),
    N_("a value: %(what)s is required"),
    N_("at most %(count)s fields in version %(version)s"),
    N_("at most %(count)s characters"),
    N_("at most %(count)s of %(what)s"),
    N_("a value of table %(table)s"),
    N_("a value of data type %(type)s"),
    N_("a value that is no valid %(type)s"),
    N_("more components than %(type)s has"),
    N_("a version of the standard: %(versions)s"),
    N_("a message structure of version %(version)s"),
    N_("a segment of version %(version)s, or one that begins with Z"),
    N_("segment %(name)s in %(group)s"),
    N_("group %(name)s in %(group)s"),
    N_("fewer of segment %(name)s in %(group)s"),
    N_("fewer of group %(name)s in %(group)s"),
    N_("segments that belong to %(group)s"),
    N_("%(what)s, data type %(type)s"),
)
_PLACE = re.compile(r"%\\\((\w+)\\\)s")
_PATTERNS = tuple((each, re.compile(_PLACE.sub(r"(?P<\1>.+)", re.escape(each)))) for each in FINDINGS)


def finder(translate: Translate) -> Callable[[str], str]:
    """Says what a strict check expected or found, in one language."""

    def found(text: str) -> str:
        for words, pattern in _PATTERNS:
            if match := pattern.fullmatch(text):
                return translate(words) % match.groupdict() if match.groupdict() else translate(words)
        return text

    return found
