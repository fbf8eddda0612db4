librepartir_all_la_SOURCES += src/journal/journal.h \
	src/journal/compact.c src/journal/disk.c src/journal/disk_priv.h \
	src/journal/epoch.c src/journal/files.c src/journal/files_priv.h \
	src/journal/frame.c src/journal/frame_priv.h src/journal/replay.c \
	src/journal/request.c src/journal/request_priv.h \
	src/journal/statedir.c src/journal/writer.c
EXTRA_DIST += src/journal/README.md
