"""What people do about studies after their images came: grades, notes taken back, moves to the right patient."""

from .service import Curation
from .unidentified import Unidentified

__all__ = ["Curation", "Unidentified"]
