check_PROGRAMS += tests/test_schedule
tests_test_schedule_SOURCES = tests/collectives/test_schedule.c
tests_test_schedule_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_schedule_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_kernel
tests_test_kernel_SOURCES = tests/collectives/test_kernel.c
tests_test_kernel_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_kernel_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
tests_test_kernel_LDADD = $(TEST_LIBS) -lm
