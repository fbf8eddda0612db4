librepartir_all_la_SOURCES += io/catalog/array.c io/catalog/array_priv.h \
	io/catalog/attempts.c \
	io/catalog/blocks.c io/catalog/catalog.c io/catalog/catalog.h \
	io/catalog/catalog_priv.h io/catalog/cells.c io/catalog/events.c \
	io/catalog/find.c io/catalog/guard.c io/catalog/hold.c io/catalog/lists.c \
	io/catalog/query.c io/catalog/schema.c io/catalog/sqlite.c \
	io/catalog/sqlite_priv.h io/catalog/starts.c io/catalog/table.c io/catalog/tasks.c io/catalog/wishes.c
EXTRA_DIST += io/catalog/README.md

# SQLite is opened when it is needed; a static library links it.
librepartir_all_la_CPPFLAGS += $(SQLITE_CFLAGS)
if !SHARED
librepartir_all_la_CPPFLAGS += -DRPT_SQLITE_INSIDE
librepartir_all_la_LIBADD += $(SQLITE_LIBS)
endif
