librepartir_all_la_SOURCES += io/export/arrays.c io/export/blobs.c \
	io/export/choose.c io/export/export.c io/export/export.h \
	io/export/export_priv.h io/export/output.c io/export/part.c \
	io/export/plan.c io/export/stored.c io/export/values.c io/export/window.c
EXTRA_DIST += io/export/README.md
