/*
 * Exceptions that arrive at EL2 (vectors.S): interrupts go to the GIC, a fault in a probe
 * ends the probe, a fault on a block that is just being split is tried again, and everything
 * else is a bug of the hypervisor: registers, syndrome in words, then panic with call chain.
 */
#include "arch/trap.h"
#include "arch/aarch64/sys/esr.h"
#include "arch/aarch64/sys/frame.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/bare/probe.h"
#include "arch/io.h"
#include "engine/back/jit/host.h"
#include "kernel/base/panic.h"
#include "kernel/base/symtab.h"

static _Thread_local const struct frame *trap_frame;	/* of the fatal exception */
static _Thread_local struct probe *probe;		/* the one under way */

static void early_write(struct sink *s, const char *text, size_t len)
{
	arch_early_write(text, len);
}

static void address_print(struct sink *to, const char *name, u64 pc)
{
	uptr offset;
	const char *function = symtab_find(pc, &offset);

	sink_printf(to, "%s %016llx", name, (unsigned long long)pc);
	if (function)
		sink_printf(to, " %s+%#llx", function, (unsigned long long)offset);
	sink_puts(to, "\n");
}

static void frame_print(const struct frame *f, struct sink *to)
{
	for (u32 i = 0; i < 31; i++)
		sink_printf(to, "x%-2u %016llx%s", i, (unsigned long long)f->x[i],
			    i % 4 == 3 ? "\n" : "  ");
	sink_printf(to, "sp  %016llx\n", (unsigned long long)f->sp);
	address_print(to, "elr", f->elr);
	address_print(to, "lr ", f->x[30]);
	sink_printf(to, "far %016llx  esr %08llx  spsr %08llx\n", (unsigned long long)f->far,
		    (unsigned long long)f->esr, (unsigned long long)f->spsr);
}

/* Is @at in a guard page of this CPU's area? */
static bool in_guard(u64 at)
{
	u64 off = cpu_self ? at - (u64)(uptr)host_cpu(cpu_self)->area : 0;

	return off - AREA_GUARD < AREA_GUARD_LEN || off - AREA_GUARD_TRAP < AREA_GUARD_LEN;
}

static _Noreturn void trap_die(const struct frame *f, u32 slot)
{
	static const char *const kind[4] = { "exception", "IRQ", "FIQ", "SError" };
	struct sink out = { early_write };
	char what[96];
	struct sink_buf text = sink_buf_init(what, sizeof(what));

	trap_frame = f;
	if (slot % 4 == 0)
		esr_print(f->esr, &text.sink);
	else
		sink_printf(&text.sink, "unexpected %s", kind[slot % 4]);
	sink_printf(&out, "\nFAULT at EL%u%s: %s\n", slot < 8 ? 2 : 1,
		    slot / 4 == 1 ? " inside a handler" : "", what);
	frame_print(f, &out);
	panic("%s%s", what, in_guard(f->far) ? " (stack overflow)" : "");
}

static void probe_end(struct frame *f)
{
	struct probe *p = probe;

	probe = NULL;
	for (u32 i = 0; i < 12; i++)
		f->x[19 + i] = p->x19_x30[i];
	f->sp = p->sp;
	f->elr = f->x[30];
	f->x[0] = false;
}

void trap_take(struct frame *f, u32 slot)
{
	if (slot == 1)
		irq_take();
	else if (slot % 4 == 0 && slot < 8 && mem_fault_is_transient(f->esr, f->far))
		return;
	else if (slot == 0 && jit_fault(f->elr))
		f->elr = jit_fault(f->elr);
	else if (slot == 0 && probe)
		probe_end(f);
	else
		trap_die(f, slot);
}

static bool probe_try(void (*attempt)(u64 arg), u64 arg)
{
	struct probe here;
	bool ok;

	probe = &here;
	ok = probe_run(attempt, arg, &here);
	probe = NULL;
	return ok;
}

struct store {
	volatile u8 *at;
	u8 value;
};

static void store(u64 arg)
{
	const struct store *s = (const struct store *)(uptr)arg;

	*s->at = s->value;
}

static void call(u64 at)
{
	((void (*)(void))(uptr)at)();
}

bool probe_store(void *p, u8 v)
{
	struct store s = { p, v };

	return probe_try(store, (u64)(uptr)&s);
}

bool probe_call(const void *code)
{
	return probe_try(call, (u64)(uptr)code);
}

/* Is there a frame record at @fp? They lie in this CPU's area, the older at the higher address. */
static bool record_at(u64 fp)
{
	u64 area = cpu_self ? (u64)(uptr)host_cpu(cpu_self)->area : 0;

	return area && !(fp & 15) && fp - area < AREA_STACK_TOP - 16;
}

u32 arch_backtrace(uptr *pc, u32 max)
{
	u64 fp = trap_frame ? trap_frame->x[29] : (u64)(uptr)__builtin_frame_address(0), next;
	u32 n = 0;

	if (trap_frame && n < max)
		pc[n++] = trap_frame->elr;
	if (trap_frame && n < max && trap_frame->x[30] != trap_frame->elr)
		pc[n++] = trap_frame->x[30];	/* a leaf keeps it in the register only */
	for (; n < max && record_at(fp); fp = next) {
		next = ((const u64 *)(uptr)fp)[0];
		if (((const u64 *)(uptr)fp)[1])
			pc[n++] = ((const u64 *)(uptr)fp)[1];
		if (next <= fp)
			break;
	}
	return n;
}

void arch_halt(void)
{
	for (;;)
		__asm__ volatile("msr daifset, #0xf; wfi" ::: "memory");
}
