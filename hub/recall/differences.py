"""What a later version of a report says otherwise, for whoever relied on an earlier one. A rule, without storage."""

from collections.abc import Iterator

from schemas.notice import Change
from schemas.observation import WITHDRAWN as TAKEN_BACK
from schemas.observation import Observation, slots
from schemas.report import WITHDRAWN, Report, ReportStatus
from schemas.wording import result, unit

# Whoever reads these expects more to come; that it came is no news of a mistake.
_EXPECTS_MORE = frozenset({ReportStatus.REGISTERED, ReportStatus.PARTIAL, ReportStatus.PRELIMINARY})
_LONGEST = 500


def differences(before: Report, after: Report) -> tuple[Change, ...]:
    """What differs, the most important first; nothing where a reader would not notice.

    A status counts where a result was taken back or came back; that a preliminary one became final does not.
    """
    return tuple(_found(before, after))


def matters(before: Report, after: Report, changes: tuple[Change, ...]) -> bool:
    """Whether somebody who read the earlier version, without deciding anything, must be told of the difference.

    More results behind a preliminary report were expected; a value that was there and is another one never is.
    """
    if before.status not in _EXPECTS_MORE:
        return bool(changes)
    return any(each.before for each in changes)


def _found(before: Report, after: Report) -> Iterator[Change]:
    if (before.status in WITHDRAWN) != (after.status in WITHDRAWN):
        yield Change("status", before.status.value, after.status.value)
    # Whose it was, and whose it is, stays unsaid: one of them is somebody else.
    if before.patient.key != after.patient.key:
        yield Change("patient")
    yield from _results(before, after)
    for part in ("conclusion", "findings"):
        was, now = _text(getattr(before, part)), _text(getattr(after, part))
        if was != now:
            yield Change(part, was, now)
    if before.code.code != after.code.code:
        yield Change("examination", before.code.display or before.code.code, after.code.display or after.code.code)
    for flag in sorted(set(after.flags) - set(before.flags)):
        yield Change("flag", "", flag)


def _results(before: Report, after: Report) -> Iterator[Change]:
    earlier, later = dict(slots(before.observations)), dict(slots(after.observations))
    for slot in dict.fromkeys((*earlier, *later)):
        was, now = _result(earlier.get(slot)), _result(later.get(slot))
        if was != now:
            named = earlier.get(slot) or later[slot]
            yield Change(named.code.display or named.code.code, was, now)


def _result(observation: Observation | None) -> str:
    if observation is None or observation.status in TAKEN_BACK:
        return ""
    said = f"{result(observation)} {unit(observation)}".strip()
    flags = " ".join(each for each in observation.interpretation if each != "N")
    return _text(f"{said} {flags}".strip())


def _text(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
