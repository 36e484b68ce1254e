/*
 * Control on x86-64: entering and leaving translated code, exits and their links, exceptions, the
 * call of jit_slow(), and accesses to parts of the state.
 *
 * An exit inside a page is a jump that first leads to the code behind it, which leaves with the
 * site's number; linking writes the target into it. An exit to elsewhere compares the code cache's
 * stamp before it jumps, and linking writes the stamp too. An indirect one looks into the jump
 * cache.
 */
#include "engine/back/x86_64/asm.h"

#define HOST_SAVED	6		/* RBX, RBP, R12 to R15 belong to the caller */

static const u8 host_saved[HOST_SAVED] = { RBX, RBP, R12, R13, R14, R15 };

/* ---- common code ---- */

static void pins_move(struct jit *j, bool fp, bool out)
{
	for (u32 i = 0; i < j->t->pins && j->isa->hot[i]; i++) {
		struct x86_rm at = rm_state(j->isa->hot[i]);

		if (out)
			x86_store(j, at, j->t->pin[i]);
		else
			x86_load(j, j->t->pin[i], at);
	}
	for (u32 i = 0; fp && i < j->t->fpins && j->isa->hot_fp[i]; i++) {
		struct x86_rm at = rm_state(j->isa->hot_fp[i]);

		if (out)
			x86_fstore(j, at, j->t->fpin[i], OP_W);
		else
			x86_fload(j, j->t->fpin[i], at, OP_W);
	}
}

/* LDMXCSR (/2) or STMXCSR (/3) of a member of the frame. */
static void mxcsr(struct jit *j, u8 digit, s32 off)
{
	emit_op(j, 0xae | MAP_0F, digit, rm_state(off));
}

/* u32 enter(RDI = state, RSI = entry): the caller's registers on its stack, the guest's loaded. */
static u32 enter_code(struct jit *j, bool fp)
{
	u32 at = (u32)(j->at - j->start);

	for (u32 i = 0; i < HOST_SAVED; i++)
		emit_op(j, 0xff, 6, rm_reg(host_saved[i]));		/* PUSH */
	x86_alu_imm(j, ALU_SUB, true, rm_reg(RSP), 8);
	x86_lea(j, true, STATE, rm_mem(RDI, STATE_BIAS));
	x86_move(j, RAX, RSI);
	x86_load(j, LPT, rm_state(FRAME(j, memory[0])));
	x86_load(j, BUDGET, rm_state(FRAME(j, budget)));
	if (fp) {
		mxcsr(j, 3, FRAME(j, fp_host));
		mxcsr(j, 2, FRAME(j, fp_state));
	}
	pins_move(j, fp, false);
	emit_op(j, 0xff, 4, rm_reg(RAX));				/* JMP */
	return at;
}

/* EAX = enum jit_why: back to the caller. */
static u32 leave_code(struct jit *j, bool fp)
{
	u32 at = (u32)(j->at - j->start);

	pins_move(j, fp, true);
	x86_store(j, rm_state(FRAME(j, budget)), BUDGET);
	if (fp) {
		mxcsr(j, 3, FRAME(j, fp_state));
		mxcsr(j, 2, FRAME(j, fp_host));
	}
	x86_alu_imm(j, ALU_ADD, true, rm_reg(RSP), 8);
	for (u32 i = HOST_SAVED; i-- > 0;)
		emit_op(j, 0x8f, 0, rm_reg(host_saved[i]));		/* POP */
	emit8(j, 0xc3);
	return at;
}

static void temps_move(struct jit *j, bool fp, bool out)
{
	static const u8 temps[] = { RAX, RCX, RDX };

	for (u32 i = 0; i < ARRAY_LEN(temps); i++) {
		struct x86_rm at = rm_state(FRAME(j, saved[0]) + 8 * (s32)i);

		if (out)
			x86_store(j, at, temps[i]);
		else
			x86_load(j, temps[i], at);
	}
	for (u8 r = 0; fp && r < 4; r++) {
		struct x86_rm at = rm_state(FRAME(j, fsaved[0]) + 16 * r);

		if (out)
			x86_fstore(j, at, r, OP_W);
		else
			x86_fload(j, r, at, OP_W);
	}
}

/*
 * Called with frame->site and arguments set; every register is as before when it returns, but for
 * what jit_slow() changed in the state. The stack is aligned as the C function wants it: entering
 * pushed 6 registers and a pad, the call of this code a return address, one more pad follows.
 */
static u32 slow_code(struct jit *j, bool fp)
{
	u32 at = (u32)(j->at - j->start);
	u8 *leave;

	temps_move(j, fp, true);
	pins_move(j, fp, true);
	x86_store(j, rm_state(FRAME(j, budget)), BUDGET);
	if (fp)
		mxcsr(j, 3, FRAME(j, fp_state));
	x86_alu_imm(j, ALU_SUB, true, rm_reg(RSP), 8);
	x86_load(j, RDI, rm_state(FRAME(j, g)));
	x86_imm(j, RAX, (uptr)jit_slow);
	emit_op(j, 0xff, 2, rm_reg(RAX));				/* CALL */
	x86_alu_imm(j, ALU_ADD, true, rm_reg(RSP), 8);
	emit_op(j, 0x85, RAX, rm_reg(RAX));
	leave = x86_jcc(j, CC_X_NE);
	if (fp)
		mxcsr(j, 2, FRAME(j, fp_state));
	pins_move(j, fp, false);
	temps_move(j, fp, false);
	emit8(j, 0xc3);
	/* The state holds everything: leave without writing it again. */
	x86_fix(j, leave);
	if (fp) {
		mxcsr(j, 2, FRAME(j, fp_host));
	}
	x86_alu_imm(j, ALU_SUB, false, rm_reg(RAX), 1);
	x86_alu_imm(j, ALU_ADD, true, rm_reg(RSP), 16);
	for (u32 i = HOST_SAVED; i-- > 0;)
		emit_op(j, 0x8f, 0, rm_reg(host_saved[i]));
	emit8(j, 0xc3);
	return at;
}

/* A member of the jump cache's entry, whose offset is in RCX. */
#define JUMP(j, member) \
	rm_index(STATE, RCX, 0, (s32)((j)->jumps + offsetof(struct code_jump, member)) - STATE_BIAS)

/* To the entry if it is for RAX, a pc, and the stamp EDX; else it goes on behind this. */
static void jump_if_found(struct jit *j)
{
	u8 *pc_differs, *stale;

	x86_alu(j, ALU_CMP, true, RAX, JUMP(j, pc));
	pc_differs = x86_jcc_short(j, CC_X_NE);
	x86_alu(j, ALU_CMP, false, RDX, JUMP(j, stamp));
	stale = x86_jcc_short(j, CC_X_NE);
	emit_op(j, 0xff, 4, JUMP(j, entry));				/* JMP */
	x86_fix_short(j, pc_differs);
	x86_fix_short(j, stale);
}

/* The registers as in exit_indirect(), whose first try has failed. */
static u32 miss_code(struct jit *j, bool fp)
{
	u32 at = (u32)(j->at - j->start);

	x86_alu_imm(j, ALU_XOR, false, rm_reg(RCX), sizeof(struct code_jump));
	jump_if_found(j);
	j->common.unknown[fp] = (u32)(j->at - j->start);
	x86_store(j, rm_state((s32)j->pc_off), RAX);
	x86_imm(j, RAX, JIT_MISS);
	x86_jmp_to(j, j->start + j->common.leave[fp]);
	return at;
}

void x86_shared_code(struct jit *j)
{
	j->common.nothing = (u32)(j->at - j->start);
	emit8(j, 0xc3);
	for (u32 fp = 0; fp < 2; fp++) {
		j->common.enter[fp] = enter_code(j, fp);
		j->common.leave[fp] = leave_code(j, fp);
		j->common.slow[fp] = slow_code(j, fp);
		j->common.miss[fp] = miss_code(j, fp);
	}
}

/* ---- sites ---- */

static void set_site(struct jit *j, u32 site)
{
	emit_op(j, 0xc7, 0, rm_state(FRAME(j, site)));
	emit32(j, jit_site_place(j, site));
}

/* C code is going to see the guest's registers: suspects among them are settled first. */
void x86_slow(struct jit *j, u32 site)
{
	struct x86_nans n;
	u8 *over;

	x86_nans_find(j, ~X86_FTEMPS, &n);
	if (n.count) {
		over = x86_jmp(j);
		x86_nans_fix(j, &n);
		x86_fix(j, over);
	}
	set_site(j, site);
	emit8(j, 0xe8);
	emit32(j, 0);
	x86_fix_to(j->at, x86_common(j, j->common.slow[j->fp]));
}

static void leave(struct jit *j, enum jit_why why)
{
	x86_imm(j, RAX, why);
	x86_jmp_to(j, x86_common(j, j->common.leave[j->fp]));
}

static void cold_budget(struct jit *j, struct jit_cold *c)
{
	x86_fix(j, c->from[0]);
	set_site(j, c->site);
	leave(j, JIT_BUDGET);
}

void x86_begin(struct jit *j)
{
	struct jit_cold *c;

	x86_alu_imm(j, ALU_SUB, true, rm_reg(BUDGET), (s32)j->ir->insns);
	c = jit_cold(j, cold_budget);
	c->site = jit_site(j, SITE_BLOCK, 0, 0);
	c->from[0] = x86_jcc(j, CC_X_L);
}

/* ---- exits ---- */

static void give_back(struct jit *j, u32 insns)
{
	if (insns)
		x86_alu_imm(j, ALU_ADD, true, rm_reg(BUDGET), (s32)insns);
}

/* Go to @pc; what leads here stands before. */
static void exit_to(struct jit *j, gva_t pc, enum ir_exit how)
{
	u32 at = (u32)(j->at - j->code->rw), site;

	if (how == IR_CHECK) {
		x86_imm(j, RAX, pc);
		x86_store(j, rm_state((s32)j->pc_off), RAX);
		leave(j, JIT_CHECK);
		return;
	}
	site = jit_site(j, how == IR_CHAIN ? SITE_LINK : SITE_GUARDED, pc, at);
	if (how == IR_CHAIN) {
		x86_jmp(j);
	} else {
		emit_op(j, 0x81, ALU_CMP, rm_state(STAMP(j, pc)));
		emit32(j, 0);
		x86_jcc(j, CC_X_E);
	}
	set_site(j, site);
	leave(j, JIT_LINK);
}

/*
 * The jump of a link is the 5 bytes at @at. A guarded one has the comparison before it (opcode,
 * ModRM, 32-bit displacement, the stamp) and is conditional, a prefix and 5 bytes. A branch that is
 * its block's last instruction is linked itself: at @at is MOV EAX, imm32, where its code to leave
 * with begins, and the immediate is the distance back to the branch's end.
 */
#define GUARD_STAMP	6
#define GUARD_JUMP	11
#define MOV_EAX	0xb8

u32 x86_link(u8 *at, const u8 *at_rx, const u8 *to, u32 stamp, bool guarded)
{
	u32 jump = guarded ? GUARD_JUMP : 0;
	s32 d = to ? (s32)(to - (at_rx + jump + 5)) : 0, back;

	if (at[0] == MOV_EAX) {
		__builtin_memcpy(&back, at + 1, 4);
		d = to ? (s32)(to - (at_rx - back)) : back;
		__builtin_memcpy(at - back - 4, &d, 4);
		return 0;
	}
	if (guarded && !to)
		stamp = 0;
	__builtin_memcpy(at + jump + 1, &d, 4);
	if (guarded)
		__builtin_memcpy(at + GUARD_STAMP, &stamp, 4);
	return jump + 5;
}

/*
 * An AND that clears bit 0 of the target is left out: with that bit the target is not in the jump
 * cache, where all are even if there is such an AND, and is cleared on the way to the miss.
 */
bool x86_clears_target(const struct jit *j, val_t v)
{
	const struct ir_op *o = &j->ir->op[v], *end = &j->ir->op[j->ir->count - 1];
	u64 c;

	return o->op == IR_AND64 && o->uses == 1 && ir_is_const(j->ir, o->b, &c) && c == ~1ull &&
	       end->op == IR_EXITIND && end->a == v && end->aux != IR_CHECK;
}

static void exit_indirect(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];

	x86_move(j, RAX, jit_use(j, o->a));
	if (o->aux == IR_CHECK) {
		x86_store(j, rm_state((s32)j->pc_off), RAX);
		leave(j, JIT_CHECK);
		return;
	}
	emit_op(j, 0x89, RAX, rm_reg(RCX));
	x86_alu_imm(j, ALU_AND, false, rm_reg(RCX), (CODE_JUMPS - 1) << 1);
	x86_shift_imm(j, 4, false, RCX, 4);
	emit_op(j, 0x8b, RDX, rm_state(STAMP(j, j->ir->pc)));
	jump_if_found(j);
	if (x86_clears_target(j, o->a))
		x86_alu_imm(j, ALU_AND, true, rm_reg(RAX), ~1);
	x86_jmp_to(j, x86_common(j, j->common.miss[j->fp]));
}

static void cold_exit(struct jit *j, struct jit_cold *c)
{
	const struct ir_op *o = &j->ir->op[c->op];
	struct x86_nans n;

	x86_fix(j, c->from[0]);
	if (jit_is_last_branch(j, o)) {		/* settled before it */
		u32 at = (u32)(j->at - j->code->rw);

		emit8(j, MOV_EAX);
		emit32(j, (u32)(j->at - 1 - c->from[0]));
		set_site(j, jit_site(j, SITE_LINK, o->imm, at));
		leave(j, JIT_LINK);
		return;
	}
	x86_nans_find(j, ~X86_FTEMPS, &n);
	give_back(j, (u32)c->n);
	exit_to(j, o->imm, o->aux);
	x86_nans_fix(j, &n);
}

static enum x86_cc condition(enum ir_opcode op)
{
	switch (op) {
	case IR_BREQ32: case IR_BREQ64:		return CC_X_E;
	case IR_BRNE32: case IR_BRNE64:		return CC_X_NE;
	case IR_BRLTU32: case IR_BRLTU64:	return CC_X_B;
	case IR_BRGEU32: case IR_BRGEU64:	return CC_X_AE;
	case IR_BRLTS32: case IR_BRLTS64:	return CC_X_L;
	default:				return CC_X_GE;
	}
}

static u32 branch(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	bool wide = (o->op - IR_BREQ32) & 1;
	struct jit_cold *c;

	x86_compare(j, o, wide);
	c = jit_cold(j, cold_exit);
	c->n = (s32)(j->ir->insns - 1 - o->insn);
	c->from[0] = x86_jcc(j, condition(o->op));
	return i;
}

/* ---- exceptions ---- */

static void cold_except(struct jit *j, struct jit_cold *c)
{
	x86_fix(j, c->from[0]);
	x86_slow(j, c->site);		/* does not come back */
}

static u32 except_if(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	struct x86_rm a = x86_rm_of(j, o->a);
	struct jit_cold *c;

	jit_arg(j, 0, o->b);
	x86_alu_imm(j, ALU_CMP, true, a, 0);
	c = jit_cold(j, cold_except);
	c->site = jit_site(j, SITE_EXCEPT, o->imm, 0);
	c->from[0] = x86_jcc(j, CC_X_NE);
	return i;
}

/* ---- parts of the state ---- */

static u32 get_part(struct jit *j, u32 i, u32 len, u32 op)
{
	const struct ir_op *o = &j->ir->op[i];

	jit_sync_part(j, o, len, true);
	emit_op(j, op, jit_def(j, i), rm_state(o->off));
	return i;
}

static u32 put_part(struct jit *j, u32 i, u32 len)
{
	const struct ir_op *o = &j->ir->op[i];
	u8 s = jit_use(j, o->a);

	jit_vacate(j, (u32)o->off / 8, ((u32)o->off + len - 1) / 8);
	jit_sync_part(j, o, len, true);
	if (len == 2)
		emit8(j, 0x66);
	emit_op(j, len == 1 ? 0x88 | OP_BYTE : 0x89, s, rm_state(o->off));
	jit_sync_part(j, o, len, false);
	return i;
}

u32 x86_op_flow(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];

	switch (o->op) {
	case IR_GET8:	return get_part(j, i, 1, 0xb6 | MAP_0F);
	case IR_GET16:	return get_part(j, i, 2, 0xb7 | MAP_0F);
	case IR_GET32:	return get_part(j, i, 4, 0x8b);
	case IR_PUT8:	return put_part(j, i, 1);
	case IR_PUT16:	return put_part(j, i, 2);
	case IR_PUT32:	return put_part(j, i, 4);
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
