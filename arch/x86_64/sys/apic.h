/* Interrupts on x86-64: the CPUs' local APICs (apic.c) and the I/O APICs (ioapic.c). */
#pragma once

#include "kernel/base/cpu.h"

struct percpu;

/* Boot CPU: find and map the local APIC, mask the 8259s. */
void apic_init(void);
/* Each CPU: enable its local APIC, note its ID in @p. */
void apic_init_cpu(struct percpu *p);

void apic_end(void);					/* end of interrupt */
void apic_send(struct cpu *to, u32 vector);
void apic_send_nmi_others(void);
void apic_send_init(u32 apic_id);
void apic_send_startup(u32 apic_id, u32 page);		/* at physical @page * 4096 */
u32 apic_id(void);					/* of the calling CPU */
bool apic_is_x2(void);

/* The local timer: @vector once after @count ticks of its clock divided by 16; 0 stops it. */
void apic_timer_oneshot(u32 vector);
void apic_timer_deadline(u32 vector);
void apic_timer_start(u32 count);
u32 apic_timer_left(void);

/* Find the I/O APICs and mask all their inputs. */
void ioapic_init(void);
/* The GSI of an ISA interrupt, after the MADT's overrides. */
u32 ioapic_gsi_of_isa(u32 irq);
