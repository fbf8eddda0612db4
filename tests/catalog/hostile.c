/*
 * hostile.c - verifying what is damaged, or was made to harm
 */
#include "make.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ALL = RPT_VERIFY_CHECKSUMS | RPT_VERIFY_HDF5 };

/* Verifies FOLDER/ck/t/WHICH; a failure is recorded. */
static rpt_status_t verify(const char *which, int what,
                           const rpt_options_t *options)
{
    rpt_catalog_t *c = catalog_of("ck");
    const rpt_catalog_entry_t *e = NULL;
    rpt_stored_t *s = NULL;
    rpt_status_t status = rpt_catalog_find(c, "t", which, &e);

    if (status == RPT_OK) {
        status = rpt_stored_open(c, e, &s);
    }
    if (status == RPT_OK) {
        status = rpt_stored_verify(s, what, options);
    }
    rpt_stored_close(s);
    rpt_catalog_close(c);
    return status;
}

static void a_good_one_is_good(void)
{
    rpt_catalog_t *c;
    rpt_stored_t *s;

    folder_begin();
    save_in_folder("t", 2);
    WORKS(verify("1", RPT_VERIFY_CHECKSUMS, NULL));
    WORKS(verify("1", RPT_VERIFY_HDF5, NULL));
    WORKS(verify("2", ALL, NULL));
    s = stored_of("t", "2", &c);
    WORKS(rpt_stored_verify(s, ALL, NULL));
    FAILS(RPT_ERR_INVALID, "sum", rpt_stored_verify(s, 0, NULL));
    FAILS(RPT_ERR_INVALID, "sum", rpt_stored_verify(s, 4, NULL));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_verify(NULL, ALL, NULL));
    shell("rm -r %s", path_of("t", "2"));
    FAILS(RPT_ERR_NOT_FOUND, "is gone", rpt_stored_verify(s, ALL, NULL));
    rpt_stored_close(s);
    rpt_catalog_close(c);
    /* One that was put aside may be good. */
    shell("mv %s ck/t/.bad-$(basename %s | cut -d- -f3)", path_of("t", "1"),
          path_of("t", "1"));
    c = catalog_of("ck");
    rpt_catalog_close(c);
    shell("cd ck/t && ls -d .bad-* >name");
    {
        FILE *file = fopen(in_folder("ck/t/name"), "r");
        char name[64] = "";

        CU_ASSERT_EQUAL(fscanf(file, "%63s", name), 1);
        fclose(file);
        WORKS(verify(name, ALL, NULL));
    }
    folder_end();
}

static void damage_is_found_before_hdf5_opens_the_file(void)
{
    static const char *const tricks[] = {
        "truncate -s -1 %s/state.h5",
        "printf x >>%s/state.h5",
        "rm %s/state.h5",
        "cd %s && mv state.h5 ../x && ln -s ../x state.h5",
        "cd %s && rm state.h5 && mkfifo state.h5",
        "cd %s && rm state.h5 && mkdir state.h5",
        "cd %s && rm state.h5 && ln -s /dev/zero state.h5",
        "rm %s/blocks.xxh",
        "cd %s && rm MANIFEST.json && mkfifo MANIFEST.json",
    };
    rpt_options_t *options = NULL;

    /* A program that would say that all is well. */
    WORKS(rpt_options_create(&options));
    folder_begin();
    shell("printf '#!/bin/sh\\necho 0 ' >yes && chmod +x yes");
    WORKS(rpt_options_set(options, "io.checkpoint.checker", in_folder("yes")));
    save_in_folder("t", 1);
    WORKS(verify("1", ALL, options));
    for (long at = 0; at < 4096; at += 97) {
        flip(path_of("t", "1"), "state.h5", -1 - at);
        FAILS(RPT_ERR_CORRUPT, "checksum", verify("1", ALL, options));
        flip(path_of("t", "1"), "state.h5", -1 - at);
    }
    WORKS(verify("1", ALL, options));
    folder_end();
    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        char line[512];

        folder_begin();
        shell("printf '#!/bin/sh\\necho 0 ' >yes && chmod +x yes");
        WORKS(rpt_options_set(options, "io.checkpoint.checker",
                              in_folder("yes")));
        save_in_folder("t", 1);
        snprintf(line, sizeof line, tricks[i], path_of("t", "1"));
        shell("%s", line);
        CU_ASSERT_EQUAL(verify("1", ALL, options), RPT_ERR_CORRUPT);
        folder_end();
    }
    rpt_options_destroy(options);
}

static void files_that_lead_elsewhere_are_refused(void)
{
    static const char *const why[] = {
        "link to another file",
        "in another file",
        "is virtual",
        "not in one piece",
        "plug-in",
        "manifest has no dataset",
        "there is no dataset",
        "another shape",
        "another type",
        "another place",
        "manifest has no dataset",
        "",
    };

    for (size_t i = 0; forged_kinds[i] != NULL; i++) {
        folder_begin();
        save_in_folder("t", 1);
        CU_ASSERT_TRUE(
            forge(forged_kinds[i], in_folder("%s", path_of("t", "1"))));
        WORKS(verify("1", RPT_VERIFY_CHECKSUMS, NULL));
        if (!FAILS(RPT_ERR_CORRUPT, why[i], verify("1", ALL, NULL))) {
            fprintf(stderr, "  %s\n", forged_kinds[i]);
        }
        folder_end();
    }
    folder_begin();
    save_in_folder("t", 1);
    CU_ASSERT_TRUE(forge("soft-link", in_folder("%s", path_of("t", "1"))));
    WORKS(verify("1", ALL, NULL));
    CU_ASSERT_FALSE(forge("no-such-kind", in_folder("%s", path_of("t", "1"))));
    folder_end();
}

/* Parts that leave bytes of the file out. */
static void checksums_of_a_part_of_the_file_are_none(void)
{
    folder_begin();
    save_in_folder("t", 1);
    CU_ASSERT_TRUE(forge("uncovered", in_folder("%s", path_of("t", "1"))));
    FAILS(RPT_ERR_CORRUPT, "its parts are not all",
          verify("1", RPT_VERIFY_CHECKSUMS, NULL));
    folder_end();
}

/* ---- the other process ---- */

/* Verifies with a script in the place of repartir-checker. */
static void with_checker(const char *script, rpt_status_t wanted,
                         const char *words)
{
    rpt_options_t *options = NULL;

    shell("printf '%%s\\n' '#!/bin/sh' '%s' >checker && chmod +x checker",
          script);
    WORKS(rpt_options_create(&options));
    WORKS(rpt_options_set(options, "io.checkpoint.checker",
                          in_folder("checker")));
    WORKS(rpt_options_set(options, "io.checkpoint.check_s", "300ms"));
    if (wanted == RPT_OK) {
        WORKS(verify("1", ALL, options));
    } else {
        FAILS(wanted, words, verify("1", ALL, options));
    }
    rpt_options_destroy(options);
}

static void a_crash_is_damage_and_harms_nobody(void)
{
    folder_begin();
    save_in_folder("t", 1);
    with_checker("kill -SEGV $$", RPT_ERR_CORRUPT, "crashed by signal 11");
    with_checker("kill -ABRT $$", RPT_ERR_CORRUPT, "crashed by signal 6");
    with_checker("exit 3", RPT_ERR_CORRUPT, "without an answer");
    with_checker("printf 0", RPT_ERR_CORRUPT, "without an answer");
    with_checker("exec sleep 100", RPT_ERR_CORRUPT, "more than 0.3 s");
    with_checker("kill -XCPU $$", RPT_ERR_CORRUPT, "more than 0.3 s");
    with_checker("exec tr -d \"\\\\\\\\n\" </dev/zero", RPT_ERR_CORRUPT, "");
    with_checker("echo \"-15 it is bad\"", RPT_ERR_CORRUPT, "it is bad");
    with_checker("echo \"-16 no HDF5\"", RPT_ERR_UNSUPPORTED, "no HDF5");
    with_checker("echo \"0 \"; kill -SEGV $$", RPT_OK, "");
    folder_end();
}

static void a_missing_program_or_library_is_said(void)
{
    rpt_options_t *options = NULL;

    folder_begin();
    save_in_folder("t", 1);
    WORKS(rpt_options_create(&options));
    WORKS(rpt_options_set(options, "io.checkpoint.checker", "/nowhere/at"));
    FAILS(RPT_ERR_UNSUPPORTED, "/nowhere/at", verify("1", ALL, options));
    rpt_options_destroy(options);
    if (getenv("RPT_IO_HDF5_LIBRARY") == NULL ||
        access(getenv("RPT_IO_HDF5_LIBRARY"), F_OK) != 0) {
        folder_end();
        rpt_test_skip("HDF5 is inside of this build");
        return;
    }
    WORKS(rpt_options_create(&options));
    WORKS(rpt_options_set(options, "io.hdf5.library", "/nowhere/lib.so"));
    FAILS(RPT_ERR_UNSUPPORTED, "/nowhere/lib.so", verify("1", ALL, options));
    rpt_options_destroy(options);
    folder_end();
}

/* A program may ignore its children's ends, and close 0 to 3. */
static void what_the_program_does_with_children_does_not_matter(void)
{
    pid_t child;
    int ended = -1;

    folder_begin();
    save_in_folder("t", 1);
    child = fork();
    if (child == 0) {
        rpt_catalog_t *c = NULL;
        const rpt_catalog_entry_t *e = NULL;
        rpt_stored_t *s = NULL;

        signal(SIGCHLD, SIG_IGN);
        close(0);
        close(1);
        close(3);
        _exit(rpt_catalog_open(in_folder("ck"), &c) != RPT_OK ||
              rpt_catalog_find(c, NULL, NULL, &e) != RPT_OK ||
              rpt_stored_open(c, e, &s) != RPT_OK ||
              rpt_stored_verify(s, ALL, NULL) != RPT_OK);
    }
    CU_ASSERT_EQUAL(waitpid(child, &ended, 0), child);
    CU_ASSERT_TRUE(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    folder_end();
}

/* ---- a system that is short of something ---- */

/* With n free descriptors: all that are below the limit but those are taken. */
static rpt_status_t verify_with(rpt_stored_t *stored, int n,
                                const rpt_options_t *options)
{
    enum { MOST = 256 };
    struct rlimit before, low;
    int fds[MOST], n_fds = 0;
    rpt_status_t status;

    getrlimit(RLIMIT_NOFILE, &before);
    low = (struct rlimit){ MOST, before.rlim_max };
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &low), 0);
    while (n_fds < MOST &&
           (fds[n_fds] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        n_fds++;
    }
    CU_ASSERT_FATAL(n_fds > n);
    for (int i = 0; i < n; i++) {
        close(fds[--n_fds]);
    }
    status = rpt_stored_verify(stored, RPT_VERIFY_HDF5, options);
    while (n_fds > 0) {
        close(fds[--n_fds]);
    }
    setrlimit(RLIMIT_NOFILE, &before);
    return status;
}

static void a_system_without_descriptors_is_no_damage(void)
{
    rpt_catalog_t *c;
    rpt_stored_t *s;
    rpt_status_t status;
    int n = 0, n_system = 0;

    folder_begin();
    save_in_folder("t", 1);
    s = stored_of("t", "1", &c);
    while ((status = verify_with(s, n, NULL)) != RPT_OK && n < 64) {
        /* The file of the checkpoint is opened first. */
        CU_ASSERT(status == RPT_ERR_SYSTEM ||
                  (status == RPT_ERR_IO && n_system == 0));
        CU_ASSERT(strstr(rpt_last_error()->why, strerror(EMFILE)) != NULL);
        n_system += status == RPT_ERR_SYSTEM;
        n++;
    }
    CU_ASSERT(status == RPT_OK && n_system > 3);
    rpt_stored_close(s);
    rpt_catalog_close(c);
    folder_end();
}

static void a_checker_that_cannot_be_started_is_no_damage(void)
{
    static const char *const bad[] = { "printf nonsense >bad",
                                       "printf '#!/no/such/shell\\n' >bad" };
    rpt_options_t *options = NULL;

    WORKS(rpt_options_create(&options));
    folder_begin();
    save_in_folder("t", 1);
    WORKS(rpt_options_set(options, "io.checkpoint.checker", in_folder("bad")));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        shell("%s && chmod +x bad", bad[i]);
        FAILS(RPT_ERR_SYSTEM, "cannot start", verify("1", ALL, options));
        CU_ASSERT(strstr(rpt_last_error()->hint, "ulimit") != NULL);
    }
    folder_end();
    rpt_options_destroy(options);
}

const struct rpt_test hostile_tests[] = {
    RPT_TEST(a_good_one_is_good),
    RPT_TEST(damage_is_found_before_hdf5_opens_the_file),
    RPT_TEST(files_that_lead_elsewhere_are_refused),
    RPT_TEST(checksums_of_a_part_of_the_file_are_none),
    RPT_TEST(a_crash_is_damage_and_harms_nobody),
    RPT_TEST(a_missing_program_or_library_is_said),
    RPT_TEST(what_the_program_does_with_children_does_not_matter),
    RPT_TEST(a_system_without_descriptors_is_no_damage),
    RPT_TEST(a_checker_that_cannot_be_started_is_no_damage),
    RPT_TEST_END,
};
