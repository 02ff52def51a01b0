"""Where a content departs from its standard, in words with which the vendor of the sending system can act."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error breaks the standard; a warning is a length or a table value, which sites often agree on otherwise."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """where: in the standard's own terms (`OBX[3]-5`), of the first where the same is found `times` over.

    expected, found: never a patient's data beyond codes.
    """

    severity: Severity
    where: str
    expected: str
    found: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Conformance:
    """What a strict reader of the standard says of a content. `version`: the version it was held against.

    complete: everything was looked at; false where size or time set a limit.
    """

    version: str
    findings: tuple[Finding, ...]
    complete: bool = True

    @property
    def conformant(self) -> bool:
        """Whether nothing breaks the standard, as far as it was looked at."""
        return self.complete and not any(each.severity is Severity.ERROR for each in self.findings)
