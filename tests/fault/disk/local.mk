# Faults of the file system: disk.h says how, README.md for whom.  A library
# that is put in front of programs; where the build makes no shared ones, the
# scripts that want it are skipped.
check_LTLIBRARIES += tests/libdiskfaults.la
tests_libdiskfaults_la_SOURCES = tests/fault/disk/act.c \
	tests/fault/disk/disk.h tests/fault/disk/errors.c \
	tests/fault/disk/fds.c tests/fault/disk/names.c \
	tests/fault/disk/places.c tests/fault/disk/plan.c \
	tests/fault/disk/trace.c
tests_libdiskfaults_la_LDFLAGS = -module -avoid-version -rpath /nowhere
tests_libdiskfaults_la_LIBADD = -ldl -lpthread
EXTRA_DIST += tests/fault/disk/README.md tests/fault/disk/trace-order

# What ../disk-faults reads.
EXTRA_DIST += tests/fault/disk/order.sh tests/fault/disk/ranks.sh \
	tests/fault/disk/writer.c
