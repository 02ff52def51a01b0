"""Texts in files that do not say how they are encoded."""


def text(value: bytes, charset: str = "") -> str:
    """By what is known of the source, else UTF-8, else what carts made for China write: GB 18030."""
    for each in filter(None, (charset, "utf-8", "gb18030")):
        try:
            return value.decode(each).strip("\0 ")
        except (UnicodeDecodeError, LookupError):
            continue
    return value.decode("latin-1").strip("\0 ")
