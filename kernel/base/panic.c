/*
 * The end of the hypervisor, told in full: message, call chain, the errors that led here,
 * the last log lines. It writes to the early console only, takes no lock and allocates
 * nothing. A second panic on the way cuts the story short; one on another CPU just halts.
 */
#include "kernel/base/panic.h"

#include "arch/io.h"
#include "arch/trap.h"
#include "kernel/base/cpu.h"
#include "kernel/base/err.h"
#include "kernel/base/log.h"
#include "kernel/base/symtab.h"

#define PANIC_FRAMES	32
#define PANIC_LOG_LINES	20
#define PANIC_ERRORS	8

static _Atomic u32 panic_owner;		/* 1 + id of the CPU that panics, 0: none */

static void early_write(struct sink *s, const char *text, size_t len)
{
	arch_early_write(text, len);
}

static void print_backtrace(struct sink *out)
{
	uptr pc[PANIC_FRAMES], offset;
	u32 count = arch_backtrace(pc, PANIC_FRAMES);

	sink_puts(out, "call chain:\n");
	for (u32 i = 0; i < count; i++) {
		const char *name = symtab_find(pc[i], &offset);

		sink_printf(out, "  %016lx", pc[i]);
		if (name)
			sink_printf(out, " %s+0x%lx", name, offset);
		sink_puts(out, "\n");
	}
}

static void print_errors(struct sink *out)
{
	const struct err_record *r;

	sink_puts(out, "recent errors, newest first:\n");
	for (u32 i = 0; i < PANIC_ERRORS && (r = err_recent(i)); i++)
		sink_printf(out, "  [%5llu.%06llu] %s:%u: %s %s\n",
			    (unsigned long long)(r->when / NS_PER_SEC),
			    (unsigned long long)(r->when % NS_PER_SEC / NS_PER_US),
			    r->file, r->line, err_name(r->code), r->text);
}

void panic(const char *fmt, ...)
{
	struct sink out = { early_write };
	u32 me = 1 + (cpu_self ? cpu_self->id : 0), none = 0;
	va_list ap;

	if (!atomic_compare_exchange_strong(&panic_owner, &none, me)) {
		if (none == me)
			sink_puts(&out, "\npanic while panicking; halted\n");
		arch_halt();
	}
	arch_stop_others();
	sink_printf(&out, "\nPANIC on cpu %u: ", me - 1);
	va_start(ap, fmt);
	sink_vprintf(&out, fmt, ap);
	va_end(ap);
	sink_puts(&out, "\n");
	print_backtrace(&out);
	print_errors(&out);
	sink_puts(&out, "last log lines:\n");
	log_replay(&out, PANIC_LOG_LINES);
	arch_halt();
}
