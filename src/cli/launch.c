/*
 * launch.c - how this process becomes a rank
 *
 * Started by mpirun (or srun with PMI): MPI_Init_thread and MPI_COMM_WORLD.
 * Started by hand: one rank, and no MPI call at all, but to measure the MPI.
 * The launcher shows in the environment, which tasks do not inherit: a
 * `repartir run` inside a task is a job of its own.
 *
 * kill -9 of mpirun leaves orphans behind with some MPIs: a thread waits for
 * the end of our parent and then ends this process; its keeper ends the rest.
 */
#include "cli/launch.h"

#include "cli/text.h"

#include <repartir/mpi.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Set by Open MPI, MPICH's hydra, PMIx launchers, Intel MPI, MVAPICH. */
/* clang-format off */
static const char *const signs[] = {
    "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMIX_NAMESPACE", "PMI_RANK",
    "PMI_SIZE", "PMI_FD", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_RANK"
};
static const char *const ranks[] = {
    "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK"
};
static const char *const sizes[] = {
    "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"
};
/* clang-format on */

bool launch_is_mpi(void)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (getenv(signs[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static int number_of(const char *const names[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *text = getenv(names[i]);

        if (text != NULL) {
            return atoi(text);
        }
    }
    return 0;
}

int launch_env_rank(void)
{
    return number_of(ranks, sizeof ranks / sizeof *ranks);
}

/* With the launcher of another MPI every process is a job of one rank, and
 * each would run all tasks. */
static void check_launcher(const struct launch *launch)
{
    int n = number_of(sizes, sizeof sizes / sizeof *sizes);
    struct fault fault;
    char *mpi;

    if (launch->size > 1 || n <= 1) {
        return;
    }
    if (launch_env_rank() == 0) {
        mpi = launch_mpi_version();
        fault_set(&fault, CODE_USAGE,
                  "the launcher started %d processes, and none knows of the "
                  "others",
                  n);
        fault_why(&fault,
                  "this repartir was built with %s, and the launcher "
                  "is that of another MPI",
                  mpi);
        fault_hint(&fault, "use the mpirun of that MPI (mpirun.openmpi, "
                           "mpirun.mpich), or srun --mpi=pmix");
        fault_print(&fault);
        free(mpi);
    }
    MPI_Finalize();
    exit(CODE_USAGE);
}

/* Waits until `parent` is gone. */
static void wait_for_end(pid_t parent)
{
#ifdef SYS_pidfd_open
    int fd = (int)syscall(SYS_pidfd_open, parent, 0);

    if (fd >= 0) {
        struct pollfd ready = { fd, POLLIN, 0 };

        /* It may have ended before we looked, and its number be another's. */
        while (getppid() == parent && poll(&ready, 1, -1) < 0 &&
               errno == EINTR) {
        }
        close(fd);
        return;
    }
#endif
    while (getppid() == parent) {
        nanosleep(&(struct timespec){ 0, 200000000 }, NULL);
    }
}

static void *watch(void *user)
{
    wait_for_end((pid_t)(intptr_t)user);
    _exit(CODE_RESUMABLE);
}

static void watch_parent(void)
{
    pid_t parent = getppid();
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, old;

    if (parent <= 1 || pthread_attr_init(&attributes) != 0) {
        return;
    }
    /* Signals are for the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, watch, (void *)(intptr_t)parent) !=
        0) {
        say("warning: no thread to watch the launcher");
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attributes);
}

/* srun without a plugin for our MPI starts processes that are no ranks. */
static void warn_of_step(void)
{
    static const char *const names[] = { "SLURM_STEP_NUM_TASKS" };
    const char *process = getenv("SLURM_PROCID");

    if (number_of(names, 1) > 1 && getenv("RPT_TASK_ID") == NULL &&
        process != NULL && strcmp(process, "0") == 0) {
        say("warning: srun started %s processes, each a job of its own; with "
            "srun --mpi=pmix they are ranks of one",
            getenv(names[0]));
    }
}

static void begin_mpi(struct launch *launch, int threads)
{
    int provided;

    MPI_Init_thread(NULL, NULL, threads, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &launch->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &launch->size);
    check_launcher(launch);
}

void launch_begin(struct launch *launch)
{
    *launch = (struct launch){ launch_is_mpi(), 0, 1 };
    if (!launch->mpi) {
        warn_of_step();
        return;
    }
    watch_parent();
    begin_mpi(launch, MPI_THREAD_MULTIPLE);
}

void launch_begin_single(struct launch *launch)
{
    *launch = (struct launch){ true, 0, 1 };
    if (launch_is_mpi()) {
        watch_parent();
    } else {
        warn_of_step();
    }
    begin_mpi(launch, MPI_THREAD_SINGLE);
}

/* Open MPI's mpirun, when it is told to end, sends TERM to the ranks and KILL a
 * second later (odls_base_sigkill_timeout).  USR1 it hands on. */
bool launch_kills_soon(pid_t sender)
{
    static const char *const names[] = { "mpirun", "mpiexec", "orterun",
                                         "orted",  "prterun", "prted" };
    char path[64], name[32] = "";
    FILE *file;

    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL || sender != getppid()) {
        return false;
    }
    snprintf(path, sizeof path, "/proc/%d/comm", (int)sender);
    file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(name, sizeof name, file) == NULL) {
            name[0] = '\0';
        }
        fclose(file);
    }
    name[strcspn(name, "\n")] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

int launch_agree(const struct launch *launch, int code, int *first_out)
{
    int first = code, largest = code;

    if (launch->mpi) {
        MPI_Bcast(&first, 1, MPI_INT, 0, MPI_COMM_WORLD);
        MPI_Allreduce(&code, &largest, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    }
    if (first_out != NULL) {
        *first_out = first;
    }
    return first != CODE_OK ? first : largest;
}

int launch_agree_fault(const struct launch *launch, struct fault *fault)
{
    int mine = fault->code != CODE_OK ? launch->rank : launch->size;
    int first = mine;

    if (launch->mpi) {
        MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    }
    if (launch->mpi && first < launch->size) {
        MPI_Bcast(fault, (int)sizeof *fault, MPI_BYTE, first, MPI_COMM_WORLD);
    }
    return fault->code;
}

int launch_context(const struct launch *launch, const rpt_options_t *options,
                   rpt_context_t **context_out, struct fault *fault)
{
    rpt_status_t status = launch->mpi
                              ? rpt_context_create_mpi(MPI_COMM_WORLD, options,
                                                       context_out)
                              : rpt_context_create_local(1, options,
                                                         context_out);

    return status == RPT_OK ? CODE_OK : fault_library(fault);
}

int launch_end(const struct launch *launch, int code)
{
    code = launch_agree(launch, code, NULL);
    if (launch->mpi) {
        MPI_Finalize();
    }
    return code;
}

int launch_give_up(int code)
{
    struct launch launch;

    launch_begin(&launch);
    return launch_end(&launch, code);
}

char *launch_mpi_version(void)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int bytes;

    MPI_Get_library_version(version, &bytes);
    version[strcspn(version, "\n")] = '\0';
    return copy_string(version);
}
