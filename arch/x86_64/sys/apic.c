/*
 * Local APIC, through memory (xAPIC) or MSRs (x2APIC, SDM 3A chapter 10). x2APIC is used
 * wherever it exists: firmware may have switched to it, which only a reset undoes, and IDs
 * above 254 need it. The 8259s are moved out of the exceptions' way and masked for good.
 */
#include "arch/bare/firmware.h"
#include "arch/mem.h"
#include "arch/x86_64/sys/apic.h"
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/sys/percpu.h"
#include "arch/x86_64/sys/trap.h"
#include "host/cpu.h"
#include "kernel/base/panic.h"

#include <cpuid.h>

enum reg {
	REG_ID = 0x20,
	REG_TPR = 0x80,
	REG_EOI = 0xb0,
	REG_SVR = 0xf0,
	REG_ICR = 0x300,
	REG_ICR_HIGH = 0x310,
	REG_LVT_TIMER = 0x320,
	REG_LVT_PERF = 0x340,
	REG_LVT_LINT0 = 0x350,
	REG_LVT_LINT1 = 0x360,
	REG_LVT_ERROR = 0x370,
	REG_INITIAL = 0x380,
	REG_CURRENT = 0x390,
	REG_DIVIDE = 0x3e0,
};

enum { BASE_X2 = 1 << 10, BASE_ENABLE = 1 << 11 };
enum { SVR_ENABLE = 1 << 8 };
enum { LVT_MASKED = 1 << 16, LVT_DEADLINE = 2 << 17, LVT_NMI = 4 << 8 };
enum {
	ICR_NMI = 4 << 8,
	ICR_INIT = 5 << 8,
	ICR_STARTUP = 6 << 8,
	ICR_BUSY = 1 << 12,
	ICR_ASSERT = 1 << 14,
	ICR_OTHERS = 3 << 18
};
enum { DIVIDE_16 = 3 };

static volatile u8 *base;	/* NULL in x2APIC mode */

static u32 reg_read(enum reg r)
{
	return base ? mmio_read32(base + r) : (u32)msr_read(MSR_X2APIC + r / 16);
}

static void reg_write(enum reg r, u32 v)
{
	if (base)
		mmio_write32(base + r, v);
	else
		msr_write(MSR_X2APIC + r / 16, v);
}

static void icr_write(u32 apic_id, u32 command)
{
	if (!base) {
		/*
		 * Unlike a store, this WRMSR waits for nothing: what was written before must be
		 * seen by the target.
		 */
		__asm__ volatile("mfence; lfence" ::: "memory");
		msr_write(MSR_X2APIC + REG_ICR / 16, (u64)apic_id << 32 | command);
		return;
	}
	/* Two writes, so an interrupt between them must not send one of its own. */
	bool on = rflags_read() & RFLAGS_IF;

	__asm__ volatile("cli" ::: "memory");
	while (mmio_read32(base + REG_ICR) & ICR_BUSY)
		host_relax();
	mmio_write32(base + REG_ICR_HIGH, apic_id << 24);
	mmio_write32(base + REG_ICR, command);
	if (on)
		__asm__ volatile("sti" ::: "memory");
}

static void pic_disable(void)
{
	static const u16 master[] = { 0x20, 0x21, 0x21, 0x21, 0x21 },
			 slave[] = { 0xa0, 0xa1, 0xa1, 0xa1, 0xa1 };
	static const u8 master_value[] = { 0x11, VECTOR_PIC, 4, 1, 0xff },
			slave_value[] = { 0x11, VECTOR_PIC + 8, 2, 1, 0xff };

	for (u32 i = 0; i < ARRAY_LEN(master); i++) {
		out8(master[i], master_value[i]);
		out8(slave[i], slave_value[i]);
	}
}

void apic_init(void)
{
	const struct acpi_madt *madt = acpi_find(&acpi, "APIC", 0, sizeof(*madt));
	hpa_t at = msr_read(MSR_APIC_BASE) & 0x000ffffffffff000ull;
	u32 a, b, c, d;

	pic_disable();
	if (__get_cpuid(1, &a, &b, &c, &d) && (c & (1 << 21)))
		return;
	for (const struct madt_lapic_address *l = NULL;
	     madt && (l = acpi_each(madt, MADT_LAPIC_ADDRESS, l));)
		at = l->address;
	base = arch_mmio_map(at, PAGE_SIZE, PROT_R | PROT_W | PROT_DEVICE);
	if (!base)
		panic("no memory to map the local APIC");
}

void apic_init_cpu(struct percpu *p)
{
	msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | BASE_ENABLE);
	if (!base)
		msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | BASE_X2);
	reg_write(REG_TPR, 0);
	reg_write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	reg_write(REG_LVT_PERF, LVT_MASKED | VECTOR_TIMER);
	reg_write(REG_LVT_LINT0, LVT_MASKED | VECTOR_SPURIOUS);
	reg_write(REG_LVT_LINT1, LVT_NMI);
	reg_write(REG_LVT_ERROR, LVT_MASKED | VECTOR_SPURIOUS);
	reg_write(REG_DIVIDE, DIVIDE_16);
	reg_write(REG_INITIAL, 0);
	reg_write(REG_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	/* What firmware had in service must not hold back ours. */
	for (u32 i = 0; i < 8; i++)
		apic_end();
	p->apic_id = apic_id();
}

u32 apic_id(void)
{
	return base ? reg_read(REG_ID) >> 24 : reg_read(REG_ID);
}

bool apic_is_x2(void)
{
	return !base;
}

void apic_end(void)
{
	reg_write(REG_EOI, 0);
}

void apic_send(struct cpu *to, u32 vector)
{
	icr_write(percpu_of(to)->apic_id, ICR_ASSERT | vector);
}

void apic_send_nmi_others(void)
{
	icr_write(0, ICR_OTHERS | ICR_ASSERT | ICR_NMI);
}

void apic_send_init(u32 id)
{
	icr_write(id, ICR_ASSERT | ICR_INIT);
}

void apic_send_startup(u32 id, u32 page)
{
	icr_write(id, ICR_ASSERT | ICR_STARTUP | page);
}

void apic_timer_oneshot(u32 vector)
{
	reg_write(REG_LVT_TIMER, vector);
}

void apic_timer_deadline(u32 vector)
{
	reg_write(REG_LVT_TIMER, LVT_DEADLINE | vector);
	__asm__ volatile("mfence" ::: "memory"); /* SDM 10.5.4.1: before the first deadline */
}

void apic_timer_start(u32 count)
{
	reg_write(REG_INITIAL, count);
}

u32 apic_timer_left(void)
{
	return reg_read(REG_CURRENT);
}
