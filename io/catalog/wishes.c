/*
 * wishes.c - what a statement wants of array(): which dataset, which box
 *
 * SQLite says what it could leave to us (rpt__array_best()), then with which
 * values.  In between they are words of two characters: "n=" name, "c="
 * checkpoint, "t=" task, and for each bound the digit of the dimension and one
 * of = < > l (at most) g (at least).  Bounds only save reading: SQLite looks at
 * every row again.
 */
#include "io/catalog/array_priv.h"

#include "base/error.h"
#include "io/checkpoint/load.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- before: which ---- */

static char mark_of(int operator)
{
    switch (operator) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
        return '=';
    case SQLITE_INDEX_CONSTRAINT_LT:
        return '<';
    case SQLITE_INDEX_CONSTRAINT_GT:
        return '>';
    case SQLITE_INDEX_CONSTRAINT_LE:
        return 'l';
    case SQLITE_INDEX_CONSTRAINT_GE:
        return 'g';
    default:
        return '\0';
    }
}

/* '\0': nothing that helps. */
static char letter_of(int column)
{
    switch (column) {
    case ARRAY_NAME:
        return 'n';
    case ARRAY_CHECKPOINT:
        return 'c';
    case ARRAY_TASK:
        return 't';
    default:
        return column >= ARRAY_I0 && column < ARRAY_I0 + RPT_BOX_DIMS
                   ? (char)('0' + column)
                   : '\0';
    }
}

static bool is_argument(int column)
{
    return column >= ARRAY_NAME;
}

static bool is_row_major(const sqlite3_index_info *info)
{
    for (int i = 0; i < info->nOrderBy; i++) {
        if (info->aOrderBy[i].iColumn != ARRAY_I0 + i ||
            info->aOrderBy[i].desc || i >= RPT_BOX_DIMS) {
            return false;
        }
    }
    return info->nOrderBy > 0;
}

static int add_wish(sqlite3_index_info *info, int i, char letter, char mark,
                    int *n)
{
    char *more = rpt__sqlite.mprintf("%z%c%c", info->idxStr, letter, mark);

    info->idxStr = more;
    info->needToFreeIdxStr = 1;
    info->aConstraintUsage[i].argvIndex = ++*n;
    return more != NULL ? SQLITE_OK : SQLITE_NOMEM;
}

int rpt__array_best(struct rpt_table *table, sqlite3_index_info *info)
{
    bool has[ARRAY_TASK + 1] = { false };
    double rows = 1e6;
    int n = 0, code = SQLITE_OK;

    (void)table;
    for (int i = 0; i < info->nConstraint && code == SQLITE_OK; i++) {
        int column = info->aConstraint[i].iColumn;
        char letter = letter_of(column),
             mark = mark_of(info->aConstraint[i].op);

        if (letter == '\0' || mark == '\0' ||
            (is_argument(column) && (mark != '=' || has[column]))) {
            continue;
        }
        if (!info->aConstraint[i].usable) {
            /* Not in this order: what it depends on comes later. */
            code = is_argument(column) ? SQLITE_CONSTRAINT : SQLITE_OK;
            continue;
        }
        code = add_wish(info, i, letter, mark, &n);
        has[column] = true;
        if (is_argument(column)) {
            info->aConstraintUsage[i].omit = 1;
        } else {
            rows /= mark == '=' ? 100 : 4;
        }
    }
    if (code == SQLITE_OK && !has[ARRAY_NAME]) {
        return SQLITE_CONSTRAINT;
    }
    info->estimatedRows = rows > 1 ? (sqlite3_int64)rows : 1;
    info->estimatedCost = rows + 1000;
    info->orderByConsumed = is_row_major(info);
    info->idxNum = info->orderByConsumed;
    return code;
}

/* ---- then: which dataset ---- */

struct wanted {
    const char *name;
    const char *task; /* NULL: any */
    sqlite3_value *checkpoint;
};

static sqlite3_value *find_value(const char *wishes, char letter,
                                 sqlite3_value *values[])
{
    for (size_t i = 0; wishes[2 * i] != '\0'; i++) {
        if (wishes[2 * i] == letter) {
            return values[i];
        }
    }
    return NULL;
}

static const char *find_text(const char *wishes, char letter,
                             sqlite3_value *values[])
{
    sqlite3_value *value = find_value(wishes, letter, values);

    return value != NULL ? (const char *)rpt__sqlite.value_text(value) : NULL;
}

static rpt_status_t no_dataset(const struct wanted *w, const char *where)
{
    rpt__fail(RPT_ERR_NOT_FOUND, "%s has no dataset \"%s\"", where, w->name);
    rpt__fail_hint("SELECT DISTINCT task, name FROM datasets tells which there "
                   "are");
    return RPT_ERR_NOT_FOUND;
}

static rpt_status_t ambiguous(const struct rpt_view *c, const struct wanted *w,
                              size_t a, size_t b)
{
    const struct rpt_view_task *x = &c->tasks[a], *y = &c->tasks[b];

    rpt__fail(RPT_ERR_INVALID, "several tasks have a dataset \"%s\"", w->name);
    rpt__fail_why("%s/%s and %s/%s", x->directory, x->name, y->directory,
                  y->name);
    if (strcmp(x->name, y->name) == 0) {
        rpt__fail_hint("say which checkpoint: array('%s', 'ID'); SELECT "
                       "directory, id, iteration FROM checkpoints tells ids",
                       w->name);
    } else {
        rpt__fail_hint("say which: array('%s', NULL, 'TASK'), or with the id "
                       "of a checkpoint",
                       w->name);
    }
    return RPT_ERR_INVALID;
}

static bool is_of_task(const struct rpt_view *c, const struct wanted *w,
                       const struct rpt_saved *saved)
{
    return w->task == NULL || strcmp(w->task, c->tasks[saved->task].name) == 0;
}

/* Damaged ones, too: who opens it says what is wrong. */
static bool is_committed(const struct rpt_saved *saved)
{
    return saved->state != RPT_FOUND_ASIDE &&
           saved->state != RPT_FOUND_UNFINISHED;
}

static bool has_dataset(const struct wanted *w, const struct rpt_saved *saved)
{
    return is_committed(saved) &&
           rpt__dataset_find(&saved->manifest, w->name) != NULL;
}

static rpt_status_t nothing_chosen(const struct wanted *w,
                                   const int64_t *iteration)
{
    char of[64] = "";

    if (iteration != NULL) {
        snprintf(of, sizeof of, " of iteration %" PRId64, *iteration);
    }
    rpt__fail(RPT_ERR_NOT_FOUND, "no checkpoint%s%s%s has a dataset \"%s\"", of,
              w->task != NULL ? " of task " : "",
              w->task != NULL ? w->task : "", w->name);
    rpt__fail_hint("SELECT task, iteration, state FROM checkpoints and SELECT "
                   "DISTINCT task, name FROM datasets tell what there is");
    return RPT_ERR_NOT_FOUND;
}

/* The newest one of the one task that has such a dataset; of an iteration, or
 * of any. */
static rpt_status_t choose(const struct rpt_view *c, const struct wanted *w,
                           const int64_t *iteration,
                           const struct rpt_saved **saved_out)
{
    const struct rpt_saved *chosen = NULL;

    for (size_t i = 0; i < c->n_saved; i++) {
        const struct rpt_saved *saved = &c->saved[i];

        if (!is_of_task(c, w, saved) || !has_dataset(w, saved) ||
            (iteration != NULL && saved->iteration != (uint64_t)*iteration)) {
            continue;
        }
        if (chosen != NULL && chosen->task != saved->task) {
            return ambiguous(c, w, chosen->task, saved->task);
        }
        chosen = chosen != NULL ? chosen : saved;
    }
    if (chosen == NULL) {
        return nothing_chosen(w, iteration);
    }
    *saved_out = chosen;
    return RPT_OK;
}

/* By its id. */
static rpt_status_t choose_id(const struct rpt_view *c, const struct wanted *w,
                              const struct rpt_saved **saved_out)
{
    const char *text = (const char *)rpt__sqlite.value_text(w->checkpoint);
    char id[RPT_ID_BYTES];

    for (size_t i = 0; text != NULL && i < c->n_saved; i++) {
        const struct rpt_saved *saved = &c->saved[i];

        rpt__id_text(saved->id, id);
        if (strcmp(id, text) == 0 && is_of_task(c, w, saved) &&
            is_committed(saved)) {
            *saved_out = saved;
            return RPT_OK;
        }
    }
    rpt__fail(RPT_ERR_NOT_FOUND, "no committed checkpoint has the id \"%s\"",
              text != NULL ? text : "");
    rpt__fail_hint("an id has 16 digits, see SELECT id, iteration, state FROM "
                   "checkpoints; an iteration is a number without quotes");
    return RPT_ERR_NOT_FOUND;
}

static rpt_status_t hold_wanted(struct rpt_view *c, const struct wanted *w,
                                struct rpt_held **held_out)
{
    int type = w->checkpoint != NULL ? rpt__sqlite.value_type(w->checkpoint)
                                     : SQLITE_NULL;
    const struct rpt_saved *saved = NULL;
    rpt_status_t status = RPT_ERR_INVALID;
    int64_t iteration;

    if (type == SQLITE_TEXT) {
        status = choose_id(c, w, &saved);
    } else if (type == SQLITE_INTEGER) {
        iteration = rpt__sqlite.value_int64(w->checkpoint);
        status = choose(c, w, &iteration, &saved);
    } else if (type == SQLITE_NULL) {
        status = choose(c, w, NULL, &saved);
    } else {
        rpt__fail(status,
                  "array('%s'): the checkpoint is an id in quotes, or "
                  "the number of an iteration",
                  w->name);
    }
    if (status == RPT_OK) {
        status = type == SQLITE_NULL
                     ? rpt__hold_newest(c, saved->task, held_out)
                     : rpt__hold(c, saved->task, saved->name, held_out);
    }
    return status;
}

rpt_status_t rpt__array_find(struct rpt_view *c, const char *wishes,
                             sqlite3_value *values[],
                             struct rpt_held **held_out,
                             const struct rpt_dataset **set_out)
{
    struct wanted w = { find_text(wishes, 'n', values),
                        find_text(wishes, 't', values),
                        find_value(wishes, 'c', values) };
    struct rpt_held *held = NULL;
    rpt_status_t status;

    if (w.name == NULL) {
        rpt__fail(RPT_ERR_NOT_FOUND, "array(NULL): no dataset has no name");
        return RPT_ERR_NOT_FOUND;
    }
    status = hold_wanted(c, &w, &held);
    if (status != RPT_OK) {
        return status;
    }
    *set_out = rpt__dataset_find(&held->opened.manifest, w.name);
    if (*set_out == NULL) {
        status = no_dataset(&w, held->opened.dir.path);
        rpt__unhold(c, held);
        return status;
    }
    *held_out = held;
    return RPT_OK;
}

/* ---- then: which box ---- */

struct bounds {
    int64_t low, high; /* both inclusive */
};

static void at_least(struct bounds *b, int64_t low)
{
    b->low = low > b->low ? low : b->low;
}

static void at_most(struct bounds *b, int64_t high)
{
    b->high = high < b->high ? high : b->high;
}

static void nothing(struct bounds *b)
{
    b->low = 1;
    b->high = 0;
}

static void narrow_whole(struct bounds *b, char mark, int64_t value)
{
    if ((mark == '<' && value == INT64_MIN) ||
        (mark == '>' && value == INT64_MAX)) {
        nothing(b);
        return;
    }
    if (mark == '=' || mark == 'g') {
        at_least(b, value);
    }
    if (mark == '=' || mark == 'l') {
        at_most(b, value);
    }
    if (mark == '<') {
        at_most(b, value - 1);
    }
    if (mark == '>') {
        at_least(b, value + 1);
    }
}

static void narrow_real(struct bounds *b, char mark, double value)
{
    bool is_whole = floor(value) <= value && floor(value) >= value;

    if (!(fabs(value) < 9e18)) {
        return; /* SQLite will see to it */
    }
    if (is_whole) {
        narrow_whole(b, mark, (int64_t)value);
    } else if (mark == '=') {
        nothing(b);
    } else {
        bool is_lower = mark == '>' || mark == 'g';

        narrow_whole(b, is_lower ? 'g' : 'l',
                     (int64_t)(is_lower ? ceil(value) : floor(value)));
    }
}

static void narrow(struct bounds *b, char mark, sqlite3_value *value)
{
    switch (rpt__sqlite.value_type(value)) {
    case SQLITE_INTEGER:
        narrow_whole(b, mark, rpt__sqlite.value_int64(value));
        break;
    case SQLITE_FLOAT:
        narrow_real(b, mark, rpt__sqlite.value_double(value));
        break;
    case SQLITE_NULL:
        nothing(b);
        break;
    default:
        break;
    }
}

bool rpt__array_bound(const struct rpt_dataset *set, const char *wishes,
                      sqlite3_value *values[], struct rpt_box *box_out)
{
    struct bounds bounds[RPT_BOX_DIMS];
    struct rpt_box box = { { 0 }, { 0 } };

    for (int d = 0; d < RPT_BOX_DIMS; d++) {
        bounds[d] = (struct bounds){ 0, INT64_MAX };
        if (d < set->n_dims) {
            bounds[d].high = (int64_t)set->dims[d] - 1;
        }
    }
    for (size_t i = 0; wishes[2 * i] != '\0'; i++) {
        int d = wishes[2 * i] - '0';

        if (d < 0 || d >= RPT_BOX_DIMS) {
            continue;
        }
        /* What compares with NULL is not true. */
        if (d >= (set->is_scalar ? 0 : set->n_dims)) {
            return false;
        }
        narrow(&bounds[d], wishes[2 * i + 1], values[i]);
    }
    for (int d = 0; d < set->n_dims; d++) {
        if (bounds[d].low > bounds[d].high) {
            return false;
        }
        box.start[d] = (uint64_t)bounds[d].low;
        box.count[d] = (uint64_t)(bounds[d].high - bounds[d].low) + 1;
    }
    *box_out = box;
    return true;
}
