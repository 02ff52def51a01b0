"""What the viewer is told of one visit: where this person's studies are, the language, what the person may do."""

import json
from functools import cache
from importlib import resources
from typing import Any

from hub.access import Permission

from .i18n import translator
from .session import Visit

# The viewer's names of our languages.
_LANGUAGES = {"zh": "zh", "en": "en-US"}


def settings(visit: Visit, patient_id: int, root: str) -> dict[str, Any]:
    """Of `hub/portal/static/ohif.js`, which makes the viewer's configuration of it."""
    words = translator(visit.language)
    return {
        "root": root,
        "base": f"/viewer/{patient_id}",
        "search": f"/viewer/{patient_id}/dicomweb",
        "retrieve": "/dicomweb",
        "back": {"address": f"/patients/{patient_id}", "words": words("Back to the timeline")},
        "language": _LANGUAGES.get(visit.language, "en-US"),
        "words": _words(visit.language),
        "measures": visit.may(Permission.MEASURE),
    }


@cache
def _words(language: str) -> dict[str, dict[str, str]]:
    """Words that the viewer's own catalogue lacks, or says as no radiologist does; by namespace of that catalogue.

    `hub`: those that stand in none.
    """
    path = resources.files("hub.portal").joinpath("locale", language, "viewer.json")
    found: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return found
