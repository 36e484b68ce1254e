/* The ISA tests' small runtime: console, result, traps, page tables. See isa.h. */
#include "isa.h"

volatile struct trap trap;
bool on_qemu;
u64 loaded;
u64 root[512] __attribute__((aligned(4096))), middle[512] __attribute__((aligned(4096)));
u64 pte[512] __attribute__((aligned(4096)));
u8 page[4][4096] __attribute__((aligned(4096)));

static u32 checks, failures;

void access_store(u64 va, u64 status, u64 v);
u64 access_load(u64 va, u64 status);
void run_in_back(void);

static void put(const char *s)
{
	for (; *s; s++)
		*(volatile u8 *)0x10000000 = (u8)*s;
}

static void put_hex(u64 v)
{
	char text[17];

	for (int i = 15; i >= 0; i--, v >>= 4)
		text[i] = "0123456789abcdef"[v & 15];
	text[16] = 0;
	put(text);
}

static void put_number(u32 v)
{
	char text[11], *p = text + 10;

	*p = 0;
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	put(p);
}

void check(const char *file, int line, const char *text, u64 got, u64 want)
{
	checks++;
	if (got == want)
		return;
	failures++;
	put("FAIL ");
	put(file);
	put(":");
	put_number((u32)line);
	put(" ");
	put(text);
	put(": ");
	put_hex(got);
	put(" instead of ");
	put_hex(want);
	put("\n");
}

struct frame {
	u64 x[32], epc, cause, tval, status;
};

void trap_taken(struct frame *f, u64 level, u64 vector);
void trap_taken(struct frame *f, u64 level, u64 vector)
{
	bool fetch = f->cause == FETCH_ACCESS || f->cause == FETCH_PAGE || f->cause == 0;

	if ((f->cause == ECALL_U || f->cause == ECALL_S) && f->x[17] == ~0ull && level == M) {
		f->epc = (u64)run_in_back;
		set_csr(mstatus, MPP);
		clear_csr(mstatus, MPIE);
		return;
	}
	trap.cause = f->cause;
	trap.epc = f->epc;
	trap.tval = f->tval;
	trap.status = f->status;
	trap.handler = level;
	trap.vector = vector;
	trap.count++;
	if (f->cause & IRQ && level == M)
		write_csr(mie, 0);
	else if (f->cause & IRQ)
		write_csr(sie, 0);
	else if (fetch)
		f->epc = f->x[1];
	else
		f->epc += (*(u16 *)f->epc & 3) == 3 ? 4 : 2;
}

static u64 status_as(u64 priv)
{
	return (read_csr(mstatus) & ~MPP) | MPRV | priv << 11;
}

u64 load_as(u64 priv, u64 va)
{
	return TRAP_OF(loaded = access_load(va, status_as(priv)));
}

u64 store_as(u64 priv, u64 va, u64 v)
{
	return TRAP_OF(access_store(va, status_as(priv), v));
}

void paging_on(void)
{
	root[0] = PTE(0, PTE_RWX);			/* devices */
	root[2] = PTE(0x80000000, PTE_RWX);		/* this program */
	root[1] = PTE(middle, PTE_V);			/* TEST_VA */
	middle[0] = PTE(pte, PTE_V);
	write_csr(satp, 8ull << 60 | (u64)root >> 12);
	sfence();
}

void paging_off(void)
{
	write_csr(satp, 0);
	sfence();
}

void isa_start(u64 hart);
void isa_start(u64 hart)
{
	write_csr(pmpaddr0, ~0ull);
	write_csr(pmpcfg0, 0x1f);
	if (hart) {
		hart_main(hart);
		return;
	}
	on_qemu = read_csr(marchid) != 0;
	isa_main();
	put_number(checks - failures);
	put(" checks passed\n");
	*(volatile u32 *)0x100000 = failures ? 1 << 16 | 0x3333 : 0x5555;
	for (;;)
		;
}
