"""What a resource type must say of itself to be served."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.fhir.capability_statement import Capability, SearchParameter
from schemas.fhir.elements import Resource

from .call import Call
from .parameters import Parameters

ID = SearchParameter("_id", "token", "logical id; several, separated by commas", "12")


@dataclass(frozen=True, slots=True)
class Window:
    """The part of all matches that is wanted. newest_first: by the type's own date."""

    count: int
    offset: int
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """A page of matches, and how many there are in all."""

    resources: list[Resource]
    total: int


@dataclass(frozen=True, slots=True)
class Include:
    """What `_include` may follow: the element that refers, and the type that it refers to."""

    element: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A resource type as it is served.

    read: the current version; None where single ones are not served. version, versions: one, and all, newest first.
    named: one whose id is no number, but says what it is of.
    fetch: those of these ids that the asker may see, for `_include`. chained: parameters of what it refers to.
    """

    name: str
    documentation: str
    example: Resource
    search: Callable[[Call, Parameters, Window], Found]
    parameters: tuple[SearchParameter, ...] = ()
    chained: tuple[SearchParameter, ...] = ()
    sorts: tuple[str, ...] = ()
    includes: Mapping[str, Include] = field(default_factory=dict)
    read: Callable[[Call, int], Resource] | None = None
    version: Callable[[Call, int, int], Resource] | None = None
    versions: Callable[[Call, int], list[Resource]] | None = None
    named: Callable[[Call, str], Resource] | None = None
    fetch: Callable[[Call, Sequence[int]], list[Resource]] | None = None

    @property
    def searchable(self) -> tuple[SearchParameter, ...]:
        """Everything by which it is found, without chains."""
        return (ID, *self.parameters) if self.read else self.parameters

    def capability(self) -> Capability:
        """What the capability statement says of it."""
        offered = (("read", self.read), ("vread", self.version), ("history-instance", self.versions))
        return Capability(
            self.name,
            (*(name for name, served in offered if served), "search-type"),
            self.searchable,
            tuple(f"{self.name}:{name}" for name in self.includes),
            "versioned" if self.version else "no-version",
            self.documentation,
        )
