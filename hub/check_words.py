"""What `dxhub check` prints for a person: what would become of a file, a line each."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_Said = Mapping[str, Any]
_OWN = "urn:dxhub:"
# A text that is longer is a document; its beginning tells which.
_LONGEST = 80
_REPETITION = re.compile(r"\[\d+\]")


def words(answer: _Said) -> Iterator[str]:
    """The lines for what `check` answered about one file."""
    if not answer["ok"]:
        fault = answer["fault"]
        where = f" at {fault['where']}" if fault["where"] else ""
        yield f"{answer['file']}: would be refused ({fault['category']}){where}"
        yield f"  {fault['text']}"
        return
    reports, told = answer["reports"], answer["accounting"]
    number = f"{len(reports)} report{'s' * (len(reports) != 1)}"
    yield f"{answer['file']}: would be taken, {number}"
    for patient in answer["patients"]:
        yield f"  patient {_patient(patient)}"
    for report in reports:
        yield from _report(report)
    yield f"  {told['segments']} parts: {told['mapped']} mapped, {told['kept']} kept as sent, {told['flagged']} flagged"
    for note in told["notes"]:
        yield f"    {note}"
    yield from _fields(told.get("fields", ()))


def _fields(fields: Iterable[_Said]) -> Iterator[str]:
    """The fields that were not mapped, those of one reason on one line, whatever segment of their kind they are in."""
    together: dict[str, dict[str, None]] = {}
    for field in fields:
        if field["fate"] != "mapped":
            why = f"{field['fate']}: {field['reason']}" if "reason" in field else field["fate"]
            together.setdefault(why, {})[_REPETITION.sub("", field["place"])] = None
    for why, places in together.items():
        yield f"    {', '.join(places)}"
        yield f"      {why}"


def _report(report: _Said) -> Iterator[str]:
    times = [f"{name} {report[f'{name}_at']}" for name in ("observed", "issued") if report.get(f"{name}_at")]
    head = [_coded(report.get("code", {})), report["category"], report["status"], *times, report.get("specimen", "")]
    yield f"  {' · '.join(each for each in head if each)}"
    yield f"    of {_patient(report['patient'])}"
    for flag in report.get("flags", ()):
        yield f"    flagged: {flag}"
    if conclusion := report.get("conclusion"):
        yield f"    {_short(conclusion)}"
    for observation in report.get("observations", ()):
        yield f"    {_observation(observation)}"


def _observation(said: _Said) -> str:
    within = f"[{said['reference_range']}]" if said.get("reference_range") else ""
    parts = [_coded(said["code"]), "=", _value(said.get("value")), within, *said.get("interpretation", ())]
    return " ".join(part for part in parts if part)


def _value(value: Any) -> str:  # noqa: ANN401 - any of the kinds that an observation's value may have
    if isinstance(value, Mapping):
        return " ".join(_value(each) for key, each in value.items() if key != "system")
    if isinstance(value, list):
        return ", ".join(_value(each) for each in value)
    return "-" if value is None else _short(str(value))


def _patient(patient: _Said) -> str:
    numbers = [f"{each['value']} ({each['system'].removeprefix(_OWN)})" for each in patient.get("identifiers", ())]
    told = [patient.get("name", {}).get("text", ""), patient.get("sex", ""), patient.get("birth_date", "")]
    return ", ".join(each for each in (*told, *numbers) if each)


def _coded(coding: _Said) -> str:
    code, display = coding.get("code", ""), coding.get("display", "")
    return f"{display} ({code})" if code and display else code or display


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
