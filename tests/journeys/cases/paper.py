"""What a person reads on a page: the words between the tags, a line for each block and each row of a table."""

from html.parser import HTMLParser

_UNSEEN = frozenset({"script", "style", "template", "svg", "title"})
_INLINE = frozenset({"a", "span", "strong", "code", "em", "b", "time", "td", "th", "sup", "button", "label", "mark"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        self.words.append(" " if tag in _INLINE else "\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN
        self.words.append(" " if tag in _INLINE else "\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(" ".join(data.split()) if data.strip() else " ")


def read(html: str) -> str:
    """The page as lines of words."""
    reader = _Reader()
    reader.feed(html)
    lines = (" ".join(line.split()) for line in "".join(reader.words).splitlines())
    return "\n".join(line for line in lines if line)


def line_of(page: str, words: str) -> str:
    """The first line that begins with those words: a row of a table by its item."""
    found = next((line for line in page.splitlines() if line.startswith(words)), "")
    assert found, f"no line begins with {words!r} in:\n{page}"
    return found
