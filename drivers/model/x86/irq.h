/*
 * What a board wires to the interrupt controllers of a PC: local APICs, I/O APIC, the two 8259As.
 * All functions expect the bus lock to be held by the caller, except those that say so.
 */
#pragma once

#include "drivers/model/model.h"

/* ---- local APICs, of all CPUs in one device ---------------------------------------------- */

#define LAPIC_CPUS	64
#define LAPIC_BASE	0xfee00000ull
#define LAPIC_TIMER_HZ	1000000000u	/* before the divider: guest nanoseconds */

/*
 * Outputs: dev.out[LAPIC_LINES * cpu + line]. INTR is a level. NMI and INIT are edges: they are
 * raised here and lowered by whoever takes them.
 */
enum lapic_line { LAPIC_INTR, LAPIC_NMI, LAPIC_INIT, LAPIC_LINES };

/* dev.port.any of a vlapic; outlives it. Any member may be NULL. */
struct lapic_board {
	struct dev *ioapic;		/* gets EOIs of level-triggered interrupts */
	struct dev *pic;		/* gives the vectors of ExtINT */
	/*
	 * A start-up IPI for a CPU that waits for one: begin in real mode at @page << 12. False:
	 * it has not come to rest since its INIT; the IPI is lost, as in hardware.
	 */
	bool (*start)(void *ctx, u32 cpu, u8 page);
	/* The guest time at which @cpu's TSC is @tsc; without it the TSC counts guest ns. */
	ns_t (*tsc_time)(void *ctx, u32 cpu, u64 tsc);
	void *ctx;
};

/*
 * The four of struct x86_intc: @lapic is the struct dev. From the CPU itself; they take the lock.
 */
int vlapic_accept(void *lapic, u32 cpu);
bool vlapic_msr(void *lapic, u32 cpu, u32 msr, bool write, u64 *val);
u8 vlapic_tpr(void *lapic, u32 cpu);
void vlapic_set_tpr(void *lapic, u32 cpu, u8 cr8);

/* Registers of one CPU, for runners that know whose page was touched; they take the lock. */
u32 vlapic_read_page(struct dev *lapic, u32 cpu, u32 off);
void vlapic_write_page(struct dev *lapic, u32 cpu, u32 off, u32 val);

/* A message-signalled interrupt: what was written where (Intel SDM 3A, 11.11). */
void vlapic_msi(void *lapic, u64 addr, u32 data);
/* For irq_line.set of a vpic's output: LINT0 of every CPU; masked until software wants it. */
void vlapic_lint0(void *lapic, u32 input, bool level);

/* ---- I/O APIC ----------------------------------------------------------------------------- */

#define IOAPIC_PINS	24
#define IOAPIC_BASE	0xfec00000ull

/* dev.port.any of a vioapic is the vlapic's struct dev. For irq_line.set: */
void vioapic_input(void *ioapic, u32 pin, bool level);
/* The local APIC ended a level-triggered interrupt. */
void vioapic_eoi(struct dev *ioapic, u8 vector);

/* ---- 8259A -------------------------------------------------------------------------------- */

/* A vpic's dev.irq is INTR. For irq_line.set: */
void vpic_input(void *pic, u32 irq, bool level);
/* The CPU acknowledges INTR: the vector, a spurious one if there is nothing (any more). */
u8 vpic_ack(struct dev *pic);

/* ---- both of them ------------------------------------------------------------------------- */

/* Where the interrupt of an ISA device goes: PIC input @irq, and pin @irq of the I/O APIC or 2. */
struct isa_irqs {
	struct dev *pic, *ioapic;
};

/* For irq_line.set; @ctl is a struct isa_irqs. */
static inline void isa_irq(void *ctl, u32 irq, bool level)
{
	const struct isa_irqs *to = ctl;

	if (irq < 16)
		vpic_input(to->pic, irq, level);
	vioapic_input(to->ioapic, irq ? irq : 2, level);
}
