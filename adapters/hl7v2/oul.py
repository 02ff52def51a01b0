"""OUL^R21 to R24, results under their specimens, to reports. Source: HL7 v2 chapter 7.3.7 to 7.3.10."""

from schemas.delivery import Reading

from .context import Context
from .groups import specimen_groups
from .oru import of_groups


def read(context: Context) -> Reading:
    """The reports of an OUL message. Raises as `oru.read`: an analyser's controls have no patient."""
    return of_groups(specimen_groups(context.message), context)
