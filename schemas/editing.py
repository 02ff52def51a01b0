"""Content as text that a person can change, and the changed text as content again."""

from collections.abc import Callable
from dataclasses import dataclass

from .delivery import Origin


@dataclass(frozen=True, slots=True)
class Editor:
    """How a format is edited.

    show: the content as lines of text for a browser. write: the original's bytes with the changed lines of the text
    in place of theirs; every line that was not touched keeps its very bytes. Raises InvalidPayload for characters that
    the content's character set lacks.
    """

    show: Callable[[bytes, Origin], str]
    write: Callable[[bytes, Origin, str], bytes]
