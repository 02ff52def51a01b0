"""XML from carts: whatever its encoding claims, without entities, depth or size that could hurt."""

import codecs
import re
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from schemas.faults import InvalidPayload, UnsupportedPayload

_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_ENCODING = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# GB 18030 contains both of its forerunners, and carts that declare those write characters of it.
_DECLARED = {
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "gb_2312-80", "cp936", "x-gbk"), "gb18030"),
    **dict.fromkeys(("utf-8", "utf8", "us-ascii", "ascii"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "latin1", "windows-1252"), "cp1252"),
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "big5": "big5",
}
# A document type that only names a file of its own, which nobody opens; one with a subset of its own is refused.
_NAMED_TYPE = r"<!DOCTYPE\s+{}\s+(?:SYSTEM|PUBLIC)[^\[\]<>]{{0,300}}>"
_MAX_DEPTH = 100
_MAX_ELEMENTS = 50_000
# A parser holds all attributes of a tag at once, and compares each with the others.
_ENDLESS_TAG = re.compile(r"<[^<>]{16384}")


class _Builder(TreeBuilder):
    """Builds the tree, and gives up on one that no ECG has."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise InvalidPayload(f"expected at most {_MAX_DEPTH} levels and {_MAX_ELEMENTS} elements", where="XML")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def decoded(content: bytes, charset: str) -> tuple[str, bool]:
    """The text, and whether its declaration of the encoding was wrong.

    charset: a codec known for the source, tried before what the file declares; empty where it can be believed.
    """
    declared = _declared(content)
    for codec in dict.fromkeys((charset or declared, declared, "utf-8", "gb18030")):
        try:
            return content.decode(codec).removeprefix("\ufeff"), codec != declared
        except (UnicodeDecodeError, LookupError):
            continue
    raise InvalidPayload(f"text is not {declared}, as declared, nor UTF-8 nor GB 18030", where="XML declaration")


def begins(head: bytes, root: bytes) -> bool:
    """Whether the first bytes of a file are those of XML with that root element, in whatever encoding."""
    # UTF-16 puts a zero before or after each letter.
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return text.startswith(b"<") and re.search(rb"<(?:[A-Za-z_][\w.-]{0,40}:)?" + root + rb"[\s>/]", text) is not None


def _declared(content: bytes) -> str:
    for bom, codec in _BOMS:
        if content.startswith(bom):
            return codec
    match = _ENCODING.match(content)
    name = match[1].decode("ascii").lower() if match else "utf-8"
    if name not in _DECLARED:
        raise UnsupportedPayload("expected XML in UTF-8, UTF-16 or a Chinese encoding", where="XML declaration")
    return _DECLARED[name]


def parse(text: str, document_type: str = "") -> Element:
    """The root element, tags without namespaces. Raises InvalidPayload for what is not well-formed or not safe.

    document_type: the root's name where writers declare a document type by habit; the file that it names stays shut.
    """
    if document_type:
        text = re.sub(_NAMED_TYPE.format(document_type), "", text, count=1)
    if _ENDLESS_TAG.search(text):
        raise InvalidPayload("expected tags of at most 16384 characters", where="XML")
    parser = DefusedXMLParser(target=_Builder(), forbid_dtd=True)
    try:
        # The text is decoded already; a declaration that says otherwise would be believed.
        parser.feed(_DECLARATION.sub("", text, count=1))
        root: Element = parser.close()
    except ParseError as error:
        raise InvalidPayload("XML is not well-formed", where="line {}, column {}".format(*error.position)) from error
    except (DefusedXmlException, ValueError) as error:
        raise InvalidPayload("XML with a document type or entities is not taken", where="DOCTYPE") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root
