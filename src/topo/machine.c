/*
 * machine.c - discovers the machine, and carries it to other processes as XML
 *
 * The root object gets a note that says whether the machine is the one that
 * hwloc runs on.  The note travels in the XML, so that a rank which imports it
 * knows whether the numbers of the cpus mean something to its kernel.
 *
 * Programs that trap floating-point exceptions do not want those of libxml2,
 * which makes its NaN by a division: hwloc runs without traps.
 *
 * Costs one discovery, milliseconds.  The topology is read only from then on,
 * so threads may share it.
 */
#include "topo/machine_priv.h"

#include "base/error.h"

#include <errno.h>
#include <fenv.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* hwloc's time grows with the square of a level's width: 4096 hardware
 * threads take a second, 70 000 minutes. */
enum { SYNTHETIC_MAX_PUS = 4096 };

static const char note_name[] = "RepartirMachine";
static const char note_real[] = "this system";
static const char note_synthetic[] = "synthetic";

static rpt_status_t fail_synthetic(const char *text, const char *why)
{
    rpt__fail(RPT_ERR_PARSE, "\"%s\" is not a synthetic machine", text);
    rpt__fail_why("%s", why);
    rpt__fail_hint("set topo.synthetic to levels from large to small, the last "
                   "one pu, such as \"package:2 l3:2 core:4 pu:2\"");
    return RPT_ERR_PARSE;
}

/* Hardware threads that a synthetic string asks for, cut at the limit: the
 * product of the counts of its levels.  What is in brackets or parentheses is
 * an attribute or hangs beside the tree, and has no count. */
static long synthetic_pus(const char *text)
{
    const char *p = text;
    long product = 1;

    while (*p != '\0') {
        char *end = NULL;

        if (*p == '(' || *p == '[') {
            p += strcspn(p, *p == '(' ? ")" : "]");
        } else if ((p == text || p[-1] == ' ' || p[-1] == ':') && *p >= '0' &&
                   *p <= '9') {
            long count = strtol(p, &end, 10);

            if (count > SYNTHETIC_MAX_PUS ||
                product * count > SYNTHETIC_MAX_PUS) {
                return SYNTHETIC_MAX_PUS + 1;
            }
            product *= count;
            p = end;
        } else {
            p++;
        }
    }
    return product;
}

static rpt_status_t set_synthetic(struct rpt_machine *machine, const char *text)
{
    if (synthetic_pus(text) > SYNTHETIC_MAX_PUS) {
        return fail_synthetic(text, "it has more than 4096 hardware threads");
    }
    errno = 0;
    if (hwloc_topology_set_synthetic(machine->topology, text) != 0) {
        return errno == ENOMEM ? rpt__fail_nomem(strlen(text))
                               : fail_synthetic(text, "hwloc cannot read it");
    }
    return RPT_OK;
}

static rpt_status_t begin(struct rpt_machine **machine_out)
{
    struct rpt_machine *machine = calloc(1, sizeof *machine);

    if (machine == NULL) {
        return rpt__fail_nomem(sizeof *machine);
    }
    if (hwloc_topology_init(&machine->topology) != 0) {
        free(machine);
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno, "initialise hwloc");
    }
    *machine_out = machine;
    return RPT_OK;
}

/* Vendor libraries take seconds to start, and libpciaccess ("pci") leaks: the
 * kernel itself tells all that we want of PCI devices. */
static rpt_status_t load(struct rpt_machine *machine, bool has_devices)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    static const char *const unwanted[] = { "cuda", "nvml", "opencl",   "rsmi",
                                            "gl",   "pci",  "levelzero" };
    int result, error;
    fenv_t traps;

    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) {
        /* Fails when there is no such component, which is as good. */
        hwloc_topology_set_components(machine->topology,
                                      HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST,
                                      unwanted[i]);
    }
    hwloc_topology_set_io_types_filter(
        machine->topology, has_devices ? HWLOC_TYPE_FILTER_KEEP_IMPORTANT
                                       : HWLOC_TYPE_FILTER_KEEP_NONE);
    /* libudev, which hwloc asks, chooses the seed of all its tables when it is
     * first used, and two threads would choose two. */
    pthread_mutex_lock(&one_at_a_time);
    feholdexcept(&traps);
    errno = 0;
    result = hwloc_topology_load(machine->topology);
    error = errno;
    fesetenv(&traps);
    pthread_mutex_unlock(&one_at_a_time);
    if (result != 0) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, error,
                               "hwloc cannot discover the machine");
    }
    return RPT_OK;
}

/* Remembers what the calling thread may use. */
static rpt_status_t take_cpus(struct rpt_machine *machine)
{
    hwloc_const_bitmap_t all = hwloc_topology_get_topology_cpuset(
        machine->topology);
    hwloc_bitmap_t cpus = hwloc_bitmap_dup(all);

    if (cpus == NULL) {
        return rpt__fail_nomem(sizeof cpus);
    }
    machine->cpus = cpus;
    if (!machine->synthetic) {
        if (hwloc_get_cpubind(machine->topology, cpus, HWLOC_CPUBIND_THREAD) !=
            0) {
            hwloc_bitmap_copy(cpus, all);
        }
        /* A rank in another cgroup than the one that discovered the machine
         * may have none of the cpus in it: its own word counts then. */
        if (hwloc_bitmap_intersects(cpus, all)) {
            hwloc_bitmap_and(cpus, cpus, all);
        }
    }
    return RPT_OK;
}

rpt_status_t rpt__machine_discover(const char *synthetic, bool has_devices,
                                   struct rpt_machine **machine_out)
{
    struct rpt_machine *machine = NULL;
    rpt_status_t status = begin(&machine);

    if (status != RPT_OK) {
        return status;
    }
    machine->synthetic = synthetic[0] != '\0';
    if (machine->synthetic) {
        status = set_synthetic(machine, synthetic);
    }
    if (status == RPT_OK) {
        status = load(machine, has_devices);
    }
    if (status == RPT_OK) {
        /* hwloc's own variables may have put another machine in. */
        machine->synthetic = machine->synthetic ||
                             !hwloc_topology_is_thissystem(machine->topology);
        if (hwloc_obj_add_info(hwloc_get_root_obj(machine->topology), note_name,
                               machine->synthetic ? note_synthetic
                                                  : note_real) != 0) {
            status = rpt__fail_nomem(sizeof note_name);
        }
    }
    if (status == RPT_OK) {
        status = take_cpus(machine);
    }
    if (status != RPT_OK) {
        rpt__machine_destroy(machine);
        return status;
    }
    *machine_out = machine;
    return RPT_OK;
}

rpt_status_t rpt__machine_export(const struct rpt_machine *machine,
                                 struct rpt_buf *xml)
{
    char *text;
    int bytes, result, error;
    fenv_t traps;

    feholdexcept(&traps);
    errno = 0;
    result = hwloc_topology_export_xmlbuffer(machine->topology, &text, &bytes,
                                             0);
    error = errno;
    fesetenv(&traps);
    if (result != 0) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, error,
                               "hwloc cannot write the machine as XML");
    }
    rpt__buf_add(xml, text, strlen(text));
    hwloc_free_xmlbuffer(machine->topology, text);
    return rpt__buf_status(xml);
}

/* hwloc reads up to the ending 0. */
static rpt_status_t load_xml(struct rpt_machine *machine, const void *xml,
                             size_t bytes)
{
    rpt_status_t status;
    char *text;

    if (bytes >= INT_MAX) {
        return rpt__fail(RPT_ERR_OVERFLOW, "%zu bytes of XML are too many",
                         bytes);
    }
    text = malloc(bytes + 1);
    if (text == NULL) {
        return rpt__fail_nomem(bytes + 1);
    }
    memcpy(text, xml, bytes);
    text[bytes] = '\0';
    /* The flag makes it ask the kernel for the affinity, which is wanted when
     * the machine is this one and of no account otherwise. */
    if (hwloc_topology_set_flags(machine->topology,
                                 HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM) != 0 ||
        hwloc_topology_set_xmlbuffer(machine->topology, text, (int)bytes + 1) !=
            0 ||
        load(machine, true) != RPT_OK) {
        status = rpt__fail(RPT_ERR_PARSE,
                           "%zu bytes of XML describe no machine", bytes);
        rpt__fail_why("hwloc cannot read them");
    } else {
        status = RPT_OK;
    }
    free(text);
    return status;
}

rpt_status_t rpt__machine_import(const void *xml, size_t bytes,
                                 struct rpt_machine **machine_out)
{
    struct rpt_machine *machine = NULL;
    rpt_status_t status = begin(&machine);

    if (status != RPT_OK) {
        return status;
    }
    status = load_xml(machine, xml, bytes);
    if (status == RPT_OK) {
        const char *note = hwloc_obj_get_info_by_name(
            hwloc_get_root_obj(machine->topology), note_name);

        machine->synthetic = note == NULL || strcmp(note, note_real) != 0;
        status = take_cpus(machine);
    }
    if (status != RPT_OK) {
        rpt__machine_destroy(machine);
        return status;
    }
    *machine_out = machine;
    return RPT_OK;
}

void rpt__machine_destroy(struct rpt_machine *machine)
{
    if (machine == NULL) {
        return;
    }
    hwloc_bitmap_free(machine->cpus);
    hwloc_topology_destroy(machine->topology);
    free(machine);
}

/* The kernel's total, where there is one: the sum over the NUMA nodes misses
 * what a virtual machine was given after its start. */
uint64_t rpt__machine_memory(const struct rpt_machine *machine)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);

    if (machine->synthetic || pages <= 0 || page_bytes <= 0) {
        return hwloc_get_root_obj(machine->topology)->total_memory;
    }
    return (uint64_t)pages * (uint64_t)page_bytes;
}
