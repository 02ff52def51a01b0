"""One request to the FHIR service: who asks, through which verbs, under which address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from hub.api.dependencies import Asker, TheVerbs
from hub.verbs import Verbs
from schemas.disclosure import Disclosure
from schemas.fhir.references import Links
from schemas.organization import OrganizationRecord
from schemas.report import ReportCriteria
from schemas.study import StudyCriteria

PREFIX = "/fhir/R4"
_JSON = frozenset({"application/fhir+json", "application/json", "text/json", "json", "application/*", "*/*"})
_RELEASES = ("4.0", "4.0.1")


@dataclass(frozen=True)
class Call:
    """What the interactions and the resource types are given."""

    verbs: Verbs
    disclosure: Disclosure
    base: str

    @cached_property
    def organizations(self) -> Mapping[str, OrganizationRecord]:
        """The institutions of the district, by code."""
        return {record.organization.code: record for record in self.verbs.query.organizations()}

    @property
    def links(self) -> Links:
        """What mappings need to write references."""
        return Links(self.base, self.organizations, {}, self.base.removesuffix(PREFIX) + "/dicomweb")

    def links_beyond(self, report_ids: Iterable[int]) -> Links:
        """The same, with what the results of these reports go on from in others."""
        found = self.verbs.query.derived_from(self.disclosure, set(report_ids))
        return replace(self.links, derived_from=found) if found else self.links

    def links_traced(self, report_ids: Iterable[int]) -> Links:
        """As beyond, with the studies that hold the waveforms of these ECGs; one question for a whole page."""
        ids = tuple(set(report_ids))
        links = self.links_beyond(ids)
        found = self.verbs.query.reports(self.disclosure, ReportCriteria(ids=ids, limit=len(ids))).items
        studies = self.links_with(record.report.study_instance_uid for record in found).studies
        uids = {record.id: record.report.study_instance_uid for record in found if record.report.recording}
        return replace(links, recordings={id_: studies[uid] for id_, uid in uids.items() if uid in studies})

    def links_with(self, study_instance_uids: Iterable[str]) -> Links:
        """The same, with the ids of these studies; one question for a whole page."""
        uids = tuple({uid for uid in study_instance_uids if uid})
        if not uids:
            return self.links
        page = self.verbs.query.studies(self.disclosure, StudyCriteria(study_instance_uids=uids, limit=len(uids)))
        studies = {record.study.study_instance_uid: record.id for record in page.items}
        return Links(self.base, self.organizations, studies, self.links.dicomweb)


def base_of(request: Request) -> str:
    """The service's address as the caller reached it, without a final slash."""
    return str(request.base_url).rstrip("/") + PREFIX


def negotiate(request: Request) -> None:
    """Only JSON of release 4 is spoken here; anything else is 406, before anything is read."""
    wanted = request.query_params.get("_format") or request.headers.get("accept") or "*/*"
    if not any(_speaks(each) for each in wanted.split(",")):
        raise HTTPException(406, "only application/fhir+json of FHIR 4.0 is spoken here")


def _speaks(media_range: str) -> bool:
    media_type, *rest = (part.strip() for part in media_range.lower().split(";"))
    options = dict(part.partition("=")[::2] for part in rest)
    release = options.get("fhirversion", _RELEASES[0]).strip('"')
    # A plus sign in an address that nobody escaped arrives as a space.
    return media_type.replace("fhir json", "fhir+json") in _JSON and release in _RELEASES and options.get("q") != "0"


def call(request: Request, verbs: TheVerbs, asker: Asker) -> Call:
    """The call of an authenticated asker."""
    return Call(verbs, asker, base_of(request))


TheCall = Annotated[Call, Depends(call)]
