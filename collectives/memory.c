/*
 * memory.c - the memory of simulated ranks, and who may touch it when
 *
 * What several ranks touch remembers who has written each element and when, and
 * when each rank has read it, in epochs of the rank that did so.  An epoch ends
 * with a signal or a message.  One who knows of that epoch comes after it.
 */
#include "collectives/simulate_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

rpt_status_t rpt__memory_resize(struct rpt_memory *memory, size_t n,
                                int n_readers)
{
    size_t old = memory->n, p = (size_t)n_readers;
    struct rpt_symbol *symbols;
    uint32_t *written, *read;
    int *writer;

    if (n <= old) {
        return RPT_OK;
    }
    symbols = realloc(memory->symbols, n * sizeof *symbols);
    if (symbols == NULL) {
        return rpt__fail_nomem(n * sizeof *symbols);
    }
    memory->symbols = symbols;
    memset(symbols + old, 0, (n - old) * sizeof *symbols);
    if (n_readers > 0) {
        written = realloc(memory->written, n * sizeof *written);
        if (written == NULL) {
            return rpt__fail_nomem(n * sizeof *written);
        }
        memory->written = written;
        memset(written + old, 0, (n - old) * sizeof *written);
        writer = realloc(memory->writer, n * sizeof *writer);
        if (writer == NULL) {
            return rpt__fail_nomem(n * sizeof *writer);
        }
        memory->writer = writer;
        memset(writer + old, 0, (n - old) * sizeof *writer);
        read = realloc(memory->read, n * p * sizeof *read);
        if (read == NULL) {
            return rpt__fail_nomem(n * p * sizeof *read);
        }
        memory->read = read;
        memset(read + old * p, 0, (n - old) * p * sizeof *read);
    }
    memory->n = n;
    return RPT_OK;
}

void rpt__memory_free(struct rpt_memory *memory)
{
    free(memory->symbols);
    free(memory->written);
    free(memory->writer);
    free(memory->read);
    *memory = (struct rpt_memory){ NULL, 0, NULL, NULL, NULL };
}

static const char *name_of(enum rpt_place_kind kind)
{
    static const char *const names[] = { "input", "output", "scratch",
                                         "stage", "input",  "output" };

    return names[kind];
}

static int owner_of(int rank, struct rpt_place place)
{
    return place.kind >= RPT_IN_STAGE ? place.rank : rank;
}

/* NULL: no such range. */
static struct rpt_memory *memory_of(struct rpt_simulation *sim, int rank,
                                    struct rpt_place place, size_t count)
{
    enum rpt_place_kind kind = place.kind;
    int owner = owner_of(rank, place);
    struct rpt_sim_rank *self;
    struct rpt_memory *memory;

    if (owner < 0 || owner >= sim->n_ranks ||
        sim->node[owner] != sim->node[rank]) {
        rpt__fail(RPT_ERR_STATE, "rank %d cannot see the %s of rank %d", rank,
                  name_of(kind), owner);
        return NULL;
    }
    self = &sim->ranks[owner];
    memory = kind == RPT_IN_STAGE     ? &self->stage[self->turn]
             : kind == RPT_IN_SCRATCH ? &self->scratch
             : (kind == RPT_IN_INPUT || kind == RPT_IN_INPUT_OF) &&
                     !sim->in_place
                 ? &self->input
                 : &self->output;
    if (place.offset > memory->n || count > memory->n - place.offset) {
        rpt__fail(RPT_ERR_STATE,
                  "rank %d: elements %zu to %zu of the %s of rank %d, which "
                  "has %zu",
                  rank, place.offset, place.offset + count, name_of(place.kind),
                  owner, memory->n);
        return NULL;
    }
    return memory;
}

/* A rank that has written an element and is not known to be done; -1: none. */
static int writer_of(const struct rpt_simulation *sim, int rank,
                     const struct rpt_memory *memory, size_t element)
{
    int writer;

    if (memory->written == NULL) {
        return -1;
    }
    writer = memory->writer[element];
    return writer != rank &&
                   memory->written[element] > sim->ranks[rank].clock[writer]
               ? writer
               : -1;
}

/* Whether all that is read was written before, for a reason. */
static bool is_known(const struct rpt_simulation *sim, int rank,
                     const struct rpt_memory *memory, struct rpt_place place,
                     size_t element)
{
    int owner = owner_of(rank, place);

    if (owner != rank && memory->written == NULL) {
        rpt__fail(RPT_ERR_STATE,
                  "rank %d has not met rank %d, whose %s it reads", rank, owner,
                  name_of(place.kind));
        return false;
    }
    if (memory->symbols[element].n_values == 0) {
        rpt__fail(RPT_ERR_STATE,
                  "rank %d reads element %zu of its %s, which nobody wrote",
                  rank, element, name_of(place.kind));
        return false;
    }
    if (writer_of(sim, rank, memory, element) >= 0) {
        rpt__fail(RPT_ERR_STATE,
                  "rank %d reads element %zu of the %s of rank %d "
                  "without knowing that it was written",
                  rank, element, name_of(place.kind), owner);
        return false;
    }
    return true;
}

const struct rpt_symbol *rpt__memory_read(struct rpt_simulation *sim, int rank,
                                          struct rpt_place place, size_t count)
{
    struct rpt_memory *memory = memory_of(sim, rank, place, count);

    if (memory == NULL) {
        return NULL;
    }
    if (memory->read != NULL && place.kind >= RPT_IN_INPUT_OF) {
        rpt__memory_read_head(sim, rank, place.rank);
    }
    for (size_t i = place.offset; i < place.offset + count; i++) {
        if (!is_known(sim, rank, memory, place, i)) {
            return NULL;
        }
        if (memory->read != NULL) {
            memory->read[i * (size_t)sim->n_ranks + (size_t)rank] =
                sim->ranks[rank].clock[rank];
        }
    }
    return memory->symbols + place.offset;
}

static bool is_sent(const struct rpt_simulation *sim, int rank,
                    struct rpt_place place, size_t count)
{
    enum rpt_place_kind kind = sim->in_place && place.kind == RPT_IN_INPUT
                                   ? RPT_IN_OUTPUT
                                   : place.kind;
    const struct rpt_sent *sent;

    STAILQ_FOREACH (sent, &sim->ranks[rank].sent, link) {
        if (!sent->done && sent->kind == kind &&
            sent->offset < place.offset + count &&
            place.offset < sent->offset + sent->count) {
            rpt__fail(
                RPT_ERR_STATE,
                "rank %d writes elements %zu to %zu of its %s, which lane "
                "%zu is sending",
                rank, place.offset, place.offset + count, name_of(kind),
                sent->lane);
            return true;
        }
    }
    return false;
}

/* A rank that has read an element and is not known to be done; -1: none. */
static int reader_of(const struct rpt_simulation *sim, int rank,
                     const struct rpt_memory *memory, size_t element)
{
    for (int r = 0; r < sim->n_ranks; r++) {
        uint32_t read =
            memory->read[element * (size_t)sim->n_ranks + (size_t)r];

        if (r != rank && read > sim->ranks[rank].clock[r]) {
            return r;
        }
    }
    return -1;
}

static bool may_write(const struct rpt_simulation *sim, int rank,
                      const struct rpt_memory *memory, size_t element,
                      const char *name)
{
    int reader = reader_of(sim, rank, memory, element);
    int writer = writer_of(sim, rank, memory, element);

    if (reader >= 0) {
        rpt__fail(RPT_ERR_STATE,
                  "rank %d writes element %zu of its %s without knowing that "
                  "rank %d has read it",
                  rank, element, name, reader);
    } else if (writer >= 0) {
        rpt__fail(RPT_ERR_STATE,
                  "rank %d writes element %zu of an %s without knowing that "
                  "rank %d is done with it",
                  rank, element, name, writer);
    }
    return reader < 0 && writer < 0;
}

/* Its own, and the outputs of those that it has met. */
static bool is_writable(const struct rpt_memory *memory, int rank,
                        struct rpt_place place)
{
    bool is_own = owner_of(rank, place) == rank;

    if (place.kind == RPT_IN_INPUT) {
        rpt__fail(RPT_ERR_STATE, "rank %d writes its input", rank);
        return false;
    }
    if (!is_own && (place.kind != RPT_IN_OUTPUT_OF || memory->read == NULL)) {
        rpt__fail(RPT_ERR_STATE, "rank %d writes the %s of rank %d", rank,
                  name_of(place.kind), place.rank);
        return false;
    }
    return true;
}

struct rpt_symbol *rpt__memory_write(struct rpt_simulation *sim, int rank,
                                     struct rpt_place place, size_t count)
{
    struct rpt_memory *memory = memory_of(sim, rank, place, count);

    if (memory == NULL || is_sent(sim, rank, place, count)) {
        return NULL;
    }
    if (!is_writable(memory, rank, place)) {
        return NULL;
    }
    for (size_t i = place.offset;
         memory->read != NULL && i < place.offset + count; i++) {
        if (!may_write(sim, rank, memory, i, name_of(place.kind))) {
            return NULL;
        }
        memory->written[i] = sim->ranks[rank].clock[rank];
        memory->writer[i] = rank;
    }
    return memory->symbols + place.offset;
}

void rpt__memory_read_head(struct rpt_simulation *sim, int rank, int owner)
{
    struct rpt_memory *head = &sim->ranks[owner].head[sim->ranks[owner].turn];

    head->read[rank] = sim->ranks[rank].clock[rank];
}

rpt_status_t rpt__memory_write_head(struct rpt_simulation *sim, int rank)
{
    const struct rpt_sim_rank *self = &sim->ranks[rank];
    int reader = reader_of(sim, rank, &self->head[self->turn], 0);

    return reader < 0 ? RPT_OK
                      : rpt__fail(RPT_ERR_STATE,
                                  "rank %d writes beside its flag without "
                                  "knowing that rank %d has read it",
                                  rank, reader);
}

void rpt__memory_open(struct rpt_simulation *sim, int rank,
                      struct rpt_memory *memory)
{
    for (size_t i = 0; memory->read != NULL && i < memory->n; i++) {
        memory->written[i] = sim->ranks[rank].clock[rank];
        memory->writer[i] = rank;
    }
}

rpt_status_t rpt__memory_release(const struct rpt_simulation *sim, int rank,
                                 const struct rpt_memory *memory)
{
    for (size_t i = 0; memory->read != NULL && i < memory->n; i++) {
        int other = reader_of(sim, rank, memory, i);

        other = other >= 0 ? other : writer_of(sim, rank, memory, i);
        if (other >= 0) {
            return rpt__fail(RPT_ERR_STATE,
                             "rank %d is done without knowing that rank %d is "
                             "with element %zu of its buffer",
                             rank, other, i);
        }
    }
    return RPT_OK;
}
