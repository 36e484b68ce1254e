/* See harts.h. Harts without work sleep until a software interrupt is pending. */
#include "harts.h"

static void (*volatile job)(u64 hart);
static u32 left, arrived;
static volatile u32 phase;

void harts_run(u32 n, void (*fn)(u64 hart))
{
	job = fn;
	__atomic_store_n(&left, n - 1, __ATOMIC_SEQ_CST);
	__asm__ volatile("fence rw, o" : : : "memory");
	for (u32 i = 1; i < n; i++)
		ipi(i);
	fn(0);
	while (__atomic_load_n(&left, __ATOMIC_SEQ_CST))
		relax();
}

void harts_meet(u32 n)
{
	u32 p = phase;

	if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == n) {
		__atomic_store_n(&arrived, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&phase, p + 1, __ATOMIC_SEQ_CST);
		return;
	}
	while (__atomic_load_n(&phase, __ATOMIC_SEQ_CST) == p)
		relax();
}

void hart_main(u64 hart)
{
	write_csr(mie, MIP_MSIP);
	for (;;) {
		while (!(read_csr(mip) & MIP_MSIP))
			__asm__ volatile("wfi");
		ipi_clear(hart);
		__asm__ volatile("fence iorw, iorw" : : : "memory");
		job(hart);
		__atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST);
	}
}
