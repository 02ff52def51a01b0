"""Documents that came with reports, and the bytes as received. Source: https://hl7.org/fhir/R4/binary.html"""

import base64
import re

from fastapi import HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from hub.retrieve.content import Content
from schemas.faults import NotFound
from schemas.fhir.elements import MEDIA_TYPE
from schemas.offered import DocumentKind

from .call import Call, TheCall
from .rendering import rendered

_ATTACHMENT = re.compile(r"([1-9][0-9]{0,17})\.([1-9][0-9]{0,8})\.([1-9][0-9]{0,4})")
_DELIVERY = re.compile(r"delivery\.([1-9][0-9]{0,17})")
# Base64 inside JSON has to fit into memory, ours and the client's; larger ones are asked for as what they are.
_MOST_AS_JSON = 16 * 1024 * 1024
_PAGE = re.compile(r"page\.([1-9][0-9]{0,17})\.([1-9][0-9]{0,8})")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")


def read_binary(request: Request, call: TheCall, id: str) -> Response:  # noqa: A002 the standard's word
    """A report's document (`{report}.{version}.{position}`), its page (`page.{report}.{version}`), or `delivery.{id}`.

    In its own format, or as a Binary resource where the asker accepts nothing but FHIR.
    """
    content = _content(call, id)
    # A sender's word for a format must not become a header of ours, nor a page in the reader's browser.
    media_type = content.media_type if _TOKEN.fullmatch(content.media_type) else "application/octet-stream"
    if _only_fhir(request):
        return _as_resource(id, media_type, content)
    headers = {
        "Content-Length": str(content.size),
        "Content-Disposition": f'attachment; filename="{_UNSAFE.sub("", content.filename)}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(content.chunks, media_type=media_type, headers=headers)


def _content(call: Call, name: str) -> Content:
    if delivery := _DELIVERY.fullmatch(name):
        return call.verbs.retrieve.original(call.disclosure, int(delivery[1]))
    if page := _PAGE.fullmatch(name):
        return _page(call, int(page[1]), int(page[2]))
    attachment = _ATTACHMENT.fullmatch(name)
    if attachment is None:
        raise NotFound("no document has this id", where="Binary")
    report_id, version, position = map(int, attachment.groups())
    record = call.verbs.query.report(call.disclosure, report_id, version)
    if position > len(record.report.attachments):
        raise NotFound("this report has no such document", where="Binary")
    digest = record.report.attachments[position - 1].digest
    return call.verbs.retrieve.attachment(call.disclosure, report_id, digest, version)


def _page(call: Call, report_id: int, version: int) -> Content:
    """The report as a PDF of ours. Of an earlier version there is none: what it says holds no longer."""
    if call.verbs.query.report(call.disclosure, report_id).version != version:
        raise NotFound("this version is not offered as a document", where="Binary")
    made = call.verbs.offering.document(call.disclosure, report_id, DocumentKind.PDF)
    return Content(made.media_type, made.filename, len(made.content), iter((made.content,)))


def _only_fhir(request: Request) -> bool:
    accepted = {each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "*/*").split(",")}
    return accepted <= {MEDIA_TYPE, "application/json"}


def _as_resource(name: str, media_type: str, content: Content) -> Response:
    if content.size > _MOST_AS_JSON:
        raise HTTPException(406, "too large to be sent as JSON; accept its own format")
    data = base64.b64encode(b"".join(content.chunks)).decode()
    return rendered({"resourceType": "Binary", "id": name, "contentType": media_type, "data": data})
