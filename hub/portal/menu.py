"""The ways through the portal, in the order of work; a person sees those that the role allows."""

from dataclasses import dataclass

from hub.access import Permission, allowed
from schemas.disclosure import Principal

from .i18n import N_


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the menu. `label` is a msgid, `icon` a symbol of vendor/icons.svg."""

    path: str
    label: str
    icon: str
    permission: Permission


# The first entry that a role allows is where its work begins: hence uploads and figures before patients.
_ENTRIES = (
    Entry("/upload", N_("Upload"), "upload", Permission.UPLOAD),
    Entry("/ecg", N_("ECG reading"), "activity-heartbeat", Permission.READ_ECGS),
    Entry("/ecg/unidentified", N_("Unidentified ECGs"), "user-question", Permission.READ_ECGS),
    Entry("/imaging", N_("Imaging list"), "photo-scan", Permission.READ_IMAGES),
    Entry("/decisions", N_("Recognition"), "shield-check", Permission.READ_FIGURES),
    Entry("/patients", N_("Patients"), "users", Permission.READ_REPORTS),
    Entry("/ecg/unidentified", N_("Unidentified ECGs"), "user-question", Permission.UPLOAD),
    Entry("/notices", N_("Notices"), "alert-triangle", Permission.DECIDE),
    Entry("/notices?whose=institution", N_("Notices"), "alert-triangle", Permission.READ_FIGURES),
    Entry("/quarantine", N_("Deliveries"), "inbox", Permission.MANAGE_DELIVERIES),
    Entry("/studies", N_("Studies"), "photo-scan", Permission.MANAGE_STUDIES),
    Entry("/ecg/unidentified", N_("Unidentified ECGs"), "user-question", Permission.MANAGE_STUDIES),
    Entry("/doubts", N_("Identity doubts"), "link", Permission.RESOLVE_IDENTITY),
    Entry("/tasks", N_("Code mapping"), "test-pipe", Permission.MAP_CODES),
    Entry("/quality", N_("Quality records"), "clipboard-check", Permission.KEEP_CATALOGUE),
    Entry("/catalogue", N_("Catalogue"), "list-details", Permission.KEEP_CATALOGUE),
    Entry("/senders", N_("Senders"), "building-hospital", Permission.MANAGE_SENDERS),
    Entry("/destinations", N_("Sending on"), "cloud-upload", Permission.MANAGE_CONNECTIONS),
    Entry("/audit", N_("Audit log"), "list-details", Permission.READ_AUDIT),
)


def entries(principal: Principal) -> tuple[Entry, ...]:
    """The pages that this person's role opens."""
    return tuple(entry for entry in _ENTRIES if allowed(principal, entry.permission))


def home(principal: Principal) -> str:
    """Where this person's work begins."""
    found = entries(principal)
    return found[0].path if found else "/help"
