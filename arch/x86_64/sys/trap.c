/*
 * IDT, dispatch of interrupts, and what is printed when an exception has no fixup: all
 * registers, the error code in words, code bytes, a symbolised backtrace (SDM 3A, chapter 6).
 * An exception in the dump itself only halts.
 */
#include "arch/io.h"
#include "arch/trap.h"
#include "arch/bare/map.h"
#include "arch/x86_64/sys/apic.h"
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/sys/percpu.h"
#include "arch/x86_64/sys/trap.h"
#include "engine/back/jit/host.h"
#include "kernel/base/panic.h"
#include "kernel/base/symtab.h"

enum { VECTOR_NMI = 2, VECTOR_DF = 8, VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_MC = 18 };

struct gate {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset1;
	u32 offset2, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "IDT gate");

struct fixup {
	u64 at, to;
};
extern const struct fixup fixups[], fixups_end[];
extern const u8 trap_stubs[];

static struct gate idt[256] aligned_to(16);
static void (*bound[256])(u32 vector);
static _Atomic bool stopping;
static _Atomic u32 dumps;

static const char *const exception_name[32] = {
	"#DE divide error", "#DB debug", "NMI", "#BP breakpoint", "#OF overflow", "#BR bound range",
	"#UD invalid opcode", "#NM device not available", "#DF double fault", "coprocessor overrun",
	"#TS invalid TSS", "#NP segment not present", "#SS stack fault", "#GP general protection",
	"#PF page fault", "reserved", "#MF x87 error", "#AC alignment check", "#MC machine check",
	"#XM SIMD error", "#VE virtualization", "#CP control protection", [28] = "#HV injection",
	[29] = "#VC VMM communication", [30] = "#SX security",
};

void idt_init(void)
{
	for (u32 i = 0; i < 256; i++) {
		u64 at = (u64)trap_stubs + 16 * i;

		idt[i] = (struct gate){
			.offset0 = (u16)at,
			.offset1 = (u16)(at >> 16),
			.offset2 = (u32)(at >> 32),
			.selector = SEL_CODE,
			.type = 0x8e, /* present, interrupt gate */
			.ist = i == VECTOR_DF  ? IST_DF :
			       i == VECTOR_NMI ? IST_NMI :
			       i == VECTOR_MC  ? IST_MC :
						 0,
		};
	}
}

void idt_load(void)
{
	struct { u16 limit; u64 base; } packed r = { sizeof(idt) - 1, (u64)idt };

	__asm__ volatile("lidt %0" :: "m"(r));
}

void vector_bind(u32 vector, void (*raise)(u32 vector))
{
	bound[vector] = raise;
}

static bool fixup_apply(struct trap_frame *f)
{
	bool fetch = f->vector == VECTOR_PF && f->rip == cr2_read();
	u64 key = fetch ? *(const u64 *)f->rsp : f->rip;

	for (const struct fixup *x = fixups; x < fixups_end; x++) {
		if (x->at != key)
			continue;
		f->rip = x->to;
		f->rsp += fetch ? 8 : 0;
		return true;
	}
	return false;
}

static void early_write(struct sink *s, const char *text, size_t len)
{
	arch_early_write(text, len);
}

static void dump_page_fault(struct sink *s, const struct trap_frame *f)
{
	sink_printf(s, "cr2 %016llx: %s of %s page%s\n", (unsigned long long)cr2_read(),
		    f->error & 16 ? "fetch" :
		    f->error & 2  ? "write" :
				    "read",
		    f->error & 1 ? "a protected" : "an unmapped",
		    f->error & 8 ? ", reserved bit set" : "");
}

static void dump_code(struct sink *s, u64 rip)
{
	u64 left;
	hpa_t pa;

	if (!map_lookup(rip, &pa, &left))
		return;
	sink_puts(s, "code");
	for (u32 i = 0; i < 16 && i < left; i++)
		sink_printf(s, " %02x", ((const u8 *)rip)[i]);
	sink_puts(s, "\n");
}

static void dump(struct sink *s, const struct trap_frame *f)
{
	static const char names[15][4] = { "r15", "r14", "r13", "r12", "r11", "r10", "r9", "r8",
					   "rdi", "rsi", "rbp", "rbx", "rdx", "rcx", "rax" };
	const u64 *reg = &f->r15;
	const char *name;
	uptr offset = 0;

	sink_printf(s, "\nCPU %u: %s, error code %llx\n", cpu_self->id, exception_name[f->vector],
		    (unsigned long long)f->error);
	if (f->vector == VECTOR_PF)
		dump_page_fault(s, f);
	name = symtab_find(f->rip, &offset);
	sink_printf(s, "rip %016llx %s+0x%llx\n", (unsigned long long)f->rip, name ? name : "?",
		    (unsigned long long)offset);
	sink_printf(s, "rsp %016llx rfl %08llx cs %04x cr3 %llx\n", (unsigned long long)f->rsp,
		    (unsigned long long)f->rflags, (u32)f->cs, (unsigned long long)cr3_read());
	for (u32 i = 0; i < ARRAY_LEN(names); i++)
		sink_printf(s, "%-3s %016llx%c", names[i], (unsigned long long)reg[i],
			    i % 4 == 3 ? '\n' : ' ');
	sink_puts(s, "\n");
	dump_code(s, f->rip);
}

static void exception_take(struct trap_frame *f)
{
	struct sink s = { early_write };

	if (f->vector == VECTOR_NMI && atomic_load(&stopping))
		arch_halt();
	/* Below the first view is no canonical address. */
	bool access = f->vector == VECTOR_PF || f->vector == VECTOR_GP;
	uptr to = access ? jit_fault(f->rip) : 0;

	if (to) {
		f->rip = to;
		return;
	}
	if (fixup_apply(f))
		return;
	if (atomic_fetch_add(&dumps, 1) > 1)
		arch_halt();
	dump(&s, f);
	panic("%s at %016llx", exception_name[f->vector], (unsigned long long)f->rip);
}

void trap_take(struct trap_frame *f)
{
	if (f->vector < VECTOR_PIC)
		return exception_take(f);
	if (f->vector < VECTOR_GSI || f->vector == VECTOR_SPURIOUS)
		return;	/* spurious ones of the 8259 and the local APIC want no end of interrupt */
	if (bound[f->vector])
		bound[f->vector]((u32)f->vector);
	apic_end();
}

u32 arch_backtrace(uptr *pc, u32 max)
{
	const u64 *frame = __builtin_frame_address(0);
	u32 n = 0;
	u64 left;
	hpa_t pa;

	while (n < max && !((u64)frame & 7) && map_lookup((u64)frame, &pa, &left) && left >= 16 &&
	       frame[1]) {
		pc[n++] = frame[1];
		frame = (const u64 *)frame[0];
	}
	return n;
}

void arch_stop_others(void)
{
	atomic_store(&stopping, true);
	apic_send_nmi_others();
}

void arch_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}
