/*
 * area.h - pieces of the memory that a node shares, by name
 *
 * Ranks that ask for a piece of the same name get the same one, whoever comes
 * first; it is released when all of them have dropped it.  No messages, no
 * waiting for each other.
 */
#ifndef RPT_COMM_AREA_H
#define RPT_COMM_AREA_H

#include <repartir/base.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpt_area_head;

/* One process's view of it. */
struct rpt_area {
    struct rpt_area_head *head; /* NULL: there is none */
    char *base;                 /* of the pieces */
    int fd;                     /* of the memory; to give pages back */
    size_t fd_offset;           /* of base in it */
};

/* What lies in front of the pieces; a multiple of the page size. */
size_t rpt__area_head_bytes(void);

/* Makes an area in memory that is all zero: the head, then `bytes` of pieces.
 * Once, before anybody else sees it. */
rpt_status_t rpt__area_create(void *memory, size_t bytes);
/* A view of one that was made. */
void rpt__area_view(struct rpt_area *area, void *memory, int fd,
                    size_t fd_offset);

/* What a piece is for. */
enum rpt_area_use { RPT_AREA_SLICE, RPT_AREA_BUFFER, RPT_AREA_GATHER };

/* The name of a piece: by its use, and two numbers that tell it from the others
 * of that use. */
uint64_t rpt__area_name(enum rpt_area_use use, uint64_t a, uint64_t b);

/* A piece for n_users ranks, each of which takes it once; name >= 2.  It is all
 * zero when the first one takes it.  RPT_ERR_FULL on all of them when the first
 * one finds no room, or there is no area.  Once the table has had no place for
 * a name of several ranks it has none for others like it. */
rpt_status_t rpt__area_take(struct rpt_area *area, uint64_t name, size_t bytes,
                            int n_users, void **piece_out);
/* This rank is done with it, also when it got RPT_ERR_FULL from an area. */
void rpt__area_drop(struct rpt_area *area, uint64_t name);

/* Pieces that come and go and are alike.  The last one that drops such a piece
 * makes it as if it were taken for the first time (clean), and a few are kept
 * for the next who take one of this shape: that saves giving their pages back,
 * and getting others. */
struct rpt_area_kind {
    uint64_t shape; /* >= 1: what pieces are alike that have the same */
    void (*clean)(void *piece, const struct rpt_area_kind *kind);
};
rpt_status_t rpt__area_take_kind(struct rpt_area *area, uint64_t name,
                                 size_t bytes, int n_users,
                                 const struct rpt_area_kind *kind,
                                 void **piece_out);
void rpt__area_drop_kind(struct rpt_area *area, uint64_t name,
                         const struct rpt_area_kind *kind);

/* Whether it points into the pieces. */
bool rpt__area_holds(const struct rpt_area *area, const void *memory);

/* Bytes of all pieces that it has room for; 0 when there is none. */
size_t rpt__area_bytes(const struct rpt_area *area);
/* Bytes of pieces that are taken. */
size_t rpt__area_used(struct rpt_area *area);

#endif /* RPT_COMM_AREA_H */
