"""Deliveries that contradict what is known: what the contradiction is, and the ways out of it."""

from dataclasses import dataclass

from schemas.delivery import DeliveryRecord, State

from .i18n import N_


@dataclass(frozen=True, slots=True)
class Conflict:
    """`what`: the contradiction. `ways`: what a person can do. `doubts`, `studies`: whether that page
    helps. `versions`: whether it may be accepted as a version."""

    what: str
    ways: tuple[str, ...]
    doubts: bool = False
    studies: bool = False
    versions: bool = False


_AGAIN = N_("If what is known is wrong: have it corrected at its source, then read this delivery again.")
_COPY = N_("If this delivery is wrong: make a repaired copy with the right identifier, or ask the sender to send anew.")
_FIRST = N_(
    "If the first one is right: leave this delivery as it is. If this one is right: accept it as a new version."
)
_MOVE = N_("Find the study and move it to the right patient; then read this delivery again.")
_ELSEWHERE = N_("Whichever is wrong has to be put right where it was made; a file like this is not edited here.")

_STRANGER = Conflict(
    N_("The institution that sent this note does not own the study. Nothing was hidden."),
    (N_("Find out which institution is right. Only the institution whose study it is can take its images back."),),
    studies=True,
)

_BY_TEXT = (
    (
        "the patient known under this identifier",
        Conflict(
            N_("The sender has described somebody else under this patient number before: another name, day or sex."),
            (_COPY, _AGAIN),
            doubts=True,
        ),
    ),
    (
        "this report is already bound",
        Conflict(
            N_("A report under the same order number is known, and it is another patient's. Neither was changed."),
            (_COPY, _AGAIN),
            doubts=True,
        ),
    ),
    (
        "the study is already bound",
        Conflict(
            N_("The same study is known, and it is another patient's. Neither was changed."),
            (_MOVE, _ELSEWHERE, _AGAIN),
            studies=True,
        ),
    ),
    (
        "another instance is stored",
        Conflict(
            N_("An image with this identifier is stored, and its content is another one."),
            (_FIRST, _ELSEWHERE),
            versions=True,
        ),
    ),
    ("only the institution whose study", _STRANGER),
)
_OTHER = Conflict(N_("It contradicts what is known. Neither was changed."), (_COPY, _AGAIN))


def conflict(record: DeliveryRecord) -> Conflict | None:
    """The contradiction for which a delivery is held; None where it is not held."""
    if record.state is not State.HELD:
        return None
    return next((found for text, found in _BY_TEXT if record.text.startswith(text)), _OTHER)
