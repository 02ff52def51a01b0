"""The benchmarks as pytest runs them: `pytest -n 0 -m benchmark`. They print; what is judged is that all was taken."""

import pytest

from tests.benchmarks import cstore, mllp

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]


def test_cstore_load_is_acknowledged_to_the_last_instance(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        cstore.main([])


def test_mllp_load_is_acknowledged_to_the_last_message(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        mllp.main([])
