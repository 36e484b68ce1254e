/*
 * The back ends and the code cache against a naive evaluator of IR. The guest ISA is the test's
 * own: an instruction is a 4-byte number from which translate() derives random IR, so lowering
 * sees every mixture of registers, temporaries, constants, faults and exits. Some of its registers
 * count as floating-point ones, in contexts with bit 0.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/back/interp/interp.h"
#include "engine/mem.h"
#include "engine/runner.h"
#include "kernel/base/cpu.h"
#include "kernel/base/str.h"

#define REGS 16

struct toy {
	u64 reg[REGS];
	u64 pc;
	u64 cause, value;
};

static u64 seed_state;
static u64 rnd(void)
{
	seed_state ^= seed_state << 13, seed_state ^= seed_state >> 7,
		seed_state ^= seed_state << 17;
	return seed_state;
}

static u8 ram[4 * PAGE_SIZE] aligned_to(4096);

static u64 helper_sum(struct gcpu *g, u64 a, u64 b, u64 c)
{
	struct toy *t = g->st;

	t->reg[3] ^= a;
	return a + 2 * b + 3 * c + t->reg[4];
}
static const struct ir_helper sum = { "sum", helper_sum, H_STATE };

static u64 helper_fault(struct gcpu *g, u64 a, u64 b, u64 c)
{
	(void)c;
	if (a & 1)
		gcpu_raise(g, 77, b);
	return a;
}
static const struct ir_helper fault_if_odd = { "fault_if_odd", helper_fault, H_FAULT };

static val_t any(struct ir_block *b, val_t *v, u32 n)
{
	u64 r = rnd();

	if (r % 8 == 0)
		return ir_const(b, r % 16 ? rnd() >> rnd() % 64 : 0);
	return r % 3 && n ? v[r / 16 % n] : ir_get64(b, 8 * (r / 16 % REGS));
}

static bool scalar_ok(enum ir_opcode op)
{
	return ir_is_scalar(op) && ir_has(op, 'P') && ir_info[op].result != 'f' &&
	       ir_info[op].args[0] != 'f';
}

/* Pieces of the state by other ways than a whole register; what was read, or 0. */
static val_t toy_state(struct ir_block *b, val_t *v, u32 n)
{
	u32 reg = rnd() % (REGS - 1), width = rnd() % 3;
	u32 at = 8 * reg + (rnd() % 8 >> width << width);
	val_t index;

	switch (rnd() % 5) {
	case 0:
		return ir_get(b, IR_GET8 + width, at);
	case 1:
		ir_put(b, IR_PUT8 + width, at, any(b, v, n));
		return 0;
	case 2:
		ir_put(b, IR_PUTV, 8 * (rnd() % (REGS - 1)), ir_get(b, IR_GETV, 8 * reg));
		return 0;
	}
	index = ir_2(b, IR_AND64, any(b, v, n), ir_const(b, REGS - 1));
	if (rnd() % 2)
		return ir_emit(b, IR_LDS, index, 0, 0, width + 1, 0, 0);
	ir_emit(b, IR_STS, index, any(b, v, n), 0, width + 1, 0, 0);
	return 0;
}

/* Atomics, with a displacement; or an exception. */
static val_t toy_atomic(struct ir_block *b, val_t *v, u32 n)
{
	val_t at = ir_2(b, IR_AND64, any(b, v, n), ir_const(b, 0x1ff8)), x = any(b, v, n),
	      y = any(b, v, n);
	s32 off = PAGE_SIZE + 8 * (s32)(rnd() % 2);
	u32 size = 2 + rnd() % 2;

	switch (rnd() % 4) {
	case 0:
		ir_except_if(b, x, 78, y);
		return 0;
	case 1:
		return ir_emit(b, IR_CAS, at, x, y, 0, off, size << 8);
	default:
		return ir_emit(b, IR_AMO, at, x, 0, 0, off, AMO_ADD | size << 8);
	}
}

/* One instruction of random IR, determined by its word. */
static void toy_insn(struct ir_block *b, u32 word)
{
	val_t v[12];
	u32 n = 0;

	seed_state = word * 0x9e3779b97f4a7c15ull | 1;
	for (u32 k = 2 + rnd() % 8; k; k--) {
		enum ir_opcode op = rnd() % IR_OP_COUNT;
		u64 kind = rnd() % 19;

		if (kind < 9 && scalar_ok(op)) {
			u32 args = (u32)strlen(ir_info[op].args);
			u64 imm = op >= IR_BFXU && op <= IR_BFI ?
					  rnd() % 48 | (1 + rnd() % 16) << 8 :
					  0;
			val_t x = any(b, v, n), y = args > 1 ? any(b, v, n) : 0,
			      z = args > 2 ? any(b, v, n) : 0;

			v[n++] = ir_emit(b, op, x, y, z, 0, 0, imm);
		} else if (kind < 12) {
			ir_put64(b, 8 * (rnd() % REGS), any(b, v, n));
		} else if (kind == 12) {
			const struct ir_helper *h = rnd() % 2 ? &sum : &fault_if_odd;
			val_t x = any(b, v, n), y = any(b, v, n), z = any(b, v, n);

			v[n++] = ir_call(b, h, x, y, z);
		} else if (kind == 13) {
			val_t at = ir_2(b, IR_AND64, any(b, v, n), ir_const(b, 0x3ff8));

			v[n++] = ir_load(b, IR_LDU8 + rnd() % 7, at, (s32)(rnd() % 16), 0);
		} else if (kind == 14) {
			val_t at = ir_2(b, IR_AND64, any(b, v, n), ir_const(b, 0x1ff8));

			ir_store(b, IR_ST8 + rnd() % 4, at, (s32)(PAGE_SIZE + rnd() % 16),
				 any(b, v, n), 0);
		} else if (kind < 18) {
			val_t got = kind == 15 ? toy_atomic(b, v, n) : toy_state(b, v, n);

			if (got)
				v[n++] = got;
		} else {
			ir_branch(b, IR_BREQ32 + rnd() % 12, any(b, v, n), any(b, v, n),
				  b->pc / PAGE_SIZE * PAGE_SIZE + 4 * (rnd() % 1024));
			if (b->ended)
				return;
		}
	}
}

static bool toy_translate(const struct code_window *w, struct ir_block *b)
{
	gva_t pc = w->pc;

	if (pc >= PAGE_SIZE && ir_insn(b, pc))	/* behind the program: back to its start */
		ir_exit(b, pc & ~PAGE_MASK, IR_LOOKUP);
	for (u32 i = 0; i < w->len / 4 && ir_insn(b, pc); i++, pc += 4) {
		toy_insn(b, load_le32(w->bytes + 4 * i));
		if (load_le32(w->bytes + 4 * i) % 16 == 0)
			break;
	}
	b->bytes = 4 * b->insns;
	return w->len >= 4;
}

static u32 fetchable;		/* not 0: fetching is allowed in pieces of so many bytes */

/* Everything below 4 pages is RAM, the rest faults with cause 5. */
static bool toy_fill(struct gcpu *g, gva_t va, u32 len, enum access access)
{
	(void)len;
	if (va >= sizeof(ram)) {
		gcpu_raise(g, 5, va);
		return false;
	}
	g->fill_gpa = va;
	g->fill_host = ram + va;
	g->fill_len = (u32)(PAGE_SIZE - va % PAGE_SIZE);
	if (fetchable && access == ACCESS_FETCH) {
		g->fill_len = fetchable - (u32)va % fetchable;
		return true;		/* a part of a page: not for the TLB */
	}
	tlb_fill(g->tlb, access == ACCESS_FETCH ? &g->tlb->i : &g->tlb->d, va & PAGE_MASK,
		 va & PAGE_MASK, ram + (va & PAGE_MASK), true, access == ACCESS_WRITE, PAGE_SIZE);
	return true;
}

static void toy_raise(struct gcpu *g)
{
	struct toy *t = g->st;

	t->cause = g->xcpt.cause;
	t->value = g->xcpt.value;
	g->xcpt.pending = false;
	t->pc += 4;				/* skip what faulted */
}

static void toy_reset(struct gcpu *g) { (void)g; }
static bool toy_no(struct gcpu *g) { (void)g; return false; }
static u32 toy_disasm(const u8 *bytes, u32 len, gva_t pc, struct sink *to)
{
	(void)len, (void)pc;
	sink_printf(to, "%#x", load_le32(bytes));
	return 4;
}

#define AT(n) (8 * (n))
static const u16 hot[] = { AT(5), AT(3), AT(4), AT(12), AT(2), 0 };
static const u16 hot_fp[] = { AT(9), AT(10), AT(6), 0 };

static const struct isa toy_isa = {
	.hot = hot, .hot_fp = hot_fp, .ctx_fp = 1,
	.name = "toy",
	.state_size = sizeof(struct toy),
	.pc_offset = offsetof(struct toy, pc),
	.pc_align = 2, .longest = 4,
	.reset = toy_reset,
	.translate = toy_translate,
	.fill = toy_fill,
	.raise = toy_raise,
	.interrupt = toy_no,
	.wakes = toy_no,
	.disasm = toy_disasm,
};

/* ---- the naive machine: straight over the IR, values in an array ---- */

struct naive {
	struct toy t;
	u8 ram[sizeof(ram)];
	u64 retired;
	bool faulted;		/* the last block ended in a fault */
};

static bool naive_load(struct naive *m, const struct ir_op *o, u64 at, u64 *out)
{
	static const u8 size[] = { 1, 2, 4, 8, 1, 2, 4 };
	u32 k = o->op - IR_LDU8, len = size[k];
	u64 v = 0;

	if (at + len > sizeof(ram)) {
		m->t.cause = 5;
		m->t.value = at >= sizeof(ram) ? at : sizeof(ram);
		return false;
	}
	memcpy(&v, m->ram + at, len);
	*out = k >= 4 ? (u64)sext(v, 8 * len) : v;
	return true;
}

/* Partial and indexed state, atomics. False: none of those. */
static bool naive_rare(struct naive *m, const struct ir_op *o, u64 x, u64 y, u64 z, u64 v[2])
{
	u8 *state = (u8 *)m->t.reg + o->off;
	u32 len = 1u << (o->imm >> 8 & 3);
	u64 old = 0;

	if (o->op >= IR_GET8 && o->op <= IR_GET32) {
		v[0] = 0;
		memcpy(v, state, 1u << (o->op - IR_GET8));
	} else if (o->op >= IR_PUT8 && o->op <= IR_PUT32) {
		memcpy(state, &x, 1u << (o->op - IR_PUT8));
	} else if (o->op == IR_GETV) {
		memcpy(v, state, 16);
	} else if (o->op == IR_LDS) {
		v[0] = 0;
		memcpy(v, state + (x << o->aux), 1u << o->aux);
	} else if (o->op == IR_STS) {
		memcpy(state + (x << o->aux), &y, 1u << o->aux);
	} else if (o->op == IR_AMO || o->op == IR_CAS) {
		bool add = o->op == IR_AMO;
		u64 new = add ? 0 : z;

		memcpy(&old, m->ram + x + o->off, len);
		if (add)
			new = old + y;
		if (add || old == (y & MASK(8 * len)))
			memcpy(m->ram + x + o->off, &new, len);
		v[0] = old;
	} else {
		return false;
	}
	return true;
}

static u64 naive_fault(struct naive *m, const struct ir_op *o, u64 pc)
{
	m->retired += o->insn;
	m->faulted = true;
	return pc + 4;
}

/* Run the block; returns the next pc. */
static u64 naive_block(struct naive *m, const struct ir_block *b)
{
	static u64 v[IR_OPS_MAX], pair[IR_OPS_MAX][2];

	for (u32 i = 1; i < b->count; i++) {
		const struct ir_op *o = &b->op[i];
		u64 x = v[o->a], y = v[o->b], z = v[o->c], pc = b->pc + b->insn_pc[o->insn];

		if (!o->a) x = 0;
		if (!o->b) y = 0;
		if (!o->c) z = 0;
		if (o->op == IR_NOP)
			continue;
		if (o->op == IR_CONST) {
			v[i] = o->imm;
		} else if (naive_rare(m, o, x, y, z, pair[i])) {
			v[i] = pair[i][0];
		} else if (o->op == IR_PUTV) {
			memcpy((u8 *)m->t.reg + o->off, pair[o->a], 16);
		} else if (o->op == IR_EXCEPTIF) {
			if (x) {
				m->t.cause = o->imm, m->t.value = y;
				return naive_fault(m, o, pc);
			}
		} else if (o->op == IR_GET64) {
			v[i] = m->t.reg[o->off / 8];
		} else if (o->op == IR_PUT64) {
			m->t.reg[o->off / 8] = x;
		} else if (o->op == IR_EXIT) {
			m->retired += b->insns;
			return o->imm;
		} else if (o->op == IR_CALL && o->imm == (uptr)&sum) {
			m->t.reg[3] ^= x;
			v[i] = x + 2 * y + 3 * z + m->t.reg[4];
		} else if (o->op == IR_CALL) {
			v[i] = x;
			if (x & 1) {
				m->t.cause = 77, m->t.value = y;
				return naive_fault(m, o, pc);
			}
		} else if (o->op >= IR_LDU8 && o->op <= IR_LDS32) {
			if (!naive_load(m, o, x + (u64)(s64)o->off, &v[i])) {
				return naive_fault(m, o, pc);
			}
		} else if (o->op >= IR_ST8 && o->op <= IR_ST64) {
			memcpy(m->ram + x + o->off, &y, 1u << (o->op - IR_ST8));
		} else if (ir_has(o->op, 'B')) {
			if (ir_eval(o->op, x, y, 0, 0)) {
				m->retired += o->insn + 1;
				return o->imm;
			}
		} else {
			v[i] = ir_eval(o->op, x, y, z, o->imm);
		}
	}
	abort();
}

/* Build the block at pc, run it as it was built, finish it; false if it ended in a fault. */
static bool naive_step(struct naive *m, struct ir_block *ir)
{
	struct code_window w = { .pc = m->t.pc, .bytes = m->ram + m->t.pc,
				 .len = (u32)(PAGE_SIZE - m->t.pc) };
	u64 before = m->retired;

	m->faulted = false;
	ir_begin(ir, m->t.pc, 0, IR_INSNS_MAX);
	toy_translate(&w, ir);
	if (!ir->ended)
		ir_exit(ir, w.pc + ir->bytes, IR_CHAIN);
	m->t.pc = naive_block(m, ir);
	ir_finish(ir, 0);
	return m->retired != before && !m->faulted;
}

/* ---- the machine under test ---- */

static struct gcpu g;
static struct space space;
static struct cpu self;
void gcpu_kick(struct gcpu *x) { (void)x; }

static const struct runner *const all[] = {
	&interp_runner, &jit_runner, &hybrid_runner, &audit_runner
};

static void machine_open_with(const struct runner *runner, u32 ctx)
{
	memset(&g, 0, sizeof(g));
	memset(ram, 0, sizeof(ram));
	g.isa = &toy_isa;
	g.runner = runner;
	g.space = &space;
	g.ctx = ctx;
	cpu_self = &self;
	if (!space.count)
		assert_int_equal(space_map_ram(&space, 0, sizeof(ram), ram, "ram"), OK);
	assert_int_equal(gcpu_init(&g), OK);
}

static void machine_open(void)
{
	machine_open_with(&interp_runner, 0);
}

static void fill_program(u64 seed)
{
	seed_state = seed * 2 + 1;
	for (u32 i = 0; i < PAGE_SIZE; i += 4) {
		u32 w = (u32)(rnd() >> 20);

		memcpy(ram + i, &w, 4);
	}
	for (u32 i = 0; i < REGS; i++)
		((struct toy *)g.st)->reg[i] = rnd() >> rnd() % 64;
}

/* Instruction by instruction equal to the naive machine, block by block, over many programs. */
static void agrees_with_naive_evaluation(void **state)
{
	static struct naive m;
	static struct ir_block ir;
	char text[100];

	(void)state;
	for (u64 program = 1; program < 120; program++) {
		machine_open();
		fill_program(program);
		m.t = *(struct toy *)g.st;
		memcpy(m.ram, ram, sizeof(ram));
		m.retired = 0;
		for (u32 step = 0; step < 60; step++) {
			if (m.t.pc >= PAGE_SIZE)
				break;
			naive_step(&m, &ir);
			assert_null(ir_verify(&ir, text, sizeof(text)));
			struct block *b = code_find(&g, gcpu_pc(&g));

			assert_non_null(b);
			interp_block(&g, b);
			assert_memory_equal(g.st, &m.t, sizeof(m.t));
			assert_memory_equal(ram, m.ram, sizeof(ram));
			assert_int_equal(g.icount, m.retired);
		}
		gcpu_fini(&g);
	}
}

/*
 * Host code, entered anew for each stretch without a fault at its end, agrees too: with registers
 * pinned as integers and as floating-point ones.
 */
static void host_code_agrees_with_naive_evaluation(void **state)
{
	static struct naive m;
	static struct ir_block ir;
	struct exit x;

	(void)state;
	for (u64 program = 1; program < 400; program++) {
		machine_open_with(&jit_runner, program % 2);
		fill_program(program);
		m.t = *(struct toy *)g.st;
		memcpy(m.ram, ram, sizeof(ram));
		m.retired = 0;
		for (u32 step = 0; step < 60 && m.t.pc < PAGE_SIZE; step++) {
			if (!naive_step(&m, &ir))
				continue;
			g.budget = (s64)(m.retired - g.icount);
			g.runner->run(&g, &x);
			assert_int_equal(x.why, EXIT_BUDGET);
			if (memcmp(g.st, &m.t, sizeof(m.t)) || memcmp(ram, m.ram, sizeof(ram)))
				fail_msg("program %llu, step %u", (unsigned long long)program,
					 step);
			assert_int_equal(g.icount, m.retired);
		}
		gcpu_fini(&g);
	}
}

/* Run fill_program(@program) for 3000 instructions, in slices; with a tiny cache if @tiny. */
static void run_sliced(u64 program, const struct runner *runner, u64 slice, bool tiny)
{
	struct exit x;

	machine_open_with(runner, program % 2);
	if (tiny && runner == &interp_runner) {
		code_fini(&g);
		assert_int_equal(code_init(&g, 8 * 49152, 0, UINT32_MAX), OK);
	} else if (tiny) {
		u32 runs = g.code->hot;

		code_fini(&g);
		assert_int_equal(code_init(&g, 8 * 49152, 8 * 131072, runs), OK);
		g.code->twins = runner == &audit_runner;
	}
	fill_program(program);
	while (g.icount < 3000) {
		g.budget = (s64)MIN(3000 - g.icount, slice);
		runner->run(&g, &x);
		assert_int_equal(x.why, EXIT_BUDGET);
	}
	assert_int_equal(g.icount, 3000);
}

/*
 * The same program in one go, in slices of every size, with a tiny cache and under every runner
 * ends in the same state.
 */
static void slices_do_not_matter(void **state)
{
	static const u64 slice[] = { UINT64_MAX, 1, 17, UINT64_MAX };

	(void)state;
	for (u64 program = 1; program < 40; program++) {
		struct toy want;
		static u8 want_ram[sizeof(ram)];

		for (u32 k = 0; k < 4 * ARRAY_LEN(all); k++) {
			run_sliced(program, all[k / 4], slice[k % 4], k % 4 == 3);
			if (k == 0) {
				want = *(struct toy *)g.st;
				memcpy(want_ram, ram, sizeof(ram));
			} else if (memcmp(&want, g.st, sizeof(want)) ||
				   memcmp(want_ram, ram, sizeof(ram))) {
				fail_msg("program %llu, %s, slice %u", (unsigned long long)program,
					 all[k / 4]->name, k % 4);
			}
			gcpu_fini(&g);
		}
	}
}

/* Host code that does something else than the interpreter, as if it was wrong, ends the guest. */
static void audit_finds_wrong_code(void **state)
{
	struct block *b = NULL, *other = NULL;
	struct exit x;

	(void)state;
	machine_open_with(&audit_runner, 0);
	fill_program(1);
	g.budget = 1;		/* the first run looks at the address space and starts afresh */
	g.runner->run(&g, &x);
	for (gva_t pc = 0; !other && pc < PAGE_SIZE; pc += 4) {
		struct block *found = code_find(&g, pc);

		assert_non_null(found);
		if (found->repeatable && !b)
			b = found;
		else if (found->repeatable && found->insns == b->insns)
			other = found;
	}
	assert_non_null(other);
	b->twin = other->twin;
	gcpu_set_pc(&g, b->pc);
	g.budget = 64;
	g.runner->run(&g, &x);
	assert_int_equal(x.why, EXIT_FAIL);
	assert_non_null(strstr(x.text, "is wrong"));
	assert_int_equal(gcpu_pc(&g), b->pc);
	gcpu_fini(&g);
}

/* As a device would: through the space, which knows who has translated what. */
static void code_change(void)
{
	u8 byte = ram[1] ^ 0x10;

	assert_int_equal(space_write(&space, 1, &byte, 1), OK);
}

/* Changed code is seen after the fence, not translated again when it did not change. */
static void fence_revalidates_by_content(void **state)
{
	struct block *first, *again;

	(void)state;
	machine_open();
	fill_program(5);
	first = code_find(&g, 0);
	smc_fence(&g);
	code_stamp(&g);
	assert_null(code_lookup(g.code, 0));
	again = code_find(&g, 0);
	assert_ptr_equal(first, again);
	assert_int_equal(g.code->stats.verified, 1);
	code_change();
	assert_ptr_equal(code_find(&g, 0), first);	/* not fenced: the old one may still run */
	smc_fence(&g);
	code_stamp(&g);
	assert_ptr_not_equal(code_find(&g, 0), first);
	assert_int_equal(g.code->stats.stale, 1);
	gcpu_fini(&g);
}

/* Once it is watched, a page that nobody wrote costs nothing at a fence. */
static void fences_leave_unwritten_code_alone(void **state)
{
	struct block *first;

	(void)state;
	machine_open();
	fill_program(5);
	first = code_find(&g, 0);
	smc_fence(&g);				/* others might not have followed yet */
	assert_true(first->stale);
	assert_ptr_equal(code_find(&g, 0), first);
	for (u32 i = 0; i < 3; i++) {
		smc_fence(&g);
		assert_false(first->stale);
	}
	assert_ptr_equal(code_lookup(g.code, 0), first);
	code_change();
	smc_fence(&g);
	assert_true(first->stale);
	assert_null(code_lookup(g.code, 0));
	assert_ptr_not_equal(code_find(&g, 0), first);
	gcpu_fini(&g);
}

/* More pages are written between two fences than the ring remembers. */
static void a_ring_that_overflows_hides_nothing(void **state)
{
	struct block *first;

	(void)state;
	machine_open();
	fill_program(5);
	first = code_find(&g, 0);
	smc_fence(&g);
	assert_ptr_equal(code_find(&g, 0), first);
	code_change();
	for (u32 i = 0; i < 2 * WATCH_RING; i++) {
		u64 since;

		assert_true(watch_begin(&space, 2 * PAGE_SIZE, &since));
		assert_non_null(space_ptr(&space, 2 * PAGE_SIZE, 1, true));
	}
	smc_fence(&g);
	assert_ptr_not_equal(code_find(&g, 0), first);
	gcpu_fini(&g);
}

/* A block is not used again where only a part of it may still be fetched. */
static void shrinking_windows_are_seen(void **state)
{
	struct block *b;

	(void)state;
	machine_open();
	memset(ram, 0x11, 64);			/* words that do not end a block by themselves */
	b = code_find(&g, 0);
	assert_true(b->bytes > 8);
	fetchable = 8;
	tlb_flush_all(g.tlb);
	code_stamp(&g);
	b = code_find(&g, 0);
	assert_true(b->bytes <= 8);
	fetchable = 0;
	gcpu_fini(&g);
}

static void requests_and_budget_return(void **state)
{
	struct exit x;

	(void)state;
	machine_open();
	fill_program(9);
	g.budget = 0;
	interp_runner.run(&g, &x);
	assert_int_equal(g.icount, 0);
	g.budget = 1000000;
	gcpu_request(&g, REQ_LEAVE | REQ_TLB | REQ_FENCE_I);
	struct block *b = code_find(&g, 0);
	code_change();
	u64 flushes = g.tlb->flushes;
	interp_runner.run(&g, &x);
	assert_int_equal(x.why, EXIT_BUDGET);
	assert_int_equal(g.icount, 0);
	assert_true(b->stale);
	assert_int_equal(g.tlb->flushes, flushes + 1);
	g.halted = true;
	interp_runner.run(&g, &x);
	assert_int_equal(x.why, EXIT_HALT);
	gcpu_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_naive_evaluation),
		cmocka_unit_test(host_code_agrees_with_naive_evaluation),
		cmocka_unit_test(slices_do_not_matter),
		cmocka_unit_test(audit_finds_wrong_code),
		cmocka_unit_test(fence_revalidates_by_content),
		cmocka_unit_test(fences_leave_unwritten_code_alone),
		cmocka_unit_test(a_ring_that_overflows_hides_nothing),
		cmocka_unit_test(shrinking_windows_are_seen),
		cmocka_unit_test(requests_and_budget_return),
	};

	return cmocka_run_group_tests_name("engine/back", tests, NULL, NULL);
}
