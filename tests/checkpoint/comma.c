/*
 * comma.c - a program whose locale has a decimal comma
 *
 * Debian's images have no such locale: one is built in a folder of the test.
 */
#include "world.h"
#include "tables.h"

#include "base/json.h"
#include "base/options.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void save_and_restore(struct world *w)
{
    rpt_options_t *options = options_with("io.checkpoint.interval_s=1.5");
    rpt_checkpoint_t *c = NULL;
    uint64_t iteration = 0;
    double value = 2.5;
    struct rpt_buf text = RPT_BUF_EMPTY;

    rpt__json_number(&text, -0.25);
    rpt__buf_u8(&text, 0);
    CHECK(strcmp(text.data, "-0.25") == 0);
    rpt__buf_free(&text);
    CHECK(rpt__option_seconds(options, RPT_OPT_IO_CHECKPOINT_INTERVAL_S) > 1.4);
    WORKS(rpt_checkpoint_open(w->group, w->folder, "t", options, &c));
    WORKS(rpt_checkpoint_add_value(c, "v", RPT_TYPE_F64, 1, &value));
    WORKS(rpt_checkpoint_save(c, 1));
    value = 0;
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 1 && value > 2.4);
    rpt_checkpoint_close(c);
    rpt_options_destroy(options);
}

static void a_decimal_comma_changes_nothing(void)
{
    char path[256], line[1024], text[16];
    const char *made;

    if (over_mpi) {
        rpt_test_skip("the ranks of test_checkpoint do it"); /* it takes long */
        return;
    }
    made = scratch_make();
    if (!CHECK(made != NULL)) {
        return;
    }
    snprintf(path, sizeof path, "%s", made); /* the next one is made there */
    snprintf(line, sizeof line,
             "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s/said 2>&1", path,
             path);
    if (system(line) != 0 || setenv("LOCPATH", path, 1) != 0 ||
        setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        rpt_test_skip("localedef made no locale with a decimal comma");
    } else {
        snprintf(text, sizeof text, "%.1f", 0.5);
        CHECK(strcmp(text, "0,5") == 0);
        on_all(1, NULL, save_and_restore);
        snprintf(text, sizeof text, "%.1f", 0.5);
        CHECK(strcmp(text, "0,5") == 0);
    }
    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    scratch_remove(path);
}

const struct rpt_test comma_tests[] = {
    RPT_TEST(a_decimal_comma_changes_nothing),
    RPT_TEST_END,
};
