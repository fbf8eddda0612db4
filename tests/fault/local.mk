include $(srcdir)/tests/fault/disk/local.mk

# Faults from outside: see kill-rounds for its switches.
TESTS += tests/fault/kill-rounds tests/fault/disk-faults
EXTRA_DIST += tests/fault/kill-rounds tests/fault/disk-faults
