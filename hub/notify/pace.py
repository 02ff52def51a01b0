"""How often, and how long: the clocks of sending on."""

import datetime as dt
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """tick_s: how often the hub looks for what is to be sent. first_wait_s doubles with each attempt up to
    longest_wait_s. most_rejections: so many answers that ask to come later, and a person has to look.
    lease_s: how long a process that says nothing more keeps others from its destination; longer than any attempt.
    """

    tick_s: float = 1.0
    first_wait_s: float = 2.0
    longest_wait_s: float = 300.0
    most_rejections: int = 12
    lease_s: float = 300.0

    def wait(self, attempts: int) -> dt.timedelta:
        """Until the next attempt after so many. Its chance keeps hubs that failed together from coming together."""
        longest = min(self.longest_wait_s, self.first_wait_s * 2 ** min(attempts, 20))
        return dt.timedelta(seconds=longest * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing

    @property
    def lease(self) -> dt.timedelta:
        return dt.timedelta(seconds=self.lease_s)
