"""Signing in: what a guesser meets."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from schemas.faults import Busy, Fault, Forbidden
from tests.hub.kernel import CLINICIAN, Kernel

PASSWORD = "correct horse"


def test_guesses_at_the_same_moment_are_counted_as_those_in_a_row_are(hub: Kernel) -> None:
    hub.access.put_account(CLINICIAN, PASSWORD)

    def guess(number: int) -> type[Fault]:
        with pytest.raises((Busy, Forbidden)) as refused:
            hub.access.sign_in(CLINICIAN.account, f"guess {number}", "127.0.0.1")
        return type(refused.value)

    with ThreadPoolExecutor(20) as pool:
        answers = Counter(pool.map(guess, range(20)))
    assert answers[Forbidden] == 10
    with pytest.raises(Busy):
        hub.access.sign_in(CLINICIAN.account, PASSWORD, "127.0.0.1")


def test_right_password_takes_the_wrong_ones_before_it_off_the_count(hub: Kernel) -> None:
    hub.access.put_account(CLINICIAN, PASSWORD)
    for _ in range(3):
        for _ in range(9):
            with pytest.raises(Forbidden):
                hub.access.sign_in(CLINICIAN.account, "wrong", "127.0.0.1")
        assert hub.access.sign_in(CLINICIAN.account, PASSWORD, "127.0.0.1").principal == CLINICIAN
