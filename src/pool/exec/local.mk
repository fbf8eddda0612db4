librepartir_all_la_SOURCES += \
	src/pool/exec/find.c src/pool/exec/find.h \
	src/pool/exec/keeper.c src/pool/exec/keeper.h \
	src/pool/exec/program.c src/pool/exec/program.h \
	src/pool/exec/protocol.c src/pool/exec/protocol.h \
	src/pool/exec/wire.c src/pool/exec/wire.h

# What the keeper needs of the rest, and nothing more: it must start fast and
# must not know MPI, though the compiler's wrapper would link it.
KEEPER_SOURCES = \
	src/base/buf.c src/base/clock.c src/base/error.c src/base/futex.c \
	src/pool/exec/env.c src/pool/exec/env.h \
	src/pool/exec/keeper_priv.h src/pool/exec/launch.c \
	src/pool/exec/pipes.c src/pool/exec/program.c \
	src/pool/exec/protocol.c src/pool/exec/reap.c \
	src/pool/exec/spawn.c src/pool/exec/spawn.h \
	src/pool/exec/stdio.c src/pool/exec/waiting.c src/pool/exec/which.c \
	src/pool/exec/which.h src/pool/exec/wire.c
pkglibexec_PROGRAMS += repartir-keeper
repartir_keeper_SOURCES = $(KEEPER_SOURCES) src/pool/exec/keeper_main.c
repartir_keeper_CPPFLAGS = $(AM_CPPFLAGS)
repartir_keeper_CFLAGS = -std=c11 $(WARNING_CFLAGS)
repartir_keeper_LDFLAGS = -Wl,--as-needed
EXTRA_DIST += src/pool/exec/README.md
