"""What services there are. Source: CDS Hooks 2.0, Discovery."""

from typing import Any

SERVICE = "prior-results"
HOOKS = ("order-select", "order-sign")
_TITLE = "既往结果与互认建议 / Prior results"
_DESCRIPTION = (
    "开单时给出该患者在全区各机构已有的同项目结果，以及能否互认、依据何在。"
    "Tells what results of the ordered item the district already has, whether they qualify for reuse, and why."
)
_PREFETCH = {"patient": "Patient/{{context.patientId}}", "encounter": "Encounter/{{context.encounterId}}"}
_USAGE = "Prefetch the patient with identifiers, or name this hub's own FHIR service as fhirServer; no other is called."


def services() -> dict[str, Any]:
    """The same service at two moments; hosting both under one id lets advice follow the order."""
    return {
        "services": [
            {
                "hook": hook,
                "id": SERVICE,
                "title": _TITLE,
                "description": _DESCRIPTION,
                "prefetch": _PREFETCH,
                "usageRequirements": _USAGE,
            }
            for hook in HOOKS
        ]
    }
