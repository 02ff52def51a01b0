"""Where the hub may listen: beyond this machine only what nobody can read on the way."""

from pathlib import Path

import pytest

from hub.doors import require_doors
from hub.settings import Settings, read
from schemas.faults import Forbidden, InvalidPayload


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, host="0.0.0.0", mllp_port=0, http_port=0, dicom_port=0, **given)  # type: ignore[arg-type]  # noqa: S104


def test_an_encrypted_door_may_stand_open_to_others_and_one_in_clear_may_not() -> None:
    encrypted = settings(mllp_tls_certificate=Path("hub.pem"), mllp_tls_key=Path("hub.key"))
    require_doors(encrypted, {"mllp", "worker"})
    with pytest.raises(Forbidden, match=r"\(dicom, web\)"):
        require_doors(encrypted, {"mllp", "web", "dicom"})
    require_doors(settings(dicom_tls_certificate=Path("hub.pem"), dicom_tls_key=Path("hub.key")), {"dicom"})
    with pytest.raises(Forbidden, match=r"\(mllp\)"):
        require_doors(settings(), {"mllp"})
    require_doors(settings(allow_insecure=True), {"mllp"})


@pytest.mark.parametrize(
    "given",
    [
        {"mllp_tls_certificate": "hub.pem"},
        {"tls_key": "hub.key"},
        {"mllp_tls_client_ca": "ca.pem"},
        {"dicom_tls_certificate": "hub.pem"},
        {"dicom_tls_client_ca": "ca.pem"},
    ],
)
def test_half_a_pair_of_files_is_told_before_anything_starts(given: dict[str, str]) -> None:
    with pytest.raises(InvalidPayload, match=r"certificate"):
        read(**given)
