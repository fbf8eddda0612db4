/*
 * test_exec_parts.c - packing, frames, environments: the parts by themselves
 */
#include "pool/exec/env.h"
#include "pool/exec/find.h"
#include "pool/exec/program.h"
#include "pool/exec/protocol.h"
#include "pool/exec/which.h"
#include "pool/exec/wire.h"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- programs ---- */

static void pack_example(struct rpt_buf *buf)
{
    const char *argv[] = { "prog", "", "two words", NULL };
    struct rpt_env_change env[] = { { "A", "1" }, { "B", NULL }, { "C", "" } };
    struct rpt_program program = {
        .argv = argv,
        .n_argv = 3,
        .env = env,
        .n_env = 3,
        .cwd = "/tmp",
        .stdin_data = "a\0b",
        .stdin_bytes = 3,
        .output = RPT_OUTPUT_FILES,
        .stdout_path = "out",
    };

    rpt__program_pack(buf, &program);
    CU_ASSERT_EQUAL(rpt__buf_status(buf), RPT_OK);
}

static void a_program_comes_out_as_it_went_in(void)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;
    struct rpt_program program;
    struct rpt_reader reader;

    pack_example(&buf);
    reader = rpt__reader(buf.data, buf.bytes);
    CU_ASSERT_EQUAL_FATAL(rpt__program_unpack(&reader, &program), RPT_OK);
    CU_ASSERT_EQUAL(reader.next, reader.end);
    CU_ASSERT_EQUAL(program.n_argv, 3);
    CU_ASSERT_STRING_EQUAL(program.argv[0], "prog");
    CU_ASSERT_STRING_EQUAL(program.argv[1], "");
    CU_ASSERT_STRING_EQUAL(program.argv[2], "two words");
    CU_ASSERT_PTR_NULL(program.argv[3]);
    CU_ASSERT_EQUAL(program.n_env, 3);
    CU_ASSERT_STRING_EQUAL(program.env[0].name, "A");
    CU_ASSERT_STRING_EQUAL(program.env[0].value, "1");
    CU_ASSERT_PTR_NULL(program.env[1].value);
    CU_ASSERT_STRING_EQUAL(program.env[2].value, "");
    CU_ASSERT_STRING_EQUAL(program.cwd, "/tmp");
    CU_ASSERT_EQUAL(program.stdin_bytes, 3);
    CU_ASSERT_EQUAL(memcmp(program.stdin_data, "a\0b", 3), 0);
    CU_ASSERT_EQUAL(program.output, RPT_OUTPUT_FILES);
    CU_ASSERT_STRING_EQUAL(program.stdout_path, "out");
    CU_ASSERT_PTR_NULL(program.stderr_path);
    rpt__program_free(&program);
    rpt__buf_free(&buf);
}

static void a_shortened_program_is_corrupt(void)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;

    pack_example(&buf);
    for (size_t bytes = 0; bytes < buf.bytes; bytes++) {
        struct rpt_program program = { .n_argv = 99 };
        /* A copy of exactly that size, for the sanitizer to guard. */
        char *cut = malloc(bytes + 1);
        struct rpt_reader reader;

        CU_ASSERT_FATAL(cut != NULL);
        cut = realloc(cut, bytes > 0 ? bytes : 1);
        memcpy(cut, buf.data, bytes);
        reader = rpt__reader(cut, bytes);
        CU_ASSERT_EQUAL(rpt__program_unpack(&reader, &program),
                        RPT_ERR_CORRUPT);
        CU_ASSERT_EQUAL(program.n_argv, 99);
        free(cut);
    }
    rpt__buf_free(&buf);
}

/* Whatever bytes are changed, it is a program or corrupt, and nothing else. */
static void a_damaged_program_does_no_harm(void)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;

    pack_example(&buf);
    for (size_t at = 0; at < buf.bytes; at++) {
        for (int change = 1; change < 256; change <<= 1) {
            struct rpt_program program;
            struct rpt_reader reader = rpt__reader(buf.data, buf.bytes);
            rpt_status_t status;

            buf.data[at] = (char)(buf.data[at] ^ change);
            status = rpt__program_unpack(&reader, &program);
            buf.data[at] = (char)(buf.data[at] ^ change);
            CU_ASSERT(status == RPT_OK || status == RPT_ERR_CORRUPT);
            if (status == RPT_OK) {
                rpt__program_free(&program);
            }
        }
    }
    rpt__buf_free(&buf);
}

/* ---- contents of frames ---- */

static void a_run_comes_out_as_it_went_in(void)
{
    const char *const env[] = { "A=1", "B=", NULL };
    const int cpus[] = { 0, 3, 4095 };
    struct rpt_run run = { .key = 42,
                           .program = "program",
                           .program_bytes = 7,
                           .env = env,
                           .cpus = cpus,
                           .n_cpus = 3,
                           .memory_bytes = 1 << 30,
                           .timeout_s = 2.5,
                           .after = 41 };
    struct rpt_buf buf = RPT_BUF_EMPTY;
    struct rpt_run got = { 0 };

    rpt__run_pack(&buf, &run);
    for (size_t bytes = 0; bytes < buf.bytes - 7; bytes++) {
        CU_ASSERT_FALSE(rpt__run_unpack(buf.data, bytes, &got));
    }
    CU_ASSERT_FATAL(rpt__run_unpack(buf.data, buf.bytes, &got));
    CU_ASSERT_EQUAL(got.key, 42);
    CU_ASSERT_EQUAL(got.program_bytes, 7);
    CU_ASSERT_EQUAL(memcmp(got.program, "program", 7), 0);
    CU_ASSERT_STRING_EQUAL(got.env[0], "A=1");
    CU_ASSERT_STRING_EQUAL(got.env[1], "B=");
    CU_ASSERT_PTR_NULL(got.env[2]);
    CU_ASSERT_EQUAL(got.n_cpus, 3);
    CU_ASSERT_EQUAL(got.cpus[2], 4095);
    CU_ASSERT_EQUAL(got.memory_bytes, 1 << 30);
    CU_ASSERT_EQUAL(got.timeout_s, 2.5);
    CU_ASSERT_EQUAL(got.after, 41);
    free((void *)got.env);
    rpt__buf_free(&buf);
}

static void an_end_comes_out_as_it_went_in(void)
{
    struct rpt_program_end end = { .error = ENOENT,
                                   .message = "why",
                                   .exit_code = -1,
                                   .signal = 9,
                                   .timed_out = true,
                                   .start_time = 1e9,
                                   .duration_s = 0.5,
                                   .max_rss_kib = 1234,
                                   .stdout_data = "out",
                                   .stdout_bytes = 3,
                                   .stderr_data = NULL,
                                   .stderr_bytes = 0,
                                   .stdout_dropped = 5,
                                   .stderr_dropped = UINT64_C(1) << 40 };
    struct rpt_buf buf = RPT_BUF_EMPTY;
    struct rpt_program_end got = { 0 };
    uint64_t key = 0;

    rpt__end_pack(&buf, 42, &end);
    for (size_t bytes = 0; bytes < buf.bytes; bytes++) {
        CU_ASSERT_FALSE(rpt__end_unpack(buf.data, bytes, &key, &got));
    }
    CU_ASSERT_EQUAL(key, 0);
    CU_ASSERT_FATAL(rpt__end_unpack(buf.data, buf.bytes, &key, &got));
    CU_ASSERT_EQUAL(key, 42);
    CU_ASSERT_EQUAL(got.error, ENOENT);
    CU_ASSERT_STRING_EQUAL(got.message, "why");
    CU_ASSERT_EQUAL(got.exit_code, -1);
    CU_ASSERT_EQUAL(got.signal, 9);
    CU_ASSERT(got.timed_out && !got.killed);
    CU_ASSERT_EQUAL(got.start_time, 1e9);
    CU_ASSERT_EQUAL(got.duration_s, 0.5);
    CU_ASSERT_EQUAL(got.max_rss_kib, 1234);
    CU_ASSERT_EQUAL(got.stdout_bytes, 3);
    CU_ASSERT_EQUAL(got.stderr_bytes, 0);
    CU_ASSERT_EQUAL(got.stdout_dropped, 5);
    CU_ASSERT_EQUAL(got.stderr_dropped, UINT64_C(1) << 40);
    rpt__buf_free(&buf);
}

/* ---- frames ---- */

static void open_wires(struct rpt_wire wires[2])
{
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    rpt__wire_open(&wires[0], ends[0]);
    rpt__wire_open(&wires[1], ends[1]);
}

/* Frames of all sizes, more of them than the socket takes: they come whole,
 * in order and aligned, and nobody waits for anybody. */
static void frames_arrive_whole_and_in_order(void)
{
    enum { N = 300 };
    struct rpt_wire wires[2];
    struct rpt_frame frame;
    char *data = malloc(N * 100);
    uint32_t n_got = 0;

    CU_ASSERT_FATAL(data != NULL);
    open_wires(wires);
    for (uint32_t i = 0; i < N; i++) {
        memset(data, (int)i, i * 100);
        rpt__buf_add(rpt__wire_begin(&wires[0], i), data, i * 97);
        CU_ASSERT(rpt__wire_end(&wires[0]));
    }
    CU_ASSERT_EQUAL(rpt__wire_receive(&wires[1]), 0);
    while (n_got < N) {
        CU_ASSERT_FATAL(rpt__wire_send(&wires[0]) >= 0);
        CU_ASSERT_FATAL(rpt__wire_receive(&wires[1]) > 0);
        while (rpt__wire_next(&wires[1], &frame)) {
            memset(data, (int)n_got, n_got * 100);
            CU_ASSERT_EQUAL(frame.kind, n_got);
            CU_ASSERT_EQUAL_FATAL(frame.bytes, n_got * 97);
            CU_ASSERT_EQUAL(memcmp(frame.data, data, frame.bytes), 0);
            CU_ASSERT_EQUAL((uintptr_t)frame.data % 8, 0);
            n_got++;
        }
    }
    CU_ASSERT_EQUAL(rpt__wire_unsent(&wires[0]), 0);
    rpt__wire_close(&wires[0]);
    CU_ASSERT_EQUAL(rpt__wire_receive(&wires[1]), -1);
    CU_ASSERT(rpt__wire_send(&wires[1]) == 0);
    rpt__wire_begin(&wires[1], 1);
    CU_ASSERT(rpt__wire_end(&wires[1]));
    CU_ASSERT_EQUAL(rpt__wire_send(&wires[1]), -1);
    rpt__wire_close(&wires[1]);
    free(data);
}

static void a_frame_that_needs_too_much_memory_is_left_out(void)
{
    struct rpt_wire wires[2];
    struct rpt_frame frame;

    open_wires(wires);
    rpt__buf_u32(rpt__wire_begin(&wires[0], 1), 11);
    CU_ASSERT(rpt__wire_end(&wires[0]));
    rpt__buf_reserve(rpt__wire_begin(&wires[0], 2), SIZE_MAX / 2);
    CU_ASSERT_FALSE(rpt__wire_end(&wires[0]));
    rpt__buf_u32(rpt__wire_begin(&wires[0], 3), 33);
    CU_ASSERT(rpt__wire_end(&wires[0]));
    CU_ASSERT(rpt__wire_send(&wires[0]) > 0);
    CU_ASSERT(rpt__wire_receive(&wires[1]) > 0);
    CU_ASSERT(rpt__wire_next(&wires[1], &frame));
    CU_ASSERT_EQUAL(frame.kind, 1);
    CU_ASSERT(rpt__wire_next(&wires[1], &frame));
    CU_ASSERT_EQUAL(frame.kind, 3);
    CU_ASSERT_FALSE(rpt__wire_next(&wires[1], &frame));
    rpt__wire_close(&wires[0]);
    rpt__wire_close(&wires[1]);
}

/* ---- environments ---- */

static void what_identifies_the_rank_is_the_launchers(void)
{
    const char *const theirs[] = { "OMPI_COMM_WORLD_RANK=0",
                                   "OMPI_UNIVERSE_SIZE=2",
                                   "OMPI_MCA_ess=x",
                                   "OMPI_MCA_ess_base_jobid=1",
                                   "OMPI_MCA_orte_hnp_uri=x",
                                   "OMPI_MCA_pmix=^s1",
                                   "OMPI_MCA_initial_wdir=/",
                                   "OMPI_FUTURE=1",
                                   "OMPI_MCA_shmem_RUNTIME_QUERY_hint=mmap",
                                   "PMIX_RANK=0",
                                   "PMIX_NAMESPACE=1",
                                   "PMI_RANK=0",
                                   "PMI_FD=6",
                                   "PRTE_X=1",
                                   "ORTE_X=1",
                                   "HYDRA_X=1",
                                   "HYDI_CONTROL_FD=7",
                                   "MPIR_CVAR_X=1",
                                   "MPI_LOCALRANKID=0",
                                   "MPI_LOCALNRANKS=1",
                                   "SLURM_STEP_ID=0",
                                   "SLURM_STEPID=0",
                                   "SLURM_PMI_FD=5",
                                   "SLURM_MPI_TYPE=pmi2",
                                   "SLURM_SRUN_COMM_PORT=1",
                                   NULL };
    const char *const users[] = { "PATH=/bin",
                                  "OMPI_MCA_btl=self",
                                  "OMPI_MCA_btl_tcp_if_include=lo",
                                  "OMPI_ALLOW_RUN_AS_ROOT=1",
                                  "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                                  "OMPI_CC=clang",
                                  "OMPI_CFLAGS=-O",
                                  "PMIX_MCA_gds=hash",
                                  "OMPIX=1",
                                  "OMPI=1",
                                  "SLURM_JOB_ID=1",
                                  "SLURM_PROCID=0",
                                  "MPI_HOME=/usr",
                                  "PMIXED=1",
                                  "MY_PMI_RANK=3",
                                  NULL };

    for (size_t i = 0; theirs[i] != NULL; i++) {
        CU_ASSERT(rpt__env_is_launchers(theirs[i]));
    }
    for (size_t i = 0; users[i] != NULL; i++) {
        CU_ASSERT_FALSE(rpt__env_is_launchers(users[i]));
    }
}

static void an_environment_is_built_anew_each_time(void)
{
    char *own[] = { (char *)"PATH=/bin", (char *)"A=own", (char *)"PMI_FD=3",
                    (char *)"AB=x", NULL };
    const char *const more[] = { "A=more", "N=1", NULL };
    const struct rpt_env_change changes[] = {
        { "N", "2" }, { "AB", NULL }, { "NONE", NULL }, { "C", "=" }
    };
    const char *const *list;
    struct rpt_env env;
    size_t n = 0;

    CU_ASSERT_FATAL(rpt__env_open(&env, own));
    list = rpt__env_build(&env, more, changes, 4);
    CU_ASSERT_FATAL(list != NULL);
    CU_ASSERT_STRING_EQUAL(rpt__env_get(list, "PATH"), "/bin");
    CU_ASSERT_STRING_EQUAL(rpt__env_get(list, "A"), "more");
    CU_ASSERT_STRING_EQUAL(rpt__env_get(list, "N"), "2");
    CU_ASSERT_STRING_EQUAL(rpt__env_get(list, "C"), "=");
    CU_ASSERT_PTR_NULL(rpt__env_get(list, "AB"));
    while (list[n] != NULL) {
        n++;
    }
    CU_ASSERT_EQUAL(n, 4);
    list = rpt__env_build(&env, NULL, NULL, 0);
    CU_ASSERT_FATAL(list != NULL);
    CU_ASSERT_STRING_EQUAL(rpt__env_get(list, "A"), "own");
    CU_ASSERT_STRING_EQUAL(rpt__env_get(list, "AB"), "x");
    CU_ASSERT_PTR_NULL(rpt__env_get(list, "PMI_FD"));
    CU_ASSERT_PTR_NULL(list[3]);
    CU_ASSERT_PTR_NULL(
        rpt__env_build(&env, NULL, &(struct rpt_env_change){ "", "x" }, 1));
    CU_ASSERT_EQUAL(errno, EINVAL);
    rpt__env_close(&env);
}

/* ---- files ---- */

static void a_program_is_found_where_the_shell_finds_it(void)
{
    char found[PATH_MAX], message[256] = "";

    CU_ASSERT_EQUAL(rpt__which("sh", "/no:/etc:/bin:/usr/bin", AT_FDCWD, found,
                               message, sizeof message),
                    0);
    CU_ASSERT_STRING_EQUAL(found, "/bin/sh");
    CU_ASSERT_EQUAL(
        rpt__which("sh", NULL, AT_FDCWD, found, message, sizeof message), 0);
    CU_ASSERT_STRING_EQUAL(found, "/bin/sh");
    CU_ASSERT_EQUAL(
        rpt__which("sh", "/no", AT_FDCWD, found, message, sizeof message),
        ENOENT);
    CU_ASSERT_STRING_EQUAL(message, "sh: not found in PATH (/no)");
    CU_ASSERT_EQUAL(
        rpt__which("./x/y", "/bin", AT_FDCWD, found, message, sizeof message),
        0);
    CU_ASSERT_STRING_EQUAL(found, "./x/y");
    /* The tail of a PATH may be longer than any name. */
    CU_ASSERT_EQUAL(
        rpt__which("etc", "/", AT_FDCWD, found, message, sizeof message),
        EACCES);
    CU_ASSERT_STRING_EQUAL(message, "//etc: is a directory");
}

static void names_that_are_too_long_are_errors(void)
{
    char found[PATH_MAX], message[256] = "", name[2 * PATH_MAX];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CU_ASSERT_EQUAL(
        rpt__which(name, "/bin", AT_FDCWD, found, message, sizeof message),
        ENOENT);
    name[0] = '/';
    CU_ASSERT_EQUAL(
        rpt__which(name, "/bin", AT_FDCWD, found, message, sizeof message),
        ENAMETOOLONG);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "File name too long"));
    CU_ASSERT_EQUAL(rpt__keeper_find(name, found), RPT_ERR_NOT_FOUND);
}

/* It lies in the folder above this program, which holds the library. */
static void the_keeper_is_found_beside_the_library(void)
{
    char found[PATH_MAX] = "", again[PATH_MAX] = "";
    struct stat beside, expected;

    if (getenv("RPT_POOL_KEEPER") == NULL) {
        rpt_test_skip("RPT_POOL_KEEPER does not say where it is");
        return;
    }
    CU_ASSERT_EQUAL_FATAL(rpt__keeper_find(NULL, found), RPT_OK);
    CU_ASSERT_EQUAL_FATAL(stat(found, &beside), 0);
    CU_ASSERT_EQUAL_FATAL(stat(getenv("RPT_POOL_KEEPER"), &expected), 0);
    CU_ASSERT(beside.st_dev == expected.st_dev &&
              beside.st_ino == expected.st_ino);
    CU_ASSERT_EQUAL(rpt__keeper_find("", again), RPT_OK);
    CU_ASSERT_STRING_EQUAL(again, found);
    /* What is named is taken, or is an error. */
    CU_ASSERT_EQUAL(rpt__keeper_find("/bin/sh", again), RPT_OK);
    CU_ASSERT_STRING_EQUAL(again, "/bin/sh");
    CU_ASSERT_EQUAL(rpt__keeper_find("/nowhere/keeper", again),
                    RPT_ERR_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(again, "/bin/sh");
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->hint, "pool.keeper"));
}

static const struct rpt_test tests[] = {
    RPT_TEST(a_program_comes_out_as_it_went_in),
    RPT_TEST(a_shortened_program_is_corrupt),
    RPT_TEST(a_damaged_program_does_no_harm),
    RPT_TEST(a_run_comes_out_as_it_went_in),
    RPT_TEST(an_end_comes_out_as_it_went_in),
    RPT_TEST(frames_arrive_whole_and_in_order),
    RPT_TEST(a_frame_that_needs_too_much_memory_is_left_out),
    RPT_TEST(what_identifies_the_rank_is_the_launchers),
    RPT_TEST(an_environment_is_built_anew_each_time),
    RPT_TEST(a_program_is_found_where_the_shell_finds_it),
    RPT_TEST(names_that_are_too_long_are_errors),
    RPT_TEST(the_keeper_is_found_beside_the_library),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("exec parts", tests, 60, argc, argv);
}
