"""Finding and reading what is indexed. Every answer is audited in the transaction that read it."""

from storage.searching import Found

from .service import Query

__all__ = ["Found", "Query"]
