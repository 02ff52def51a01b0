"""Multipart bodies, written and read without any code of the hub."""

import email.parser
import email.policy
from collections.abc import Iterable

import httpx

BOUNDARY = "a-boundary-of-the-test"
STOW = {"Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'}


def multipart(contents: Iterable[bytes], media_type: str = "application/dicom") -> bytes:
    """Each content as a part."""
    parts = [f"--{BOUNDARY}\r\nContent-Type: {media_type}\r\n\r\n".encode() + content + b"\r\n" for content in contents]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def parts_of(response: httpx.Response) -> list[tuple[str, bytes]]:
    """(media type, content) of each part of a multipart response."""
    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head)
    boundary = b"--" + str(message.get_boundary()).encode()
    pieces = response.content.split(boundary)
    assert pieces[0] == b""
    assert pieces[-1] == b"--\r\n"
    found = []
    for piece in pieces[1:-1]:
        headers, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in headers.decode().split("\r\n"))
        content = content.removesuffix(b"\r\n")
        assert int(fields["Content-Length"]) == len(content)
        found.append((fields["Content-Type"], content))
    return found


def store(client: httpx.Client, *contents: bytes, study: str = "") -> httpx.Response:
    """STOW-RS of these files."""
    return client.post(f"/studies/{study}" if study else "/studies", content=multipart(contents), headers=STOW)
