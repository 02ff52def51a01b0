"""Instances of a series say nearly the same: what one has said is not read once more from the next.

Two headers of the same form (see `form`) read alike but for their own UID and number. Whatever is unusual has no form
and is read in the ordinary way, as is the first of its form.
"""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from schemas.delivery import Origin, Read, Reading
from schemas.study import Instance

from .form import Form, Mould, form_of

# So many are remembered: more than are sent at any moment.
_FORMS = 256
# Headers of a series differ in length as their numbers do; of a few series at once.
_MOULDS = 12


class Recurring:
    """Reads with `read`, and what comes again in the same form without it. stable: whether that is right for all."""

    def __init__(self, read: Read, stable: Callable[[Reading, Origin], bool]) -> None:
        self._read = read
        self._stable = stable
        self._known: dict[object, Reading] = {}
        self._moulds: tuple[Mould, ...] = ()

    def __call__(self, content: BinaryIO, origin: Origin) -> Reading:
        """As `read` does. Raises Faults only."""
        data = content.getvalue() if isinstance(content, io.BytesIO) else b""
        form = self._form_of(data)
        if form is None:
            return self._read(content, origin)
        source = origin.source
        key = (form.pieces, source.authority, source.charset, source.time_zone, source.organization)
        known = self._known.get(key)
        if known is not None:
            return replace(known, instances=(_another(known.instances[0], form),))
        found = self._read(content, origin)
        if self._stable(found, origin):
            if len(self._known) >= _FORMS:
                self._known.pop(next(iter(self._known)), None)
            self._known[key] = found
        return found

    def _form_of(self, data: bytes) -> Form | None:
        """As `form_of` does; from the headers that came last, where one is like them."""
        for mould in self._moulds:
            if form := mould.form_of(data):
                return form
        form = form_of(data)
        if form and form.gaps:
            self._moulds = (Mould(data, form), *self._moulds[: _MOULDS - 1])
        return form


def _another(instance: Instance, form: Form) -> Instance:
    return Instance(
        study=instance.study,
        series=instance.series,
        sop_instance_uid=form.instance.decode("ascii"),
        sop_class_uid=instance.sop_class_uid,
        transfer_syntax_uid=instance.transfer_syntax_uid,
        # Nobody asks for it unless something is stored under the same UID already.
        data_set_digest="",
        data_set_offset=form.offset,
        instance_number=int(form.number) if form.number else None,
        rows=instance.rows,
        columns=instance.columns,
        frames=instance.frames,
    )
