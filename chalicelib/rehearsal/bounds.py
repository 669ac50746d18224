"""Between which numbers a rehearsal counts: far beyond what anybody has, and near enough that nothing overflows."""

#: Of targets, capacities and requests a minute; of the multiplier of traffic.
LEAST, MOST, MOST_TIMES = 1e-6, 1e12, 1_000.0
