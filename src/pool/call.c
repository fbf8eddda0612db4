/*
 * call.c - what a function sees of the call that runs it
 *
 * In the function's own thread, without the engine's lock: an item belongs to
 * the thread that runs it until the function returns.
 */
#include "pool/pool_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

const void *rpt_call_input(const rpt_call_t *call, size_t *bytes_out)
{
    const struct rpt_item *item = call != NULL ? call->item : NULL;
    const char *body = item != NULL ? rpt__spec_body(item->spec) : NULL;

    if (bytes_out != NULL && item == NULL) {
        *bytes_out = 0;
    } else if (bytes_out != NULL) {
        *bytes_out = (size_t)((const char *)item->spec + item->spec_bytes -
                              item->spec->n_id - body);
    }
    return body;
}

rpt_status_t rpt_call_set_output(rpt_call_t *call, const void *data,
                                 size_t bytes)
{
    if (call == NULL || (data == NULL && bytes > 0)) {
        return rpt__fail(RPT_ERR_INVALID, "rpt_call_set_output: NULL argument");
    }
    rpt__buf_clear(&call->output);
    rpt__buf_add(&call->output, data, bytes);
    return rpt__buf_status(&call->output);
}

rpt_status_t rpt_call_set_message(rpt_call_t *call, const char *text)
{
    char *copy;

    if (call == NULL || text == NULL) {
        return rpt__fail(RPT_ERR_INVALID,
                         "rpt_call_set_message: NULL argument");
    }
    copy = strdup(text);
    if (copy == NULL) {
        return rpt__fail_nomem(strlen(text) + 1);
    }
    free(call->message);
    call->message = copy;
    return RPT_OK;
}

int rpt_call_cancelled(const rpt_call_t *call)
{
    return call != NULL ? atomic_load_explicit(
                              &((rpt_call_t *)(uintptr_t)call)->cancelled,
                              memory_order_relaxed)
                        : 0;
}

int rpt_call_attempt(const rpt_call_t *call)
{
    return call != NULL ? call->item->attempt : 0;
}

const int *rpt_call_resource(const rpt_call_t *call, const char *name,
                             int *n_out)
{
    const struct rpt_item *item = call != NULL ? call->item : NULL;
    const int *list = item != NULL ? item->unit_list : NULL;
    int n = 0;

    for (int i = 0; list != NULL && name != NULL && i < item->spec->n_needs;
         i++) {
        const struct rpt_need *need = rpt__spec_needs(item->spec) + i;

        list += i == 0 ? item->spec->slots : need[-1].units;
        if (strcmp(item->pool->resources[need->resource], name) == 0) {
            n = need->units;
            break;
        }
    }
    if (n_out != NULL) {
        *n_out = n;
    }
    return n > 0 ? list : NULL;
}

rpt_pool_t *rpt_call_pool(const rpt_call_t *call)
{
    return call != NULL ? call->item->pool : NULL;
}

rpt_group_t *rpt_call_group(const rpt_call_t *call)
{
    return call != NULL ? rpt__gang_group(call->item) : NULL;
}
