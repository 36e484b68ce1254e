/*
 * Control on AArch64: entering and leaving translated code, exits and their links, exceptions, the
 * call of jit_slow(), and accesses to parts of the state.
 *
 * An exit inside a page is a B that first leads to the code behind it, which leaves with the
 * site's number; linking writes the target into it. An exit to elsewhere compares the code cache's
 * stamp before it branches, with a literal that linking writes too: that is data, which needs no
 * instruction cache brought in line. An indirect exit looks into the jump cache.
 */
#include "engine/back/aarch64/asm.h"

#include "kernel/base/str.h"

/* ---- common code ---- */

/* What the C code wants back: X29, X30, X19 to X28, and D8 to D15 where they are the guest's. */
#define SAVED_INT	(12 * 8)
#define SAVED_FP	(8 * 8)

static void host_saved_move(struct jit *j, bool fp, bool out)
{
	u32 op = out ? A_STR : A_LDR;

	for (u8 r = 19; r < 29; r += 2)
		a64_pair(j, op, r, r + 1, SP, 16 + 8 * (r - 19));
	for (u8 r = 8; fp && r < 16; r += 2)
		a64_pair(j, op | A_FP, r, r + 1, SP, SAVED_INT + 8 * (r - 8));
}

/* STP X29, X30, [SP, #-size]! or LDP X29, X30, [SP], #size. */
static void host_frame(struct jit *j, bool fp, bool out)
{
	u32 size = SAVED_INT + (fp ? SAVED_FP : 0);

	emit(j, (out ? 0xa9800000 : 0xa8c00000) | ((out ? -size : size) >> 3 & 127) << 15 |
		(u32)SCRATCH << 10 | (u32)SP << 5 | C_FRAME);
}

static void host_return(struct jit *j, bool fp)
{
	host_saved_move(j, fp, false);
	host_frame(j, fp, false);
	a64_ret(j);
}

/* The pins of a kind to or from the state, two at a time where they are neighbours there. */
static void pins_of_kind(struct jit *j, u32 op, const u16 *hot, const u8 *pin, u32 pins)
{
	u8 at[IR_MEMO + 1];

	memset(at, NO_REG, sizeof(at));
	for (u32 i = 0; i < pins && hot[i]; i++)
		at[hot[i] / 8] = pin[i];
	for (u32 s = 0; s < IR_MEMO; s++) {
		if (at[s] == NO_REG)
			continue;
		if (at[s + 1] == NO_REG || 8 * s > 504) {
			a64_state(j, op, at[s], (s32)(8 * s));
		} else {
			a64_pair(j, op, at[s], at[s + 1], STATE, (s32)(8 * s));
			s++;
		}
	}
}

static void pins_move(struct jit *j, bool fp, bool out)
{
	u32 op = out ? A_STR : A_LDR;

	pins_of_kind(j, op, j->isa->hot, j->t->pin, j->t->pins);
	if (fp)
		pins_of_kind(j, op | A_FP, j->isa->hot_fp, j->t->fpin, j->t->fpins);
}

/* The sticky flags into frame->fp_state, by X1 and X2. */
static void fp_flags_keep(struct jit *j)
{
	a64_state(j, A_LDR_W, 1, FRAME(j, fp_state));
	emit(j, A_MRS_FPSR | 2);
	a64_bfm(j, A_BFM, false, 1, 2, 0, 4);			/* BFXIL */
	a64_state(j, A_STR_W, 1, FRAME(j, fp_state));
}

static void fp_host(struct jit *j)
{
	a64_state(j, A_LDR_W, 1, FRAME(j, fp_host));
	emit(j, A_MSR_FPCR | 1);
}

/* u32 enter(X0 = state, X1 = entry): the caller's registers on its stack, the guest's loaded. */
static u32 enter_code(struct jit *j, bool fp)
{
	u32 at = (u32)(j->at - j->start);

	host_frame(j, fp, true);
	a64_add_imm(j, true, C_FRAME, SP, 0);
	host_saved_move(j, fp, true);
	a64_move(j, STATE, 0);
	a64_imm(j, FRAME_AT, j->frame);
	a64_3(j, A_ADD | A64_W(true), FRAME_AT, FRAME_AT, STATE);
	a64_state(j, A_LDR, RAM, FRAME(j, ram));
	a64_state(j, A_LDR, RAM_SIZE, FRAME(j, ram_size));
	a64_state(j, A_LDR, LPT, FRAME(j, lpt));
	a64_state(j, A_LDR, LPT_WRITE, FRAME(j, memory[1]));
	a64_state(j, A_LDR, BUDGET, FRAME(j, budget));
	if (fp) {
		emit(j, A_MRS_FPCR | 0);
		a64_state(j, A_STR_W, 0, FRAME(j, fp_host));
		a64_state(j, A_LDR_W, 0, FRAME(j, fp_state));	/* no flags in it yet */
		emit(j, A_MSR_FPCR | 0);
		emit(j, A_MSR_FPSR | ZR);
		a64_fp_constants(j);
	}
	pins_move(j, fp, false);
	a64_br(j, 1);
	return at;
}

/* W0 = enum jit_why: back to the caller. */
static u32 leave_code(struct jit *j, bool fp)
{
	u32 at = (u32)(j->at - j->start);

	pins_move(j, fp, true);
	a64_state(j, A_STR, BUDGET, FRAME(j, budget));
	if (fp) {
		fp_flags_keep(j);
		fp_host(j);
	}
	host_return(j, fp);
	return at;
}

static void temps_move(struct jit *j, bool fp, bool out)
{
	u32 op = out ? A_STR : A_LDR;
	u32 saved = offsetof(struct jit_frame, saved), fsaved = offsetof(struct jit_frame, fsaved);

	for (u8 r = 0; r < A64_TEMPS; r++)
		a64_mem(j, op, r, FRAME_AT, saved + 8 * r);
	for (u8 r = 0; fp && r < 4; r++)
		a64_mem(j, op | A_FP, r, FRAME_AT, fsaved + 16 * r);
	a64_mem(j, op, SCRATCH, FRAME_AT, saved + 8 * A64_TEMPS);
}

/*
 * Called with frame->site and arguments set; every register but the link register is as before
 * when it returns, but for what jit_slow() changed in the state.
 */
static u32 slow_code(struct jit *j, bool fp)
{
	u32 at = (u32)(j->at - j->start);
	u8 *leave;

	temps_move(j, fp, true);
	pins_move(j, fp, true);
	a64_state(j, A_STR, BUDGET, FRAME(j, budget));
	if (fp)
		fp_flags_keep(j);
	a64_state(j, A_LDR, 0, FRAME(j, g));
	a64_imm(j, SCRATCH, (uptr)jit_slow);
	emit(j, 0xd63f0000 | (u32)SCRATCH << 5);		/* BLR */
	leave = a64_cbnz(j, true, 0);
	if (fp) {
		emit(j, A_MSR_FPSR | ZR);			/* jit_slow() has taken the flags */
		a64_fp_constants(j);
	}
	pins_move(j, fp, false);
	temps_move(j, fp, false);
	a64_ret(j);
	/* The state holds everything: leave without writing it again. */
	a64_fix(j, leave);
	if (fp)
		fp_host(j);
	a64_add_imm(j, false, 0, 0, -1);
	host_return(j, fp);
	return at;
}

/*
 * To the entry of the jump cache at X1 if it is for X0, a pc, and the stamp W2; else it goes on
 * behind this. X1 counts as if the frame were the jump cache.
 */
static void jump_if_found(struct jit *j)
{
	u32 jumps = j->jumps - j->frame;
	u8 *differs;

	a64_mem(j, A_LDR, 3, 1, jumps + offsetof(struct code_jump, pc));
	a64_mem(j, A_LDR_W, 4, 1, jumps + offsetof(struct code_jump, stamp));
	a64_cmp(j, true, 3, 0);
	a64_3(j, 0x7a400000 | EQ << 12, 0, 4, 2);		/* CCMP W4, W2, #0, EQ */
	differs = a64_bcc(j, NE);
	a64_mem(j, A_LDR, 1, 1, jumps + offsetof(struct code_jump, entry));
	a64_br(j, 1);
	a64_fix(j, differs);
}

/* The registers as in exit_indirect(), whose first try has failed. */
static u32 miss_code(struct jit *j, bool fp)
{
	u32 at = (u32)(j->at - j->start);

	a64_logic_imm(j, A_EOR, true, 1, 1, sizeof(struct code_jump));
	jump_if_found(j);
	j->common.unknown[fp] = (u32)(j->at - j->start);
	a64_state(j, A_STR, 0, (s32)j->pc_off);
	a64_imm(j, 0, JIT_MISS);
	a64_b_to(j, j->start + j->common.leave[fp]);
	return at;
}

void a64_shared_code(struct jit *j)
{
	j->common.nothing = (u32)(j->at - j->start);
	a64_ret(j);
	for (u32 fp = 0; fp < 2; fp++) {
		j->common.enter[fp] = enter_code(j, fp);
		j->common.leave[fp] = leave_code(j, fp);
		j->common.slow[fp] = slow_code(j, fp);
		j->common.miss[fp] = miss_code(j, fp);
	}
}

/* ---- sites ---- */

/* Three instructions, always: links count on it. */
static void set_site(struct jit *j, u32 site)
{
	u32 at = jit_site_place(j, site);

	emit(j, 0x52800000 | (at & 0xffff) << 5 | SCRATCH);		/* MOVZ */
	emit(j, 0x72a00000 | at >> 16 << 5 | SCRATCH);			/* MOVK */
	a64_state(j, A_STR_W, SCRATCH, FRAME(j, site));
}

void a64_slow(struct jit *j, u32 site)
{
	set_site(j, site);
	a64_bl_to(j, a64_shared(j, j->common.slow[j->fp]));
}

static void leave(struct jit *j, enum jit_why why)
{
	a64_imm(j, 0, why);
	a64_b_to(j, a64_shared(j, j->common.leave[j->fp]));
}

static void cold_budget(struct jit *j, struct jit_cold *c)
{
	a64_fix(j, c->from[0]);
	set_site(j, c->site);
	leave(j, JIT_BUDGET);
}

void a64_begin(struct jit *j)
{
	struct jit_cold *c;

	a64_2(j, 0xf1000000 | j->ir->insns << 10, BUDGET, BUDGET);	/* SUBS */
	c = jit_cold(j, cold_budget);
	c->site = jit_site(j, SITE_BLOCK, 0, 0);
	c->from[0] = a64_bcc(j, LT);
}

/* ---- exits ---- */

static void give_back(struct jit *j, u32 insns)
{
	if (insns)
		a64_add_imm(j, true, BUDGET, BUDGET, insns);
}

/*
 * Offsets from where a guarded link begins: of its jump, of its stamp behind all instructions. A
 * plain link is the jump alone.
 */
#define GUARD_JUMP	16
#define GUARD_STAMP	40

static void exit_linked(struct jit *j, gva_t pc, bool guarded)
{
	u8 *at = j->at, *differs = NULL;
	u32 site = jit_site(j, guarded ? SITE_GUARDED : SITE_LINK, pc, (u32)(at - j->code->rw));

	if (guarded) {
		a64_state(j, A_LDR_W, 0, STAMP(j, pc));
		emit(j, 0x18000000 | (GUARD_STAMP - 4) >> 2 << 5 | 1);	/* LDR W1, literal */
		a64_cmp(j, false, 0, 1);
		differs = a64_bcc(j, NE);
		a64_b_to(j, j->at + 4);
		a64_fix(j, differs);
	} else {
		a64_b_to(j, j->at + 4);
	}
	set_site(j, site);
	leave(j, JIT_LINK);
	if (guarded)
		emit(j, 0);			/* no stamp */
}

/* Go to @pc; what leads here stands before. */
static void exit_to(struct jit *j, gva_t pc, enum ir_exit how)
{
	if (how != IR_CHECK) {
		exit_linked(j, pc, how != IR_CHAIN);
		return;
	}
	a64_imm(j, 0, pc);
	a64_state(j, A_STR, 0, (s32)j->pc_off);
	leave(j, JIT_CHECK);
}

u32 a64_link(u8 *at, const u8 *at_rx, const u8 *to, u32 stamp, bool guarded)
{
	u32 jump = guarded ? GUARD_JUMP : 0;
	u64 d = (u64)(to ? to - (at_rx + jump) : 4);

	atomic_store_explicit((_Atomic u32 *)(at + jump), 0x14000000 | (u32)(d >> 2 & MASK(26)),
			      memory_order_relaxed);
	if (guarded)
		*(u32 *)(at + GUARD_STAMP) = to ? stamp : 0;
	return jump + 4;
}

static void exit_indirect(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];

	a64_move(j, 0, jit_use(j, o->a));
	if (o->aux == IR_CHECK) {
		a64_state(j, A_STR, 0, (s32)j->pc_off);
		leave(j, JIT_CHECK);
		return;
	}
	_Static_assert(CODE_JUMPS == 1 << 13, "bits 13:1 of pc are the index");
	a64_bfm(j, A_UBFM, true, 1, 0, 1, 13);
	a64_3_lsl(j, A_ADD | A64_W(true), 1, FRAME_AT, 1, 5);
	a64_state(j, A_LDR_W, 2, STAMP(j, j->ir->pc));
	jump_if_found(j);
	a64_b_to(j, a64_shared(j, j->common.miss[j->fp]));
}

static void cold_exit(struct jit *j, struct jit_cold *c)
{
	const struct ir_op *o = &j->ir->op[c->op];

	a64_fix(j, c->from[0]);
	give_back(j, (u32)c->n);
	exit_to(j, o->imm, o->aux);
}

static enum a64_cc condition(enum ir_opcode op)
{
	switch (op) {
	case IR_BREQ32: case IR_BREQ64:		return EQ;
	case IR_BRNE32: case IR_BRNE64:		return NE;
	case IR_BRLTU32: case IR_BRLTU64:	return LO;
	case IR_BRGEU32: case IR_BRGEU64:	return HS;
	case IR_BRLTS32: case IR_BRLTS64:	return LT;
	default:				return GE;
	}
}

static u32 branch(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	enum a64_cc cc = condition(o->op);
	bool wide = (o->op - IR_BREQ32) & 1;
	struct jit_cold *c = jit_cold(j, cold_exit);
	u64 imm;

	c->n = (s32)(j->ir->insns - 1 - o->insn);
	if (cc <= NE && ir_is_const(j->ir, o->b, &imm) && (wide ? imm : (u32)imm) == 0) {
		u8 a = jit_use(j, o->a);

		c->from[0] = cc == EQ ? a64_cbz(j, wide, a) : a64_cbnz(j, wide, a);
		return i;
	}
	a64_compare(j, o, wide);
	c->from[0] = a64_bcc(j, cc);
	return i;
}

/* ---- exceptions ---- */

static void cold_except(struct jit *j, struct jit_cold *c)
{
	a64_fix(j, c->from[0]);
	a64_slow(j, c->site);		/* does not come back */
}

static u32 except_if(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u8 a = jit_use(j, o->a);
	struct jit_cold *c;

	jit_arg(j, 0, o->b);
	c = jit_cold(j, cold_except);
	c->site = jit_site(j, SITE_EXCEPT, o->imm, 0);
	c->from[0] = a64_cbnz(j, true, a);
	return i;
}

/* ---- parts of the state ---- */

static u32 get_part(struct jit *j, u32 i, u32 size)
{
	const struct ir_op *o = &j->ir->op[i];

	jit_sync_part(j, o, 1u << size, true);
	a64_state(j, A_LOAD(size), jit_def(j, i), o->off);
	return i;
}

static u32 put_part(struct jit *j, u32 i, u32 size)
{
	const struct ir_op *o = &j->ir->op[i];
	u8 s = a64_use(j, o->a);

	jit_vacate(j, (u32)o->off / 8, ((u32)o->off + MASK(size)) / 8);
	jit_sync_part(j, o, 1u << size, true);
	a64_state(j, A_STORE(size), s, o->off);
	jit_sync_part(j, o, 1u << size, false);
	return i;
}

u32 a64_op_flow(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];

	switch (o->op) {
	case IR_GET8:	return get_part(j, i, 0);
	case IR_GET16:	return get_part(j, i, 1);
	case IR_GET32:	return get_part(j, i, 2);
	case IR_PUT8:	return put_part(j, i, 0);
	case IR_PUT16:	return put_part(j, i, 1);
	case IR_PUT32:	return put_part(j, i, 2);
	case IR_EXIT:
		exit_to(j, o->imm, o->aux);
		return i;
	case IR_EXITIND:
		exit_indirect(j, i);
		return i;
	case IR_EXCEPTIF: return except_if(j, i);
	default:
		return o->op >= IR_BREQ32 && o->op <= IR_BRGES64 ? branch(j, i) : 0;
	}
}
