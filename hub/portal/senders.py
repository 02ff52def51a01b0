"""Who sends to the hub and how they write: registering, profiles, and what waits as a profile would have it read."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission, require
from hub.profiles.checks import CHARSETS, NATIONAL, zones
from hub.profiles.preview import Preview
from hub.profiles.service import Sender
from schemas.faults import Category, Fault, InvalidPayload
from schemas.organization import Organization, OrganizationKind, Profile

from .render import fragment, page, swaps
from .session import Fields, Posting, Visit, Visiting


def managing(visit: Visiting) -> None:
    """Administrators only. Decided before anything of a form is read."""
    require(visit.principal, Permission.MANAGE_SENDERS)


router = APIRouter(include_in_schema=False, dependencies=[Depends(managing)])

# Rows of the map of authorities beyond those in use.
_SPARE_ROWS = 3
_MOST_ROWS = 50
Name = Annotated[str, Query(max_length=64)]


@router.get("/senders")
def senders(visit: Visiting, institution: Name = "") -> Response:
    """Every sender with what of it waits, and the institutions that answer for them; one may be chosen already."""
    return _list(visit, words={"institution": institution})


def _list(visit: Visit, fault: Fault | None = None, words: dict[str, str] | None = None) -> Response:
    known = visit.verbs.profiles.organizations()
    return page(
        visit,
        "senders.html",
        status=400 if fault else 200,
        senders=visit.verbs.profiles.senders(visit.disclosure),
        institutions=[each.organization for each in known],
        organizations={each.organization.code: each.organization for each in known},
        kinds=tuple(OrganizationKind),
        fault=fault,
        words=words or {},
    )


@router.post("/senders")
def register(visit: Posting, fields: Fields) -> Response:
    """Registers a sender; its profile is the next page."""
    name, institution = fields.get("name", "").strip(), fields.get("institution", "")
    profile = Profile(fields.get("authority", "").strip() or institution)
    try:
        visit.verbs.profiles.register(visit.disclosure, name, institution, profile)
    except Fault as fault:
        return _refused(visit, fault, fields)
    return RedirectResponse(_address(name), status_code=303)


@router.post("/senders/institutions")
def register_institution(visit: Posting, fields: Fields) -> Response:
    """Registers an institution, or replaces what is known of it."""
    said = {name: fields.get(name, "").strip() for name in ("code", "institution_name", "name_en", "credit_code")}
    kind = fields.get("kind", "")
    known = Organization(
        said["code"],
        said["institution_name"],
        said["name_en"],
        OrganizationKind(kind) if kind in set(OrganizationKind) else OrganizationKind.OTHER,
        said["credit_code"],
    )
    try:
        visit.verbs.profiles.register_organization(visit.disclosure, known)
    except Fault as fault:
        return _refused(visit, fault, fields)
    return RedirectResponse(f"/senders?institution={quote(known.code, safe='')}", status_code=303)


def _refused(visit: Visit, fault: Fault, fields: dict[str, str]) -> Response:
    if fault.category not in {Category.INVALID, Category.CONFLICT, Category.NOT_FOUND}:
        raise fault
    return _list(visit, fault, fields)


def _address(name: str, piece: str = "profile") -> str:
    return f"/senders/{piece}?name={quote(name, safe='')}"


@router.get("/senders/profile")
def profile(visit: Visiting, name: Name) -> Response:
    """What is known of a sender's habits, what was known before, and what of it waits."""
    sender = visit.verbs.profiles.sender(visit.disclosure, name)
    return _profile_page(visit, sender, sender.source.profile)


def _profile_page(
    visit: Visit, sender: Sender, shown: Profile, fault: Fault | None = None, preview: Preview | None = None
) -> Response:
    profiles = visit.verbs.profiles
    name = sender.source.name
    return page(
        visit,
        "sender.html",
        status=400 if fault else 200,
        sender=sender,
        profile=shown,
        rows=[*shown.authorities, *[("", "")] * _SPARE_ROWS][:_MOST_ROWS],
        waiting=profiles.waiting(visit.disclosure, name),
        versions=profiles.versions(visit.disclosure, name),
        authorities=profiles.authorities(visit.disclosure),
        repairs=profiles.repairs,
        charsets=CHARSETS,
        zones=zones(),
        national=NATIONAL,
        fault=fault,
        preview=preview,
    )


@router.post("/senders/profile")
def save(visit: Posting, fields: Fields) -> Response:
    """Saves the profile; what waited of the sender is then read again."""
    name = fields.get("name", "")
    edited = _edited(fields)
    try:
        visit.verbs.profiles.save(visit.disclosure, name, edited)
    except InvalidPayload as fault:
        return _profile_page(visit, visit.verbs.profiles.sender(visit.disclosure, name), edited, fault)
    waits = visit.verbs.profiles.sender(visit.disclosure, name).waiting
    return RedirectResponse(_address(name, "replay" if waits else "profile"), status_code=303)


def _edited(fields: dict[str, str]) -> Profile:
    """The profile as the form has it; rows of the map that are empty are none."""
    pairs = ((fields.get(f"sent-{n}", "").strip(), fields.get(f"known-{n}", "").strip()) for n in range(_MOST_ROWS))
    return Profile(
        authority=fields.get("authority", "").strip(),
        charset=fields.get("charset", ""),
        time_zone=fields.get("time_zone", "").strip(),
        authorities=tuple((sent, known) for sent, known in pairs if sent),
        identity_field=fields.get("identity_field", "").strip().upper(),
        repairs=tuple(key.removeprefix("repair-") for key, value in fields.items() if key.startswith("repair-")),
        new_versions=fields.get("new_versions") == "1",
    )


@router.post("/senders/preview")
def preview(visit: Posting, fields: Fields) -> Response:
    """What one waiting message would become under the profile as edited, before anything is saved."""
    name, number = fields.get("name", ""), fields.get("delivery", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise InvalidPayload("expected the number of a delivery", where="delivery")
    edited = _edited(fields)
    found: Preview | None = None
    refused: Fault | None = None
    try:
        found = visit.verbs.profiles.preview(visit.disclosure, name, edited, int(number))
    except InvalidPayload as fault:
        refused = fault
    if swaps(visit.request):
        return fragment(visit, "_sender_preview.html", preview=found, fault=refused)
    return _profile_page(visit, visit.verbs.profiles.sender(visit.disclosure, name), edited, refused, found)


_COUNTS = ("indexed", "held", "quarantined")


@router.get("/senders/replay")
def replaying(visit: Visiting, name: Name) -> Response:
    """The page on which what waited is read again, piece by piece."""
    sender = visit.verbs.profiles.sender(visit.disclosure, name)
    counts = dict.fromkeys(_COUNTS, 0)
    return page(visit, "sender_replay.html", sender=sender, waited=sender.waiting, last=0, more=True, **counts)


@router.post("/senders/replay")
def replay(visit: Posting, fields: Fields) -> Response:
    """Reads one more piece of what waited, and counts."""
    name = fields.get("name", "")
    sender = visit.verbs.profiles.sender(visit.disclosure, name)
    done = visit.verbs.profiles.replay(visit.disclosure, name, _number(fields, "last"))
    values: dict[str, Any] = {each: _number(fields, each) + getattr(done, each) for each in _COUNTS}
    values |= {"sender": sender, "waited": _number(fields, "waited"), "last": done.last, "more": done.more}
    if swaps(visit.request):
        return fragment(visit, "_sender_replay.html", **values)
    return page(visit, "sender_replay.html", **values)


def _number(fields: dict[str, str], name: str) -> int:
    text = fields.get(name, "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
