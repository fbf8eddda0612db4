/*
 * devices.c - which cpus are near a device
 *
 * GPUs are found on the PCI bus, without a vendor's library, and numbered by
 * their PCI address, as nvidia-smi does and CUDA with
 * CUDA_DEVICE_ORDER=PCI_BUS_ID.  A machine has GPUs of one vendor: the first of
 * NVIDIA, AMD, Intel that is there (a server's console graphics is none).
 *
 * Any other resource is looked up as the operating system's name with the
 * index: unit 1 of "eth" is near where eth1 is.
 */
#include "topo/machine_priv.h"

#include <stdio.h>
#include <string.h>

enum {
    VENDOR_NVIDIA = 0x10de,
    VENDOR_AMD = 0x1002,
    VENDOR_INTEL = 0x8086,
    CLASS_DISPLAY = 0x03,
    CLASS_ACCELERATOR = 0x12
};

static bool is_gpu(hwloc_obj_t pci, unsigned vendor)
{
    unsigned class = pci->attr->pcidev.class_id >> 8;

    return (class == CLASS_DISPLAY || class == CLASS_ACCELERATOR) &&
           pci->attr->pcidev.vendor_id == vendor;
}

static uint64_t address(hwloc_obj_t pci)
{
    const struct hwloc_pcidev_attr_s *attr = &pci->attr->pcidev;

    return (uint64_t)attr->domain << 24 | (uint64_t)attr->bus << 16 |
           (uint64_t)attr->dev << 8 | attr->func;
}

static hwloc_obj_t gpu_of_vendor(hwloc_topology_t topology, unsigned vendor,
                                 int index)
{
    hwloc_obj_t pci = NULL, other;

    while ((pci = hwloc_get_next_pcidev(topology, pci)) != NULL) {
        int n_before = 0;

        if (!is_gpu(pci, vendor)) {
            continue;
        }
        for (other = hwloc_get_next_pcidev(topology, NULL); other != NULL;
             other = hwloc_get_next_pcidev(topology, other)) {
            n_before += is_gpu(other, vendor) && address(other) < address(pci);
        }
        if (n_before == index) {
            return pci;
        }
    }
    return NULL;
}

hwloc_obj_t rpt__machine_gpu(const struct rpt_machine *machine, int index)
{
    static const unsigned vendors[] = { VENDOR_NVIDIA, VENDOR_AMD,
                                        VENDOR_INTEL };

    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++) {
        if (gpu_of_vendor(machine->topology, vendors[i], 0) != NULL) {
            return gpu_of_vendor(machine->topology, vendors[i], index);
        }
    }
    return NULL;
}

const char *rpt__machine_gpu_vendor(hwloc_obj_t gpu)
{
    switch (gpu->attr->pcidev.vendor_id) {
    case VENDOR_NVIDIA:
        return "NVIDIA";
    case VENDOR_AMD:
        return "AMD";
    default:
        return "Intel";
    }
}

static hwloc_obj_t os_device(hwloc_topology_t topology, const char *resource,
                             int index)
{
    hwloc_obj_t device = NULL;
    char name[128];

    snprintf(name, sizeof name, "%s%d", resource, index);
    while ((device = hwloc_get_next_osdev(topology, device)) != NULL) {
        if (device->name != NULL && strcmp(device->name, name) == 0) {
            break;
        }
    }
    return device;
}

int rpt__machine_near(const struct rpt_machine *machine, const char *resource,
                      int index, int cpus[], int n)
{
    hwloc_obj_t device = strcmp(resource, "gpu") == 0
                             ? rpt__machine_gpu(machine, index)
                             : os_device(machine->topology, resource, index);
    hwloc_const_bitmap_t near;
    int n_near = 0, kept = 0;

    if (device == NULL) {
        return n;
    }
    near = hwloc_get_non_io_ancestor_obj(machine->topology, device)->cpuset;
    for (int i = 0; i < n; i++) {
        n_near += hwloc_bitmap_isset(near, (unsigned)cpus[i]);
    }
    if (n_near == 0) {
        return n;
    }
    for (int i = 0; i < n; i++) {
        if (hwloc_bitmap_isset(near, (unsigned)cpus[i])) {
            cpus[kept++] = cpus[i];
        }
    }
    return kept;
}
