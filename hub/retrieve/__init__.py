"""Handing out what is kept: originals, documents, waveforms, images."""

from hub.headers import Headers
from storage.database import Database
from storage.objects import Objects

from .content import Content, FilePieces
from .display import Window
from .documents import Documents
from .frames import ANY
from .images import PDF, Images

__all__ = ["ANY", "PDF", "Content", "FilePieces", "Retrieve", "Window"]


class Retrieve(Documents, Images):
    """Everything that can be opened, read under a Disclosure and audited."""

    def __init__(self, database: Database, objects: Objects, headers: Headers | None = None) -> None:
        Documents.__init__(self, database, objects)
        Images.__init__(self, database, objects, headers)
