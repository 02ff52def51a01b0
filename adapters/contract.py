"""What an adapter is: readers of formats, how to tell them, and a listener where it has a protocol of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from schemas.accounts import Examine
from schemas.conformance import Conformance
from schemas.delivery import Format, Meaning, Read
from schemas.dispatch import Sender
from schemas.editing import Editor
from schemas.header import Describe

# How much of a content's head a sniffer is given.
HEAD_BYTES = 4096


class Listener(Protocol):
    """A server of a foreign protocol, in threads of its own.

    port: the bound port, known once started; 0 in the settings asks for a free one.
    """

    port: int

    def start(self) -> None:
        """Binds and begins to serve. Raises OSError where the port cannot be had."""

    def stop(self) -> None:
        """Takes nothing new, finishes and acknowledges what it has begun, ends."""


@dataclass(frozen=True)
class Adapter:
    """One foreign protocol or family of formats.

    readers: who reads which format. sniffers: whether a content's first HEAD_BYTES announce the format.
    listener: makes the listener from (host, port, deliver, identify) and settings of its own; None without one.
    repairs: names that the profile of a source may hold, in the order in which the readers apply them.
    examiners: by format, what became of every part of a content, and its parts as they were sent.
    sender: makes what carries reports out, from settings of its own; None where the protocol only receives.
    editors: by format, how a person may change a content.
    strict: by format, what in a content departs from the standard itself, for the vendor of the sending system.
    describers: by format, what is made of a stored instance's header after its acknowledgement.
    meanings: by format, a digest of what a content says, the same however it is encoded.
    """

    name: str
    readers: Mapping[Format, Read]
    sniffers: Mapping[Format, Callable[[bytes], bool]]
    media_types: Mapping[Format, str] = field(default_factory=dict)
    listener: Callable[..., Listener] | None = None
    repairs: tuple[str, ...] = ()
    examiners: Mapping[Format, Examine] = field(default_factory=dict)
    sender: Callable[..., Sender] | None = None
    editors: Mapping[Format, Editor] = field(default_factory=dict)
    strict: Mapping[Format, Callable[[bytes], Conformance]] = field(default_factory=dict)
    describers: Mapping[Format, Describe] = field(default_factory=dict)
    meanings: Mapping[Format, Meaning] = field(default_factory=dict)
