/*
 * What the files of the hosted process know of each other. The rest of the hypervisor
 * sees only the host contract (the headers in arch/).
 */
#pragma once

#include "kernel/base/err.h"
#include "kernel/base/types.h"

struct cpu;

/* clock.c: the calling thread becomes @c's; its timer exists from here on. */
void hosted_clock_attach(struct cpu *c);
ns_t hosted_timer_deadline(const struct cpu *c);

/* smp.c: make the calling thread play host CPU @id, online. */
void hosted_cpu_attach(u32 id);

/* tty.c: give the terminal back as it was found; may be called in a signal handler, repeatedly. */
void hosted_tty_restore(void);

/* trap.c: faults end in a readable dump; SIGINT, SIGTERM ... end the process in order. */
void hosted_traps_init(void);
void hosted_trap_stack(void);		/* an alternate signal stack for the calling thread */

/* mem.c: @len bytes at a multiple of @align, mapped from @fd as @flags say (mmap(2)); or NULL. */
u8 *hosted_map_aligned(u64 len, u64 align, int flags, int fd);

/* view.c: this RAM is about to be unmapped. */
void hosted_ram_forget(u8 *base);

/* Leave at once with @status, the terminal restored; safe in a signal handler. */
_Noreturn void hosted_exit(int status);

/* "No such file or directory": for messages; @errnum as in errno. */
const char *hosted_strerror(int errnum);
/* The error code for a failed open(). */
err_t hosted_open_error(int errnum);
