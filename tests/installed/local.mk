# The examples, from the build tree by make check, from the installed one by
# make installcheck.
INSTALLED = tests/installed/tree tests/installed/pkgconfig \
	tests/installed/cmake
TESTS += tests/installed/examples tests/installed/batch
EXTRA_DIST += $(INSTALLED) tests/installed/examples \
	tests/installed/batch tests/installed/try.sh

# The keeper and the library for HDF5 of the build tree must not hide that the
# installed ones are not found.
installcheck-local:
	@$(AM_TESTS_ENVIRONMENT) unset RPT_POOL_KEEPER RPT_IO_HDF5_LIBRARY; \
	PREFIX='$(prefix)'; LIBDIR='$(libdir)'; BINDIR='$(bindir)'; \
	INCLUDEDIR='$(includedir)'; LIBEXECDIR='$(pkglibexecdir)'; \
	MANDIR='$(mandir)'; DOCDIR='$(docdir)'; EXAMPLEDIR='$(exampledir)'; \
	DESTDIR='$(DESTDIR)'; VERSION='$(PACKAGE_VERSION)'; \
	PKG_CONFIG='$(PKG_CONFIG)'; CFLAGS='$(CFLAGS)'; \
	export PREFIX LIBDIR BINDIR INCLUDEDIR LIBEXECDIR MANDIR DOCDIR \
	EXAMPLEDIR DESTDIR VERSION PKG_CONFIG CFLAGS; \
	status=0; mkdir -p tests/installed; \
	for t in $(INSTALLED); do \
	  '$(abs_srcdir)'/$$t >$$t.log 2>&1; code=$$?; cat $$t.log; \
	  test $$code = 0 || test $$code = 77 || status=1; \
	done; exit $$status
CLEANFILES += tests/installed/tree.log tests/installed/pkgconfig.log \
	tests/installed/cmake.log
