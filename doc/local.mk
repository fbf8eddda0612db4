# Pages, and the reference of the public headers (make doc).
EXTRA_DIST += doc/Doxyfile doc/statuses.awk
nobase_dist_doc_DATA += doc/specification.md doc/checkpoint-format.md \
	doc/design/checkpoint.md doc/design/collectives.md \
	doc/design/device.md doc/design/foundation.md \
	doc/design/suites.md \
	doc/guide/README.md doc/guide/1-task-list.md \
	doc/guide/2-c-functions.md doc/guide/3-your-mpi-program.md \
	doc/guide/4-batch-scripts.md doc/guide/5-collectives.md \
	doc/guide/6-checkpoints.md doc/guide/7-look-into-a-run.md \
	doc/guide/job.sbatch

doc:
	@test '$(DOXYGEN)' != no || { \
	  echo 'make doc needs doxygen (Debian: doxygen)' >&2; exit 1; }
	$(MKDIR_P) doc
	{ cat '$(srcdir)/doc/Doxyfile'; \
	  echo 'PROJECT_NUMBER = $(PACKAGE_VERSION)'; \
	  echo 'INPUT = "$(srcdir)/include"'; \
	  echo 'STRIP_FROM_PATH = "$(srcdir)/include"'; \
	  echo 'STRIP_FROM_INC_PATH = "$(srcdir)/include"'; \
	  echo 'FILTER_PATTERNS = "*base.h=awk -f $(srcdir)/doc/statuses.awk"'; \
	  echo 'OUTPUT_DIRECTORY = doc'; } >doc/Doxyfile.made
	$(DOXYGEN) doc/Doxyfile.made
	@echo 'the reference is in doc/html/index.html'
.PHONY: doc
CLEANFILES += doc/Doxyfile.made
clean-local: clean-doc
clean-doc:
	-rm -rf doc/html
.PHONY: clean-doc
