/* Host contract: the last resort console, randomness and the end of the machine. */
#pragma once

#include "kernel/base/err.h"

struct blk;
struct chr;
struct rng;

/* Polled output that works from the first instruction to the last, also inside panic. */
void arch_early_write(const char *text, size_t len);

/*
 * What a command of the hosted program prints (help, config dump): standard output, blocking. Only
 * kernel/cli calls it.
 */
void arch_stdout_write(const char *text, size_t len);

/*
 * The interactive console of the machine (host UART; hosted: the terminal), or NULL. Its write
 * does not block; CPU_INPUT is raised (on any CPU) whenever new input has come.
 */
struct chr *arch_console(void);

/*
 * A screen that shows what the console shows (bare metal: firmware's frame buffer), or NULL.
 * Called once.
 */
struct chr *arch_display(void);

/* The machine's entropy source (RDRAND, RNDR, /dev/urandom), or NULL. */
struct rng *arch_rng(void);

/* Switch the machine off or restart it; in the hosted process exit with @status. */
_Noreturn void arch_poweroff(int status);
_Noreturn void arch_reboot(void);

/* A line for the banner: "AMD EPYC, 2 CPUs, TSC 2.4 GHz". */
void arch_describe(char *buf, size_t cap);

/*
 * Files that came with the machine: the ESP's (loaded before ExitBootServices) or the
 * process's file system. @data stays valid until file_close().
 */
struct file {
	const char *name;
	const u8 *data;
	u64 len;
	void *arch;
};
err_t arch_file_open(const char *path, struct file *out);	/* E_NOENT, E_IO, E_NOMEM */
void arch_file_close(struct file *f);

/*
 * A raw disk image as a block port: a file of the process, or one from the ESP, whose writes
 * stay in RAM. Closed by ops->close(). E_NOENT, E_ACCESS, E_BUSY, E_FORMAT, E_IO, E_NOMEM.
 */
err_t arch_disk_open(const char *path, bool readonly, struct blk **out);
