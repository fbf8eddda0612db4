# Faults from outside: see kill-rounds for its switches.
TESTS += tests/fault/kill-rounds
EXTRA_DIST += tests/fault/kill-rounds
