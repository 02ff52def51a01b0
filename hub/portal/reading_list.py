"""The list of imaging studies that wait to be read: from it a radiologist opens the images with their priors."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from schemas.reading_list import MOST_LISTED, ListCriteria

from .formats import ZONE, now
from .i18n import N_
from .render import page_or_fragment
from .session import Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 50
WAITING, EVERY = "waiting", "all"
STATES = {WAITING: N_("Waiting to be read"), EVERY: N_("Read or not")}
DAYS = {"": N_("Any day"), "1": N_("Today"), "3": N_("3 days"), "7": N_("7 days")}
# Those of which pictures come. Source: PS3.3 C.7.3.1.1.1.
MODALITIES = (
    *("BMD", "CR", "CT", "DX", "ES", "GM", "IO", "IVUS", "MG", "MR", "NM", "OCT", "OP", "OT", "PT", "PX", "RF", "RG"),
    *("SC", "SM", "US", "XA", "XC"),
)
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Search:
    """The form as it was filled in; what cannot be is taken as empty."""

    state: str = WAITING
    modality: str = ""
    organization: str = ""
    days: str = ""
    q: str = ""

    @classmethod
    def of(cls, said: Mapping[str, str]) -> "Search":
        def chosen(name: str, offered: Mapping[str, str] | tuple[str, ...], usual: str = "") -> str:
            return said.get(name, usual) if said.get(name) in offered else usual

        return cls(
            chosen("state", STATES, WAITING),
            chosen("modality", MODALITIES),
            said.get("organization", "")[:_LONGEST],
            chosen("days", DAYS),
            said.get("q", "").strip()[:_LONGEST],
        )

    def criteria(self, offset: int) -> ListCriteria:
        return ListCriteria(
            self.state == WAITING, self.modality, self.organization, self._since(), self.q, PAGE_SIZE, offset
        )

    def _since(self) -> dt.datetime | None:
        """The midnight with which the first of so many days began, today counted among them."""
        if not self.days:
            return None
        today = now().astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        return today - dt.timedelta(days=int(self.days) - 1)

    @property
    def query(self) -> str:
        """The search as part of an address."""
        return urlencode({name: getattr(self, name) for name in self.__slots__})

    @property
    def narrowed(self) -> bool:
        """Whether anything but the state was asked."""
        return bool(self.modality or self.organization or self.days or self.q)


@router.get("/imaging")
def listed(visit: Visiting, request: Request, offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0) -> Response:
    """Studies with images, newest first: those that nobody has read, or all."""
    search = Search.of(request.query_params)
    return page_or_fragment(
        visit,
        "imaging_list.html",
        "_imaging_list.html",
        found=visit.verbs.query.reading_list(visit.disclosure, search.criteria(offset)),
        search=search,
        organizations=organizations(visit),
        states=STATES,
        periods=DAYS,
        modalities=MODALITIES,
        most=MOST_LISTED,
        page_size=PAGE_SIZE,
    )
