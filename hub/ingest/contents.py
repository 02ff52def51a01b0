"""Whether two contents under one SOP Instance UID are the same: told by the digests of their data sets.

To count a digest takes as long as to read the bytes, and of hardly any instance is it ever asked. So it is counted when
another content comes under the same UID.
"""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from schemas.delivery import Reading
from schemas.study import Instance
from storage import studies

from .prepared import Prepared

# SHA-256 in hexadecimal of an object's bytes from an offset on. Raises NotFound, Busy.
DigestFrom = Callable[[str, int], str]


def with_digests(tx: Connection, reading: Reading, prepared: Prepared, digest_from: DigestFrom) -> Reading:
    """The reading with the digest of each data set under whose UID something is stored; that one is noted as well."""
    if not reading.instances:
        return reading
    instances = tuple(_with_digest(tx, each, prepared, digest_from) for each in reading.instances)
    return replace(reading, instances=instances)


def _with_digest(tx: Connection, instance: Instance, prepared: Prepared, digest_from: DigestFrom) -> Instance:
    stored = studies.known_data_set(tx, instance.sop_instance_uid)
    if stored is None:
        return instance
    digest, offset, known = stored
    if not known:
        studies.put_data_set(tx, instance.sop_instance_uid, digest_from(digest, offset))
    if instance.data_set_digest:
        return instance
    return replace(instance, data_set_digest=digest_from(prepared.digest, instance.data_set_offset))
