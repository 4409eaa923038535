"""Calls against a cover that a person holds and has declared: it is never bought and never sold here.

Each call is margined as if it stood alone, and no more are written than the cover stands for.
"""

from participant.core.cover import to_write_against
from participant.core.entries import Held, sell
from participant.core.gates import Richness
from participant.core.sizing import share_of_capital
from participant.core.strategy import Case, Figures, Verdict, maintain
from participant.core.structure import structure_result
from participant.core.wording import rupees


def write(case: Case, figures: Figures, rich: Richness) -> Verdict:
    """Sell calls against the declared cover, once a session, if the gates pass."""
    result, stop = structure_result(case), -share_of_capital(case, case.weights.structure_loss_share_max)
    figures = figures | {"structure_result_paise": result, "structure_stop_paise": stop}
    if result <= stop:
        return maintain(
            f"cover and calls stand at {rupees(result)}, their stop is {rupees(stop)}: no call is written before the "
            "cover is declared anew",
            figures,
        )
    if case.position.entered_on == case.day:
        return maintain("one entry a session, and today's has been made", figures)
    return sell(case, figures, rich, Held((to_write_against(case),), case.position.cover))
