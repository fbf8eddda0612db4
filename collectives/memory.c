/*
 * memory.c - the memory of simulated ranks, and who may touch it when
 *
 * A stage remembers when each element was written and when each rank has read
 * it, in epochs of the rank that did so.  An epoch ends with a signal or a
 * message.  One who knows of that epoch comes after it.
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
    free(memory->read);
    *memory = (struct rpt_memory){ NULL, 0, NULL, NULL };
}

static const char *name_of(enum rpt_place_kind kind)
{
    static const char *const names[] = { "input", "output", "scratch",
                                         "stage" };

    return names[kind];
}

/* NULL: no such range. */
static struct rpt_memory *memory_of(struct rpt_simulation *sim, int rank,
                                    struct rpt_place place, size_t count)
{
    bool staged = place.kind == RPT_IN_STAGE;
    int owner = staged ? place.rank : rank;
    struct rpt_sim_rank *self;
    struct rpt_memory *memory;

    if (owner < 0 || owner >= sim->n_ranks ||
        sim->node[owner] != sim->node[rank]) {
        rpt__fail(RPT_ERR_STATE, "rank %d cannot see the stage of rank %d",
                  rank, owner);
        return NULL;
    }
    self = &sim->ranks[owner];
    memory = staged                         ? &self->stage[self->turn]
             : place.kind == RPT_IN_SCRATCH ? &self->scratch
             : place.kind == RPT_IN_INPUT && !sim->in_place ? &self->input
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

const struct rpt_symbol *rpt__memory_read(struct rpt_simulation *sim, int rank,
                                          struct rpt_place place, size_t count)
{
    struct rpt_memory *memory = memory_of(sim, rank, place, count);
    const uint32_t *clock = sim->ranks[rank].clock;

    if (memory == NULL) {
        return NULL;
    }
    for (size_t i = place.offset; i < place.offset + count; i++) {
        if (memory->symbols[i].n_values == 0) {
            rpt__fail(RPT_ERR_STATE,
                      "rank %d reads element %zu of its %s, which nobody wrote",
                      rank, i, name_of(place.kind));
            return NULL;
        }
        if (place.kind != RPT_IN_STAGE) {
            continue;
        }
        if (memory->written[i] > clock[place.rank]) {
            rpt__fail(RPT_ERR_STATE,
                      "rank %d reads element %zu of the stage of rank %d "
                      "without knowing that it was written",
                      rank, i, place.rank);
            return NULL;
        }
        memory->read[i * (size_t)sim->n_ranks + (size_t)rank] = clock[rank];
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

/* Whether all who have read it are known to be done. */
static bool is_read(const struct rpt_simulation *sim, int rank,
                    const struct rpt_memory *memory, size_t element)
{
    for (int r = 0; r < sim->n_ranks; r++) {
        uint32_t read =
            memory->read[element * (size_t)sim->n_ranks + (size_t)r];

        if (r != rank && read > sim->ranks[rank].clock[r]) {
            rpt__fail(RPT_ERR_STATE,
                      "rank %d writes element %zu of its stage without knowing "
                      "that rank %d has read it",
                      rank, element, r);
            return false;
        }
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
    if (place.kind == RPT_IN_INPUT) {
        rpt__fail(RPT_ERR_STATE, "rank %d writes its input", rank);
        return NULL;
    }
    if (place.kind == RPT_IN_STAGE) {
        if (place.rank != rank) {
            rpt__fail(RPT_ERR_STATE, "rank %d writes the stage of rank %d",
                      rank, place.rank);
            return NULL;
        }
        for (size_t i = place.offset; i < place.offset + count; i++) {
            if (!is_read(sim, rank, memory, i)) {
                return NULL;
            }
            memory->written[i] = sim->ranks[rank].clock[rank];
        }
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

    return is_read(sim, rank, &self->head[self->turn], 0) ? RPT_OK
                                                          : RPT_ERR_STATE;
}
