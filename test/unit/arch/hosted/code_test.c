/* arch/hosted/code.c: code written at one address runs at the other, and nothing else goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "arch/mem.h"
#include "host/cpu.h"
#include "host/features.h"
#include "test/unit/child.h"

#define LEN MIB(4)

/* u64 f(u64 x) { return x + @n; } */
static u64 emit_add(u8 *at, u8 n)
{
#ifdef __x86_64__
	const u8 code[] = { 0x48, 0x8d, 0x47, n, 0xc3 };		/* lea n(%rdi), %rax; ret */
#else
	const u32 code[] = { 0x91000000 | (u32)n << 10, 0xd65f03c0 };	/* add x0, x0, #n; ret */
#endif

	memcpy(at, code, sizeof(code));
	return sizeof(code);
}

static u64 run(const u8 *at, u64 x)
{
	return ((u64 (*)(u64))(uptr)at)(x);
}

/* The permissions of the mapping that holds @p, as in /proc/self/maps: "rw-s". */
static void permissions(const void *p, char perm[5])
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from, to;
	char line[512], text[5];

	perm[0] = '\0';
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %4s", &from, &to, text) == 3 && (uptr)p >= from &&
		    (uptr)p < to)
			strcpy(perm, text);
	fclose(f);
}

static u8 *rw, *rx;

static int setup(void **s)
{
	return arch_code_alloc(LEN, &rw, &rx) != OK;
}

static int teardown(void **s)
{
	arch_code_free(rw, rx, LEN);
	return 0;
}

static void test_runs(void **s)
{
	assert_int_equal((uptr)rw % PAGE_SIZE, 0);
	assert_int_equal((uptr)rx % PAGE_SIZE, 0);
	for (u64 at = 0; at < LEN; at += MIB(1) - 64) {
		assert_int_equal(rx[at], 0);
		host_code_sync(rw + at, rx + at, emit_add(rw + at, 42));
		assert_int_equal(run(rx + at, 100), 142);
	}
}

/* The same place again, as a translator that links blocks does. */
static void test_changes(void **s)
{
	for (u32 n = 0; n < 128; n++) {
		host_code_sync(rw, rx, emit_add(rw, (u8)n));
		assert_int_equal(run(rx, 1000), 1000 + n);
	}
}

static void write_rx(void)
{
	signal(SIGSEGV, SIG_DFL);
	*(volatile u8 *)rx = 0;
}

static void run_rw(void)
{
	signal(SIGSEGV, SIG_DFL);
	run(rw, 0);
}

static void run_rx(void)
{
	run(rx, 0);
}

static void test_write_xor_execute(void **s)
{
	char perm[5];

	host_code_sync(rw, rx, emit_add(rw, 0));
	permissions(rw, perm);
	assert_string_equal(perm, "rw-s");
	permissions(rx, perm);
	assert_string_equal(perm, "r-xs");
	assert_int_equal(child_run(run_rx).status, 0);
	assert_int_equal(child_run(run_rw).status, 128 + SIGSEGV);
	assert_int_equal(child_run(write_rx).status, 128 + SIGSEGV);
}

static void test_give_back(void **s)
{
	char perm[5];
	u8 *w, *x;

	for (u32 i = 0; i < 1000; i++) {
		assert_int_equal(arch_code_alloc(PAGE_SIZE + 1, &w, &x), OK);
		assert_int_equal(w[0] | w[2 * PAGE_SIZE - 1], 0);
		w[0] = w[2 * PAGE_SIZE - 1] = 1;
		arch_code_free(w, x, PAGE_SIZE + 1);
	}
	permissions(w, perm);
	assert_string_equal(perm, "");
	permissions(x, perm);
	assert_string_equal(perm, "");
	arch_code_free(NULL, NULL, LEN);
}

static void test_refusals(void **s)
{
	u8 *w, *x;

	assert_int_equal(arch_code_alloc(0, &w, &x), E_NOMEM);
	assert_int_equal(arch_code_alloc(BIT(50), &w, &x), E_NOMEM);
	assert_int_equal(arch_code_alloc(UINT64_MAX, &w, &x), E_NOMEM);
	assert_null(w);
	assert_null(x);
}

/* What is said to be there must work: none of these may end in SIGILL. */
static void test_features(void **s)
{
	struct host_features f = host_features();
	u64 v = 1;

#ifdef __x86_64__
	if (f.sse41)
		__asm__ volatile("ptest %%xmm0, %%xmm0" ::: "cc");
	if (f.popcnt)
		__asm__("popcnt %0, %0" : "+r"(v) :: "cc");
	assert_int_equal(v, 1);
	if (f.bmi1)
		__asm__ volatile("andn %0, %0, %0" : "+r"(v) :: "cc");
	assert_int_equal(v, !f.bmi1);
	if (f.bmi2)
		__asm__ volatile("shlx %0, %0, %0" : "+r"(v));
	v = 1;
	if (f.lzcnt)		/* where it is not there it is BSR */
		__asm__("lzcnt %0, %0" : "+r"(v) :: "cc");
	assert_int_equal(v, f.lzcnt ? 63 : 1);
	if (f.movbe)
		__asm__("movbe %1, %0" : "=r"(v) : "m"(v));
	if (f.avx)
		__asm__ volatile("vaddpd %%ymm0, %%ymm0, %%ymm0; vzeroupper" ::: "xmm0");
	if (f.avx2)
		__asm__ volatile("vpaddq %%ymm0, %%ymm0, %%ymm0; vzeroupper" ::: "xmm0");
	if (f.fma)
		__asm__ volatile("vfmadd213sd %%xmm0, %%xmm0, %%xmm0; vzeroupper" ::: "xmm0");
	assert_true(f.avx || !f.avx2);
	assert_true(f.avx || !f.fma);
#else
	if (f.lse)
		__asm__(".arch_extension lse\n\tstadd %1, [%0]"
			:: "r"(&v), "r"(1ull) : "memory");
	assert_int_equal(v, 1 + f.lse);
	if (f.rcpc)
		__asm__(".arch_extension rcpc\n\tldapr %0, [%1]" : "=r"(v) : "r"(&v) : "memory");
	if (f.flagm)
		__asm__ volatile(".inst 0xd500401f" ::: "cc");	/* CFINV */
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_xor_execute, setup, teardown),
		cmocka_unit_test(test_give_back),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_features),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
