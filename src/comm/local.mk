librepartir_all_la_SOURCES += src/comm/comm.h src/comm/engine.h \
	src/comm/mpi.h src/comm/tags.h
