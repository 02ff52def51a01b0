"""Looking into what was sent: what became of every part, how its text reads, what a changed text would become."""

from .service import MOST_EDITED_BYTES, Examination, Preview

__all__ = ["MOST_EDITED_BYTES", "Examination", "Preview"]
