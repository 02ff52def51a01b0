"""Every resource type that is served. What is not here is not served, and the capability statement does not name it."""

from collections.abc import Mapping

from . import (
    audit_events,
    communications,
    diagnostic_reports,
    imaging_studies,
    observations,
    organizations,
    patients,
    provenances,
)
from .kinds import Kind

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        patients.KIND,
        diagnostic_reports.KIND,
        observations.KIND,
        imaging_studies.KIND,
        organizations.KIND,
        provenances.KIND,
        communications.KIND,
        audit_events.KIND,
    )
}
