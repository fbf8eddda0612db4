/*
 * comms.c - what is known of a communicator, kept in an attribute of it
 *
 * A communicator gets its entry at its first call and its group at the first
 * call that is handled: a moment at which all its ranks are in a collective, as
 * the making of a group is one.  MPI calls forget() when the communicator is
 * freed.  A duplicate begins without an entry.
 *
 * Groups are made in turns.  Threads of one rank may make groups of the same
 * ranks at the same time, out of two duplicates of a communicator, and other
 * ranks in the other order; the library would take one for the other.  A rank
 * gives one turn at a time, to the lowest number that waits on it, and only
 * when all ranks of the communicator have their turn the group is made; else
 * all give it back and try again.  Who waits knows that all its ranks are
 * there, so the lowest number of all gets through.
 *
 * Cost: a look at an attribute for each call; four small collectives for each
 * communicator.
 */
#include "collectives/pmpi/shim.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

static rpt_context_t *context;
static int keyval = MPI_KEYVAL_INVALID;
static MPI_Group world = MPI_GROUP_NULL;
static bool is_open;

/* A communicator that waits for its turn on this rank. */
struct waiting {
    uint64_t number;
    struct waiting *next;
};

/* Of all that follows. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rpt_pmpi_comm *first;
static struct waiting *first_waiting;
static bool turn_is_taken;
static uint64_t n_numbers;

/* ---- the list ---- */

static void enlist(struct rpt_pmpi_comm *entry)
{
    pthread_mutex_lock(&lock);
    entry->next = first;
    entry->link = &first;
    if (first != NULL) {
        first->link = &entry->next;
    }
    first = entry;
    pthread_mutex_unlock(&lock);
}

static void unlist(struct rpt_pmpi_comm *entry)
{
    pthread_mutex_lock(&lock);
    *entry->link = entry->next;
    if (entry->next != NULL) {
        entry->next->link = entry->link;
    }
    pthread_mutex_unlock(&lock);
}

static void let_go(struct rpt_pmpi_comm *entry)
{
    unlist(entry);
    entry->is_freed = true;
    rpt__pmpi_comm_release(entry);
}

static int forget(MPI_Comm comm, int key, void *value, void *extra)
{
    (void)comm;
    (void)key;
    (void)extra;
    if (is_open) { /* else it has gone */
        let_go(value);
    }
    return MPI_SUCCESS;
}

void rpt__pmpi_comm_forget(MPI_Comm comm)
{
    void *entry = NULL;
    int is_there = 0;

    if (PMPI_Comm_get_attr(comm, keyval, &entry, &is_there) == MPI_SUCCESS &&
        is_there) {
        PMPI_Comm_delete_attr(comm, keyval);
    }
}

void rpt__pmpi_comm_hold(struct rpt_pmpi_comm *comm)
{
    pthread_mutex_lock(&lock);
    comm->n_holders++;
    pthread_mutex_unlock(&lock);
}

void rpt__pmpi_comm_release(struct rpt_pmpi_comm *comm)
{
    bool is_last;

    pthread_mutex_lock(&lock);
    is_last = --comm->n_holders == 0;
    pthread_mutex_unlock(&lock);
    if (is_last) {
        rpt_group_destroy(comm->group);
        pthread_mutex_destroy(&comm->lock);
        free(comm);
    }
}

/* ---- start and end ---- */

bool rpt__pmpi_comms_open(rpt_context_t *of)
{
    struct rpt_pmpi_comm *all;

    context = of;
    PMPI_Comm_group(MPI_COMM_WORLD, &world);
    if (PMPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, forget, &keyval, NULL) !=
        MPI_SUCCESS) {
        return false;
    }
    is_open = true;
    all = rpt__pmpi_comm_of(MPI_COMM_WORLD);
    return all->is_alone || rpt__pmpi_need_group(all);
}

void rpt__pmpi_comms_close(void)
{
    /* Their attributes stay: not all communicators need still be there. */
    is_open = false;
    while (first != NULL) {
        let_go(first);
    }
    if (keyval != MPI_KEYVAL_INVALID) {
        PMPI_Comm_free_keyval(&keyval);
    }
    if (world != MPI_GROUP_NULL) {
        PMPI_Group_free(&world);
    }
}

/* ---- entries ---- */

/* Whether all processes are ranks of the context.  Where one is not, no rank
 * sees all of them in its own world, so that all give the same answer. */
static bool is_in_world(MPI_Comm comm, int size)
{
    int *ranks = malloc(2 * (size_t)size * sizeof *ranks);
    MPI_Group group = MPI_GROUP_NULL;
    bool all = true;

    if (ranks == NULL) {
        rpt__pmpi_die("there is no memory for a list of ranks");
    }
    for (int r = 0; r < size; r++) {
        ranks[r] = r;
    }
    PMPI_Comm_group(comm, &group);
    PMPI_Group_translate_ranks(group, size, ranks, world, ranks + size);
    PMPI_Group_free(&group);
    for (int r = 0; r < size; r++) {
        all = all && ranks[size + r] != MPI_UNDEFINED;
    }
    free(ranks);
    return all;
}

static struct rpt_pmpi_comm *make_entry(MPI_Comm comm)
{
    struct rpt_pmpi_comm *entry = calloc(1, sizeof *entry);
    int is_inter = 0;

    if (entry == NULL) {
        rpt__pmpi_die("there is no memory for a communicator");
    }
    entry->comm = comm;
    entry->n_holders = 1;
    pthread_mutex_init(&entry->lock, NULL);
    PMPI_Comm_test_inter(comm, &is_inter);
    PMPI_Comm_rank(comm, &entry->rank);
    PMPI_Comm_size(comm, &entry->size);
    if (is_inter) {
        entry->why = "it is on an inter-communicator";
    } else if (entry->size == 1) {
        entry->is_alone = true;
    } else if (!is_in_world(comm, entry->size)) {
        entry->why = "the communicator has processes of another world";
    }
    enlist(entry);
    if (PMPI_Comm_set_attr(comm, keyval, entry) != MPI_SUCCESS) {
        rpt__pmpi_die("MPI keeps no attribute of a communicator");
    }
    return entry;
}

struct rpt_pmpi_comm *rpt__pmpi_comm_of(MPI_Comm comm)
{
    struct rpt_pmpi_comm *entry = NULL;
    int is_there = 0;

    if (PMPI_Comm_get_attr(comm, keyval, &entry, &is_there) != MPI_SUCCESS) {
        return NULL;
    }
    return is_there ? entry : make_entry(comm);
}

/* ---- groups ---- */

/* The number of a communicator among those that wait: its rank 0 gives it, and
 * no other one has it.  Nobody has it before all ranks are there. */
static uint64_t agree_on_number(const struct rpt_pmpi_comm *comm)
{
    uint64_t own = 0, number = 0;
    int rank = 0;

    if (comm->rank == 0) {
        PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
        pthread_mutex_lock(&lock);
        own = (n_numbers++ << 32) + (uint64_t)rank;
        pthread_mutex_unlock(&lock);
    }
    PMPI_Allreduce(&own, &number, 1, MPI_UINT64_T, MPI_MAX, comm->comm);
    return number;
}

static void wait_for_turn(struct waiting *mine)
{
    pthread_mutex_lock(&lock);
    mine->next = first_waiting;
    first_waiting = mine;
    pthread_mutex_unlock(&lock);
}

static bool take_turn(const struct waiting *mine)
{
    bool may;

    pthread_mutex_lock(&lock);
    may = !turn_is_taken;
    for (const struct waiting *w = first_waiting; may && w != NULL;
         w = w->next) {
        may = w->number >= mine->number;
    }
    turn_is_taken = turn_is_taken || may;
    pthread_mutex_unlock(&lock);
    return may;
}

static void give_turn_back(void)
{
    pthread_mutex_lock(&lock);
    turn_is_taken = false;
    pthread_mutex_unlock(&lock);
}

static void end_turn(const struct waiting *mine)
{
    struct waiting **link = &first_waiting;

    pthread_mutex_lock(&lock);
    while (*link != mine) {
        link = &(*link)->next;
    }
    *link = mine->next;
    turn_is_taken = false;
    pthread_mutex_unlock(&lock);
}

static void begin_turn(MPI_Comm comm, struct waiting *mine)
{
    int all = 0;

    wait_for_turn(mine);
    while (!all) {
        int own = take_turn(mine);

        PMPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MIN, comm);
        if (!all) {
            if (own) {
                give_turn_back();
            }
            sched_yield();
        }
    }
}

bool rpt__pmpi_make_group(const struct rpt_pmpi_comm *comm,
                          rpt_group_t **group_out)
{
    struct waiting mine = { 0, NULL };
    rpt_group_t *group = NULL;
    int ok, all = 0;

    mine.number = agree_on_number(comm);
    begin_turn(comm->comm, &mine);
    ok = rpt_group_from_mpi(context, comm->comm, &group) == RPT_OK;
    end_turn(&mine);
    PMPI_Allreduce(&ok, &all, 1, MPI_INT, MPI_MIN, comm->comm);
    if (!all) {
        rpt_group_destroy(group);
        return false;
    }
    *group_out = group;
    return true;
}

bool rpt__pmpi_need_group(struct rpt_pmpi_comm *comm)
{
    if (comm->group == NULL && !rpt__pmpi_make_group(comm, &comm->group)) {
        comm->why = "a group of its ranks could not be made";
    }
    return comm->group != NULL;
}
