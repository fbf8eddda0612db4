include $(srcdir)/src/pool/exec/local.mk

librepartir_all_la_SOURCES += \
	src/pool/attempts.c src/pool/attempts.h src/pool/call.c src/pool/caps.c src/pool/end.c src/pool/ending.c \
	src/pool/finish.c src/pool/functions.c src/pool/future.c \
	src/pool/gang.c src/pool/gang_arbiter.c src/pool/gang_priv.h src/pool/names.c src/pool/owner.c src/pool/pool.c \
	src/pool/pool.h src/pool/pool_priv.h src/pool/programs.c \
	src/pool/queue.c src/pool/remover.c src/pool/report.c src/pool/resume.c \
	src/pool/saving.c src/pool/saving_priv.h src/pool/slots.c src/pool/spec.h \
	src/pool/state.c src/pool/state_priv.h src/pool/submit.c src/pool/task.c src/pool/watch.c src/pool/worker.c
