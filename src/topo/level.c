/*
 * level.c - the names of the levels
 */
#include <repartir/context.h>

const char *rpt_level_name(rpt_level_t level)
{
    static const char *const names[] = { "pu",      "core", "l3",    "numa",
                                         "package", "node", "system" };

    if ((int)level < 0 || (size_t)level >= sizeof names / sizeof *names) {
        return "unknown";
    }
    return names[level];
}
