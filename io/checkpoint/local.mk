librepartir_all_la_SOURCES += \
	io/checkpoint/begin.c io/checkpoint/blocks.c io/checkpoint/box.c \
	io/checkpoint/box.h io/checkpoint/checkpoint.h \
	io/checkpoint/catalog.c io/checkpoint/catalog.h \
	io/checkpoint/choice.c io/checkpoint/choice.h \
	io/checkpoint/chunks.h io/checkpoint/cut.c io/checkpoint/cut.h \
	io/checkpoint/deflate.c io/checkpoint/deflate.h \
	io/checkpoint/pack.c io/checkpoint/slots.c io/checkpoint/slots.h \
	io/checkpoint/unpack.c \
	io/checkpoint/catalog_priv.h io/checkpoint/diff.c \
	io/checkpoint/folders.c io/checkpoint/found.c \
	io/checkpoint/outside.c \
	io/checkpoint/outside.h io/checkpoint/stored.c \
	io/checkpoint/stored.h io/checkpoint/tidy.c \
	io/checkpoint/checkpoint_priv.h io/checkpoint/collective.c \
	io/checkpoint/collective.h io/checkpoint/commit.c \
	io/checkpoint/commit.h io/checkpoint/dir.c io/checkpoint/dir.h \
	io/checkpoint/due.c io/checkpoint/due.h io/checkpoint/events.c \
	io/checkpoint/events.h io/checkpoint/ferry.c io/checkpoint/ferry.h \
	io/checkpoint/ferry_load.c io/checkpoint/history.c \
	io/checkpoint/holder.c io/checkpoint/format.h io/checkpoint/gather.c \
	io/checkpoint/gather.h io/checkpoint/interval.c \
	io/checkpoint/level.c io/checkpoint/level.h \
	io/checkpoint/level_file.c io/checkpoint/level_find.c \
	io/checkpoint/level_flush.c io/checkpoint/level_list.c \
	io/checkpoint/level_nodes.c \
	io/checkpoint/level_place.c io/checkpoint/level_priv.h \
	io/checkpoint/level_rebuild.c io/checkpoint/level_save.c \
	io/checkpoint/level_ship.c \
	io/checkpoint/lookout.c io/checkpoint/lookout.h \
	io/checkpoint/item.c io/checkpoint/item.h io/checkpoint/layout.c \
	io/checkpoint/layout.h io/checkpoint/load.c io/checkpoint/load.h \
	io/checkpoint/manifest.c io/checkpoint/open.c io/checkpoint/parts.c \
	io/checkpoint/restore.c io/checkpoint/retain.c \
	io/checkpoint/routes.c io/checkpoint/routes.h io/checkpoint/save.c \
	io/checkpoint/save_jobs.c \
	io/checkpoint/signals.c io/checkpoint/skeleton.c \
	io/checkpoint/recycle.c \
	io/checkpoint/solo.c io/checkpoint/solo.h \
	io/checkpoint/solo_files.c io/checkpoint/solo_priv.h \
	io/checkpoint/stream.c io/checkpoint/stream.h io/checkpoint/talk.c \
	io/checkpoint/talk.h io/checkpoint/tell.h \
	io/checkpoint/verify.c io/checkpoint/verify.h io/checkpoint/workdir.c \
	io/checkpoint/saver.c \
	io/checkpoint/saver.h io/checkpoint/share.c io/checkpoint/share.h
EXTRA_DIST += io/checkpoint/README.md
