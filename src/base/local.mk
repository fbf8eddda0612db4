librepartir_all_la_SOURCES += \
	src/base/again.c src/base/again.h \
	src/base/beside.c src/base/beside.h \
	src/base/buf.c src/base/buf.h src/base/clock.c src/base/clock.h \
	src/base/error.c src/base/error.h src/base/fence.c src/base/fence.h \
	src/base/file.c src/base/file.h src/base/futex.c src/base/futex.h \
	src/base/hash.c src/base/hash.h src/base/json.c src/base/json.h \
	src/base/log.c src/base/log.h src/base/options.c src/base/options.h \
	src/base/options.def src/base/peek.c src/base/peek.h src/base/size.h src/base/table.c src/base/table.h \
	src/base/plain.c src/base/plain.h \
	src/base/thread.c src/base/thread.h \
	src/base/types.c src/base/utf8.h
