"""The verb of whoever looks after the senders. Every change is audited in its own transaction and kept as history."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hub import audit
from hub.access import Permission, require
from hub.disclosing import disclosing
from schemas.accounts import Examine
from schemas.conformance import Conformance
from schemas.delivery import DeliveryRecord, Format, Read, Receipt
from schemas.disclosure import Action, Disclosure
from schemas.faults import Conflict, Fault, NotFound
from schemas.organization import Organization, OrganizationRecord, Profile, ProfileVersion, Source
from storage import deliveries, mappings, organizations, waiting
from storage.database import Database
from storage.objects import Objects

from .checks import check_organization, check_profile, check_sender
from .preview import Preview
from .replayed import Replayed, replay_some
from .trial import Reader, Trial

_MANAGE = Permission.MANAGE_SENDERS
_LISTED = 50
_MOST_SHOWN = 4 << 20


@dataclass(frozen=True, slots=True)
class Sender:
    """A source, and how many of its deliveries wait for a person."""

    source: Source
    waiting: int


class Profiles:
    """`replay`: reads a waiting delivery again. `repairs`: those that a profile may name.

    strict, examiners: as in adapters.contract.Adapter.
    """

    def __init__(
        self,
        database: Database,
        objects: Objects,
        readers: Mapping[Format, Read],
        sniff: Callable[[bytes], Format],
        replay: Callable[[Disclosure, int], Receipt],
        *,
        repairs: Sequence[str] = (),
        strict: Mapping[Format, Callable[[bytes], Conformance]] | None = None,
        examiners: Mapping[Format, Examine] | None = None,
    ) -> None:
        self._database = database
        self._objects = objects
        self._reader = Reader(readers, sniff, strict or {}, examiners or {})
        self._replay = replay
        self.repairs = tuple(repairs)

    def senders(self, disclosure: Disclosure) -> tuple[Sender, ...]:
        """Every sender, by name."""
        require(disclosure.principal, _MANAGE)
        with self._database.read() as tx:
            counts = waiting.counts(tx)
            return tuple(Sender(source, counts.get(source.id, 0)) for source in organizations.sources(tx))

    def organizations(self) -> tuple[OrganizationRecord, ...]:
        """The institutions of the district."""
        with self._database.read() as tx:
            return organizations.organizations(tx)

    def sender(self, disclosure: Disclosure, name: str) -> Sender:
        """Raises NotFound."""
        require(disclosure.principal, _MANAGE)
        with self._database.read() as tx:
            source = organizations.source(tx, name)
            if source is None:
                raise NotFound("no sender is registered under this name", where="name")
            return Sender(source, waiting.counts(tx).get(source.id, 0))

    def versions(self, disclosure: Disclosure, name: str) -> tuple[ProfileVersion, ...]:
        """The profiles saved for a sender, newest first."""
        source = self.sender(disclosure, name).source
        with self._database.read() as tx:
            return organizations.profile_versions(tx, source.id)

    def register_organization(self, disclosure: Disclosure, organization: Organization) -> None:
        """Adds an institution, or replaces what is known of the one under this code."""
        require(disclosure.principal, _MANAGE)
        check_organization(organization)
        with self._database.write() as tx:
            organizations.put_organization(tx, organization)
            entity = f"Organization/{organization.code}"
            audit.record(tx, disclosure, Action.ADMINISTER, entity, detail="institution registered")

    def register(self, disclosure: Disclosure, name: str, organization: str, profile: Profile) -> None:
        """Adds a sender. Raises Conflict where the name is taken, NotFound for an unknown institution."""
        require(disclosure.principal, _MANAGE)
        check_sender(name)
        with self._database.write() as tx:
            if organizations.source(tx, name) is not None:
                raise Conflict("a sender of this name is registered already", where="name")
            organizations.organization(tx, organization)
            check_profile(profile, self.repairs, self._authorities_in(organizations.sources(tx)))
            organizations.put_source(tx, name, organization, profile.authority, profile.charset, profile.time_zone)
            source = organizations.source(tx, name)
            assert source is not None
            account = disclosure.principal.account
            organizations.put_profile(tx, source.id, profile, saved_by=account, now=audit.now())
            audit.record(tx, disclosure, Action.ADMINISTER, f"Source/{name}", detail=f"registered for {organization}")

    def save(self, disclosure: Disclosure, name: str, profile: Profile) -> bool:
        """Sets what is known of a sender's habits; whether that changed anything."""
        require(disclosure.principal, _MANAGE)
        with self._database.write() as tx:
            source = organizations.source(tx, name)
            if source is None:
                raise NotFound("no sender is registered under this name", where="name")
            check_profile(profile, self.repairs, self._authorities_in(organizations.sources(tx)))
            if profile == source.profile:
                return False
            account = disclosure.principal.account
            organizations.put_profile(tx, source.id, profile, saved_by=account, now=audit.now())
            changed = ", ".join(_changed(source.profile, profile))
            audit.record(tx, disclosure, Action.ADMINISTER, f"Source/{name}", detail=f"profile: {changed}")
            return True

    def authorities(self, disclosure: Disclosure) -> tuple[str, ...]:
        """The authorities that registered senders answer for."""
        return tuple(sorted(self._authorities_in(tuple(each.source for each in self.senders(disclosure)))))

    @staticmethod
    def _authorities_in(sources: Sequence[Source]) -> set[str]:
        return {source.authority for source in sources}

    def waiting(self, disclosure: Disclosure, name: str) -> tuple[DeliveryRecord, ...]:
        """What waits of a sender, oldest first, as many as a page shows."""
        source = self.sender(disclosure, name).source
        with disclosing(self._database, disclosure, Action.SEARCH, "Delivery", _MANAGE) as asked:
            ids = waiting.of_source(asked.tx, disclosure, source.id, after=0, limit=_LISTED)
            return tuple(deliveries.record(asked.tx, disclosure, each) for each in ids)

    def preview(self, disclosure: Disclosure, name: str, profile: Profile, delivery_id: int) -> Preview:
        """What a waiting delivery would become under this profile; nothing is stored.

        Raises InvalidPayload for a profile that could not be saved, NotFound where the delivery is another sender's.
        """
        source = self.sender(disclosure, name).source
        check_profile(profile, self.repairs, self.authorities(disclosure))
        with disclosing(self._database, disclosure, Action.READ, f"Delivery/{delivery_id}", _MANAGE) as asked:
            record = deliveries.record(asked.tx, disclosure, delivery_id)
            if record.source != name:
                raise NotFound("no such delivery of this sender", where="delivery")
            hint = deliveries.known_origin(asked.tx, delivery_id)[2]
        tried = source.under(profile)
        with self._objects.open(record.digest) as content:
            kind, outcome = self._reader.read(content, tried, record.format, record.received_at, hint)
            content.seek(0)
            examined = self._reader.account(content.read(_MOST_SHOWN), tried, kind, record.received_at, hint)
        reading, fault = (None, outcome) if isinstance(outcome, Fault) else (outcome, None)
        return Preview(record, kind, reading, fault, examined)

    def replay(self, disclosure: Disclosure, name: str, after: int = 0) -> Replayed:
        """Reads some of what waits of a sender once more, those behind delivery `after`; bounded in number and time."""
        source = self.sender(disclosure, name).source
        return replay_some(self._database, self._replay, disclosure, source, after)

    def examine(self, disclosure: Disclosure, content: bytes, name: str = "") -> Trial:
        """What a test message of a sender's vendor amounts to, read as that sender or as none that is known.

        Nothing of it is stored or indexed.
        """
        require(disclosure.principal, _MANAGE)
        source = self.sender(disclosure, name).source if name else None
        with self._database.read() as tx:
            known = mappings.concepts(tx)
        return self._reader.examine(content, source, known)


def _changed(before: Profile, after: Profile) -> list[str]:
    names = ("authority", "charset", "time_zone", "authorities", "identity_field", "repairs", "new_versions")
    return [name for name in names if getattr(before, name) != getattr(after, name)]
