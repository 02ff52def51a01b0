"""What people do about studies after their images came: grades, notes taken back, moves to the right patient."""

from .service import Curation

__all__ = ["Curation"]
