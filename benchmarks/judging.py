"""Rule outcomes a second on one core, without any reading: facts in memory, judged by all default rules."""

import time
from collections import Counter

from benchmarks.account import ACCOUNT, REGION, Account
from benchmarks.naive import Gathered, Knowledge
from chalicelib.audit.auditor import needs_of, utc_now
from chalicelib.audit.judge import Judge
from chalicelib.inventory.collect import Reading
from chalicelib.policy.policy import load_policy
from chalicelib.scope import Scope


def known_of(account: Account) -> Knowledge:
    """What the slow way would gather of the account, made without any call."""
    known = Knowledge(
        endpoints=account.endpoints,
        configs=account.configs,
        models=account.models,
        notebooks=account.notebooks,
        jobs={account.job_name(number): account.job(number) for number in range(account.sizes.jobs)},
        targets=account.targets,
        policies=account.policies,
        activities=account.activities,
        alarms=list(account.alarms.values()),
        subnets=account.subnets,
    )
    known.tags |= {endpoint["EndpointArn"]: endpoint["Tags"] for endpoint in account.endpoints.values()}
    known.tags |= {model["ModelArn"]: model["Tags"] for model in account.models.values()}
    return known


def rate(account: Account, rounds: int = 3) -> tuple[float, dict[str, int]]:
    """The best of these rounds: outcomes a second of CPU; and the number of outcomes by verdict."""
    scope, policy = Scope(ACCOUNT, REGION), load_policy("baseline")
    rules = policy.enabled()
    with Reading(Gathered(known_of(account)), scope, needs_of(rules, 30), utc_now()) as reading:
        jobs = list(reading.training_jobs())
        network, estate = reading.network_of_jobs(), reading.inventory()
        best = 0.0
        for _ in range(rounds):
            judge = Judge(rules, scope)
            start = time.process_time()
            for job in jobs:
                judge.judge(job, network)
            for subject in estate.subjects:
                judge.judge(subject, estate)
            judge.merge()
            took = time.process_time() - start
            verdicts = Counter[str]()
            for counts in judge.counts.values():
                verdicts.update({verdict.value: number for verdict, number in counts.items()})
            best = max(best, verdicts.total() / took)
    return best, dict(verdicts)


if __name__ == "__main__":
    from benchmarks.account import Sizes

    best, verdicts = rate(Account(Sizes(), int(time.time())))
    print(f"{best:,.0f} outcomes a second", verdicts)
