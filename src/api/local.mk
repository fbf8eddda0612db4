librepartir_all_la_SOURCES += \
	src/api/api.h src/api/buffer.c src/api/catalog.c src/api/checkpoint.c src/api/coll.c src/api/context.c src/api/group.c src/api/mpi.c \
	src/api/export.c \
	src/api/pool.c src/api/query.c src/api/reducer.c
