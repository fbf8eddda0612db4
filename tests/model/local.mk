# Models of protocols, for spin.
TESTS += tests/model/commit-and-restart
EXTRA_DIST += tests/model/README.md tests/model/checkpoint.pml \
	tests/model/commit-and-restart tests/model/commit.pml \
	tests/model/disk.pml
