"""Names of canonical values in the words that people use: what a field of a message became."""

from types import MappingProxyType

from .i18n import N_

_NAMES = MappingProxyType(
    {
        "patient.identifiers": N_("Patient identifiers"),
        "patient.name": N_("Patient name"),
        "patient.birth_date": N_("Date of birth"),
        "patient.sex": N_("Administrative sex"),
        "report.category": N_("Kind of report"),
        "report.status": N_("Report status"),
        "report.code": N_("Service"),
        "report.observed_at": N_("Observation time"),
        "report.issued_at": N_("Result time"),
        "report.placer_order_number": N_("Placer order number"),
        "report.filler_order_number": N_("Filler order number"),
        "report.accession_number": N_("Accession number"),
        "report.specimen": N_("Specimen"),
        "report.performers": N_("Who answers for it"),
        "report.findings": N_("Findings"),
        "report.conclusion": N_("Conclusion"),
        "report.attachments": N_("Attached document"),
        "report.study_instance_uid": N_("Study instance UID"),
        "report.key": N_("Identity of the report"),
        "report.flags": N_("Marks of the report"),
        "report.parent": N_("Parent result"),
        "report.requesters": N_("Who asked for it"),
        "report.sent_at": N_("Time of message"),
        "report.pointers": N_("Attached document"),
        "report": N_("The report itself"),
        "observation": N_("The result itself"),
        "observation.code": N_("Observation identifier"),
        "observation.value": N_("Value"),
        "observation.sub_id": N_("Sub-id"),
        "observation.unit": N_("Units"),
        "observation.reference_range": N_("Reference range"),
        "observation.interpretation": N_("Abnormal flags"),
        "observation.status": N_("Result status"),
        "observation.observed_at": N_("Observation time"),
        "observation.method": N_("Method"),
        "observation.notes": N_("Note"),
        "service_order": N_("The order itself"),
        "delivery.merges": N_("Merge of patients"),
        "delivery.source": N_("Who sent it"),
        "delivery.message_id": N_("Message id"),
        "message": N_("Whether it is taken"),
        "message.delimiters": N_("Delimiters"),
        "message.charset": N_("Character set"),
    }
)


def value_name(value: str) -> str:
    """The msgid of a canonical value's name; the technical name where there is no better."""
    if value.startswith("acknowledgement."):
        return N_("The acknowledgement")
    if value.startswith("service_order."):
        return N_("The order itself")
    return _NAMES.get(value, value)
