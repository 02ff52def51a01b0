"""Where a message departs from the standard itself, as `hl7apy` and its tables of the standard see it.

For the vendor of a sending system, never for what arrives: the library needs a tenth of a second for a message that
we read in half a millisecond, and raises on half of those that hospitals send. So it is given one segment and one
field at a time, bounded in number, size and time, and whatever it raises is a finding.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import structlog
from hl7apy import SUPPORTED_LIBRARIES, load_reference
from hl7apy.exceptions import ChildNotFound

from schemas.conformance import Conformance, Finding, Severity
from schemas.faults import InvalidPayload

from .batch import messages, unframed
from .er7 import ENVELOPE, HEADERS, Message, Segment, parse
from .strict_elements import RAISED, field_findings, segment_findings, structure_findings

log = structlog.get_logger()
PATIENCE_S = 10.0
_MOST_MESSAGES = 20
_MOST_SEGMENTS = 500
_MOST_FINDINGS = 200
_MOST_FIELDS = 120
_LONGEST_FIELD = 4096
_FALLBACK = "2.5.1"
_VERSION = re.compile(r"[0-9A-Za-z.]{1,10}")


@dataclass
class _Budget:
    """What is left of time and segments; `spent`: something was left out."""

    until: float
    segments: int = _MOST_SEGMENTS
    spent: bool = False

    def take(self) -> bool:
        """Whether one more segment may be looked at."""
        self.segments -= 1
        if self.segments < 0 or time.monotonic() > self.until:
            self.spent = True
        return not self.spent


def conformance(content: bytes) -> Conformance:
    """What in a content breaks the standard, of the version that each message names. Raises nothing."""
    budget = _Budget(time.monotonic() + PATIENCE_S)
    found = [each for piece in unframed(content) for each in messages(piece)]
    versions: dict[str, None] = {}
    findings: Counter[tuple[Severity, str, str, str]] = Counter()
    places: dict[tuple[Severity, str, str, str], str] = {}
    for text in found[:_MOST_MESSAGES]:
        for finding in _of_message(text, versions, budget):
            key = (finding.severity, _kind(finding.where), finding.expected, finding.found)
            findings[key] += 1
            places.setdefault(key, finding.where)
    told = [Finding(key[0], places[key], key[2], key[3], times) for key, times in findings.items()]
    told.sort(key=lambda each: each.severity is Severity.WARNING)
    complete = not budget.spent and len(found) <= _MOST_MESSAGES and len(told) <= _MOST_FINDINGS
    return Conformance(", ".join(versions), tuple(told[:_MOST_FINDINGS]), complete)


def _kind(where: str) -> str:
    """A place without its occurrence: the thirtieth OBX breaks the same rule as the first."""
    segment, _, rest = where.partition("[")
    return segment + rest.partition("]")[2]


def _of_message(text: bytes, versions: dict[str, None], budget: _Budget) -> Iterator[Finding]:
    try:
        message = parse(text)
    except InvalidPayload as fault:
        yield Finding(Severity.ERROR, fault.where, "a message that can be split into segments", fault.text)
        return
    version = message.delimiters.first(message.header[12])
    if version not in SUPPORTED_LIBRARIES:
        known = ", ".join(sorted(SUPPORTED_LIBRARIES))
        yield Finding(
            Severity.ERROR,
            "MSH[1]-12",
            f"a version of the standard: {known}",
            (version if _VERSION.fullmatch(version) else "something else") if version else "nothing",
        )
        version = _FALLBACK
    versions[version] = None
    yield from _of_segments(message, version, budget)
    if not budget.spent:
        yield from _guarded(partial(structure_findings, message, version), "MSH[1]-9")


def _of_segments(message: Message, version: str, budget: _Budget) -> Iterator[Finding]:
    seen: Counter[str] = Counter()
    for segment in message.segments:
        if segment.name in ENVELOPE:
            continue
        seen[segment.name] += 1
        place = f"{segment.name}[{seen[segment.name]}]"
        if not budget.take():
            return
        if segment.continued:
            yield Finding(Severity.ERROR, place, "segments separated by a carriage return", "a line that is no segment")
        yield from _of_segment(segment, place, message, version)


def _of_segment(segment: Segment, place: str, message: Message, version: str) -> Iterator[Finding]:
    if not _is_known(segment.name, version):
        yield Finding(
            Severity.ERROR, place, f"a segment of version {version}, or one that begins with Z", "another segment"
        )
        return
    if segment.name.startswith("Z"):
        return
    if len(segment.fields) > _MOST_FIELDS:
        yield Finding(Severity.ERROR, place, "as many fields as the segment has", f"{len(segment.fields) - 1}")
    if segment.continued:
        segment = Segment(segment.name, [field.split("\r")[0].split("\n")[0] for field in segment.fields], "")
    fields = [field[:_LONGEST_FIELD] for field in segment.fields[:_MOST_FIELDS]]
    bounded = Segment(segment.name, fields, segment.end)
    yield from _guarded(partial(segment_findings, bounded, place, message.delimiters, version), place)
    for number in range(3 if segment.name in HEADERS else 1, len(fields)):
        if fields[number]:
            where = f"{place}-{number}"
            yield from _guarded(partial(field_findings, bounded, number, where, message.delimiters, version), where)


def _guarded(findings: Callable[[], Iterator[Finding]], where: str) -> Iterator[Finding]:
    """The findings; an exception of the library becomes one, for it could not make sense of what it was given."""
    try:
        yield from findings()
    except RAISED as error:
        log.info("strict.library_failed", where=where, error=type(error).__name__)
        yield Finding(Severity.ERROR, where, "what the standard defines", "something that no strict parser can read")


def _is_known(name: str, version: str) -> bool:
    if name.startswith("Z"):
        return True
    try:
        load_reference(name, "Segment", version)
    except ChildNotFound:
        return False
    return True
