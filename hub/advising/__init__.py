"""Before an examination is ordered: what there is already, and whether it can stand in for it."""

from .service import Advising

__all__ = ["Advising"]
