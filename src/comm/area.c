/*
 * area.c - a table of names and a map of units, under one lock in the memory
 *
 *   | lock, table of names, map of units | unit 0 | unit 1 | ...
 *
 * The lock is a robust mutex: a rank that dies while it holds it leaves it to
 * the next one.  The table is an open-addressed hash table.  Pieces are whole
 * units, found first fit.  Memory is only used once it is written, and goes
 * back to the system when a piece is dropped.
 *
 * A few pieces are kept when they are dropped, clean, for the next of their
 * kind: the system takes 20 us to get pages back, and some for each new one.
 *
 * A rank may die between any two stores.  So units leave the place where they
 * stood before they come to another one: those on the way are lost then, but
 * nobody finds them in two places.
 *
 * Cost: taking and dropping are some hundred nanoseconds, once a group.
 */
#include "comm/area.h"

#include "base/error.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum {
    PAGE = 4096,
    UNIT = 16 * 1024,
    N_NAMES = 4096,
    UNITS_MAX = 1 << 18, /* 4 GiB */
    FREE = 0,            /* never used: a search ends here */
    GONE = 1,
    N_KEPT = 8,
    KEPT_UNITS = 4096 /* 64 MiB: larger ones are not kept */
};

struct name {
    uint64_t name;
    uint32_t first;   /* unit */
    uint32_t n_units; /* 0: there was no room */
    uint32_t n_users; /* that will take it */
    uint32_t n_left;  /* that have not dropped it */
};

struct kept {
    uint64_t shape; /* 0: none */
    uint32_t first;
    uint32_t n_units;
};

struct rpt_area_head {
    pthread_mutex_t lock;
    uint32_t n_units;
    uint32_t n_used; /* without those that are kept */
    struct kept kept[N_KEPT];
    uint32_t hint;      /* where the next search begins */
    uint32_t is_closed; /* a name of several ranks found no place: no other one
                           gets one, since it may be the same */
    struct name names[N_NAMES];
    uint8_t used[UNITS_MAX / 8];
};

size_t rpt__area_head_bytes(void)
{
    return (sizeof(struct rpt_area_head) + PAGE - 1) / PAGE * PAGE;
}

rpt_status_t rpt__area_create(void *memory, size_t bytes)
{
    struct rpt_area_head *head = memory;
    pthread_mutexattr_t kind;
    int error;

    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    error = pthread_mutex_init(&head->lock, &kind);
    pthread_mutexattr_destroy(&kind);
    if (error != 0) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, error,
                               "a lock in shared memory was not made");
    }
    /* Names go to any page of the table: a new page takes as long as a whole
     * first call on a new group, so they are all touched here. */
    memset(head->names, FREE, sizeof head->names);
    head->n_units = (uint32_t)(bytes / UNIT < UNITS_MAX ? bytes / UNIT
                                                        : UNITS_MAX);
    return RPT_OK;
}

void rpt__area_view(struct rpt_area *area, void *memory, int fd,
                    size_t fd_offset)
{
    size_t head_bytes = rpt__area_head_bytes();

    *area = (struct rpt_area){ memory, (char *)memory + head_bytes, fd,
                               fd_offset + head_bytes };
}

static void lock(struct rpt_area_head *head)
{
    if (pthread_mutex_lock(&head->lock) == EOWNERDEAD) {
        /* What it changed last may be lost: some units, no correctness. */
        pthread_mutex_consistent(&head->lock);
    }
}

/* What was stored before stays there if the rank dies from here on.  Who has
 * the lock next sees all stores of the dead one: only the compiler may turn
 * them round. */
static void store_before(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

uint64_t rpt__area_name(enum rpt_area_use use, uint64_t a, uint64_t b)
{
    /* The use is hashed as well, and is no seed: XXH3 adds a seed to the words,
     * so that small numbers with small seeds meet. */
    const uint64_t parts[3] = { (uint64_t)use, a, b };
    uint64_t name = rpt__hash64(parts, sizeof parts, 0);

    return name > GONE ? name : name + GONE + 1;
}

static bool is_used(const struct rpt_area_head *head, uint32_t unit)
{
    return (head->used[unit / 8] >> unit % 8 & 1) != 0;
}

static void mark(struct rpt_area_head *head, uint32_t first, uint32_t n,
                 bool used)
{
    for (uint32_t unit = first; unit < first + n; unit++) {
        uint8_t bit = (uint8_t)(1u << unit % 8);

        head->used[unit / 8] = (uint8_t)(used ? head->used[unit / 8] | bit
                                              : head->used[unit / 8] & ~bit);
    }
    head->n_used = used ? head->n_used + n : head->n_used - n;
}

/* The first run of n free units from `from` on; UINT32_MAX: there is none. */
static uint32_t find_run(const struct rpt_area_head *head, uint32_t from,
                         uint32_t n)
{
    uint32_t run = 0;

    for (uint32_t unit = from; unit < head->n_units; unit++) {
        run = is_used(head, unit) ? 0 : run + 1;
        if (run == n) {
            return unit + 1 - n;
        }
    }
    return UINT32_MAX;
}

static uint32_t find_units(const struct rpt_area_head *head, uint32_t n)
{
    uint32_t first = find_run(head, head->hint, n);

    return first == UINT32_MAX ? find_run(head, 0, n) : first;
}

/* Its pages are the system's again, and read as zeros. */
static void give_back(const struct rpt_area *area, uint32_t first, uint32_t n)
{
    size_t offset = (size_t)first * UNIT, bytes = (size_t)n * UNIT;

    if (fallocate(area->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  (off_t)(area->fd_offset + offset), (off_t)bytes) != 0) {
        memset(area->base + offset, 0, bytes);
    }
    store_before();
    mark(area->head, first, n, false);
}

/* ---- what is kept ---- */

/* It is clean before anybody can find it. */
static bool keep(const struct rpt_area *area, const struct name *entry,
                 const struct rpt_area_kind *kind)
{
    struct rpt_area_head *head = area->head;

    for (int i = 0; i < N_KEPT && entry->n_units <= KEPT_UNITS; i++) {
        struct kept *kept = &head->kept[i];

        if (kept->shape == 0) {
            kind->clean(area->base + (size_t)entry->first * UNIT, kind);
            kept->first = entry->first;
            kept->n_units = entry->n_units;
            store_before();
            kept->shape = kind->shape;
            head->n_used -= entry->n_units;
            return true;
        }
    }
    return false;
}

static bool take_kept(struct rpt_area_head *head, struct name *entry,
                      uint64_t shape)
{
    for (int i = 0; i < N_KEPT && shape != 0; i++) {
        struct kept *kept = &head->kept[i];

        if (kept->shape == shape) {
            kept->shape = 0;
            entry->first = kept->first;
            entry->n_units = kept->n_units;
            head->n_used += kept->n_units;
            return true;
        }
    }
    return false;
}

static void give_kept_back(const struct rpt_area *area)
{
    for (int i = 0; i < N_KEPT; i++) {
        struct kept *kept = &area->head->kept[i];

        if (kept->shape != 0) {
            kept->shape = 0;
            store_before();
            area->head->n_used += kept->n_units;
            give_back(area, kept->first, kept->n_units);
        }
    }
}

/* ---- names ---- */

/* `entry` is not in the table yet. */
static void find_room(const struct rpt_area *area, struct name *entry,
                      size_t bytes, uint64_t shape)
{
    struct rpt_area_head *head = area->head;
    size_t n = (bytes + UNIT - 1) / UNIT;
    uint32_t first = UINT32_MAX, units = (uint32_t)n;

    entry->n_units = 0;
    if (n > head->n_units || take_kept(head, entry, shape)) {
        return;
    }
    first = find_units(head, units);
    if (first == UINT32_MAX) {
        give_kept_back(area);
        first = find_units(head, units);
    }
    if (first != UINT32_MAX) {
        entry->first = first;
        entry->n_units = units;
        head->hint = first + units;
        mark(head, first, units, true);
    }
}

/* Its name comes last: who finds that finds the rest. */
static void enter(struct name *place, const struct name *entry)
{
    store_before();
    place->first = entry->first;
    place->n_units = entry->n_units;
    place->n_users = entry->n_users;
    place->n_left = entry->n_left;
    store_before();
    place->name = entry->name;
}

/* The last of its users has dropped it. */
static void leave(const struct rpt_area *area, struct name *place,
                  const struct rpt_area_kind *kind)
{
    const struct name entry = *place;

    place->name = GONE;
    store_before();
    if (entry.n_units > 0 && (kind == NULL || !keep(area, &entry, kind))) {
        give_back(area, entry.first, entry.n_units);
    }
}

/* The entry of a name, or the place for a new one; NULL: neither. */
static struct name *find_name(struct rpt_area_head *head, uint64_t name)
{
    struct name *place = NULL;

    for (uint64_t i = 0; i < N_NAMES; i++) {
        struct name *entry = &head->names[(name + i) % N_NAMES];

        if (entry->name == name) {
            return entry;
        }
        if (entry->name <= GONE && place == NULL) {
            place = entry;
        }
        if (entry->name == FREE) {
            break;
        }
    }
    return place;
}

/* The same for a rank that takes the piece.  Where the first of several gets no
 * place the others must get none, though a name may go meanwhile. */
static struct name *find_place(struct rpt_area_head *head, uint64_t name,
                               int n_users)
{
    struct name *entry = find_name(head, name);

    if (n_users == 1 || (entry != NULL && entry->name == name)) {
        return entry;
    }
    if (entry == NULL) {
        head->is_closed = 1;
    }
    return head->is_closed != 0 ? NULL : entry;
}

static rpt_status_t full(size_t bytes)
{
    return rpt__fail(RPT_ERR_FULL, "no room for %zu bytes in shared memory",
                     bytes);
}

rpt_status_t rpt__area_take_kind(struct rpt_area *area, uint64_t name,
                                 size_t bytes, int n_users,
                                 const struct rpt_area_kind *kind,
                                 void **piece_out)
{
    struct rpt_area_head *head = area->head;
    struct name *entry;
    void *piece = NULL;

    if (head == NULL) {
        return full(bytes);
    }
    lock(head);
    entry = find_place(head, name, n_users);
    if (entry != NULL && entry->name != name) {
        struct name taken = { .name = name,
                              .n_users = (uint32_t)n_users,
                              .n_left = (uint32_t)n_users };

        find_room(area, &taken, bytes, kind != NULL ? kind->shape : 0);
        enter(entry, &taken);
    }
    if (entry != NULL && entry->n_units > 0) {
        piece = area->base + (size_t)entry->first * UNIT;
    }
    pthread_mutex_unlock(&head->lock);
    if (piece == NULL) {
        return full(bytes);
    }
    *piece_out = piece;
    return RPT_OK;
}

rpt_status_t rpt__area_take(struct rpt_area *area, uint64_t name, size_t bytes,
                            int n_users, void **piece_out)
{
    return rpt__area_take_kind(area, name, bytes, n_users, NULL, piece_out);
}

void rpt__area_drop_kind(struct rpt_area *area, uint64_t name,
                         const struct rpt_area_kind *kind)
{
    struct rpt_area_head *head = area->head;
    struct name *entry;

    if (head == NULL) {
        return;
    }
    lock(head);
    entry = find_name(head, name);
    if (entry != NULL && entry->name == name) {
        if (entry->n_left > 1) {
            entry->n_left--;
        } else {
            leave(area, entry, kind);
        }
    }
    pthread_mutex_unlock(&head->lock);
}

void rpt__area_drop(struct rpt_area *area, uint64_t name)
{
    rpt__area_drop_kind(area, name, NULL);
}

bool rpt__area_holds(const struct rpt_area *area, const void *memory)
{
    uintptr_t from = (uintptr_t)area->base, at = (uintptr_t)memory;

    return area->head != NULL && at >= from &&
           at - from < (size_t)area->head->n_units * UNIT;
}

size_t rpt__area_bytes(const struct rpt_area *area)
{
    return area->head == NULL ? 0 : (size_t)area->head->n_units * UNIT;
}

size_t rpt__area_used(struct rpt_area *area)
{
    size_t n_used = 0;

    if (area->head != NULL) {
        lock(area->head);
        n_used = area->head->n_used;
        pthread_mutex_unlock(&area->head->lock);
    }
    return n_used * UNIT;
}
