"""The verb of whoever keeps the catalogue. Every change has a reason, makes a version, and is audited."""

import datetime as dt

from hub import audit
from hub.item_search import ranked
from schemas.catalogue import Catalogue, Item, ItemVersion
from schemas.disclosure import Action, Disclosure, Principal
from schemas.faults import Conflict, InvalidPayload, NotFound
from schemas.paging import Page
from schemas.report import ReportCategory
from storage import catalogue
from storage.database import Database

from . import item_sheet
from .checking import problems
from .item_sheet import ItemSheet
from .keeping import keeps, reason_of, require_keeper, saving


class CatalogueDesk:
    """The items, their history, and their editing. No patient data: whoever is signed in may read them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def catalogue(self, at: dt.datetime | None = None) -> Catalogue:
        """What is in force, now or at that moment."""
        with self._database.read() as tx:
            return catalogue.catalogue(tx, at)

    def keeps(self, principal: Principal) -> bool:
        """Whether to offer editing; saving decides again."""
        with self._database.read() as tx:
            return keeps(tx, principal)

    def items(
        self,
        *,
        text: str = "",
        category: ReportCategory | None = None,
        retired: bool = False,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[ItemVersion]:
        """Items by code, name, or the initials of the name's pinyin; in the catalogue's order, exact ones first."""
        versions = self.catalogue().versions.values()
        wanted = (each for each in versions if each.retired == retired and category in (None, each.item.category))
        found = ranked(wanted, text)
        return Page(tuple(found[offset : offset + limit]), len(found), offset)

    def history(self, code: str) -> tuple[ItemVersion, ...]:
        """Every version of an item, newest first. Raises NotFound."""
        with self._database.read() as tx:
            found = catalogue.history(tx, code)
        if not found:
            raise NotFound("no such item in the catalogue", where="item")
        return found

    def save(
        self, disclosure: Disclosure, item: Item, reason: str, known_version: int, *, retired: bool = False
    ) -> ItemVersion:
        """Saves an item as its next version; `known_version`: the one that was edited, 0 for a new item.

        Raises InvalidPayload for an item that is none, Conflict where somebody else has saved it meanwhile.
        """
        with saving(self._database, disclosure.principal) as tx:
            said = reason_of(reason)
            now = catalogue.catalogue(tx)
            newest = now.version(item.code)
            if (newest.version if newest else 0) != known_version:
                raise Conflict("somebody has changed this item meanwhile; look at it again", where="item")
            if wrong := next(problems(now, item), None):
                raise InvalidPayload(f"expected {wrong.expected}, found {wrong.found or 'nothing'}", where=wrong.column)
            if retired and (panels := now.panels_of(item.code)):
                raise InvalidPayload("a panel in the catalogue is made of it", where=panels[0].code)
            account = disclosure.principal.account
            made = catalogue.put(tx, item, changed_by=account, reason=said, now=audit.now(), retired=retired)
            detail = f"version {made.version}{' retired' if retired else ''}"
            audit.record(tx, disclosure, Action.ADMINISTER, f"CatalogueItem/{item.code}", detail=detail)
            return made

    def preview(self, disclosure: Disclosure, content: bytes) -> tuple[ItemSheet, int]:
        """What a sheet would change, and the state of the catalogue beside which that was found."""
        with self._database.read() as tx:
            require_keeper(tx, disclosure.principal)
            now = catalogue.catalogue(tx)
        return item_sheet.read(now, content), now.stamp

    def apply(self, disclosure: Disclosure, content: bytes, reason: str, stamp: int) -> int:
        """Saves what a sheet changes, all of it or nothing; returns how many items that were.

        Raises InvalidPayload where anything is wrong with it, Conflict where the catalogue is no longer what the
        preview showed.
        """
        with saving(self._database, disclosure.principal) as tx:
            said = reason_of(reason)
            now = catalogue.catalogue(tx)
            if now.stamp != stamp:
                raise Conflict("the catalogue has changed since the preview; look at it again", where="sheet")
            found = item_sheet.read(now, content)
            if found.problems:
                raise InvalidPayload("a row of the sheet cannot be taken", where=str(found.problems[0].row))
            account, moment = disclosure.principal.account, audit.now()
            for change in found.changes:
                catalogue.put(tx, change.after, changed_by=account, reason=said, now=moment)
            detail = f"sheet: {len(found.changes)} items"
            audit.record(tx, disclosure, Action.ADMINISTER, "CatalogueItem", detail=detail)
            return len(found.changes)

    @staticmethod
    def sheet(versions: Page[ItemVersion], language: str) -> bytes:
        """Items as a sheet that can be edited and read back."""
        return item_sheet.write((each.item for each in versions.items), language)
