# The examples as users have them: interrupted, restarted, looked at with other
# tools.
TESTS += tests/examples/guide tests/examples/heat2d tests/examples/sbatch
EXTRA_DIST += tests/examples/guide tests/examples/heat2d \
	tests/examples/sbatch tests/examples/field.sh
