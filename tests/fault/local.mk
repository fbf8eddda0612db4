include $(srcdir)/tests/fault/disk/local.mk

# Faults from outside: see kill-rounds for its switches.
TESTS += tests/fault/kill-rounds tests/fault/disk-faults
EXTRA_DIST += tests/fault/kill-rounds tests/fault/disk-faults

# Faults of checkpoints: ckpt.sh is what these scripts share.
EXTRA_PROGRAMS += tests/ckpt_victim
check_DATA += tests/ckpt_victim$(EXEEXT)
CLEANFILES += tests/ckpt_victim$(EXEEXT)
tests_ckpt_victim_SOURCES = tests/fault/ckpt_victim.c
tests_ckpt_victim_CPPFLAGS = $(TEST_CPPFLAGS)
tests_ckpt_victim_LDADD = $(TEST_LIBS)
CKPT_FAULTS = tests/fault/ckpt-errors tests/fault/ckpt-gaps \
	tests/fault/ckpt-kill tests/fault/ckpt-levels \
	tests/fault/ckpt-order tests/fault/ckpt-points \
	tests/fault/ckpt-stop tests/fault/ckpt-stuck
TESTS += $(CKPT_FAULTS)
EXTRA_DIST += $(CKPT_FAULTS) tests/fault/ckpt.sh

# Faults of exports: export.sh is what these share.
EXTRA_PROGRAMS += tests/export_victim
check_DATA += tests/export_victim$(EXEEXT)
CLEANFILES += tests/export_victim$(EXEEXT)
tests_export_victim_SOURCES = tests/fault/export_victim.c
tests_export_victim_CPPFLAGS = $(TEST_CPPFLAGS)
tests_export_victim_LDADD = $(TEST_LIBS)
EXPORT_FAULTS = tests/fault/export-errors tests/fault/export-kill \
	tests/fault/export-stop
TESTS += $(EXPORT_FAULTS)
EXTRA_DIST += $(EXPORT_FAULTS) tests/fault/export-read tests/fault/export.sh

# Faults of checkpoints of one writer.
EXTRA_PROGRAMS += tests/solo_victim
check_DATA += tests/solo_victim$(EXEEXT)
CLEANFILES += tests/solo_victim$(EXEEXT)
tests_solo_victim_SOURCES = tests/fault/solo_victim.c
tests_solo_victim_CPPFLAGS = $(TEST_CPPFLAGS)
tests_solo_victim_LDADD = $(TEST_LIBS)
TESTS += tests/fault/solo-faults
EXTRA_DIST += tests/fault/solo-faults
