/*
 * peek.h - memory of another process, read by the kernel
 *
 * process_vm_readv(2): one copy, from any memory of the other process, at some
 * microseconds a call and a lookup for each page.  Who may do that the system
 * decides (ptrace(2): the same user, no stricter setting of Yama, no filter of
 * a container); this asks for no more than there is.  There is no way to write.
 */
#ifndef RPT_BASE_PEEK_H
#define RPT_BASE_PEEK_H

#include <repartir/base.h>

#include <stddef.h>
#include <stdint.h>

/* 0 when all is read, else why not, as errno says it; then some may be. */
int rpt__peek_try(int pid, uint64_t from, void *to, size_t bytes);

/* The same for what must succeed.  RPT_ERR_SYSTEM. */
rpt_status_t rpt__peek(int pid, uint64_t from, void *to, size_t bytes);

#endif /* RPT_BASE_PEEK_H */
