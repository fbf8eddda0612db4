check_PROGRAMS += tests/test_map tests/test_machine
tests_test_map_SOURCES = tests/topo/test_map.c tests/topo/seats.h
tests_test_map_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_map_LDADD = $(TEST_LIBS)
tests_test_machine_SOURCES = tests/topo/test_machine.c tests/topo/seats.h
tests_test_machine_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_machine_LDADD = $(TEST_LIBS) $(HWLOC_LIBS)
EXTRA_DIST += tests/topo/gpus.xml
