/*
 * Descriptor tables and thread-local storage of a CPU (SDM 3A, 3.4 and 8.7; psABI for
 * thread-local variables, variant II: the block ends where FS points).
 */
#include "arch/mem.h"
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/sys/percpu.h"
#include "arch/x86_64/sys/trap.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

struct percpu percpu_boot;

extern u8 tls_start[], tls_data_end[], tls_end[];	/* linker/core.ld */

struct table_register {
	u16 limit;
	u64 base;
} packed;

static void gdt_fill(struct percpu *p)
{
	u64 base = (u64)&p->tss, limit = sizeof(p->tss) - 1;

	p->gdt[0] = 0;
	p->gdt[SEL_CODE / 8] = 0x00af9b000000ffff;	/* 64-bit code, ring 0, accessed */
	p->gdt[SEL_DATA / 8] = 0x00cf93000000ffff;
	p->gdt[SEL_TSS / 8] =
		limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	p->gdt[SEL_TSS / 8 + 1] = base >> 32;
	p->tss.ist[IST_DF] = (u64)p->guard2;
	p->tss.ist[IST_NMI] = (u64)p->guard3;
	p->tss.ist[IST_MC] = (u64)p->tls;
	p->tss.iomap = sizeof(p->tss);
}

static void gdt_load(const struct percpu *p)
{
	struct table_register r = { sizeof(p->gdt) - 1, (u64)p->gdt };

	__asm__ volatile(
		"lgdt %0\n\t"
		"pushq %1\n\t"
		"leaq 1f(%%rip), %%rax\n\t"
		"pushq %%rax\n\t"
		"lretq\n"
		"1:\tmovl %2, %%eax\n\t"
		"movl %%eax, %%ds\n\tmovl %%eax, %%es\n\tmovl %%eax, %%ss\n\t"
		"xorl %%eax, %%eax\n\t"
		"movl %%eax, %%fs\n\tmovl %%eax, %%gs\n\t"
		"ltr %w3"
		:: "m"(r), "i"(SEL_CODE), "i"(SEL_DATA), "r"(SEL_TSS) : "rax", "memory");
}

static void tls_load(struct percpu *p)
{
	u64 size = ALIGN_UP((u64)(tls_end - tls_start), 16);
	u8 *block = (u8 *)&p->fs_self - size;

	memcpy(block, tls_start, (size_t)(tls_data_end - tls_start));
	p->fs_self = &p->fs_self;
	msr_write(MSR_FS_BASE, (u64)&p->fs_self);
}

void percpu_load(struct percpu *p, struct cpu *cpu)
{
	gdt_fill(p);
	gdt_load(p);
	idt_load();
	tls_load(p);
	p->cpu = cpu;
	cpu->arch = p;
	cpu_self = cpu;
}

void percpu_guard(struct percpu *p)
{
	u8 *guard[] = { p->guard0, p->guard1, p->guard2, p->guard3 };

	for (u32 i = 0; i < ARRAY_LEN(guard); i++)
		if (arch_mem_protect(guard[i], PAGE_SIZE, 0) != OK)
			panic("no memory for page tables");
}
