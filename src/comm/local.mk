librepartir_all_la_SOURCES += \
	src/comm/area.c src/comm/area.h src/comm/barrier.c \
	src/comm/barrier_priv.h src/comm/bell.h src/comm/buffer.c src/comm/buffer.h \
	src/comm/comm.c src/comm/comm.h src/comm/comm_priv.h \
	src/comm/engine.c src/comm/engine.h src/comm/exchange.c \
	src/comm/group.c src/comm/group_priv.h src/comm/loopback.c \
	src/comm/mailbox.c src/comm/message.c src/comm/missing.c \
	src/comm/mpi.h src/comm/mpi_call.c src/comm/mpi_comm.c \
	src/comm/mpi_context.c src/comm/mpi_priv.h src/comm/mpi_start.c \
	src/comm/mpi_transport.c src/comm/place.c src/comm/ring.c src/comm/ring.h \
	src/comm/segment.c src/comm/segment.h src/comm/self.c src/comm/shm.c \
	src/comm/shm.h src/comm/table.c src/comm/tags.h src/comm/transport.h
