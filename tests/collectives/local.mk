PROOF = tests/collectives/meaning.c tests/collectives/meaning.h \
	tests/collectives/proof.c tests/collectives/proof.h

check_PROGRAMS += tests/test_schedule
tests_test_schedule_SOURCES = tests/collectives/test_schedule.c $(PROOF)
tests_test_schedule_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_schedule_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_costs
tests_test_costs_SOURCES = tests/collectives/formulas.c \
	tests/collectives/formulas.h tests/collectives/test_costs.c $(PROOF)
tests_test_costs_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_costs_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_parts
tests_test_parts_SOURCES = tests/collectives/test_parts.c $(PROOF)
tests_test_parts_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_parts_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_simulate
tests_test_simulate_SOURCES = tests/collectives/meaning.c \
	tests/collectives/meaning.h tests/collectives/test_simulate.c
tests_test_simulate_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_simulate_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_kernel
tests_test_kernel_SOURCES = tests/collectives/test_kernel.c
tests_test_kernel_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_kernel_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
tests_test_kernel_LDADD = $(TEST_LIBS) -lm

COLL_FIXTURE = tests/collectives/buffers.c tests/collectives/buffers.h \
	tests/collectives/every_type.c tests/collectives/operations.c \
	tests/collectives/operations.h tests/collectives/special.c \
	tests/collectives/together.c tests/comm/fixture.c \
	tests/comm/fixture.h
COLL_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/tests/comm

check_PROGRAMS += tests/test_misfit
tests_test_misfit_SOURCES = tests/collectives/test_misfit.c \
	tests/collectives/ahead.c tests/collectives/ahead.h \
	tests/collectives/giving.c tests/collectives/giving.h \
	tests/collectives/job.h tests/comm/fixture.c tests/comm/fixture.h
tests_test_misfit_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_misfit_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_polling
tests_test_polling_SOURCES = tests/collectives/test_polling.c \
	tests/collectives/job.h tests/comm/fixture.c tests/comm/fixture.h
tests_test_polling_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_polling_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_left
tests_test_left_SOURCES = tests/collectives/test_left.c \
	tests/collectives/job.h tests/comm/fixture.c tests/comm/fixture.h
tests_test_left_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_left_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_wish
tests_test_wish_SOURCES = tests/collectives/test_wish.c \
	tests/collectives/job.h tests/comm/fixture.c tests/comm/fixture.h
tests_test_wish_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_wish_LDADD = $(TEST_LIBS)

# It takes away the time limit of a sleep.
check_PROGRAMS += tests/test_beside
tests_test_beside_SOURCES = tests/collectives/test_beside.c \
	tests/collectives/job.h tests/comm/fixture.c tests/comm/fixture.h
tests_test_beside_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_beside_LDFLAGS = -Wl,--wrap=pthread_cond_timedwait
tests_test_beside_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_coll
tests_test_coll_SOURCES = tests/collectives/again.c \
	tests/collectives/again.h tests/collectives/test_coll.c \
	tests/collectives/job.h $(COLL_FIXTURE)
tests_test_coll_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_coll_LDADD = $(TEST_LIBS) -lm

check_PROGRAMS += tests/test_coll_many
tests_test_coll_many_SOURCES = tests/collectives/test_coll_many.c \
	tests/collectives/job.h $(COLL_FIXTURE)
tests_test_coll_many_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_coll_many_LDADD = $(TEST_LIBS) -lm

check_PROGRAMS += tests/test_large
tests_test_large_SOURCES = tests/collectives/test_large.c \
	tests/collectives/job.h tests/comm/fixture.c tests/comm/fixture.h
tests_test_large_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_large_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_coll_domains
tests_test_coll_domains_SOURCES = tests/collectives/test_coll_domains.c \
	tests/collectives/job.h $(COLL_FIXTURE)
tests_test_coll_domains_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_coll_domains_LDADD = $(TEST_LIBS) -lm

# It counts what the library allocates.
check_PROGRAMS += tests/test_reducer
tests_test_reducer_SOURCES = tests/collectives/reducing.c \
	tests/collectives/reducing.h tests/collectives/test_reducer.c \
	tests/comm/fixture.c tests/comm/fixture.h \
	tests/harness/allocations.c tests/harness/allocations.h
tests_test_reducer_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_reducer_LDFLAGS = $(RPT_TEST_WRAP)
tests_test_reducer_LDADD = $(TEST_LIBS) -lm

# It makes allocations of the library fail.
check_PROGRAMS += tests/test_no_memory
tests_test_no_memory_SOURCES = tests/collectives/test_no_memory.c \
	tests/collectives/job.h tests/comm/fixture.c tests/comm/fixture.h \
	tests/harness/allocations.c tests/harness/allocations.h
tests_test_no_memory_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_no_memory_LDFLAGS = $(RPT_TEST_WRAP)
tests_test_no_memory_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_look
tests_test_look_SOURCES = tests/collectives/test_look.c
tests_test_look_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_look_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/test_pace
tests_test_pace_SOURCES = tests/collectives/test_pace.c
tests_test_pace_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_pace_LDADD = $(TEST_LIBS) -lm

check_PROGRAMS += tests/test_select
tests_test_select_SOURCES = tests/collectives/test_select.c \
	tests/comm/fixture.c tests/comm/fixture.h
tests_test_select_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_select_LDADD = $(TEST_LIBS) -lm

check_PROGRAMS += tests/test_policy
tests_test_policy_SOURCES = tests/collectives/test_policy.c \
	tests/comm/fixture.c tests/comm/fixture.h
tests_test_policy_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_policy_LDADD = $(TEST_LIBS) -lm

# The fuzzer without libFuzzer: it tries its corpus once.
check_PROGRAMS += tests/corpus_rules
tests_corpus_rules_SOURCES = tests/fuzz/fuzz_rules.c tests/fuzz/corpus.h
tests_corpus_rules_CPPFLAGS = $(TEST_CPPFLAGS)
tests_corpus_rules_LDADD = librepartir_all.la
EXTRA_DIST += tests/fuzz/corpus/rules

# Alone it is a job of one rank; the script starts it in every other way.
check_PROGRAMS += tests/test_coll_mpi
tests_test_coll_mpi_SOURCES = tests/collectives/by_kernel.c \
	tests/collectives/by_kernel.h tests/collectives/reducing.c \
	tests/collectives/reducing.h tests/collectives/refused.c \
	tests/collectives/refused.h tests/collectives/test_coll_mpi.c \
	$(COLL_FIXTURE)
tests_test_coll_mpi_CPPFLAGS = $(COLL_CPPFLAGS)
tests_test_coll_mpi_LDADD = $(TEST_LIBS) -lm
TESTS += tests/collectives/under_mpirun
EXTRA_DIST += tests/collectives/under_mpirun
