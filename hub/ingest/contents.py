"""Whether two contents under one SOP Instance UID are the same: told by the digests of their data sets, and where these
differ by what they say.

To count a digest takes as long as to read the bytes, and of hardly any instance is it ever asked. So it is counted when
another content comes under the same UID.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from schemas.delivery import Format, Reading
from schemas.study import Instance
from storage import studies

from .prepared import Prepared


@dataclass(frozen=True, slots=True)
class Contents:
    """Looks into objects, which stand by their digest.

    digest_from: SHA-256 in hexadecimal of the bytes from an offset on. Raises NotFound, Busy.
    meaning_of: what the content, of that format, says in whatever encoding, as a digest; empty where it cannot be told.
    """

    digest_from: Callable[[str, int], str]
    meaning_of: Callable[[str, Format], str]

    def with_digests(self, tx: Connection, reading: Reading, prepared: Prepared) -> Reading:
        """The reading with the digest of each data set under whose UID something is stored; that one is noted as well.

        A data set that says the same as the stored one in another encoding has its digest.
        """
        if not reading.instances:
            return reading
        return replace(reading, instances=tuple(self._with_digest(tx, each, prepared) for each in reading.instances))

    def _with_digest(self, tx: Connection, instance: Instance, prepared: Prepared) -> Instance:
        stored = studies.known_data_set(tx, instance.sop_instance_uid)
        if stored is None:
            return instance
        digest, offset, known = stored
        if not known:
            known = self.digest_from(digest, offset)
            studies.put_data_set(tx, instance.sop_instance_uid, known)
        own = instance.data_set_digest or self.digest_from(prepared.digest, instance.data_set_offset)
        if own != known and self._says_the_same(digest, prepared):
            own = known
        return replace(instance, data_set_digest=own)

    def _says_the_same(self, digest: str, prepared: Prepared) -> bool:
        kind = prepared.delivery.format
        said = self.meaning_of(digest, kind)
        return bool(said) and said == self.meaning_of(prepared.digest, kind)
