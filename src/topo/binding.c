/*
 * binding.c - finds ranks whose launcher left them too few cpus, says the cure
 *
 * A rank is bound when it may use fewer cpus than its host has.  Only then can
 * a flag of the launcher help: more slots than the host has cpus is the user's
 * choice and none of our business.  Cpus that several ranks are bound to are
 * divided by the number of these ranks, rounded up.
 */
#include "topo/map_priv.h"

/* The sentence's end: what to type.  Binding needs cores for all the slots. */
static void add_flag(int slots, bool fits, enum rpt_launcher launcher,
                     struct rpt_buf *text)
{
    switch (launcher) {
    case RPT_LAUNCHER_OPENMPI:
        if (fits) {
            rpt__buf_printf(text,
                            "use mpirun --map-by slot:PE=%d --bind-to core, or "
                            "mpirun --bind-to none",
                            slots);
        } else {
            rpt__buf_printf(text, "use mpirun --bind-to none");
        }
        break;
    case RPT_LAUNCHER_MPICH:
        if (fits) {
            rpt__buf_printf(text,
                            "use mpirun -bind-to core:%d, or mpirun -bind-to "
                            "none",
                            slots);
        } else {
            rpt__buf_printf(text, "use mpirun -bind-to none");
        }
        break;
    case RPT_LAUNCHER_OTHER:
        if (fits) {
            rpt__buf_printf(text,
                            "have the launcher give each rank %d cpus (srun "
                            "--cpus-per-task=%d), or bind none (srun "
                            "--cpu-bind=none)",
                            slots, slots);
        } else {
            rpt__buf_printf(text, "have the launcher bind no rank (srun "
                                  "--cpu-bind=none)");
        }
        break;
    case RPT_LAUNCHER_NONE:
    default:
        rpt__buf_printf(text, "no MPI launcher did that: start it outside of "
                              "taskset, or with more cpus in it");
        break;
    }
}

bool rpt__map_too_narrow(const struct rpt_map *map, int rank, int slots,
                         enum rpt_launcher launcher, struct rpt_buf *text)
{
    const struct rpt_seat *seat = rpt__map_seat(map, rank);
    int n_others, n_cpus;
    bool fits;

    if (seat == NULL || seat->n_pus >= seat->n_host_pus) {
        return false;
    }
    n_others = map->places[rank].n_sharers - 1;
    n_cpus = (seat->n_pus + n_others) / (n_others + 1);
    if (n_cpus >= slots) {
        return false;
    }
    fits = (int64_t)slots * map->places[rank].n_on_host <= seat->n_host_cores;
    rpt__buf_printf(text,
                    "rank %d on %s has %d slots but is bound to %d of %d "
                    "cpus",
                    rank, seat->host, slots, seat->n_pus, seat->n_host_pus);
    if (n_others > 0) {
        rpt__buf_printf(text, ", as %d other %s", n_others,
                        n_others == 1 ? "rank is" : "ranks are");
    }
    rpt__buf_printf(text, ", so its tasks would crowd there; ");
    add_flag(slots, fits, launcher, text);
    return true;
}
