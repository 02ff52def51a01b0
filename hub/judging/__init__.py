"""The rules of mutual recognition: pure functions over what is known of an order and of prior results."""

from .answers import line
from .state import is_critical, relation
from .verdict import RULES, judge

__all__ = ["RULES", "is_critical", "judge", "line", "relation"]
