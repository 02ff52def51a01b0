"""What `dxhub check --strict` says of a file to the vendor of the system that wrote it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas.conformance import Conformance, Finding, Severity
from schemas.delivery import Format

Strict = Mapping[Format, Callable[[bytes], Conformance]]
_HEAD = 4096
_MOST_BYTES = 64 << 20


def strictness(path: Path, strict: Strict, sniff: Callable[[bytes], Format]) -> dict[str, Any]:
    """`{"conformant": …, "findings": […]}`, as `--json` adds it to the object of a file."""
    said = _conformance(path, strict, sniff)
    return {
        "conformant": said.conformant,
        "version": said.version,
        "complete": said.complete,
        "findings": [
            {
                "severity": each.severity.value,
                "where": each.where,
                "expected": each.expected,
                "found": each.found,
                "times": each.times,
            }
            for each in said.findings
        ],
    }


def _conformance(path: Path, strict: Strict, sniff: Callable[[bytes], Format]) -> Conformance:
    try:
        with path.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        return _nothing("a file that can be opened", str(error.strerror))
    if len(content) > _MOST_BYTES:
        return _nothing(f"at most {_MOST_BYTES} bytes", "more")
    check = strict.get(sniff(content[:_HEAD]))
    return check(content) if check else _nothing("an HL7 v2 message", "another format")


def _nothing(expected: str, found: str) -> Conformance:
    return Conformance("", (Finding(Severity.ERROR, "file", expected, found),))


def lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """The same for a person's eyes."""
    said = answer["strict"]
    standard = f"HL7 v{said['version']}" if said["version"] else "HL7 v2"
    if said["conformant"]:
        yield f"{answer['file']}: conformant with {standard}"
    else:
        yield f"{answer['file']}: not conformant with {standard}"
    for each in said["findings"]:
        times = f" ({each['times']} times)" if each["times"] > 1 else ""
        yield f"  {each['severity']:<8}{each['where']:<12} expected {each['expected']}; found {each['found']}{times}"
    if not said["complete"]:
        yield "  the rest was not looked at: too many segments, or too long"
    if not answer["ok"]:
        fault = answer["fault"]
        yield f"  refused  {fault['where']:<12} {fault['text']}"
