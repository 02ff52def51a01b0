"""The DICOM conformance statement, made of the tables by which the services negotiate. Source: DICOM PS3.2 annex N."""

import inspect
import re
from collections.abc import Iterable, Iterator

from pydicom.uid import UID
from pynetdicom import sop_class

from schemas.faults import Category

from . import dimse
from .dimse import negotiation
from .dimse.negotiation import NATIVE, VERIFICATION
from .meta import REFERENCED
from .peers import find, identifier, retrieve, sop_classes
from .peers.attributes import ATTRIBUTES, LEVELS
from .peers.services import OFFERED
from .peers.transcoding import TARGETS
from .status import STATUS
from .store_scp import StoreScp

# pynetdicom knows classes that the dictionary of pydicom does not name yet, each by its keyword.
_KEYWORDS = {str(uid): keyword for keyword, uid in sop_class._STORAGE_CLASSES.items()}
Row = tuple[object, ...]


def class_name(uid: str) -> str:
    """The name of a storage class."""
    known = UID(uid).name
    return known if known != uid else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", _KEYWORDS.get(uid, uid))


STORAGE = tuple(sorted(negotiation._STORAGE, key=class_name))

_PUSH = sop_classes.STORAGE_COMMITMENT
_STORE_STATUSES = {
    Category.INVALID: "it cannot be read as its SOP class, or an attribute that it must have is missing or unusable",
    Category.UNSUPPORTED: "nothing that is kept: pixels that lie elsewhere, a media directory, no DICOM",
    Category.NOT_FOUND: "it names an instance that is not here",
    Category.CONFLICT: "its SOP Instance UID is known with other content, or its study or series belongs elsewhere;"
    " a person decides, sending it again changes nothing",
    Category.FORBIDDEN: "the calling AE title is no registered sender, or its certificate is not the one bound to it",
    Category.BUSY: "not now: the store is full, locked or unreachable; send it again later",
    Category.INTERNAL: "a failure of the hub's own; send it again later",
}
_QUERY_STATUSES = (
    (find.PENDING, "matches are continuing"),
    (find.PENDING_WITH_UNKNOWN_KEYS, "matches are continuing; some optional keys are not supported"),
    (find.SUCCESS, "all matches were sent"),
    (find.CANCELLED, "cancelled by the peer"),
    (find.OUT_OF_RESOURCES, f"more than {find.MOST_MATCHES} matches, or the hub is busy"),
    (find.NOT_AUTHORIZED, "this AE title was not given the right to query"),
    (identifier.IDENTIFIER_DOES_NOT_MATCH, "wrong or missing level, or a unique key of a level above is missing"),
    (identifier.UNABLE, "a key cannot be read"),
)
_RETRIEVE_STATUSES = (
    (find.PENDING, "sub-operations are continuing"),
    (find.SUCCESS, "every sub-operation succeeded, or nothing matched"),
    (find.CANCELLED, "cancelled by the peer"),
    (retrieve.WITH_FAILURES, "some sub-operations failed; (0008,0058) names them"),
    (retrieve.OUT_OF_RESOURCES, "every sub-operation failed; (0008,0058) names them"),
    (retrieve.DESTINATION_UNKNOWN, "no destination of the asker's institution has this AE title"),
    (find.NOT_AUTHORIZED, "this AE title was not given the right to query"),
    (identifier.IDENTIFIER_DOES_NOT_MATCH, "wrong or missing level, or a unique key is missing"),
    (identifier.UNABLE, "a key cannot be read, or several patients have this Patient ID"),
)


def statement(version: str, ae_title: str) -> str:
    """The whole statement in Markdown."""
    parts = (_overview(version), _networking(ae_title), _storage(), _query(), _retrieval(), _commitment())
    return "\n".join(line for part in (*parts, _step(), _characters(), _security()) for line in part) + "\n"


def _overview(version: str) -> Iterator[str]:
    yield f"# DICOM conformance statement of dxhub {version}\n"
    yield "dxhub keeps diagnostic images and reports of a district's institutions and gives them out again.\n"
    yield "## 1 Network services\n"
    rows: list[Row] = [("Verification", VERIFICATION, "C-ECHO", "no", "yes")]
    rows += [("Storage, every class (table 3)", "", "C-STORE", "yes (C-MOVE, C-GET)", "yes")]
    for each in OFFERED:
        for uid in sorted(each.sop_classes):
            rows.append((UID(uid).name, uid, each.command, "no", "yes"))
    yield from _table(("SOP class", "UID", "Operation", "SCU", "SCP"), rows)


def _networking(ae_title: str) -> Iterator[str]:
    defaults = {name: each.default for name, each in inspect.signature(StoreScp.__init__).parameters.items()}
    yield "## 2 Application entity and associations\n"
    yield "One application entity serves every operation, and asks for the associations of C-MOVE and late reports.\n"
    rows: list[Row] = [
        ("AE title (setting DXHUB_DICOM_AE_TITLE)", ae_title),
        ("Called AE title is checked", "yes" if defaults["check_called_ae_title"] else "no"),
        ("Calling AE title", "must be registered as a sender; rejected otherwise (1, 1, 3)"),
        ("Application context", "1.2.840.10008.3.1.1.1"),
        ("Implementation class UID", dimse.IMPLEMENTATION_UID),
        ("Implementation version name", dimse.IMPLEMENTATION_NAME),
        ("Maximum PDU length offered", defaults["max_pdu"]),
        ("Associations at a time, in each process", defaults["max_associations"]),
        ("Idle associations end after, seconds", defaults["idle_timeout_s"]),
        ("Asynchronous operations", "not supported: one at a time"),
        ("Role selection", "accepted as proposed for storage classes (C-GET)"),
    ]
    yield from _table(("Property", "Value"), rows)
    yield "Transfer syntaxes of every class but storage: the first of those proposed that is among these.\n"
    yield from _table(("Transfer syntax", "UID"), _named(NATIVE))


def _storage() -> Iterator[str]:
    yield "## 3 Storage\n"
    yield "As SCP: level 2 (full). Every class below, private classes and classes that are not yet in the standard, in"
    yield "every transfer syntax that is proposed first; stored as received, never re-encoded, never coerced. Refused"
    yield "are instances whose pixels lie elsewhere:\n"
    yield from _table(("Transfer syntax not taken", "UID"), _named(REFERENCED))
    yield "As SCU (C-MOVE, C-GET): in the transfer syntax in which it is stored where the peer takes it, else decoded"
    yield "to the first that it takes of these:\n"
    yield from _table(("Transfer syntax sent instead", "UID"), [(UID(uid).name, uid) for uid in TARGETS])
    yield from _table(
        ("Status of C-STORE", "When"),
        [("0000", "kept, durably"), *((f"{STATUS[category]:04X}", when) for category, when in _STORE_STATUSES.items())],
    )
    yield "(0000,0902) Error Comment names the attribute, then what was expected and what was found. What is refused"
    yield "for its content (C000, 0122, 0111) is kept all the same, and an administrator finds it under Deliveries.\n"
    yield from _table(("SOP class", "UID"), [(class_name(uid), uid) for uid in STORAGE])


def _query() -> Iterator[str]:
    yield "## 4 C-FIND\n"
    yield "Hierarchical; relational queries, date-time matching and fuzzy matching are not negotiated. Keys of levels"
    yield "above are answered too. An empty key, or `*`, matches everything. Only what the asker's institution may see"
    yield "is found.\n"
    rows = [
        (f"({each.tag >> 16:04X},{each.tag & 0xFFFF:04X})", each.keyword, each.level, each.kind, each.matching.value)
        for level in LEVELS
        for each in ATTRIBUTES
        if each.level is level
    ]
    yield from _table(("Tag", "Attribute", "Level", "Key", "Matching"), rows)
    yield "The study root has the attributes of PATIENT level at STUDY level. Retrieve AE Title (0008,0054) is always"
    yield "answered, Instance Availability (0008,0056) where it is asked for.\n"
    yield from _table(("Status", "When"), [(f"{code:04X}", when) for code, when in _QUERY_STATUSES])


def _retrieval() -> Iterator[str]:
    yield "## 5 C-MOVE and C-GET\n"
    yield "One value of each unique key above the level, one or more at it; Issuer of Patient ID where several"
    yield "institutions gave out the same Patient ID. C-MOVE goes to registered nodes of the asker's institution alone."
    yield "C-CANCEL is looked at between two sub-operations.\n"
    yield from _table(("Status", "When"), [(f"{code:04X}", when) for code, when in _RETRIEVE_STATUSES])


def _commitment() -> Iterator[str]:
    yield "## 6 Storage commitment, push model\n"
    yield f"SOP class {_PUSH}. An instance is committed when the asker's institution sent it, its SOP class is the one"
    yield "named, and the bytes kept are those received (SHA-256). The report comes on the same association while that"
    yield "is open, else on one to the registered address of the calling AE, where dxhub proposes the SCP role. It"
    yield "is tried again for two days.\n"
    reasons = [
        ("0110", "the bytes kept are not those received"),
        ("0112", "not here, or not sent by this institution"),
        ("0119", "kept under another SOP class"),
        ("0131", "the Transaction UID was used for other instances"),
    ]
    yield from _table(("Failure Reason", "When"), reasons)


def _step() -> Iterator[str]:
    yield "## 7 Modality performed procedure step\n"
    yield "N-CREATE with IN PROGRESS, N-SET until COMPLETED or DISCONTINUED; kept as received. Afterwards N-SET is"
    yield "answered 0110 with Error ID A710. N-GET and N-EVENT-REPORT are not supported.\n"


def _characters() -> Iterator[str]:
    yield "## 8 Character sets\n"
    yield "Text is read in every set of PS3.3 C.12.1.1.2; where the label is absent, wrong or implausible it is read as"
    yield "GB18030 or UTF-8, and what was sent is kept unchanged. Answers to C-FIND are written in GB18030 or GBK where"
    yield "the query says so, in the default repertoire where that is enough, and in ISO_IR 192 otherwise.\n"


def _security() -> Iterator[str]:
    yield "## 9 Security\n"
    yield "TLS 1.2 or newer with certificates of both sides (PS3.15 B.9, BCP 195) on the listener and towards nodes, by"
    yield "settings; who calls is who its certificate proves. Every query, retrieval and commitment leaves an audit"
    yield "record in the transaction that read it.\n"


def _named(uids: Iterable[str]) -> list[Row]:
    return [(UID(uid).name, uid) for uid in sorted(uids)]


def _table(head: Row, rows: Iterable[Row]) -> Iterator[str]:
    yield "| " + " | ".join(map(str, head)) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
    yield ""
