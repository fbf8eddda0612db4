/*
 * agree.c - who can read whose memory, and whether that is faster
 *
 * A rank may be able to read another process and still not the one it means:
 * process numbers of containers differ.  So a number that was not said before
 * must be there.
 *
 * How long a call takes differs from rank to rank: the root of a broadcast is
 * done at once when it has stored its data.  So what counts is the rank for
 * which it takes longest.
 *
 * Cost: a system call for each near rank, once in a team, when it is tried for
 * the first time; two in each call that offers buffers.
 */
#include "collectives/engine/agree.h"

#include "collectives/engine/run.h"
#include "collectives/select/policy.h"

#include "base/peek.h"

#include <math.h>
#include <sys/random.h>
#include <unistd.h>

/* Times differ by so much from call to call. */
#define CLEARLY 0.9F

/* ---- who can ---- */

static void make_word(struct rpt_probe *probe)
{
    probe->pid = getpid();
    if (getrandom(&probe->word, sizeof probe->word, 0) != sizeof probe->word) {
        probe->word = 0;
    }
}

static bool has_word(const struct rpt_exposed *theirs)
{
    uint64_t word = 0;

    return theirs->word != 0 &&
           rpt__peek_try((int)theirs->pid, theirs->word_at, &word,
                         sizeof word) == 0 &&
           word == theirs->word;
}

static void probe(struct rpt_team *team, const struct rpt_run *run)
{
    team->probe.reads = RPT_READS_ALL;
    for (int i = 0; i < team->n_near; i++) {
        if (team->near[i] != team->rank &&
            !has_word(rpt__run_exposed(run, team->near[i]))) {
            team->probe.reads = RPT_READS_NOT;
        }
    }
}

/* ---- who wants ---- */

/* Who has a schedule for it calls with much. */
static struct rpt_pace *pace_of(const struct rpt_run *run)
{
    return &run->team->paces[run->role][run->pace];
}

/* Memory of devices is not, wherever it begins. */
static bool is_readable(const struct rpt_probe *probe, const void *buffer)
{
    char byte;

    return buffer == NULL ||
           rpt__peek_try(probe->pid, (uint64_t)(uintptr_t)buffer, &byte, 1) ==
               0;
}

static enum rpt_way way_of(const struct rpt_run *run)
{
    const struct rpt_comm *comm = run->team->comm;

    return rpt__policy_of(comm)->kernel_copy == RPT_KERNEL_COPY_ALWAYS
               ? RPT_WAY_KERNEL
               : run->trial.way;
}

/* Only if it may come to that: to look costs some tenths of a microsecond. */
static bool offers(const struct rpt_run *run, bool is_open)
{
    const struct rpt_probe *probe = &run->team->probe;
    enum rpt_way way = way_of(run);
    bool is_wanted = way == RPT_WAY_KERNEL ||
                     (way == RPT_WAY_FOUND && pace_of(run)->by_kernel);

    return probe->reads == RPT_READS_ALL && is_wanted &&
           (is_open ||
            ((!run->input_is_read || is_readable(probe, run->input)) &&
             (!run->output_is_read || is_readable(probe, run->output))));
}

void rpt__agree_offer(struct rpt_run *run, struct rpt_exposed *mine)
{
    struct rpt_probe *probe = &run->team->probe;

    if (probe->reads == RPT_READS_UNKNOWN) {
        if (probe->word == 0) {
            make_word(probe);
        }
        mine->word = probe->word;
        mine->word_at = (uint64_t)(uintptr_t)&probe->word;
    }
    mine->pid = (uint32_t)probe->pid;
    mine->way = (uint8_t)way_of(run);
    mine->reads_all = probe->reads == RPT_READS_ALL;
    mine->is_offered = offers(run, mine->is_open != 0);
    mine->stored_s = (float)rpt__pace_stored_s(pace_of(run));
    mine->kernel_s = (float)pace_of(run)->kernel_s;
}

/* ---- what comes of it ---- */

void rpt__agree(struct rpt_run *run)
{
    struct rpt_team *team = run->team;
    enum rpt_way way = rpt__run_exposed(run, team->near[0])->way;
    bool all_read = true, all_offer = true, is_known = true;
    float stored_s = 0, kernel_s = 0;

    for (int i = 0; i < team->n_near; i++) {
        const struct rpt_exposed *theirs = rpt__run_exposed(run, team->near[i]);

        all_read = all_read && theirs->reads_all != 0;
        all_offer = all_offer && theirs->is_offered != 0;
        is_known = is_known && theirs->kernel_s > 0;
        stored_s = fmaxf(stored_s, theirs->stored_s);
        kernel_s = fmaxf(kernel_s, theirs->kernel_s);
    }
    if (way == RPT_WAY_KERNEL && team->probe.reads == RPT_READS_UNKNOWN) {
        probe(team, run);
    }
    if (way == RPT_WAY_FOUND) {
        pace_of(run)->by_kernel = is_known && kernel_s < CLEARLY * stored_s;
    }
    run->by_kernel = all_read && all_offer &&
                     (way == RPT_WAY_KERNEL ||
                      (way == RPT_WAY_FOUND && pace_of(run)->by_kernel));
    team->probe.n_calls += run->by_kernel;
}
