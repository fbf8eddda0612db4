# Slurm on hosts of this machine: nodes starts it, check runs jobs under it.
EXTRA_DIST += tests/slurm/check tests/slurm/nodes

# SLURM_PARTS="limit node" runs only these.
check-slurm: all
	@$(AM_TESTS_ENVIRONMENT) \
	  '$(abs_srcdir)/tests/slurm/check' $(SLURM_PARTS) || test $$? = 77
.PHONY: check-slurm
