"""The catalogue of mutual recognition, for systems that order: what is recognised, and for how long."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from schemas.catalogue import Clocks, Item, ItemVersion, Scope, Setting
from schemas.faults import InvalidPayload, NotFound
from schemas.report import ReportCategory

from .dependencies import Asker, TheVerbs

router = APIRouter()
_HOUR = dt.timedelta(hours=1)
_PARAMETERS = frozenset({"_count", "_offset", "category", "text"})


class CodeView(BaseModel):
    """A code in a shared system."""

    system: str = Field(examples=["http://loinc.org"])
    code: str = Field(examples=["718-7"])


class ClocksView(BaseModel):
    """Hours from sampling or acquisition; null where none is set. A source is empty for the district's own default."""

    too_early_hours: float | None = Field(description="minimum retest interval", examples=[12])
    valid_hours: float | None = Field(description="recognition window", examples=[168])
    never: bool = Field(description="never suggested for reuse in this setting")
    too_early_source: str
    valid_source: str


class ItemView(BaseModel):
    """An item of the catalogue, in the version that is in force. Of a panel `members` are the codes of its items."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "L-718-7",
                    "category": "laboratory",
                    "zh": "血红蛋白",
                    "en": "Haemoglobin, blood",
                    "codes": [{"system": "http://loinc.org", "code": "718-7"}],
                    "specimen": "blood",
                    "unit": "g/L",
                    "clocks": {
                        "outpatient": {
                            "too_early_hours": 12,
                            "valid_hours": 168,
                            "never": False,
                            "too_early_source": "最短重检间隔：血常规 (minimum retest interval: blood count)",
                            "valid_source": "",
                        }
                    },
                    "price_fen": 300,
                    "scope": "province",
                    "version": 1,
                }
            ]
        }
    )

    code: str
    category: ReportCategory
    zh: str
    en: str
    codes: list[CodeView]
    also: list[str]
    specimen: str
    unit: str
    method: str
    modality: str
    body_part: str
    contrast: bool | None
    members: list[str]
    clocks: dict[Setting, ClocksView]
    information_only: bool
    volatile: bool
    price_fen: int
    scope: Scope
    source: str
    version: int
    since: dt.datetime


class ItemList(BaseModel):
    """A page of the catalogue. total: how many items match. next: address of the next page, null on the last."""

    items: list[ItemView]
    total: int
    next: str | None = Field(None, examples=["/recognition/items?_count=50&_offset=50"])


def _hours(duration: dt.timedelta | None) -> float | None:
    return None if duration is None else duration / _HOUR


def _clocks(clocks: Clocks) -> ClocksView:
    return ClocksView(
        too_early_hours=_hours(clocks.too_early),
        valid_hours=_hours(clocks.valid),
        never=clocks.never,
        too_early_source=clocks.early_source,
        valid_source=clocks.valid_source,
    )


def view(version: ItemVersion) -> ItemView:
    """The item in the words of this interface."""
    item: Item = version.item
    plain = ("code", "category", "zh", "en", "specimen", "unit", "method", "modality", "body_part", "contrast")
    more = ("information_only", "volatile", "price_fen", "scope", "source")
    return ItemView(
        **{name: getattr(item, name) for name in plain + more},
        codes=[CodeView(system=each.system, code=each.code) for each in item.codes],
        also=list(item.also),
        members=list(item.members),
        clocks={setting: _clocks(item.clocks_in(setting)) for setting in Setting},
        version=version.version,
        since=version.since,
    )


@router.get("/items", summary="The catalogue's items")
def items(
    request: Request,
    verbs: TheVerbs,
    asker: Asker,
    count: Annotated[int, Query(alias="_count", ge=1, le=1000, description="items a page")] = 50,
    offset: Annotated[int, Query(alias="_offset", ge=0, le=1_000_000, description="how many to pass over")] = 0,
    category: Annotated[ReportCategory | None, Query(description="only of this kind")] = None,
    text: Annotated[
        str, Query(max_length=100, description="in a code, a name, or the initials of its pinyin", examples=["xhdb"])
    ] = "",
) -> ItemList:
    """What institutions of the district recognise from one another: codes, clocks, price, how far a mark reaches."""
    del asker  # anyone who is signed in
    if unknown := request.query_params.keys() - _PARAMETERS:
        raise InvalidPayload("unknown parameter", where=f"query.{min(unknown)}")
    found = verbs.catalogue.items(text=text, category=category, limit=count, offset=offset)
    following = found.next_offset
    url = request.url.include_query_params(_count=count, _offset=following)
    return ItemList(
        items=[view(each) for each in found.items],
        total=found.total,
        next=None if following is None else f"{url.path}?{url.query}",
    )


@router.get("/items/{code}", summary="One item of the catalogue")
def item(code: str, verbs: TheVerbs, asker: Asker) -> ItemView:
    """The item in the version that is in force."""
    del asker
    newest = verbs.catalogue.history(code)[0]
    if newest.retired:
        raise NotFound("no such item in the catalogue", where="item")
    return view(newest)
