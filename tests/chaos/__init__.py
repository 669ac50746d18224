"""Chaos: deaths of the process, odd answers of AWS, a table that fails, each at every place, for every trigger.

``make chaos`` tries all of it, and takes its time; a part, drawn by a seed, is in ``.ci/run``. It is no part of the
suite.
"""
