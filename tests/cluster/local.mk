# Several hosts on this machine: hosts makes them, check runs jobs over them.
EXTRA_PROGRAMS += tests/lost_host_mpi
CLEANFILES += tests/lost_host_mpi
tests_lost_host_mpi_SOURCES = tests/cluster/lost_host_mpi.c
tests_lost_host_mpi_LDADD = librepartir.la

TESTS += tests/cluster/smoke
EXTRA_DIST += tests/cluster/check tests/cluster/hosts tests/cluster/smoke

# CLUSTER_PARTS="layouts lost" runs only these.
check-cluster: all tests/test_comm_mpi tests/test_coll_mpi \
		tests/pmpi_app_mpi tests/lost_host_mpi
	@$(AM_TESTS_ENVIRONMENT) \
	  '$(abs_srcdir)/tests/cluster/check' $(CLUSTER_PARTS) || test $$? = 77
