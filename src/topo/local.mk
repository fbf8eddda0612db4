librepartir_all_la_SOURCES += \
	src/topo/binding.c src/topo/cpus.c src/topo/describe.c \
	src/topo/devices.c src/topo/domains.c src/topo/level.c \
	src/topo/machine.c src/topo/machine_priv.h src/topo/map.c \
	src/topo/map_priv.h src/topo/seat.c src/topo/share.c src/topo/topo.h
