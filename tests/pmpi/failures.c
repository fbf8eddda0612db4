/*
 * failures.c - what each of the functions that wait or test says of a request
 * that fails
 *
 * The first rank starts a call before the others, who make another one, so that
 * on it the start is right and the wait fails.  Others may learn it in either.
 */
#include "app.h"
#include "harness.h"

enum { NOTHING, INCOMING, WRONG, N };

struct failing {
    MPI_Comm comm;
    MPI_Request requests[N];
    double in[4], out[4];
    int message;
};

static void begin(struct failing *f)
{
    double *out = f->out;
    int go = 0;

    *f = (struct failing){ .message = -1 };
    MPI_Comm_dup(MPI_COMM_WORLD, &f->comm);
    MPI_Comm_set_errhandler(f->comm, MPI_ERRORS_RETURN);
    MPI_Barrier(f->comm);
    f->requests[NOTHING] = MPI_REQUEST_NULL;
    MPI_Irecv(&f->message, 1, MPI_INT, world_rank, 11, f->comm,
              &f->requests[INCOMING]);
    if (world_rank == 0) {
        CHECK(MPI_Iallreduce(f->in, out, 3, MPI_DOUBLE, MPI_SUM, f->comm,
                             &f->requests[WRONG]) == MPI_SUCCESS);
        for (int r = 1; r < world_size; r++) {
            MPI_Send(&go, 1, MPI_INT, r, 12, MPI_COMM_WORLD);
        }
    } else {
        MPI_Recv(&go, 1, MPI_INT, 0, 12, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Iallreduce(f->in, out, 4, MPI_DOUBLE, MPI_SUM, f->comm,
                       &f->requests[WRONG]);
    }
}

/* The message of the array comes now. */
static void send_message(const struct failing *f)
{
    int five = 5;

    MPI_Send(&five, 1, MPI_INT, world_rank, 11, f->comm);
}

/* Whatever is left of the array. */
static void end(struct failing *f)
{
    if (f->requests[INCOMING] != MPI_REQUEST_NULL) {
        send_message(f);
        MPI_Wait(&f->requests[INCOMING], MPI_STATUS_IGNORE);
    }
    MPI_Wait(&f->requests[WRONG], MPI_STATUS_IGNORE);
    CHECK(f->message == 5);
    MPI_Comm_free(&f->comm);
}

static bool may_fail(void)
{
    if (!has_shim() || world_size < 2) {
        rpt_test_skip("MPI itself need not see it");
        return false;
    }
    return true;
}

/* ---- one ---- */

void wait_and_test_tell_of_a_failure(void)
{
    struct failing f;
    int flag = 0, code = MPI_SUCCESS;

    if (!may_fail()) {
        return;
    }
    begin(&f);
    if (world_rank == 0) {
        CHECK(MPI_Wait(&f.requests[WRONG], MPI_STATUS_IGNORE) == MPI_ERR_OTHER);
        CHECK(f.requests[WRONG] == MPI_REQUEST_NULL);
    }
    end(&f);
    begin(&f);
    while (world_rank == 0 && !flag) {
        code = MPI_Test(&f.requests[WRONG], &flag, MPI_STATUS_IGNORE);
        CHECK(code == (flag ? MPI_ERR_OTHER : MPI_SUCCESS));
    }
    end(&f);
}

/* Who asks for a status does not take it from who waits. */
void a_failure_is_told_to_all_who_ask(void)
{
    struct failing f;

    if (!may_fail()) {
        return;
    }
    begin(&f);
    if (world_rank == 0) {
        int flag = 0, code = MPI_SUCCESS;

        while (!flag) {
            code = MPI_Request_get_status(f.requests[WRONG], &flag,
                                          MPI_STATUS_IGNORE);
        }
        CHECK(code == MPI_ERR_OTHER && f.requests[WRONG] != MPI_REQUEST_NULL);
        CHECK(MPI_Wait(&f.requests[WRONG], MPI_STATUS_IGNORE) == MPI_ERR_OTHER);
    }
    end(&f);
}

/* ---- any: not the first one of the array, and beside one that waits ---- */

void any_tells_of_a_failure(void)
{
    struct failing f;
    int index = -1, flag = 0, code = MPI_SUCCESS;

    if (!may_fail()) {
        return;
    }
    begin(&f);
    if (world_rank == 0) {
        CHECK(MPI_Waitany(N, f.requests, &index, MPI_STATUS_IGNORE) ==
              MPI_ERR_OTHER);
        CHECK(index == WRONG);
        send_message(&f);
        CHECK(MPI_Waitany(N, f.requests, &index, MPI_STATUS_IGNORE) ==
              MPI_SUCCESS);
        CHECK(index == INCOMING);
    }
    end(&f);
    begin(&f);
    while (world_rank == 0 && !flag) {
        code = MPI_Testany(N, f.requests, &index, &flag, MPI_STATUS_IGNORE);
        CHECK(code == (flag ? MPI_ERR_OTHER : MPI_SUCCESS));
    }
    CHECK(world_rank != 0 || index == WRONG);
    end(&f);
}

/* ---- some ---- */

static void some(struct failing *f, bool waits)
{
    MPI_Status statuses[N];
    int indices[N], n = 0, code = MPI_SUCCESS;

    while (n == 0) {
        code = waits ? MPI_Waitsome(N, f->requests, &n, indices, statuses)
                     : MPI_Testsome(N, f->requests, &n, indices, statuses);
    }
    CHECK(code == MPI_ERR_IN_STATUS && n == 1 && indices[0] == WRONG);
    CHECK(statuses[0].MPI_ERROR == MPI_ERR_OTHER);
    send_message(f);
    for (n = 0; n == 0;) {
        code = waits ? MPI_Waitsome(N, f->requests, &n, indices, statuses)
                     : MPI_Testsome(N, f->requests, &n, indices, statuses);
    }
    CHECK(code == MPI_SUCCESS && n == 1 && indices[0] == INCOMING);
}

void some_tell_of_a_failure(void)
{
    struct failing f;

    if (!may_fail()) {
        return;
    }
    for (int waits = 0; waits < 2; waits++) {
        begin(&f);
        if (world_rank == 0) {
            some(&f, waits != 0);
        }
        end(&f);
    }
}

/* ---- all ---- */

/* It is over, and the status says how. */
static void wait_for_failure(const struct failing *f)
{
    int flag = 0;

    while (!flag) {
        MPI_Request_get_status(f->requests[WRONG], &flag, MPI_STATUS_IGNORE);
    }
}

static void check_all(const MPI_Status statuses[], int code)
{
    CHECK(code == MPI_ERR_IN_STATUS);
    CHECK(statuses[WRONG].MPI_ERROR == MPI_ERR_OTHER);
    CHECK(statuses[INCOMING].MPI_ERROR == MPI_SUCCESS);
    CHECK(statuses[NOTHING].MPI_ERROR == MPI_SUCCESS);
}

/* As long as one is under way nothing is said of the others. */
void all_tell_of_a_failure_when_all_are_over(void)
{
    MPI_Status statuses[N] = { 0 };
    struct failing f;

    if (!may_fail()) {
        return;
    }
    begin(&f);
    if (world_rank == 0) {
        int flag = 1, code = MPI_SUCCESS;

        wait_for_failure(&f);
        CHECK(MPI_Testall(N, f.requests, &flag, statuses) == MPI_SUCCESS);
        CHECK(!flag && f.requests[WRONG] != MPI_REQUEST_NULL);
        send_message(&f);
        for (flag = 0; !flag;) {
            code = MPI_Testall(N, f.requests, &flag, statuses);
        }
        check_all(statuses, code);
    }
    end(&f);
    begin(&f);
    if (world_rank == 0) {
        send_message(&f);
        check_all(statuses, MPI_Waitall(N, f.requests, statuses));
    }
    end(&f);
    begin(&f);
    if (world_rank == 0) {
        send_message(&f);
        CHECK(MPI_Waitall(N, f.requests, statuses_ignored()) ==
              MPI_ERR_IN_STATUS);
    }
    end(&f);
}

/* ---- a communicator that is gone ---- */

static int n_told;

static void note(MPI_Comm *comm, int *code, ...)
{
    (void)comm;
    n_told += *code == MPI_ERR_OTHER;
}

/* Its handler is gone as well: the world's is told. */
void a_failure_after_its_communicator_is_told_to_the_world(void)
{
    MPI_Errhandler before, ours;
    struct failing f;

    if (!may_fail()) {
        return;
    }
    MPI_Comm_create_errhandler(note, &ours);
    MPI_Comm_get_errhandler(MPI_COMM_WORLD, &before);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, ours);
    n_told = 0;
    begin(&f);
    send_message(&f);
    MPI_Wait(&f.requests[INCOMING], MPI_STATUS_IGNORE);
    MPI_Comm_free(&f.comm);
    if (world_rank == 0) {
        CHECK(n_told == 0);
        CHECK(MPI_Wait(&f.requests[WRONG], MPI_STATUS_IGNORE) == MPI_ERR_OTHER);
        CHECK(n_told == 1);
    }
    MPI_Wait(&f.requests[WRONG], MPI_STATUS_IGNORE);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, before);
    MPI_Errhandler_free(&before);
    MPI_Errhandler_free(&ours);
}
