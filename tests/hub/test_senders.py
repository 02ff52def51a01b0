"""Who may send: a registered name, and where the door asks for it, a certificate that proves the name."""

import pytest

from hub.notify import Notify
from schemas.delivery import Channel, Claim
from schemas.faults import Forbidden, InvalidPayload, NotFound
from tests.hub.kernel import ADMIN, CLINICIAN, Kernel

FINGERPRINT = "sha256:" + "ab" * 32


def claim(name: str, *proven: str, channel: Channel = Channel.MLLP) -> Claim:
    return Claim(channel, name, "127.0.0.1", frozenset(proven))


def test_a_certificate_of_one_sender_cannot_send_as_another(hub: Kernel) -> None:
    assert hub.senders.identify(claim("CHC01", "cn:chc01")).source.organization == "CHC01"
    assert hub.senders.identify(claim("CHC01", "cn:gateway", "dns:chc01")).source.organization == "CHC01"
    for proven in (["cn:chc01"], ["cn:stranger"], []):
        with pytest.raises(Forbidden, match="certificate"):
            hub.senders.identify(claim("CHC02", *proven))


def test_a_sender_bound_to_certificates_needs_one_of_them(hub: Kernel) -> None:
    notify, ask = Notify(hub.database), hub.ask(ADMIN)
    notify.put_certificates(ask, "CHC01", (" DNS:LIS.CHC01.example ", FINGERPRINT, ""))
    assert notify.certificates(ask)["CHC01"] == ("dns:lis.chc01.example", FINGERPRINT)
    assert notify.certificates(ask)["CHC02"] == ()
    for proven in ("dns:lis.chc01.example", FINGERPRINT):
        assert hub.senders.identify(claim("CHC01", proven)).source.name == "CHC01"
    with pytest.raises(Forbidden, match="certificate"):
        hub.senders.identify(claim("CHC01", "cn:chc01"))  # its name alone is no longer enough
    with pytest.raises(Forbidden, match="certificate"):
        hub.senders.identify(Claim(Channel.MLLP, "CHC01", "127.0.0.1"))  # nor is a door without certificates
    # The same institution's images come through a door that asks for none.
    assert hub.senders.identify(Claim(Channel.C_STORE, "CHC01", "127.0.0.1")).source.name == "CHC01"
    # Where that door asks, they must be the right ones.
    with pytest.raises(Forbidden, match="certificate"):
        hub.senders.identify(claim("CHC01", "cn:chc01", channel=Channel.C_STORE))
    assert hub.senders.identify(claim("CHC01", FINGERPRINT, channel=Channel.C_STORE)).source.name == "CHC01"
    notify.put_certificates(ask, "CHC01", ())
    assert hub.senders.identify(claim("CHC01", "cn:chc01")).source.name == "CHC01"


def test_only_an_administrator_binds_senders_and_only_known_ones_to_what_can_be_proven(hub: Kernel) -> None:
    notify = Notify(hub.database)
    with pytest.raises(Forbidden):
        notify.put_certificates(hub.ask(CLINICIAN), "CHC01", ("cn:chc01",))
    with pytest.raises(NotFound):
        notify.put_certificates(hub.ask(ADMIN), "NOBODY", ("cn:chc01",))
    for wrong in ("chc01", "sha256:12", "cn:"):
        with pytest.raises(InvalidPayload):
            notify.put_certificates(hub.ask(ADMIN), "CHC01", (wrong,))
