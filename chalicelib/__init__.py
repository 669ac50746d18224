"""A resilience and scaling auditor for Amazon SageMaker."""

import gc

__version__ = "0.1.0"

#: Objects made and not freed before the youngest are looked at (Python: 700), and how seldom the older ones are. An
#: audit of 500 endpoints and 5,000 jobs takes 3.4 s of CPU with these, 3.6 s without any collector and 4.7 s with
#: Python's own numbers; the memory is the same 140 MB.
SELDOM = (100_000, 20, 100)


def collect_seldom() -> None:
    """Lets the collector run seldom, for the life of the process.

    For the places that own one (the terminal, the functions of Lambda, the tests) and for nothing else: several audits
    may run side by side.
    """
    gc.set_threshold(*SELDOM)
