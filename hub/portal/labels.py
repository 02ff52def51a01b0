"""The hub's codes in the words that people use. Every word here is a msgid."""

from schemas.accounts import Fate
from schemas.delivery import Channel, Format, RepairReason, State
from schemas.disclosure import Action, Purpose, Role
from schemas.faults import Category
from schemas.order import OrderStatus
from schemas.organization import OrganizationKind
from schemas.patient import MergeState, Sex
from schemas.report import ReportCategory, ReportStatus
from schemas.trend import Reason

from .i18n import N_

SEX = {
    Sex.MALE: N_("Male"),
    Sex.FEMALE: N_("Female"),
    Sex.OTHER: N_("Other sex"),
    Sex.UNKNOWN: N_("Sex unknown"),
}
CATEGORY = {
    ReportCategory.IMAGING: N_("Imaging"),
    ReportCategory.LABORATORY: N_("Laboratory"),
    ReportCategory.ECG: N_("ECG"),
    ReportCategory.OTHER: N_("Other document"),
}
CATEGORY_ICON = {
    ReportCategory.IMAGING: "photo-scan",
    ReportCategory.LABORATORY: "test-pipe",
    ReportCategory.ECG: "activity-heartbeat",
    ReportCategory.OTHER: "file-text",
}
STATUS = {
    ReportStatus.REGISTERED: N_("Registered"),
    ReportStatus.PARTIAL: N_("Images received"),
    ReportStatus.PRELIMINARY: N_("Preliminary"),
    ReportStatus.FINAL: N_("Final"),
    ReportStatus.AMENDED: N_("Amended"),
    ReportStatus.CORRECTED: N_("Corrected"),
    ReportStatus.CANCELLED: N_("Cancelled"),
    ReportStatus.ENTERED_IN_ERROR: N_("Withdrawn"),
}
STATUS_TONE = {
    ReportStatus.REGISTERED: "quiet",
    ReportStatus.PARTIAL: "info",
    ReportStatus.PRELIMINARY: "warn",
    ReportStatus.FINAL: "good",
    ReportStatus.AMENDED: "info",
    ReportStatus.CORRECTED: "info",
    ReportStatus.CANCELLED: "bad",
    ReportStatus.ENTERED_IN_ERROR: "bad",
}
ROLE = {
    Role.TECHNICIAN: N_("Technician"),
    Role.RADIOLOGIST: N_("Radiologist"),
    Role.ECG_READER: N_("ECG reader"),
    Role.LAB_REVIEWER: N_("Laboratory reviewer"),
    Role.CLINICIAN: N_("Clinician"),
    Role.QUALITY: N_("Quality officer"),
    Role.ADMIN: N_("Administrator"),
    Role.AUDITOR: N_("Auditor"),
    Role.SYSTEM: N_("System on the DICOM network"),
}
ORGANIZATION_KIND = {
    OrganizationKind.BUREAU: N_("Health bureau"),
    OrganizationKind.COMMUNITY_CENTRE: N_("Community health centre"),
    OrganizationKind.DISTRICT_HOSPITAL: N_("District hospital"),
    OrganizationKind.CITY_HOSPITAL: N_("City hospital"),
    OrganizationKind.OTHER: N_("Institution"),
}
DELIVERY_STATE = {
    State.INDEXED: N_("Taken"),
    State.HELD: N_("Held for a person"),
    State.QUARANTINED: N_("Quarantined"),
    State.REPAIRED: N_("Repaired"),
}
DELIVERY_TONE = {State.INDEXED: "good", State.HELD: "warn", State.QUARANTINED: "bad", State.REPAIRED: "info"}
FATE = {
    Fate.FLAGGED: N_("Flagged"),
    Fate.KEPT: N_("Kept as sent"),
    Fate.MAPPED: N_("Mapped"),
}
FATE_TONE = {Fate.FLAGGED: "warn", Fate.KEPT: "quiet", Fate.MAPPED: "good"}
REPAIR_REASON = {
    RepairReason.IDENTIFIER: N_("Wrong or missing identifier"),
    RepairReason.ORDER_NUMBER: N_("Wrong or missing order number"),
    RepairReason.STRUCTURE: N_("Broken structure"),
    RepairReason.CHARACTER_SET: N_("Wrong character set"),
    RepairReason.CODE: N_("Wrong code"),
    RepairReason.TIME: N_("Impossible time"),
    RepairReason.VALUE_FORM: N_("Form of a value"),
    RepairReason.OTHER: N_("Another reason"),
}
FORMAT = {
    Format.DICOM: "DICOM",
    Format.HL7V2: "HL7 v2",
    Format.AECG: "HL7 aECG",
    Format.SCP_ECG: "SCP-ECG",
    Format.MUSE_XML: "GE MUSE XML",
    Format.SIERRA_XML: "Philips Sierra XML",
    Format.MFER: "MFER",
    Format.EDF: "EDF",
    Format.WFDB: "WFDB",
    Format.PDF: "PDF",
    Format.PICTURE: N_("Picture"),
    Format.UNKNOWN: N_("Unknown format"),
}
CHANNEL = {
    Channel.C_STORE: "C-STORE",
    Channel.STOW_RS: "STOW-RS",
    Channel.MLLP: "MLLP",
    Channel.UPLOAD: N_("Upload"),
    Channel.WATCH: N_("Watched folder"),
    Channel.REPAIR: N_("Repaired copy"),
}
ACTION = {
    Action.SIGN_IN: N_("Signed in"),
    Action.SIGN_OUT: N_("Signed out"),
    Action.RECEIVE: N_("Received"),
    Action.SEARCH: N_("Searched"),
    Action.READ: N_("Read"),
    Action.EXPORT: N_("Downloaded"),
    Action.DECIDE: N_("Decided"),
    Action.REPLAY: N_("Read again"),
    Action.REPAIR: N_("Repaired"),
    Action.LINK: N_("Identity decided"),
    Action.ADMINISTER: N_("Administered"),
}
PURPOSE = {
    Purpose.TREATMENT: N_("Treatment"),
    Purpose.QUALITY: N_("Quality improvement"),
    Purpose.OPERATIONS: N_("Supervision"),
    Purpose.ADMINISTRATION: N_("System administration"),
}
DOUBT_REASON = {
    "birth-date-differs": N_("The birth dates differ"),
    "sex-differs": N_("The sexes differ"),
    "name-differs": N_("The names differ"),
    "birth-date-or-sex-missing": N_("A birth date or sex is missing"),
    "number-differs": N_("The identity numbers differ"),
    "several-agree": N_("Several people fit the description"),
    "described-as-another": N_("The source now describes somebody else under this number"),
    "number-contradicts-birth-date": N_("The identity number contradicts the birth date"),
    "number-contradicts-sex": N_("The identity number contradicts the sex"),
    "order-names-another": N_("A result carries the number of an order for somebody else"),
    "merge-by-another": N_("An institution merged two numbers that are not both its own"),
    "merge-contradicts": N_("Two numbers were merged, but their patients contradict each other"),
    "merge-undone-before": N_("A merge that was undone has been sent again"),
}
ORDER_STATUS = {
    OrderStatus.ACTIVE: N_("Active order"),
    OrderStatus.ON_HOLD: N_("Order on hold"),
    OrderStatus.REVOKED: N_("The order was cancelled"),
    OrderStatus.COMPLETED: N_("Order completed"),
    OrderStatus.ENTERED_IN_ERROR: N_("The order was placed in error"),
}
MERGE_STATE = {
    MergeState.MERGED: N_("Merged"),
    MergeState.ASKED: N_("Waits for a decision"),
    MergeState.UNDONE: N_("Undone"),
}
MERGE_TONE = {MergeState.MERGED: "good", MergeState.ASKED: "warn", MergeState.UNDONE: "quiet"}
# HL7 table 0078: what each code means to a reader, and the mark that says it without colour.
INTERPRETATION = {
    "H": (N_("High"), "↑", "high"),
    "HH": (N_("Critically high"), "↑↑", "critical"),
    ">": (N_("Above the measuring range"), "↑", "high"),
    "HU": (N_("Significantly high"), "↑↑", "critical"),
    "L": (N_("Low"), "↓", "low"),
    "LL": (N_("Critically low"), "↓↓", "critical"),
    "<": (N_("Below the measuring range"), "↓", "low"),
    "LU": (N_("Significantly low"), "↓↓", "critical"),
    "A": (N_("Abnormal"), "*", "high"),
    "AA": (N_("Critically abnormal"), "**", "critical"),
    "POS": (N_("Positive"), "+", "high"),
    "NEG": (N_("Negative"), "−", ""),
    "S": (N_("Susceptible"), "S", ""),
    "I": (N_("Intermediate"), "I", "low"),
    "R": (N_("Resistant"), "R", "high"),
    "MS": (N_("Moderately susceptible"), "MS", "low"),
    "VS": (N_("Very susceptible"), "VS", ""),
    "SDD": (N_("Susceptible, dose dependent"), "SDD", "low"),
    "NS": (N_("Non-susceptible"), "NS", "high"),
    "RR": (N_("Reactive"), "+", "high"),
    "NR": (N_("Non-reactive"), "−", ""),
    "DET": (N_("Detected"), "+", "high"),
    "ND": (N_("Not detected"), "−", ""),
    "U": (N_("Significant change up"), "↗", "high"),
    "D": (N_("Significant change down"), "↘", "low"),
    "N": ("", "", ""),
}
# Why numbers of the same analyte are not on one curve.
APART = {
    Reason.UNIT_DIFFERS: N_("The unit differs, and without the analyte's own properties it cannot be converted."),
    Reason.UNIT_UNKNOWN: N_("A unit was not told or is not known, so that the numbers cannot be compared."),
    Reason.METHOD_DIFFERS: N_("Measured by another method, whose numbers may not agree."),
}
# LOINC's own names of some of the following, where they are not ours.
CODED_ALSO = {"11524-6": "EKG study", "8636-3": "Q-T interval corrected"}
# What carts measure arrives under codes whose names are English; everything else keeps the name its source gave it.
CODED = {
    # What a viewer measures on images (PS3.16 TID 1500), by its code of SNOMED CT and of SNOMED RT.
    "410668003": N_("Length"),
    "G-D7FE": N_("Length"),
    "42798000": N_("Area"),
    "G-A166": N_("Area"),
    "1483009": N_("Angle"),
    "103339001": N_("Long axis"),
    "G-A185": N_("Long axis"),
    "103340004": N_("Short axis"),
    "G-A186": N_("Short axis"),
    "131191004": N_("Perimeter"),
    "131190003": N_("Radius"),
    "81827009": N_("Diameter"),
    "118565006": N_("Volume"),
    "373098007": N_("Mean"),
    "386136009": N_("Standard deviation"),
    "56851009": N_("Maximum"),
    "255605001": N_("Minimum"),
    "11524-6": N_("Resting ECG"),
    "8867-4": N_("Heart rate"),
    "8625-6": N_("PR interval"),
    "8633-0": N_("QRS duration"),
    "8634-8": N_("QT interval"),
    "8636-3": N_("QTc interval"),
    "8632-2": N_("QRS axis"),
    "MDC_ECG_TIME_PD_RR": N_("RR interval"),
    "MDC_ECG_TIME_PD_P": N_("P duration"),
    "MDC_ECG_ANGLE_P_FRONT": N_("P axis"),
    "MDC_ECG_ANGLE_T_FRONT": N_("T axis"),
    # Titles and items of structured reports that workstations write in English (PS3.16 CID 7000, 7001, TID 1500).
    "126000": N_("Imaging Measurement Report"),
    "113701": N_("X-Ray Radiation Dose Report"),
    "128401": N_("Patient Radiation Dose Report"),
    "113500": N_("Radiopharmaceutical Radiation Dose Report"),
    "111036": N_("Mammography CAD Report"),
    "112000": N_("Chest CAD Report"),
    "121120": N_("Cath Lab Procedure Log"),
    "11528-7": N_("Radiology Report"),
    "18748-4": N_("Diagnostic Imaging Report"),
    "126010": N_("Imaging Measurements"),
    "125007": N_("Measurement Group"),
    "111028": N_("Image Library"),
    "112039": N_("Tracking Identifier"),
    "112040": N_("Tracking Unique Identifier"),
    "121070": N_("Findings"),
    "121071": N_("Finding"),
    "121072": N_("Impressions"),
    "121073": N_("Impression"),
    "121060": N_("History"),
    "121076": N_("Conclusions"),
    "121077": N_("Conclusion"),
    "121058": N_("Procedure reported"),
    "121005": N_("Observer Type"),
    "121006": N_("Person"),
    "121007": N_("Device"),
    "121008": N_("Person Observer Name"),
    "121012": N_("Device Observer UID"),
    "121049": N_("Language of Content Item and Descendants"),
    "111030": N_("Image Region"),
    "363698007": N_("Finding Site"),
    "G-C0E3": N_("Finding Site"),
    "113813": N_("CT Dose Length Product Total"),
    "113830": N_("Mean CTDIvol"),
}
# One plain sentence for each category of failure; the fault's own text says what was expected and found, and where.
FAULT = {
    Category.INVALID: N_("The content cannot be read as what it claims to be."),
    Category.UNSUPPORTED: N_("The hub does not take this kind of content."),
    Category.NOT_FOUND: N_("This page or record does not exist, or is not open to you."),
    Category.CONFLICT: N_("This contradicts what is already known. Nothing was overwritten; a person decides."),
    Category.FORBIDDEN: N_("Your role does not include this."),
    Category.BUSY: N_("The hub is busy. Nothing is lost; try again in a moment."),
    Category.INTERNAL: N_("Something failed on our side. It has been noted."),
}
FAULT_TITLE = {
    Category.INVALID: N_("Cannot be read"),
    Category.UNSUPPORTED: N_("Not taken"),
    Category.NOT_FOUND: N_("Not found"),
    Category.CONFLICT: N_("Contradiction"),
    Category.FORBIDDEN: N_("Not allowed"),
    Category.BUSY: N_("Busy"),
    Category.INTERNAL: N_("An error of ours"),
}
# What each role does here, a sentence a line: the help page.
HELP = {
    Role.TECHNICIAN: (
        N_("Drop the files of your devices onto the upload page; each gets a receipt."),
        N_("See what your institution sent lately and what became of it."),
        N_("Look at the reports that your own institution issued."),
    ),
    Role.RADIOLOGIST: (
        N_("Begin with the imaging list: studies of every institution without a final report, the newest first."),
        N_("Find a patient and read images and reports of every institution."),
        N_("Compare with what came before on the same timeline."),
        N_("Open the images in the viewer, with the priors of every institution beside them."),
        N_("Measure there and press Keep measurements: what you measured stays with the study."),
    ),
    Role.ECG_READER: (
        N_("Find a patient and read the twelve leads on paper, in the layout you prefer."),
        N_("Unconfirmed tracings carry a watermark until somebody has read them."),
    ),
    Role.LAB_REVIEWER: (
        N_("See every result with its flag, its reference and its course over time."),
        N_("Corrected results show all their versions."),
        N_("Say what a laboratory's own code measures; its results then join trends and searches."),
    ),
    Role.CLINICIAN: (
        N_("Before you order, find the patient: name, pinyin initials, identity number or card number."),
        N_("Open what others measured: values, images, tracings, and the original file."),
        N_("Say in two clicks whether you reuse it, or why not."),
    ),
    Role.QUALITY: (
        N_("See how often results are recognised, and why they are repeated."),
        N_("Open the report behind any decision."),
        N_("Keep the catalogue and the quality records, by hand or from a sheet; what did not pass stands first."),
    ),
    Role.ADMIN: (
        N_("Show, repair and read again what waits: one delivery or many."),
        N_("Decide whether two records are the same person."),
        N_("Register who sends, teach the hub how they write, and show vendors where they depart from the standard."),
    ),
    Role.AUDITOR: (N_("See who saw and did what, by account, patient record and action."),),
}
