/*
 * proof.c - builds the schedules of all ranks and lets the simulator judge
 */
#include "proof.h"

#include "base/error.h"
#include "collectives/pattern/checked.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>

bool proof_complain(const struct rpt_algorithm *algorithm,
                    const struct call *call, const char *what)
{
    const struct rpt_case *c = &call->c;

    printf("  %s %s, %d ranks, root %d, %zu elements, segments of %zu%s: %s\n",
           rpt_coll_name(call->kind), algorithm->name, c->n_ranks, c->root,
           c->count, c->segment, c->commutative ? "" : ", ordered", what);
    return false;
}

/* Of a node's memory, or of what it has for a layout. */
static size_t room_of(const struct rpt_case *c)
{
    return c->stage_count > c->node_stage_count ? c->stage_count
                                                : c->node_stage_count;
}

bool proof_run(const struct rpt_algorithm *algorithm, const struct call *call,
               struct rpt_simulation *sim, bool in_place)
{
    int p = call->c.n_ranks;
    struct rpt_schedule *schedules = calloc((size_t)p, sizeof *schedules);
    size_t *inputs = numbers((size_t)p), *outputs = numbers((size_t)p);
    rpt_status_t status;
    bool good = true;

    CU_ASSERT_FATAL(schedules != NULL);
    for (int r = 0; r < p; r++) {
        struct rpt_case mine = case_of(call, r);

        schedules[r] = (struct rpt_schedule){ .window = 1 };
        algorithm->build(&mine, &schedules[r]);
        if (call->check_first == BY_MESSAGES && !schedules[r].pulls) {
            rpt__checked(&mine, &schedules[r]);
        }
        sizes_of(call->kind, &mine, &inputs[r], &outputs[r]);
        good = good && schedules[r].stage_count <= room_of(&mine);
    }
    if (!good) {
        proof_complain(algorithm, call, "more than there is of a stage");
    }
    rpt__simulation_meet(sim, call->check_first == BY_MEETING);
    status = rpt__simulation_run(sim, schedules, inputs, outputs, in_place);
    if (status != RPT_OK) {
        good = proof_complain(algorithm, call, rpt_last_error()->what);
    }
    for (int r = 0; good && r < p; r++) {
        if (!is_right(call, r, sim, in_place)) {
            good = proof_complain(algorithm, call, "wrong result");
        }
    }
    for (int r = 0; r < p; r++) {
        rpt__schedule_free(&schedules[r]);
    }
    free(schedules);
    free(inputs);
    free(outputs);
    return good;
}

bool proof_run_alone(const struct rpt_algorithm *algorithm,
                     const struct call *call, bool in_place)
{
    struct rpt_simulation *sim = NULL;
    bool good = true;

    CU_ASSERT_FATAL(
        rpt__simulation_create(call->c.n_ranks, call->node_of, &sim) == RPT_OK);
    for (int i = 0; good && i < 3; i++) {
        good = proof_run(algorithm, call, sim, in_place);
    }
    rpt__simulation_destroy(sim);
    return good;
}
