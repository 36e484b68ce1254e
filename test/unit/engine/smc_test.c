/*
 * Changed code, as an attacker would change it: three harts in one address space, their steps in
 * the order that hurts. Writes of a hart are made with mem_write(), which is what its translated
 * code does; a hart that is "in the guest" has not come to a place where it follows others yet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "engine/code.h"
#include "engine/front/rv64/rv64.h"
#include "engine/mem.h"
#include "engine/runner.h"
#include "engine/tuning.h"
#include "kernel/base/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/base/page.h"

extern const struct isa rv64_isa;

#define RAM		0x80000000ull
#define PAGES		16
#define AT(n)		(RAM + (n) * PAGE_SIZE)
#define HARTS		3

static u8 memory[2][PAGES * PAGE_SIZE] aligned_to(4096);
static u8 heap_memory[MIB(64)] aligned_to(4096);
static struct gcpu hart[HARTS];
static struct space space;
static struct gclock guest_clock;
static struct cpu host_cpu;
static struct isa isa;

void gcpu_kick(struct gcpu *g) { (void)g; }

/* ---- instructions ---- */

static u32 addi(u32 d, u32 s, s32 imm) { return (u32)imm << 20 | s << 15 | d << 7 | 0x13; }
#define ECALL 0x73u

static u32 jump(gva_t from, gva_t to)
{
	u32 d = (u32)(to - from);

	return BITS(d, 20, 20) << 31 | BITS(d, 10, 1) << 21 | BITS(d, 11, 11) << 20 |
	       BITS(d, 19, 12) << 12 | 0x6f;
}

/* As a device would. */
static void put(gpa_t at, u32 insn)
{
	assert_int_equal(space_write(&space, at, &insn, 4), OK);
}

/* As hart @h would. */
static void store(u32 h, gva_t at, u32 insn)
{
	if (h && !hart[h].in_guest) {		/* what it does when it enters */
		hart[h].in_guest = true;
		smc_follow(&hart[h]);
	}
	assert_true(mem_write(&hart[h], at, 4, &insn));
}

/* ---- the machine ---- */

static u64 alias[PAGES];		/* physical pages by virtual ones, less RAM */
static bool uncached[PAGES];		/* not for the TLB, like a page that PMP splits */

/* The ISA's own translation, through one more table. */
static bool fill_aliased(struct gcpu *g, gva_t va, u32 len, enum access access)
{
	const struct range *r = space_find(&space, RAM);
	u64 n = (va - RAM) >> PAGE_SHIFT;

	if (n >= PAGES || (alias[n] == n && !uncached[n]))
		return rv64_isa.fill(g, va, len, access);
	g->fill_gpa = AT(alias[n]) | (va & ~PAGE_MASK);
	g->fill_host = space_ptr(&space, g->fill_gpa, 1, false);
	g->fill_len = (u32)(PAGE_SIZE - va % PAGE_SIZE);
	if (access == ACCESS_WRITE && !uncached[n] && watch_grant(r, g->fill_gpa))
		tlb_writer_note(g->tlb, va & PAGE_MASK, g->fill_gpa & PAGE_MASK);
	if (access == ACCESS_WRITE)
		range_mark_dirty(r, g->fill_gpa);
	if (!uncached[n])
		tlb_fill(g->tlb, access == ACCESS_FETCH ? &g->tlb->i : &g->tlb->d, va, g->fill_gpa,
			 g->fill_host, true,
			 access == ACCESS_WRITE || !range_watch_state(r, g->fill_gpa), PAGE_SIZE);
	return true;
}

static struct rv64_state *st(u32 h) { return hart[h].st; }

static void open_with(const struct runner *runner, u32 hot)
{
	memset(memory, 0, sizeof(memory));
	memset(uncached, 0, sizeof(uncached));
	assert_int_equal(space_init(&space), OK);
	assert_int_equal(space_map_ram(&space, RAM, sizeof(memory[0]), memory[0], "ram"), OK);
	for (u32 i = 0; i < PAGES; i++)
		alias[i] = i;
	isa = rv64_isa;
	isa.fill = fill_aliased;
	for (u32 h = 0; h < HARTS; h++) {
		hart[h] = (struct gcpu){ .isa = &isa, .runner = runner, .space = &space, .hot = hot,
					 .clock = &guest_clock, .features = ~0u, .firmware = true };
		assert_int_equal(gcpu_init(&hart[h]), OK);
		rv64_start(&hart[h], RAM, 0, 0, true);
		st(h)->pmpaddr[0] = MASK(54);
		st(h)->pmpcfg[0] = 0x1f;
	}
}

static void close_all(void)
{
	for (u32 h = 0; h < HARTS; h++)
		gcpu_fini(&hart[h]);
	space_fini(&space);
}

/* Hart 0 from @pc on. */
static void run(gva_t pc, u64 insns)
{
	struct exit x;

	gcpu_set_pc(&hart[0], pc);
	hart[0].budget = (s64)insns;
	hart[0].runner->run(&hart[0], &x);
	assert_int_equal(x.why, EXIT_BUDGET);
}

/* The same for @insns instructions of a loop that counts in a0; what it counted. */
static u64 count(gva_t pc, u64 insns)
{
	st(0)->x[10] = 0;
	run(pc, insns);
	return st(0)->x[10];
}

static void fence(u32 h)
{
	smc_follow(&hart[h]);
	smc_fence(&hart[h]);
	code_stamp(&hart[h]);
}

/* Have the code in @pages pages from 0 on known to be unwritten at a fence. */
static void settle(gva_t pc)
{
	for (u32 i = 0; i < 4; i++) {
		count(pc, 100);
		fence(0);
	}
	count(pc, 100);
}

static const struct runner *const all[] = { &interp_runner, &jit_runner, &hybrid_runner };
#define EACH_RUNNER(r)								\
	for (u32 r = 0; r < ARRAY_LEN(all); r++)

static void loop_write(gva_t at, s32 step)
{
	put(at, addi(10, 10, step));
	put(at + 4, jump(at + 4, at));
}

/* ---- whose writes are seen ---- */

static void own_writes_and_devices(void **unused)
{
	(void)unused;
	EACH_RUNNER(r) {
		open_with(all[r], 2);
		loop_write(AT(0), 1);
		settle(AT(0));
		store(0, AT(0), addi(10, 10, 3));
		fence(0);
		assert_int_equal(count(AT(0), 20), 30);
		settle(AT(0));
		put(AT(0), addi(10, 10, 5));
		fence(0);
		assert_int_equal(count(AT(0), 20), 50);
		close_all();
	}
}

/* A page that is known by two addresses, written by the other one, again and again. */
static void aliases(void **unused)
{
	(void)unused;
	EACH_RUNNER(r) {
		open_with(all[r], 2);
		loop_write(AT(0), 1);
		alias[5] = alias[6] = 0;
		for (s32 i = 1; i < 40; i++) {
			settle(AT(0));
			store(0, AT(5 + i % 2), addi(10, 10, i));
			fence(0);
			assert_int_equal(count(AT(0), 20), 10 * i);
		}
		close_all();
	}
}

/*
 * Hart 1 may write once and for all, and has not followed; hart 2 watches the page again meanwhile,
 * so hart 0 finds it watched when it comes to do that.
 */
static void watched_again_by_another(void **unused)
{
	(void)unused;
	EACH_RUNNER(r) {
		open_with(all[r], 2);
		loop_write(AT(0), 1);
		settle(AT(0));
		store(1, AT(0), addi(10, 10, 2));
		fence(0);
		assert_non_null(code_find(&hart[2], AT(0)));
		assert_int_equal(count(AT(0), 20), 20);
		for (s32 i = 3; i < 6; i++) {
			store(1, AT(0), addi(10, 10, i));
			fence(0);
			assert_int_equal(count(AT(0), 20), 10 * i);
		}
		hart[1].in_guest = false;
		close_all();
	}
}

/* ---- what leads to code ---- */

/* A link from another page to an instruction of two pages, whose second page is written. */
static void second_page_of_a_link(void **unused)
{
	gva_t split = AT(2) - 2;

	(void)unused;
	EACH_RUNNER(r) {
		open_with(all[r], 2);
		put(AT(0), jump(AT(0), split));
		put(split, addi(10, 10, 1));
		put(split + 4, jump(split + 4, AT(0)));
		settle(AT(0));
		for (u16 i = 1; i < 5; i++) {
			u16 upper = (u16)(i << 4 | 10 >> 1);	/* rs1 is there too */

			assert_int_equal(space_write(&space, AT(2), &upper, 2), OK);
			fence(0);
			assert_int_equal(count(AT(0), 30), 10 * i);
			settle(AT(0));
		}
		close_all();
	}
}

static u32 jalr(u32 d, u32 s) { return s << 15 | d << 7 | 0x67; }

/* Functions with one place in the jump cache, called in turn; the first of them changes. */
static void places_that_are_shared(void **unused)
{
	const gva_t pages = CODE_JUMPS * 2 / PAGE_SIZE;

	(void)unused;
	EACH_RUNNER(r) {
		open_with(all[r], 2);
		for (u32 i = 0; i < 3; i++) {
			gva_t at = AT((i + 1) * pages);

			put(AT(0) + 4 * i, jalr(1, 5 + i));
			put(at, addi(10, 10, (s32)BIT(i)));
			put(at + 4, jalr(0, 1));
			st(0)->x[5 + i] = at;
		}
		put(AT(0) + 12, jump(AT(0) + 12, AT(0)));
		for (s32 i = 1; i < 20; i++) {
			store(0, AT(pages), addi(10, 10, i));
			fence(0);
			assert_int_equal(count(AT(0), 100), 10 * (i + 2 + 4));
			if (i % 3 == 0)
				settle(AT(0));
		}
		/* two of them need not leave translated code */
		st(0)->x[7] = st(0)->x[6];
		settle(AT(0));
		u64 entered = hart[0].code->stats.entered;

		count(AT(0), 10000);
		if (!engine_tuning.slice)		/* and nothing has it forget */
			assert_true(hart[0].code->stats.entered - entered < 100);
		close_all();
	}
}

/* A link from code of one privilege, made while the interpreter has come to another one. */
static void links_keep_their_context(void **unused)
{
	gva_t from = AT(0), to = AT(0) + 64, vector = AT(1);

	(void)unused;
	open_with(&hybrid_runner, 2);
	put(from, jump(from, to));
	put(to, ECALL);
	put(vector, jump(vector, to));
	st(0)->mtvec = vector;
	/* the target is hot in M mode, its predecessor in U */
	for (u32 i = 0; i < 20; i++) {
		st(0)->priv = i < 10 ? PRIV_M : PRIV_U;
		rv64_ctx_update(&hart[0]);
		if (i < 10)
			assert_non_null(code_compile(&hart[0], to));
		else
			run(from, 1);
	}
	st(0)->priv = PRIV_U;
	rv64_ctx_update(&hart[0]);
	run(from, 4);
	for (u32 i = 0; i < 4; i++) {
		st(0)->priv = PRIV_U;
		rv64_ctx_update(&hart[0]);
		run(from, 2);
		assert_int_equal(st(0)->mcause, CAUSE_ECALL_U);
	}
	close_all();
}

/* PMP takes the right to execute away from a part of a page that links lead to. */
static void links_end_with_the_permission(void **unused)
{
	gva_t loop = AT(0), rest = AT(0) + 64, vector = AT(1);

	(void)unused;
	EACH_RUNNER(r) {
		open_with(all[r], 2);
		put(loop, jump(loop, rest));
		put(rest, addi(10, 10, 1));
		put(rest + 4, jump(rest + 4, loop));
		put(vector, jump(vector, vector));
		st(0)->mtvec = vector;
		st(0)->priv = PRIV_S;
		rv64_ctx_update(&hart[0]);
		settle(loop);
		rv64_pmp_write_addr(&hart[0], 1, MASK(54));
		rv64_pmp_write_cfg(&hart[0], 0, 0x1f1b);	/* 0: NAPOT RW, 1: all */
		rv64_pmp_write_addr(&hart[0], 0, rest >> 2 | 7);
		st(0)->mcause = 0;
		count(loop, 20);
		assert_int_equal(st(0)->mcause, CAUSE_FETCH_ACCESS);
		assert_int_equal(st(0)->mepc, rest);
		assert_int_equal(st(0)->x[10], 0);
		close_all();
	}
}

/* A page that is not for the TLB comes to be another one: SFENCE.VMA of its address must do. */
static void links_to_uncached_pages(void **unused)
{
	(void)unused;
	EACH_RUNNER(r) {
		open_with(all[r], 2);
		put(AT(0), jump(AT(0), AT(1)));
		for (u32 i = 1; i < 4; i++) {
			put(AT(i), addi(10, 10, (s32)i));
			put(AT(i) + 4, jump(AT(1) + 4, AT(0)));
		}
		uncached[1] = true;
		for (u32 i = 1; i < 10; i++) {
			alias[1] = 1 + i % 3;
			tlb_flush_page(hart[0].tlb, AT(1));
			assert_int_equal(count(AT(0), 30), 10 * alias[1]);
		}
		close_all();
	}
}

/* Other memory comes to a place where code was. */
static void other_memory(void **unused)
{
	u32 insn = addi(10, 10, 7);

	(void)unused;
	EACH_RUNNER(r) {
		open_with(all[r], 2);
		loop_write(AT(0), 1);
		settle(AT(0));
		memcpy(memory[1], memory[0], sizeof(memory[0]));
		memcpy(memory[1], &insn, 4);
		assert_int_equal(space_unmap(&space, RAM), OK);
		assert_int_equal(space_map_ram(&space, RAM, sizeof(memory[1]), memory[1], "new"),
				 OK);
		fence(0);
		assert_int_equal(count(AT(0), 20), 70);
		put(AT(0), addi(10, 10, 9));
		fence(0);
		assert_int_equal(count(AT(0), 20), 90);
		close_all();
	}
}

/* ---- random steps: after its fence, hart 0 sees what memory holds ---- */

static u64 seed = 88172645463325252;
static u64 rnd(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed;
}

/* Function n of page p adds 1 to 1000 to a0 and goes on to the next page's. */
static gva_t function_at(u32 page, u32 n) { return AT(page) + 16 * n; }

static void random_writer(u32 page, u32 n, u32 *value)
{
	u32 who = (u32)(rnd() % 8), va = rnd() % 3 ? page : page + 8;
	gva_t offset = function_at(page, n) - AT(page);

	*value = 1 + (u32)(rnd() % 1000);
	if (who < HARTS)
		store(who, AT(va) + offset, addi(10, 10, (s32)*value));
	else if (who < HARTS + 2)
		put(AT(page) + offset, addi(10, 10, (s32)*value));
	else
		store(who % HARTS, AT(va) + offset, addi(10, 10, (s32)*value));
	if (who == 7)
		assert_non_null(code_find(&hart[1 + rnd() % 2], AT(va) + offset));
}

static void random_steps(void **unused)
{
	enum { CHAINS = 8, LENGTH = 7 };

	(void)unused;
	EACH_RUNNER(r) {
		u32 value[LENGTH][CHAINS];

		open_with(all[r], 2);
		for (u32 p = 0; p < LENGTH; p++) {
			alias[p + 8] = p;
			for (u32 n = 0; n < CHAINS; n++) {
				gva_t at = function_at(p, n);

				value[p][n] = 1;
				put(at, addi(10, 10, 1));
				put(at + 4, jump(at + 4, p + 1 < LENGTH ? function_at(p + 1, n) :
								      at + 4));
			}
		}
		for (u32 step = 0; step < 3000; step++) {
			u32 n = (u32)(rnd() % CHAINS), h = 1 + (u32)(rnd() % 2);
			u64 want = 0;

			for (u32 k = (u32)(rnd() % 4); k; k--) {
				u32 p = (u32)(rnd() % LENGTH), m = (u32)(rnd() % CHAINS);

				random_writer(p, m, &value[p][m]);
			}
			if (rnd() % 3 == 0) {		/* a hart comes by the loop's head */
				smc_follow(&hart[h]);
				hart[h].in_guest = rnd() % 4;
			}
			if (rnd() % 2)
				code_find(&hart[h], function_at((u32)(rnd() % LENGTH), n));
			fence(0);
			for (u32 p = 0; p < LENGTH; p++)
				want += value[p][n];
			if (count(function_at(0, n), 2 * LENGTH) != want)
				fail_msg("%s, step %u", all[r]->name, step);
		}
		for (u32 h = 0; h < HARTS; h++)
			hart[h].in_guest = false;
		close_all();
	}
}

/* ---- memory that cannot be had ---- */

static void allocations_fail(void **unused)
{
	struct exit x;

	(void)unused;
	EACH_RUNNER(r) {
		open_with(all[r], 2);
		loop_write(AT(0), 1);
		u64 objects;
		err_t e = E_NOMEM;

		gcpu_fini(&hart[0]);
		objects = heap_stats().count;
		for (u64 n = 1; e != OK; n++) {
			heap_fail_after(n);
			e = gcpu_init(&hart[0]);
			heap_fail_after(0);
			if (e != OK)
				assert_int_equal(heap_stats().count, objects);
		}
		rv64_start(&hart[0], RAM, 0, 0, true);
		for (u64 n = 1; all[r] != &interp_runner; n++) {
			heap_fail_after(n);
			hart[0].budget = 100;
			hart[0].runner->run(&hart[0], &x);
			heap_fail_after(0);
			if (x.why == EXIT_BUDGET)
				break;
			assert_int_equal(x.why, EXIT_FAIL);
		}
		assert_int_equal(count(AT(0), 20), 10);
		close_all();
	}
}

static int setup(void **unused)
{
	(void)unused;
	page_add_range(heap_memory, sizeof(heap_memory), 0);
	cpu_self = &host_cpu;
	gclock_start(&guest_clock, 0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_writes_and_devices),
		cmocka_unit_test(aliases),
		cmocka_unit_test(watched_again_by_another),
		cmocka_unit_test(second_page_of_a_link),
		cmocka_unit_test(places_that_are_shared),
		cmocka_unit_test(links_keep_their_context),
		cmocka_unit_test(links_end_with_the_permission),
		cmocka_unit_test(links_to_uncached_pages),
		cmocka_unit_test(other_memory),
		cmocka_unit_test(random_steps),
		cmocka_unit_test(allocations_fail),
	};

	return cmocka_run_group_tests_name("engine/smc", tests, setup, NULL);
}
