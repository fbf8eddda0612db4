librepartir_all_la_SOURCES += src/topo/topo.h
