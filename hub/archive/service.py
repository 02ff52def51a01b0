"""Finding and fetching images for a peer, under the right that its institution was given. Source: PS3.4 annex C."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from hub.access import Permission
from hub.coercion import coerced_object
from hub.disclosing import Asked, disclosing
from schemas.delivery import Origin
from schemas.disclosure import Action, Disclosure, Principal, Purpose, Role
from schemas.faults import Forbidden, NotFound, UnsupportedPayload
from schemas.network import Decoded, Level, Match, Node, Query, QueryRight, Selection
from schemas.study import InstanceRecord, StudyCriteria
from storage import imaged_patients, nodes, studies, study_changes
from storage.database import Database
from storage.objects import Objects

from .commitments import Committing
from .steps import Steps

_PAGE = 200
_READ = Permission.READ_REPORTS

# Frame `n` (from 1) of a stored object in a transfer syntax: an array, and the header as it was read.
ReadFrame = Callable[[BinaryIO, str, int], tuple[Any, Any]]


class Archive(Committing, Steps):
    """See schemas.network.Archive."""

    def __init__(self, database: Database, objects: Objects, read_frame: ReadFrame) -> None:
        Committing.__init__(self, database, objects)
        Steps.__init__(self, database)
        self._database = database
        self._objects = objects
        self._read_frame = read_frame

    def asker(self, origin: Origin) -> Disclosure:
        """The right under which this peer asks. Raises Forbidden where nobody gave it one."""
        with self._database.read() as tx:
            node = nodes.named(tx, origin.source.name)
        if node is None or node.query is QueryRight.NONE or node.organization != origin.source.organization:
            raise Forbidden("this application entity may not query", where="calling AE title")
        principal = Principal(node.ae_title, "", Role.SYSTEM, node.organization)
        only = node.organization if node.query is QueryRight.OWN else ""
        return Disclosure(principal, Purpose.TREATMENT, origin.address, only)

    def find(self, asker: Disclosure, query: Query) -> Iterator[Match]:
        """Everything that the index finds, page by page; each page is audited when it is read."""
        if query.level is Level.PATIENT:
            yield from self._patients(asker, query)
        elif query.level is Level.STUDY:
            yield from self._studies(asker, query)
        else:
            yield from self._within(asker, query)

    def _patients(self, asker: Disclosure, query: Query) -> Iterator[Match]:
        after: int | None = None
        while True:
            with disclosing(self._database, asker, Action.SEARCH, "Patient", _READ) as asked:
                found = imaged_patients.search(asked.tx, asker, query.studies, after=after, limit=_PAGE)
                told = [each for _, each in found if query.passes(each)]
                _shown(asked, told)
            yield from told
            if len(found) < _PAGE:
                return
            after = found[-1][0]

    def _studies(self, asker: Disclosure, query: Query) -> Iterator[Match]:
        # What arrives meanwhile moves the pages: the same study is then met twice and told once.
        told: set[int] = set()
        offset = 0
        while True:
            criteria = _page(query.studies, offset)
            with disclosing(self._database, asker, Action.SEARCH, "ImagingStudy", _READ) as asked:
                found = studies.search(asked.tx, asker, criteria).items
                ids = [each.id for each in found]
                classes = imaged_patients.sop_classes(asked.tx, asker, ids) if query.details else {}
                matches = [Match(each, sop_classes=classes.get(each.id, ())) for each in found if each.id not in told]
                matches = [each for each in matches if query.passes(each)]
                _shown(asked, matches)
            yield from matches
            told.update(ids)
            if len(found) < _PAGE:
                return
            offset += _PAGE

    def _within(self, asker: Disclosure, query: Query) -> Iterator[Match]:
        """Series or instances of one study."""
        (uid,) = query.studies.study_instance_uids
        with disclosing(self._database, asker, Action.READ, f"ImagingStudy?uid={uid}", _READ) as asked:
            known = studies.search(asked.tx, asker, _page(query.studies, 0)).items
            series = studies.series(asked.tx, asker, uid) if known else ()
            if known and query.level is Level.IMAGE:
                above = {each.series.series_instance_uid: each for each in series}
                instances = studies.instances(asked.tx, asker, uid, query.series_uid)
                found = [Match(known[0], above.get(each.series_instance_uid), each) for each in instances]
            else:
                found = [Match(known[0], each) for each in series]
            matches = [each for each in found if query.passes(each)]
            _shown(asked, matches)
        yield from matches

    def select(self, asker: Disclosure, selection: Selection) -> tuple[InstanceRecord, ...]:
        """The instances that are meant, study by study; none where there are none, or none that the asker may have."""
        with disclosing(self._database, asker, Action.EXPORT, "ImagingStudy", _READ) as asked:
            found: list[InstanceRecord] = []
            for study in imaged_patients.chosen(asked.tx, asker, selection):
                uid = study.study.study_instance_uid
                meant = [each for each in studies.instances(asked.tx, asker, uid) if _meant(each, selection)]
                if meant:
                    asked.shows([study.patient_id])
                    asked.entity = f"ImagingStudy/{study.id}"
                found += meant
            asked.detail = f"{len(found)} instances"
        return tuple(found)

    def destination(self, asker: Disclosure, ae_title: str) -> Node:
        """Where a C-MOVE may send: a node of the asker's own institution. Raises NotFound."""
        with self._database.read() as tx:
            node = nodes.named(tx, ae_title)
        if node is None or not node.may_move or not node.host or node.organization != asker.principal.organization:
            raise NotFound("no such destination of this institution", where="(0000,0600)")
        return node

    def open(self, instance: InstanceRecord) -> BinaryIO:
        """The stored object, seekable; of a study that was moved, with the patient to whom it belongs."""
        with self._database.read() as tx:
            change = study_changes.known_move(tx, instance.study_instance_uid)
        stored = self._objects.open(instance.digest)
        if change is None:
            return stored
        with stored:
            return coerced_object(stored, change, instance.data_set_offset)

    def decoded(self, instance: InstanceRecord) -> Decoded:
        """Its compressed pixel data, frame by frame; the first is decoded at once, so that damage shows early."""
        with self._objects.open(instance.digest) as source:
            first, header = self._read_frame(source, instance.transfer_syntax_uid, 1)
        content = _little(first)
        rgb = str(header.get("PhotometricInterpretation") or "").startswith("YBR")

        def frames() -> Iterator[bytes]:
            yield content
            with self._objects.open(instance.digest) as again:
                for number in range(2, instance.frames + 1):
                    again.seek(0)
                    frame = _little(self._read_frame(again, instance.transfer_syntax_uid, number)[0])
                    if len(frame) != len(content):
                        raise UnsupportedPayload("frames of different sizes", where="(7FE0,0010)")
                    yield frame

        return Decoded(len(content), frames(), rgb)


def _shown(asked: Asked, matches: list[Match]) -> None:
    asked.detail = f"C-FIND {len(matches)}"
    asked.shows(each.study.patient_id for each in matches)


def _page(criteria: StudyCriteria, offset: int) -> StudyCriteria:
    return replace(criteria, limit=_PAGE, offset=offset)


def _meant(instance: InstanceRecord, selection: Selection) -> bool:
    series, sops = selection.series_uids, selection.sop_uids
    return (not series or instance.series_instance_uid in series) and (not sops or instance.sop_instance_uid in sops)


def _little(pixels: Any) -> bytes:  # noqa: ANN401 a NumPy array
    return bytes(pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes())
