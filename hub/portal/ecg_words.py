"""What the viewer's scripts say: each word once, under the name by which they ask for it."""

import json

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


def words(translate: Translate) -> str:
    """All of them in one language, as JSON."""
    return json.dumps({name: translate(text) for name, text in _WORDS.items()}, ensure_ascii=False)
