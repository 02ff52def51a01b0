"""Uploads on their way from the socket to disk: never whole in memory, never without an end."""

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from schemas.faults import Busy, InvalidPayload

# A peer that sends nothing for so long has gone, whatever it declared.
IDLE_S = 20.0
MOST_FILES = 1000
_MOST_FIELDS = 20
_MOST_FIELD_BYTES = 4096
_IN_MEMORY = 1 << 20
# Boundaries, headers and fields beside the files themselves.
_ENVELOPE = 1 << 20
_TAIL = 16
# A WFDB record is a header and the signal files that it names; one record is one delivery.
_HEADER_ENDING = ".hea"
_LONGEST_HEADER = 1 << 16
_MOST_RECORD_BYTES = 32 << 20
_NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Upload:
    """One file, on disk unless it is small. `name`: as the sender calls it."""

    name: str
    content: BinaryIO
    size: int


@dataclass(frozen=True)
class Form:
    """What came in one request: the files, and what was told beside them."""

    files: list[Upload] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def received(
    request: Request, *, most_bytes: int, most_field_bytes: int = _MOST_FIELD_BYTES
) -> AsyncIterator[Form]:
    """The body of an upload, a multipart form or one bare file. Its files are gone when the block ends.

    Raises HTTPException 413 beyond `most_bytes`, 408 where the sender falls silent, InvalidPayload where the body
    is cut short or is no form, Busy where there is no room for it.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most_bytes + _ENVELOPE:
        raise HTTPException(413, f"expected at most {most_bytes} bytes", headers={"Connection": "close"})
    chunks = _bounded(request, most_bytes + _ENVELOPE)
    try:
        form = await (_multipart(request, chunks, most_field_bytes) if _is_form(request) else _bare(request, chunks))
    except OSError as error:
        raise Busy("no room for this upload just now") from error
    try:
        yield form
    finally:
        for upload in form.files:
            await run_in_threadpool(upload.content.close)


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "multipart/form-data"


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    stream = request.stream()
    total = 0
    while True:
        try:
            async with asyncio.timeout(IDLE_S):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise HTTPException(408, "the sender fell silent", headers={"Connection": "close"}) from error
        except ClientDisconnect as error:
            raise InvalidPayload("the body is shorter than declared", where="Content-Length") from error
        if chunk is None:
            return
        total += len(chunk)
        if total > most:
            raise HTTPException(413, f"expected at most {most} bytes", headers={"Connection": "close"})
        yield chunk


async def _multipart(request: Request, chunks: AsyncGenerator[bytes, None], most_field_bytes: int) -> Form:
    parser = MultiPartParser(
        request.headers,
        _to_the_end(chunks),
        max_files=MOST_FILES,
        max_fields=_MOST_FIELDS,
        max_part_size=most_field_bytes,
    )
    try:
        parsed = await parser.parse()
    except MultiPartException as error:
        raise InvalidPayload("expected a multipart form", where="body") from error
    form = Form()
    for name, value in parsed.multi_items():
        if isinstance(value, UploadFile):
            form.files.append(Upload(value.filename or "", value.file, value.size or 0))
        else:
            form.fields[name] = value
    return Form(await run_in_threadpool(_records, form.files), form.fields)


def _records(files: list[Upload]) -> list[Upload]:
    """The same files, each header with the signal files that it names as one zip in its place.

    The same files give the same zip, byte for byte, and so the same receipt.
    """
    taken: dict[int, list[Upload]] = {}
    by_name = {upload.name: upload for upload in files}
    for upload in files:
        if not upload.name.lower().endswith(_HEADER_ENDING) or upload.size > _LONGEST_HEADER:
            continue
        lines = upload.content.read().decode("latin-1").splitlines()
        upload.content.seek(0)
        named = dict.fromkeys(line.split()[0] for line in lines if line.strip() and not line.startswith("#"))
        signals = [by_name[name] for name in named if name in by_name and by_name[name] is not upload]
        if signals and sum(each.size for each in signals) <= _MOST_RECORD_BYTES:
            taken[id(upload)] = [upload, *signals]
    inside = {id(signal) for together in taken.values() for signal in together[1:]}
    return [
        _zipped(taken[id(upload)]) if id(upload) in taken else upload for upload in files if id(upload) not in inside
    ]


def _zipped(files: list[Upload]) -> Upload:
    spooled = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 closed by whoever asked for the form
    content = cast("BinaryIO", spooled)
    with zipfile.ZipFile(content, "w") as archive:
        for each in files:
            archive.writestr(zipfile.ZipInfo(each.name, _NO_TIME), each.content.read())
            each.content.close()
    size = content.tell()
    content.seek(0)
    return Upload(" + ".join(each.name for each in files), content, size)


async def _to_the_end(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same chunks. Raises InvalidPayload where the closing boundary is missing: RFC 2046, section 5.1.1.

    The parser would drop a last part that was cut off, and say nothing.
    """
    tail = b""
    async for chunk in chunks:
        tail = (tail + chunk[-_TAIL:])[-_TAIL:]
        yield chunk
    if not tail.rstrip().endswith(b"--"):
        raise InvalidPayload("expected the form's closing boundary", where="body")


async def _bare(request: Request, chunks: AsyncGenerator[bytes, None]) -> Form:
    content = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 closed by whoever asked for the form
    try:
        async for chunk in chunks:
            await run_in_threadpool(content.write, chunk)
        size = content.tell()
        if not size:
            raise InvalidPayload("expected at least one file", where="body")
        content.seek(0)
    except BaseException:
        content.close()
        raise
    return Form([Upload("", cast("BinaryIO", content), size)], dict(request.query_params))
