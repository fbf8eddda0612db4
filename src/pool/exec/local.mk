librepartir_all_la_SOURCES += src/pool/exec/keeper.h src/pool/exec/program.h
