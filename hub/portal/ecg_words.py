"""What the viewer's scripts say: each word once, under the name by which they ask for it."""

import json
from collections.abc import Iterable

from .i18n import N_, Translate

_WORDS = {
    "none": N_("no filter"),
    "mains": N_("mains notch 50 Hz"),
    "not_st": N_("not for judging ST"),
    "zoomed": N_("not to scale: %(percent)s of true size"),
    "uncalibrated": N_("screen not calibrated"),
    "calibrated": N_("screen calibrated"),
    "failed": N_("The tracing did not arrive. Reload the page; nothing is lost."),
    "beats": N_("%(count)s beats overlaid"),
    "no_beats": N_("No beats were found in this lead."),
    "cart_median": N_("representative beat of the cart"),
    "own_median": N_("median beat, computed by this viewer"),
    "prior": N_("Earlier"),
    "now": N_("This one"),
    "second": N_("from %(at)s s"),
    "rr": N_("RR"),
    "pr": N_("PR"),
    "qrs": N_("QRS"),
    "qt": N_("QT"),
    "amp": N_("Amplitude"),
    "march": N_("March out"),
    "place": N_(
        "%(what)s: a suggested place, check it. Arrow keys move the mark, Enter takes the other one, Escape ends."
    ),
    "rate_measured": N_("rate from the RR caliper"),
    "rate_cart": N_("rate as the cart sent it"),
    "rate_none": N_("measure an RR interval for QTc"),
    "bazett_low": N_("Below 60/min Bazett corrects too little: prefer Fridericia."),
    "bazett_high": N_("Above 100/min Bazett corrects too much: prefer Fridericia."),
    "unconfirmed": N_("Unconfirmed"),
    "bar": N_("Hold the edge of a bank card or a ruler to the screen: the bar must be %(mm)s mm wide."),
    "p-onset": N_("P begins"),
    "p-offset": N_("P ends"),
    "qrs-onset": N_("QRS begins"),
    "qrs-offset": N_("QRS ends"),
    "t-offset": N_("T ends"),
}

# What the hub has to say against a recording, or did to it: by flag of a report.
FLAGS = {
    "recording-unreadable": N_("A recording came with the report and cannot be read; it is kept as a document."),
    "picture-unreadable": N_("A picture came with the report and is damaged or too large; it is kept and not shown."),
    "gain-assumed": N_(
        "The file does not tell the gain: 200 steps for each millivolt are assumed. Check the amplitudes."
    ),
    "leads-missing": N_("Not all of the twelve leads were recorded."),
    "leads-derived": N_("Limb leads that the cart did not store follow from I and II."),
    "lead-off": N_("The cart reports an electrode that was off."),
    "groups-merged": N_("The leads were recorded one group after the other."),
    "group-offset-missing": N_("When each group of leads began was not told: they are shown as if at once."),
    "groups-left-out": N_("Recordings at another sampling rate, or of the same leads again, are not shown."),
    "channels-left-out": N_("Channels that measure no voltage are not shown."),
    "rhythm-derived": N_("The cart sent no original samples, only ones that it had computed."),
    "gaps": N_("In places nothing was recorded."),
    "padding-ignored": N_("A filling value that is also a usual voltage was not believed."),
    "resampled": N_("The samples were interpolated to a higher rate."),
    "calibration-cut": N_("The calibration pulse at the end was cut off."),
    "offset-not-applied": N_("The cart names a baseline offset whose meaning is not documented; it was not applied."),
    "charset-repaired": N_("The file names another character set than it is written in; the text was repaired."),
    "rate-none-unclear": N_("No heart rate was computed: noise, or the leads do not agree on the beats."),
    "rate-none-flat": N_("No heart rate was computed: the lines are flat."),
    "rate-none-few-beats": N_("No heart rate was computed: fewer than three beats."),
    "rate-none-paced": N_("No heart rate was computed: a pacemaker's spikes may count as beats."),
}


def told(flags: Iterable[str]) -> tuple[str, ...]:
    """What a reader must know of a recording, in the order of importance."""
    known = set(flags)
    return tuple(text for flag, text in FLAGS.items() if flag in known)


def words(translate: Translate) -> str:
    """All of them in one language, as JSON."""
    return json.dumps({name: translate(text) for name, text in _WORDS.items()}, ensure_ascii=False)
