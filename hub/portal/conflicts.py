"""Deliveries that contradict what is known: what the contradiction is, and the ways out of it."""

from dataclasses import dataclass

from schemas.delivery import DeliveryRecord, State

from .i18n import N_


@dataclass(frozen=True, slots=True)
class Conflict:
    """`what`: the contradiction. `ways`: what a person can do. `doubts`: whether the identity page helps. Msgids."""

    what: str
    ways: tuple[str, ...]
    doubts: bool = False


_AGAIN = N_("If what is known is wrong: have it corrected at its source, then read this delivery again.")
_COPY = N_("If this delivery is wrong: make a repaired copy with the right identifier, or ask the sender to send anew.")
_ELSEWHERE = N_("Whichever is wrong has to be put right where it was made; a file like this is not edited here.")

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
            N_("The same study is known, and it is another patient's. Neither was changed."), (_ELSEWHERE, _AGAIN)
        ),
    ),
    (
        "another instance is stored",
        Conflict(N_("An image with this identifier is stored, and its content is another one."), (_ELSEWHERE,)),
    ),
)
_OTHER = Conflict(N_("It contradicts what is known. Neither was changed."), (_COPY, _AGAIN))


def conflict(record: DeliveryRecord) -> Conflict | None:
    """The contradiction for which a delivery is held; None where it is not held."""
    if record.state is not State.HELD:
        return None
    return next((found for text, found in _BY_TEXT if record.text.startswith(text)), _OTHER)
