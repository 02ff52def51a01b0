"""A second implementation of the rules, written from the domain page alone, agrees with the hub's.

DXHUB_TEST_VERDICTS: on how many generated cases (`DXHUB_TEST_VERDICTS=20000 pytest tests/judging/test_oracle.py`).
"""

import os
import random
from collections import Counter

from hub.judging import judge
from hub.judging.answers import line
from schemas.verdict import Advice, Rule

from .building import NOW, item
from .generated import as_hub, case
from .oracle import opinion

CASES = int(os.environ.get("DXHUB_TEST_VERDICTS", "400"))
SEED = 20261125


def test_the_oracle_agrees() -> None:
    chance, advices, decided = random.Random(SEED), Counter[Advice](), Counter[Rule]()
    for number in range(CASES):
        order, results = case(chance)
        asked, priors, rules = as_hub(order, results)
        ordered = item(order["item"])
        assert ordered
        found = line(asked, ordered, priors, rules, NOW)
        verdicts = {each.prior.record.id: each.verdict for each in (*found.judged, *found.near)}
        for result, prior in zip(results, priors, strict=True):
            verdict = verdicts.get(result["id"]) or judge(asked, prior, rules, NOW)
            others = [other for other in results if other is not result]
            advice, grounds = opinion(order, result, others)
            assert verdict.advice == advice, (number, order, result, verdict.against, grounds)
            assert verdict.rule in grounds, (number, order, result, verdict.rule, grounds)
            advices[verdict.advice] += 1
            decided[verdict.rule] += 1
    assert min(advices[advice] for advice in Advice) > CASES / 20, advices
    assert len(decided) > 20, decided
