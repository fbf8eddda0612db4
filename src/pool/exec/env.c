/*
 * env.c - the environment of a program: the rank's, without the launcher's
 *
 * An MPI program that is run as a task must start on its own.  Left with what
 * mpirun told its parent it would pretend to be that rank, and hang.  So
 * whatever identifies the job and the rank is taken out once, at the start;
 * what tunes the MPI library (OMPI_MCA_btl …) or its compilers (OMPI_CC …)
 * stays.  Slurm's step variables go too: Open MPI takes SLURM_STEP_ID for the
 * sign that srun has started it; and so do the places for checkpoints of a task
 * that this whole job may be.  Building a list costs one pass over the base
 * for each change.
 */
#include "pool/exec/env.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The longest match decides. */
static const struct {
    const char *start;
    bool launchers;
} rules[] = {
    { "OMPI_", true },
    { "OMPI_ALLOW_RUN_AS_ROOT", false },
    { "OMPI_CC=", false },
    { "OMPI_CXX=", false },
    { "OMPI_FC=", false },
    { "OMPI_F77=", false },
    { "OMPI_CFLAGS=", false },
    { "OMPI_CPPFLAGS=", false },
    { "OMPI_CXXFLAGS=", false },
    { "OMPI_FCFLAGS=", false },
    { "OMPI_FFLAGS=", false },
    { "OMPI_LDFLAGS=", false },
    { "OMPI_LIBS=", false },
    { "OMPI_MCA_", false },
    { "OMPI_MCA_ess", true },
    { "OMPI_MCA_initial_wdir=", true },
    { "OMPI_MCA_mpi_oversubscribe=", true },
    { "OMPI_MCA_orte_", true },
    { "OMPI_MCA_plm", true },
    { "OMPI_MCA_pmix", true },
    { "OMPI_MCA_shmem_RUNTIME_QUERY_hint=", true },
    { "ORTE_", true },
    { "PRTE_", true },
    { "PRTE_ALLOW_RUN_AS_ROOT", false },
    { "PMIX_", true },
    { "PMIX_MCA_", false },
    { "PMI_", true },
    { "PMI2_", true },
    { "HYDRA_", true },
    { "HYDI_", true },
    { "MPIR_", true },
    { "MPI_LOCALRANKID=", true },
    { "MPI_LOCALNRANKS=", true },
    { "RPT_CHECKPOINT_", true },
    { "SLURM_MPI_TYPE=", true },
    { "SLURM_PMI", true },
    { "SLURM_SRUN_COMM_", true },
    { "SLURM_STEP", true },
};

bool rpt__env_is_launchers(const char *entry)
{
    size_t longest = 0;
    bool launchers = false;

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        size_t bytes = strlen(rules[i].start);

        if (bytes > longest && strncmp(entry, rules[i].start, bytes) == 0) {
            longest = bytes;
            launchers = rules[i].launchers;
        }
    }
    return launchers;
}

bool rpt__env_open(struct rpt_env *env, char **entries)
{
    size_t n = 0;

    memset(env, 0, sizeof *env);
    while (entries[n] != NULL) {
        n++;
    }
    env->base = calloc(n + 1, sizeof *env->base);
    if (env->base == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!rpt__env_is_launchers(entries[i])) {
            env->base[env->n_base++] = entries[i];
        }
    }
    return true;
}

void rpt__env_close(struct rpt_env *env)
{
    free(env->base);
    free((void *)env->list);
    rpt__buf_free(&env->text);
}

/* Position of a variable, or the end. */
static size_t position(const struct rpt_env *env, const char *name,
                       size_t bytes)
{
    size_t i;

    for (i = 0; i < env->n_list; i++) {
        if (strncmp(env->list[i], name, bytes) == 0 &&
            env->list[i][bytes] == '=') {
            break;
        }
    }
    return i;
}

static void set(struct rpt_env *env, const char *entry, size_t name_bytes)
{
    size_t i = position(env, entry, name_bytes);

    env->list[i] = entry;
    env->n_list += i == env->n_list;
}

static void take_out(struct rpt_env *env, const char *name)
{
    size_t i = position(env, name, strlen(name));

    if (i < env->n_list) {
        env->list[i] = env->list[--env->n_list];
    }
}

/* Room for all, so that nothing moves while it is built. */
static bool make_room(struct rpt_env *env, const char *const *more,
                      const struct rpt_env_change *changes, size_t n_changes)
{
    size_t n = env->n_base + n_changes + 1, bytes = 1;

    for (size_t i = 0; more != NULL && more[i] != NULL; i++) {
        n++;
    }
    for (size_t i = 0; i < n_changes; i++) {
        if (changes[i].value != NULL) {
            bytes += strlen(changes[i].name) + strlen(changes[i].value) + 2;
        }
    }
    if (n > env->capacity) {
        const char **list = realloc((void *)env->list, n * sizeof *list);

        if (list == NULL) {
            return false;
        }
        env->list = list;
        env->capacity = n;
    }
    rpt__buf_clear(&env->text);
    return rpt__buf_reserve(&env->text, bytes) != NULL;
}

static void apply(struct rpt_env *env, const struct rpt_env_change *change)
{
    size_t at = env->text.bytes;

    if (change->value == NULL) {
        take_out(env, change->name);
        return;
    }
    rpt__buf_add(&env->text, change->name, strlen(change->name));
    rpt__buf_add(&env->text, "=", 1);
    rpt__buf_add(&env->text, change->value, strlen(change->value) + 1);
    set(env, env->text.data + at, strlen(change->name));
}

static bool is_name(const char *name)
{
    return name[0] != '\0' && strchr(name, '=') == NULL;
}

const char *const *rpt__env_build(struct rpt_env *env, const char *const *more,
                                  const struct rpt_env_change *changes,
                                  size_t n_changes)
{
    if (!make_room(env, more, changes, n_changes)) {
        errno = ENOMEM;
        return NULL;
    }
    env->n_list = env->n_base;
    if (env->n_base > 0) {
        memcpy(env->list, env->base, env->n_base * sizeof *env->list);
    }
    for (size_t i = 0; more != NULL && more[i] != NULL; i++) {
        set(env, more[i], strcspn(more[i], "="));
    }
    for (size_t i = 0; i < n_changes; i++) {
        if (!is_name(changes[i].name)) {
            errno = EINVAL;
            return NULL;
        }
        apply(env, &changes[i]);
    }
    env->list[env->n_list] = NULL;
    return env->list;
}

const char *rpt__env_get(const char *const *list, const char *name)
{
    size_t bytes = strlen(name);

    for (; *list != NULL; list++) {
        if (strncmp(*list, name, bytes) == 0 && (*list)[bytes] == '=') {
            return *list + bytes + 1;
        }
    }
    return NULL;
}
