"""What a fault says, in the reader's language. A fault's own words are English: they go to engineers and machines.

Those that people meet at work stand here; any other keeps its English words, which are better than none.
"""

import re
from collections.abc import Callable

from schemas.faults import Fault

from .account_words import REASONS
from .i18n import LANGUAGES, N_, Translate, translator
from .labels import DOUBT_REASON

# `%(name)s` stands for what was found.
KNOWN = (
    N_("no usable patient identifier"),
    N_("patient identifier missing"),
    N_("a Patient ID is missing, so the images can be given to nobody"),
    N_("a PDF cannot say whose it is: the upload must name %(missing)s"),
    N_("a picture cannot say whose it is: the upload must name %(missing)s"),
    N_("the picture is damaged or cut short"),
    N_("the picture unpacks to more than its size tells"),
    N_("expected a picture of at most %(side)s dots a side and %(most)s in all"),
    N_("no patient: quality control results are not taken"),
    N_("the patient known under this identifier is described otherwise (%(reason)s)"),
    N_("the study is already bound to another patient"),
    N_("only the institution whose study it is may reject its images"),
    N_("a rejection note names no instance"),
    N_("this study was not moved; there is nothing to undo"),
    N_("nothing of this study is hidden that could be removed"),
    N_("only the institution whose study it is, or the health bureau, may remove its images"),
    N_("expected your confirmation that the images may go for good"),
    N_("the same content is just being removed; send it again"),
    N_("the study is this patient's already"),
    N_("expected a reason for this grade"),
    N_("this report is already bound to another patient"),
    N_("an order is stopped by whoever placed it, or by whoever fills it"),
    N_("another instance is stored under this SOP Instance UID"),
    N_("a unique identifier is missing"),
    N_("the content is of no kind that this hub reads"),
    N_("messages of type %(kind)s are not taken"),
    N_("a media directory points at instances and is none"),
    N_("declares %(declared)s bytes where %(left)s are left"),
    N_("the data set ends in the middle of an element"),
    N_("the transfer syntax is missing and cannot be told"),
    N_("this sender is not registered"),
    N_("expected the file in a folder that is named as its source"),
    N_("a symbolic link is not followed"),
    N_("the file cannot be read"),
    N_("expected a file, found something else"),
    N_("a signal file that the header names is missing: upload header and signals together, or in one zip"),
    N_("the header (.hea) is missing beside the signals: upload both together"),
    N_("the checksum of a signal is wrong: its samples were damaged"),
    N_("PDF is cut short: its end mark is missing"),
    N_("XML is not well-formed"),
    N_("XML with a document type or entities is not taken"),
    N_("expected content, found none"),
    N_("expected a message that begins with MSH"),
    N_("expected a PID segment, found none"),
    N_("expected results behind the patient, found none"),
    N_("expected a file of at most %(bytes)s bytes"),
    N_("expected the patient's name beside the number"),
    N_("expected 18 characters with a correct check digit"),
    N_("expected an identity number or a card number"),
    N_("expected a date like 1980-02-03"),
    N_("expected a date and time like 2026-11-21T10:30"),
    N_("expected a choice: recognised, or a reason why not"),
    N_("the report was withdrawn by its source; it cannot be recognised"),
    N_("a newer version of this report exists; look at that one"),
    N_("expected the code of a diagnosis with this reason"),
    N_("expected a remark: this notice is to a colleague"),
    N_("this notice was acknowledged already"),
    N_("no such notice"),
    N_("an institution sees its own figures"),
    N_("expected a period of one day to two years"),
    N_("the patient's identity is in doubt; the report cannot be recognised yet"),
    N_("measurements, dose and logs stand beside a report; only the report is recognised"),
    N_("expected a CONTAINER as the root of the content tree"),
    N_("this report is not offered as a document"),
    N_("this report has no text that a structured report could hold"),
    N_("somebody else has just saved the same; look at it again"),
    N_("only the health bureau keeps the catalogue and the quality records"),
    N_("somebody has changed this item meanwhile; look at it again"),
    N_("somebody has changed this record meanwhile; look at it again"),
    N_("the catalogue has changed since the preview; look at it again"),
    N_("the records have changed since the preview; look at it again"),
    N_("a panel in the catalogue is made of it"),
    N_("expected a sheet saved as CSV"),
    N_("expected a sheet saved as CSV, in UTF-8 or GB18030"),
    N_("the sheet is empty"),
    N_("the first row names none of the columns"),
    N_("a column stands in the sheet twice"),
    N_("no such item in the catalogue"),
    N_("a row of the sheet cannot be taken"),
    N_("this report has no content tree"),
    N_("this version is not offered as a document"),
    N_("this delivery does not wait; there is nothing to replay"),
    N_("this delivery does not wait; there is nothing to repair"),
    N_("expected a reason for the repair"),
    N_("expected a change; the copy equals the original"),
    N_("these bytes were received before, as delivery %(delivery)s"),
    N_("content of this kind or size cannot be edited here"),
    N_("expected characters of the message's character set, %(codec)s"),
    N_("expected encoding characters, neither letters nor digits nor blanks"),
    N_("encoding characters must differ from each other and from the separator"),
    N_("expected a character set of %(charsets)s"),
    N_("expected the IANA name of a time zone, such as Asia/Shanghai"),
    N_("expected a field of the patient such as PID-19, PV1-19.2 or ZPI-3"),
    N_("these two repairs exclude each other"),
    N_("expected at most %(most)s authorities, each once"),
    N_("expected an authority as it is sent"),
    N_("expected an authority that is known here"),
    N_("expected a short name of letters, digits, dots and dashes"),
    N_("expected a name of at most %(most)s characters"),
    N_("expected 18 characters with a correct check character"),
    N_("expected the calling AE title or MSH-4, at most 64 characters"),
    N_("a sender of this name is registered already"),
    N_("no institution is registered under this code"),
    N_("expected a LOINC code such as 6690-2, with its check digit"),
    N_("expected a unit of UCUM such as 10*9/L"),
    N_("this code is mapped already; take that back first"),
    N_("this task is answered already"),
    N_("expected a reason"),
    N_("this role does not include what was asked"),
    N_("expected this session's form token; reload the page and try again"),
    N_("the database is locked, full or does not answer; nothing was promised"),
    N_("expected an AE title of 1 to 16 characters"),
    N_("expected a host for a node that images are sent to"),
    N_("images leave this machine only encrypted: switch TLS on"),
    N_("a node of this AE title is registered already"),
    *REASONS,
    N_("a later version of this report was sent; this one would undo it"),
    N_("this was decided already"),
    N_("expected a name for the destination"),
    N_("expected a host name or an address"),
    N_("expected a port between 1 and 65535"),
    N_("results leave this machine only encrypted: switch TLS on"),
    N_("expected cn:, dns:, ip:, uri:, email: or sha256: and a value"),
    N_("the line broke: %(kind)s"),
    N_("cannot be reached: %(kind)s"),
    N_("no encrypted connection: %(kind)s"),
    N_("the answer cannot be read"),
)
_MISSING = (N_("patient"), N_("category"), N_("time of the examination"))
_PLACE = re.compile(r"%\\\((\w+)\\\)s")


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(words)), re.DOTALL)


_PATTERNS = tuple((words, _pattern(words)) for words in KNOWN)


def teller(translate: Translate) -> Callable[[str], str]:
    """Says a fault's text in one language."""

    def told(text: str) -> str:
        for words, pattern in _PATTERNS:
            if found := pattern.fullmatch(text):
                values = {name: _value(translate, name, value) for name, value in found.groupdict().items()}
                return translate(words) % values if values else translate(words)
        return text

    return told


def in_both_languages(fault: Fault) -> str:
    """A fault for whoever finds it beside a file: Chinese first, then English, then the place."""
    words = (teller(translator(language))(fault.text) for language in LANGUAGES)
    return "\n".join(dict.fromkeys((*words, fault.where))) + "\n"


def noter(translate: Translate) -> Callable[[str], str]:
    """Says a note of an accounting (`OBX[3]-5: not a number, kept as text`) in one language."""
    told = teller(translate)

    def noted(note: str) -> str:
        place, separator, reason = note.partition(": ")
        return f"{place}{separator}{told(reason)}" if separator else note

    return noted


def _value(translate: Translate, name: str, value: str) -> str:
    if name == "reason":
        return ", ".join(translate(DOUBT_REASON.get(part, part)) for part in value.split(", "))
    if name == "missing":
        return ", ".join(translate(part) for part in value.split(", "))
    return value
