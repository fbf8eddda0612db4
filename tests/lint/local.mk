# What can be seen in the sources and in what was built.
LINTS = tests/lint/comments tests/lint/counts tests/lint/dist \
	tests/lint/headers \
	tests/lint/layers tests/lint/links tests/lint/options \
	tests/lint/reference tests/lint/shell tests/lint/style \
	tests/lint/specification tests/lint/summary tests/lint/symbols \
	tests/lint/version
TESTS += $(LINTS)
EXTRA_DIST += $(LINTS) tests/counts.sh tests/ranks.sh doc/layers.txt

# For tests/lint/dist.
print-distfiles:
	@for f in $(DISTFILES); do f=$${f#$(srcdir)/}; echo "$${f#./}"; done
.PHONY: print-distfiles
