TESTS += tests/lint/headers tests/lint/symbols
EXTRA_DIST += tests/lint/headers tests/lint/symbols
