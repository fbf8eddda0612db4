librepartir_all_la_SOURCES += src/journal/journal.h
