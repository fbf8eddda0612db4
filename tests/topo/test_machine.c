/*
 * test_machine.c - discovery, XML, seats, shares and devices
 *
 * hwloc is reached into (machine_priv.h) at one point: a synthetic machine is
 * declared real, so that shares can be tested on more cores than there are.
 */
#include "seats.h"

#include "topo/machine_priv.h"

#include <repartir/base.h>

#include <fenv.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

/* libxml2 divides by zero when it is first used: so in a new process. */
static void programs_may_trap_floating_point_exceptions(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        struct rpt_machine *machine = NULL;
        struct rpt_buf xml = RPT_BUF_EMPTY;

        feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
        _exit(rpt__machine_discover("", true, &machine) != RPT_OK ||
              rpt__machine_export(machine, &xml) != RPT_OK ||
              fegetexcept() != (FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW));
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(status, 0);
}

static void devices_are_left_out_where_nobody_wants_them(void)
{
    struct rpt_machine *machine = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt__machine_discover("", false, &machine), RPT_OK);
    CU_ASSERT_PTR_NULL(hwloc_get_next_pcidev(machine->topology, NULL));
    CU_ASSERT_PTR_NULL(hwloc_get_next_osdev(machine->topology, NULL));
    CU_ASSERT(hwloc_get_nbobjs_by_type(machine->topology, HWLOC_OBJ_PU) > 0);
    rpt__machine_destroy(machine);
}

static void a_bad_synthetic_string_is_an_error_that_says_what_to_write(void)
{
    static const char *const bad[] = {
        "x",
        "core:2",
        "pu:2 core:2",
        "core:0 pu:1",
        "core:-1 pu:2",
        "core:2 pu:2 junk",
        "core:4 pu:",
        "core:4(x pu:2",
        " ",
        "((((",
        "core:2 pu:99999999999999999999",
        "[numa] pu",
        "2 2 2 2 2 2 2 2 2 2 2 2 2",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rpt_machine *machine = NULL;

        CU_ASSERT_EQUAL(rpt__machine_discover(bad[i], true, &machine),
                        RPT_ERR_PARSE);
        CU_ASSERT_PTR_NULL(machine);
        CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, bad[i]));
        CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->hint, "core:4 pu:2"));
    }
}

/* hwloc would work on these for minutes. */
static void a_synthetic_machine_without_measure_is_refused(void)
{
    struct rpt_machine *machine = NULL;

    CU_ASSERT_EQUAL(rpt__machine_discover("pu:70000", true, &machine),
                    RPT_ERR_PARSE);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->why, "4096"));
    CU_ASSERT_EQUAL(
        rpt__machine_discover("package:100 core:100 pu:100", true, &machine),
        RPT_ERR_PARSE);
    CU_ASSERT_EQUAL(rpt__machine_discover("64 64 2", true, &machine),
                    RPT_ERR_PARSE);
    CU_ASSERT_PTR_NULL(machine);
    CU_ASSERT_EQUAL(rpt__machine_discover("64 64", true, &machine), RPT_OK);
    rpt__machine_destroy(machine);
    machine = NULL; /* numbers of attributes count for nothing */
    CU_ASSERT_EQUAL(
        rpt__machine_discover("64 64(indexes=64*64:64*1)", true, &machine),
        RPT_OK);
    rpt__machine_destroy(machine);
}

static void a_synthetic_machine_has_the_memory_that_it_says(void)
{
    struct rpt_machine *machine = NULL;

    CU_ASSERT_EQUAL_FATAL(
        rpt__machine_discover("package:2 [numa(memory=3221225472)] core:2 pu:1",
                              true, &machine),
        RPT_OK);
    CU_ASSERT_EQUAL(rpt__machine_memory(machine), UINT64_C(6442450944));
    rpt__machine_destroy(machine);
}

static void there_is_no_seat_for_a_rank_that_does_not_exist(void)
{
    struct rpt_machine *machine = NULL;
    struct rpt_seat seat = seat_on(3, 1);

    CU_ASSERT_EQUAL_FATAL(rpt__machine_discover("core:2 pu:1", true, &machine),
                          RPT_OK);
    CU_ASSERT_EQUAL(rpt__seat_take(machine, 2, 2, &seat), RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(rpt__seat_take(machine, -1, 2, &seat), RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(rpt__seat_take(machine, 0, 0, &seat), RPT_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(seat.host, "node3");
    rpt__machine_destroy(machine);
    rpt__machine_destroy(NULL);
}

/* A copy that went through XML. */
static struct rpt_machine *copy_of(const struct rpt_machine *machine)
{
    struct rpt_buf xml = RPT_BUF_EMPTY;
    struct rpt_machine *copy = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt__machine_export(machine, &xml), RPT_OK);
    CU_ASSERT_TRUE(memchr(xml.data, '\0', xml.bytes) == NULL);
    CU_ASSERT_EQUAL_FATAL(rpt__machine_import(xml.data, xml.bytes, &copy),
                          RPT_OK);
    rpt__buf_free(&xml);
    return copy;
}

static void a_synthetic_machine_survives_xml(void)
{
    struct rpt_machine *machine = NULL, *copy, *second;
    struct rpt_map *map = map_of(BIG_MACHINE, 8);
    int unset, *cpus = &unset, n = -1;

    CU_ASSERT_EQUAL_FATAL(rpt__machine_discover(BIG_MACHINE, true, &machine),
                          RPT_OK);
    copy = copy_of(machine);
    second = copy_of(copy);
    for (int r = 0; r < 8; r++) {
        struct rpt_seat a, b;

        CU_ASSERT_EQUAL(rpt__seat_take(machine, r, 8, &a), RPT_OK);
        CU_ASSERT_EQUAL(rpt__seat_take(second, r, 8, &b), RPT_OK);
        CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
    }
    CU_ASSERT_EQUAL(rpt__machine_share(second, map, 0, &cpus, &n), RPT_OK);
    CU_ASSERT_EQUAL(n, 0); /* still synthetic: no cpus to pin to */
    CU_ASSERT_PTR_NULL(cpus);
    CU_ASSERT_EQUAL(rpt__machine_memory(second), UINT64_C(4) << 30);
    rpt__machine_destroy(machine);
    rpt__machine_destroy(copy);
    rpt__machine_destroy(second);
    rpt__map_destroy(map);
}

static void what_is_no_xml_is_no_machine(void)
{
    static const char *const bad[] = { "",
                                       "<",
                                       "nonsense",
                                       "<?xml?>",
                                       "<topology version=\"2.0\"></topology>",
                                       "<topology version=\"9.0\">" };
    struct rpt_machine *machine = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(rpt__machine_import(bad[i], strlen(bad[i]), &machine),
                        RPT_ERR_PARSE);
        CU_ASSERT_PTR_NULL(machine);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, "24 bytes"));
    CU_ASSERT_EQUAL(rpt__machine_import("", SIZE_MAX, &machine),
                    RPT_ERR_OVERFLOW);
}

static struct rpt_map *map_of_seats(const struct rpt_machine *machine, int n)
{
    struct rpt_seat *seats = calloc((size_t)n, sizeof *seats);
    struct rpt_map *map = NULL;

    for (int r = 0; r < n; r++) {
        CU_ASSERT_EQUAL(rpt__seat_take(machine, r, n, &seats[r]), RPT_OK);
    }
    CU_ASSERT_EQUAL_FATAL(rpt__map_create(seats, n, 1, &map), RPT_OK);
    free(seats);
    return map;
}

static double kernel_memory(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    double kib = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fscanf(file, "MemTotal: %lf kB", &kib), 1);
    fclose(file);
    return kib * 1024;
}

static void the_real_machine_is_what_the_kernel_says(void)
{
    struct rpt_machine *machine = NULL, *copy;
    struct rpt_seat seat, again;
    char host[256] = "";
    cpu_set_t set;
    double ratio;

    CU_ASSERT_EQUAL_FATAL(rpt__machine_discover("", true, &machine), RPT_OK);
    CU_ASSERT_EQUAL_FATAL(rpt__seat_take(machine, 0, 1, &seat), RPT_OK);
    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof set, &set), 0);
    gethostname(host, sizeof host - 1);
    CU_ASSERT_EQUAL(seat.n_pus, CPU_COUNT(&set));
    CU_ASSERT_TRUE(seat.n_cores >= 1 && seat.n_cores <= seat.n_pus);
    CU_ASSERT_TRUE(seat.n_host_pus >= seat.n_pus);
    CU_ASSERT_EQUAL(seat.pid, getpid());
    CU_ASSERT_EQUAL(seat.host_key, rpt__host_key());
    CU_ASSERT_EQUAL(strncmp(seat.host, host, RPT_SEAT_HOST_BYTES - 1), 0);
    ratio = (double)rpt__machine_memory(machine) / kernel_memory();
    CU_ASSERT_TRUE(ratio > 0.8 && ratio < 1.25);
    copy = copy_of(machine);
    CU_ASSERT_EQUAL(rpt__seat_take(copy, 0, 1, &again), RPT_OK);
    CU_ASSERT_EQUAL(memcmp(&seat, &again, sizeof seat), 0);
    rpt__machine_destroy(copy);
    rpt__machine_destroy(machine);
}

static void the_cpus_of_an_imported_machine_are_there_to_be_pinned_to(void)
{
    struct rpt_machine *machine = NULL, *copy;
    struct rpt_map *map;
    cpu_set_t set, wanted;
    int *cpus, n;

    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof set, &set), 0);
    CU_ASSERT_EQUAL_FATAL(rpt__machine_discover("", true, &machine), RPT_OK);
    copy = copy_of(machine);
    map = map_of_seats(copy, 1);
    CU_ASSERT_EQUAL_FATAL(rpt__machine_share(copy, map, 0, &cpus, &n), RPT_OK);
    CPU_ZERO(&wanted);
    for (int i = 0; i < n; i++) {
        CPU_SET((size_t)cpus[i], &wanted);
    }
    CU_ASSERT_TRUE(CPU_EQUAL(&set, &wanted));
    CU_ASSERT_EQUAL(sched_setaffinity(0, sizeof wanted, &wanted), 0);
    free(cpus);
    rpt__map_destroy(map);
    rpt__machine_destroy(copy);
    rpt__machine_destroy(machine);
}

static void a_bound_thread_has_the_cpu_that_it_is_bound_to(void)
{
    struct rpt_machine *machine = NULL, *copy;
    struct rpt_seat whole, seat;
    struct rpt_map *map;
    cpu_set_t all, one;
    int last = 0, *cpus, n;

    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof all, &all), 0);
    if (CPU_COUNT(&all) < 2) {
        rpt_test_skip("needs two cpus");
        return;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        last = CPU_ISSET((size_t)cpu, &all) ? cpu : last;
    }
    CU_ASSERT_EQUAL_FATAL(rpt__machine_discover("", true, &machine), RPT_OK);
    CU_ASSERT_EQUAL(rpt__seat_take(machine, 0, 1, &whole), RPT_OK);
    CPU_ZERO(&one);
    CPU_SET((size_t)last, &one);
    CU_ASSERT_EQUAL_FATAL(sched_setaffinity(0, sizeof one, &one), 0);
    copy = copy_of(machine);
    map = map_of_seats(copy, 1);
    seat = *rpt__map_seat(map, 0);
    CU_ASSERT_EQUAL(rpt__machine_share(copy, map, 0, &cpus, &n), RPT_OK);
    CU_ASSERT_EQUAL_FATAL(sched_setaffinity(0, sizeof all, &all), 0);
    CU_ASSERT_EQUAL(seat.n_pus, 1);
    CU_ASSERT_EQUAL(seat.n_cores, 1);
    CU_ASSERT_EQUAL(seat.n_host_pus, whole.n_host_pus);
    CU_ASSERT_NOT_EQUAL(seat.cpus_key, whole.cpus_key);
    CU_ASSERT_TRUE(seat.object[RPT_LEVEL_PU] >= 0);
    CU_ASSERT_EQUAL_FATAL(n, 1);
    CU_ASSERT_EQUAL(cpus[0], last);
    free(cpus);
    /* the machine of a thread that may use more knows nothing of that rank */
    CU_ASSERT_EQUAL(rpt__machine_share(machine, map, 0, &cpus, &n), RPT_OK);
    CU_ASSERT_EQUAL(n, 0);
    rpt__map_destroy(map);
    rpt__machine_destroy(copy);
    rpt__machine_destroy(machine);
}

static void the_host_key_stays_and_another_host_name_changes_it(void)
{
    uint64_t key = rpt__host_key();
    int status = 0;
    pid_t child;

    CU_ASSERT_EQUAL(rpt__host_key(), key);
    child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWUTS) != 0 || sethostname("other", 5) != 0) {
            _exit(2);
        }
        _exit(rpt__host_key() == key);
    }
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
        rpt_test_skip("may not change a host name");
        return;
    }
    CU_ASSERT_EQUAL(status, 0);
}

/* A machine that is taken for real, with all its cpus ours. */
static struct rpt_machine *pretend(const char *synthetic)
{
    struct rpt_machine *machine = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt__machine_discover(synthetic, true, &machine),
                          RPT_OK);
    machine->synthetic = false;
    return machine;
}

/* Parts in the order of ranks, as "0 2 1 3|4 5". */
static void check_shares(const char *synthetic, int n, const char *expected)
{
    struct rpt_machine *machine = pretend(synthetic);
    struct rpt_map *map = map_of_seats(machine, n);
    char text[512] = "";
    size_t used = 0;

    for (int r = 0; r < n; r++) {
        int *cpus = NULL, n_cpus = 0;

        CU_ASSERT_EQUAL(rpt__machine_share(machine, map, r, &cpus, &n_cpus),
                        RPT_OK);
        for (int i = 0; i < n_cpus; i++) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%d",
                                     i > 0   ? " "
                                     : r > 0 ? "|"
                                             : "",
                                     cpus[i]);
        }
        free(cpus);
    }
    CU_ASSERT_STRING_EQUAL(text, expected);
    rpt__map_destroy(map);
    rpt__machine_destroy(machine);
}

/* cpus of core c: 2c and 2c + 1 */
static void shares_are_whole_neighbouring_cores_first_threads_first(void)
{
    check_shares("core:4 pu:2", 1, "0 2 4 6 1 3 5 7");
    check_shares("core:4 pu:2", 2, "0 2 1 3|4 6 5 7");
    check_shares("core:4 pu:2", 3, "0 1|2 3|4 6 5 7");
    check_shares("core:4 pu:2", 4, "0 1|2 3|4 5|6 7");
    check_shares("pu:4", 2, "0 1|2 3");
    /* numbered as many kernels do: first all first threads */
    check_shares("core:4 pu:2(indexes=0,4,1,5,2,6,3,7)", 2, "0 1 4 5|2 3 6 7");
}

static void more_ranks_than_cores_get_threads_and_then_take_turns(void)
{
    check_shares("core:4 pu:2", 6, "0|1|2 3|4|5|6 7");
    check_shares("core:4 pu:2", 8, "0|1|2|3|4|5|6|7");
    check_shares("core:2 pu:1", 5, "0|1|0|1|0");
}

static void a_share_has_no_cpu_that_its_rank_may_not_use(void)
{
    struct rpt_machine *machine = pretend("core:2 pu:2");
    struct rpt_map *map;
    int *cpus = NULL, n = 0;

    CU_ASSERT_EQUAL(hwloc_bitmap_clr(machine->cpus, 1), 0);
    map = map_of_seats(machine, 2);
    CU_ASSERT_EQUAL(rpt__map_seat(map, 0)->n_pus, 3);
    CU_ASSERT_EQUAL(rpt__map_seat(map, 0)->n_cores, 2);
    CU_ASSERT_EQUAL(rpt__map_seat(map, 0)->n_host_pus, 4);
    CU_ASSERT_EQUAL(rpt__machine_share(machine, map, 0, &cpus, &n), RPT_OK);
    CU_ASSERT_EQUAL_FATAL(n, 1);
    CU_ASSERT_EQUAL(cpus[0], 0);
    free(cpus);
    CU_ASSERT_EQUAL(rpt__machine_share(machine, map, 1, &cpus, &n), RPT_OK);
    CU_ASSERT_EQUAL_FATAL(n, 2);
    CU_ASSERT_EQUAL(cpus[0], 2);
    CU_ASSERT_EQUAL(cpus[1], 3);
    free(cpus);
    rpt__map_destroy(map);
    rpt__machine_destroy(machine);
}

/* As when a rank is in another cgroup than the one that discovered. */
static void cpus_that_the_machine_does_not_know_are_counted_and_not_given(void)
{
    struct rpt_machine *machine = pretend("core:2 pu:2");
    struct rpt_map *map;
    int unset, *cpus = &unset, n = -1;

    CU_ASSERT_EQUAL(hwloc_bitmap_from_ulong(machine->cpus, 0x700), 0);
    map = map_of_seats(machine, 1);
    CU_ASSERT_EQUAL(rpt__map_seat(map, 0)->n_pus, 3);
    CU_ASSERT_EQUAL(rpt__map_seat(map, 0)->n_cores, 3);
    CU_ASSERT_EQUAL(rpt__map_seat(map, 0)->object[RPT_LEVEL_PACKAGE], -1);
    CU_ASSERT_EQUAL(rpt__machine_share(machine, map, 0, &cpus, &n), RPT_OK);
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT_PTR_NULL(cpus);
    rpt__map_destroy(map);
    rpt__machine_destroy(machine);
}

static void shares_of_any_number_of_ranks_are_disjoint_and_cover(void)
{
    struct rpt_machine *machine = pretend(BIG_MACHINE);

    for (int n = 1; n <= 64; n++) {
        struct rpt_map *map = map_of_seats(machine, n);
        int times[64] = { 0 };
        int n_cores = 0;

        for (int r = 0; r < n; r++) {
            int *cpus = NULL, n_cpus = 0;

            CU_ASSERT_EQUAL(rpt__machine_share(machine, map, r, &cpus, &n_cpus),
                            RPT_OK);
            CU_ASSERT_TRUE(n_cpus >= 1);
            for (int i = 0; i < n_cpus; i++) {
                times[cpus[i]]++;
            }
            if (n <= 32) { /* two hardware threads a core */
                CU_ASSERT_EQUAL(rpt__map_cores_of(map, r) * 2, n_cpus);
            }
            n_cores += rpt__map_cores_of(map, r);
            free(cpus);
        }
        for (int cpu = 0; cpu < 64; cpu++) {
            CU_ASSERT_EQUAL(times[cpu], 1);
        }
        CU_ASSERT_EQUAL(n_cores, n <= 32 ? 32 : n);
        rpt__map_destroy(map);
    }
    rpt__machine_destroy(machine);
}

static void a_share_of_no_rank_is_an_error(void)
{
    struct rpt_machine *machine = pretend("core:2 pu:1");
    struct rpt_map *map = map_of_seats(machine, 2);
    int unset, *cpus = &unset, n = -1;

    CU_ASSERT_EQUAL(rpt__machine_share(machine, map, 2, &cpus, &n),
                    RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(rpt__machine_share(machine, map, -1, &cpus, &n),
                    RPT_ERR_INVALID);
    CU_ASSERT_PTR_EQUAL(cpus, &unset);
    CU_ASSERT_EQUAL(n, -1);
    rpt__map_destroy(map);
    rpt__machine_destroy(machine);
}

/* gpus.xml: package 0 has cpus 0 1, a GPU at PCI bus 41 and a console;
 * package 1 has cpus 2 3, a GPU at PCI bus 01, eth1, and a network card by a
 * maker of GPUs. */
static struct rpt_machine *machine_with_gpus(void)
{
    const char *source = getenv("SRC");
    struct rpt_machine *machine = NULL;
    static char xml[65536];
    char path[4096];
    FILE *file;
    size_t n;

    snprintf(path, sizeof path, "%s/tests/topo/gpus.xml",
             source != NULL ? source : ".");
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    n = fread(xml, 1, sizeof xml, file);
    fclose(file);
    CU_ASSERT_EQUAL_FATAL(rpt__machine_import(xml, n, &machine), RPT_OK);
    return machine;
}

static bool near(const struct rpt_machine *machine, const char *resource,
                 int index, const char *expected)
{
    int cpus[4] = { 3, 0, 2, 1 };
    int n = rpt__machine_near(machine, resource, index, cpus, 4);
    char text[16] = "";

    for (int i = 0; i < n; i++) {
        text[i] = (char)('0' + cpus[i]);
    }
    return strcmp(text, expected) == 0;
}

static void cpus_near_a_device_are_kept_in_their_order(void)
{
    struct rpt_machine *machine = machine_with_gpus();
    int far[2] = { 0, 1 };

    CU_ASSERT_TRUE(near(machine, "gpu", 0, "32")); /* bus 01 before bus 41 */
    CU_ASSERT_TRUE(near(machine, "gpu", 1, "01"));
    CU_ASSERT_TRUE(near(machine, "eth", 1, "32"));
    CU_ASSERT_TRUE(near(machine, "gpu", 2, "3021")); /* a console is no GPU */
    CU_ASSERT_TRUE(near(machine, "gpu", -1, "3021"));
    CU_ASSERT_TRUE(near(machine, "licence", 0, "3021"));
    /* none would be left: all are kept */
    CU_ASSERT_EQUAL(rpt__machine_near(machine, "gpu", 0, far, 2), 2);
    CU_ASSERT_EQUAL(far[0], 0);
    CU_ASSERT_EQUAL(rpt__machine_near(machine, "gpu", 0, far, 0), 0);
    rpt__machine_destroy(machine);
}

static void gpus_are_described(void)
{
    struct rpt_machine *machine = machine_with_gpus();
    struct rpt_map *map = map_of_seats(machine, 1);
    struct rpt_buf text = RPT_BUF_EMPTY;

    rpt__map_describe(map, machine, &text);
    rpt__buf_add(&text, "", 1);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text.data,
               "\ngpu 0    NVIDIA 2330 at 0000:01:00.0, near cpus 2-3\n"
               "gpu 1    NVIDIA 2331 at 0000:41:00.0, near cpus 0-1\nranks"));
    rpt__buf_free(&text);
    rpt__map_destroy(map);
    rpt__machine_destroy(machine);
}

static void a_machine_from_elsewhere_has_no_cpus_to_pin_to(void)
{
    struct rpt_machine *machine = machine_with_gpus();
    struct rpt_map *map = map_of_seats(machine, 1);
    int *cpus, n;

    CU_ASSERT_EQUAL(rpt__machine_share(machine, map, 0, &cpus, &n), RPT_OK);
    CU_ASSERT_EQUAL(n, 0);
    rpt__map_destroy(map);
    rpt__machine_destroy(machine);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(programs_may_trap_floating_point_exceptions),
        RPT_TEST(devices_are_left_out_where_nobody_wants_them),
        RPT_TEST(a_bad_synthetic_string_is_an_error_that_says_what_to_write),
        RPT_TEST(a_synthetic_machine_without_measure_is_refused),
        RPT_TEST(a_synthetic_machine_has_the_memory_that_it_says),
        RPT_TEST(there_is_no_seat_for_a_rank_that_does_not_exist),
        RPT_TEST(a_synthetic_machine_survives_xml),
        RPT_TEST(what_is_no_xml_is_no_machine),
        RPT_TEST(the_real_machine_is_what_the_kernel_says),
        RPT_TEST(the_cpus_of_an_imported_machine_are_there_to_be_pinned_to),
        RPT_TEST(a_bound_thread_has_the_cpu_that_it_is_bound_to),
        RPT_TEST(the_host_key_stays_and_another_host_name_changes_it),
        RPT_TEST(shares_are_whole_neighbouring_cores_first_threads_first),
        RPT_TEST(more_ranks_than_cores_get_threads_and_then_take_turns),
        RPT_TEST(a_share_has_no_cpu_that_its_rank_may_not_use),
        RPT_TEST(cpus_that_the_machine_does_not_know_are_counted_and_not_given),
        RPT_TEST(shares_of_any_number_of_ranks_are_disjoint_and_cover),
        RPT_TEST(a_share_of_no_rank_is_an_error),
        RPT_TEST(cpus_near_a_device_are_kept_in_their_order),
        RPT_TEST(gpus_are_described),
        RPT_TEST(a_machine_from_elsewhere_has_no_cpus_to_pin_to),
        RPT_TEST_END,
    };

    return rpt_test_main("machine", tests, 60, argc, argv);
}
