/*
 * Building a block: append, fold constants, remember what the state holds (memo), end.
 * Dead code goes in one backward pass at the end; there is no other optimiser.
 */
#include "engine/ir/ir.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

void ir_begin(struct ir_block *b, gva_t pc, u32 ctx, u32 limit)
{
	b->pc = pc;
	b->ctx = ctx;
	b->limit = MIN(limit, IR_INSNS_MAX);
	b->count = 1;
	b->insns = 0;
	b->bytes = 0;
	b->ended = false;
	memset(b->memo, 0, sizeof(b->memo));
	b->op[0] = (struct ir_op){ .op = IR_NOP };
}

bool ir_insn(struct ir_block *b, gva_t pc)
{
	if (b->ended || b->insns == b->limit || b->count > IR_OPS_MAX - IR_OPS_ROOM)
		return false;
	b->insn_pc[b->insns++] = (u16)(pc - b->pc);
	return true;
}

bool ir_is_const(const struct ir_block *b, val_t v, u64 *out)
{
	if (!v || b->op[v].op != IR_CONST)
		return false;
	*out = b->op[v].imm;
	return true;
}

/* Is the result of @o the sign extension of its low half? */
static bool ir_makes_sx32(const struct ir_block *b, const struct ir_op *o)
{
	u64 c = 0;
	bool constant = ir_is_const(b, o->b, &c);

	switch (o->op) {
	case IR_SX8: case IR_SX16: case IR_SX32: case IR_ZX8: case IR_ZX16:
	case IR_LDU8: case IR_LDU16: case IR_LDS8: case IR_LDS16: case IR_LDS32:
	case IR_SETEQ64: case IR_SETNE64: case IR_SETLTU64: case IR_SETLTS64:
	case IR_SETLEU64: case IR_SETLES64:
		return true;
	case IR_CONST:
		return (u64)(s32)o->imm == o->imm;
	case IR_SHR32:
		return constant && (c & 31) != 0;
	case IR_SHR64:
		return constant && (c & 63) > 32;
	case IR_SAR64:
		return b->sx32[o->a] || (constant && (c & 63) >= 32);
	case IR_AND64:
		return (b->sx32[o->a] && b->sx32[o->b]) || (constant && c <= INT32_MAX);
	case IR_OR64: case IR_XOR64: case IR_ANDN64: case IR_ORN64: case IR_XNOR64:
		return b->sx32[o->a] && b->sx32[o->b];
	case IR_SEL64:
		return b->sx32[o->b] && b->sx32[o->c];
	case IR_BFXU:
		return o->imm >> 8 < 32;
	case IR_BFXS:
		return o->imm >> 8 <= 32;
	default:
		return false;
	}
}

static val_t ir_append(struct ir_block *b, struct ir_op op)
{
	assert(b->count < IR_OPS_MAX && !b->ended);
	op.insn = (u8)(b->insns ? b->insns - 1 : 0);
	b->op[b->count] = op;
	b->sx32[b->count] = ir_makes_sx32(b, &op);
	if (ir_has(op.op, 'X'))
		b->ended = true;
	if (op.op == IR_STS)
		memset(b->memo, 0, sizeof(b->memo));
	return (val_t)b->count++;
}

val_t ir_const(struct ir_block *b, u64 v)
{
	return ir_append(b, (struct ir_op){ .op = IR_CONST, .imm = v });
}

static bool ir_commutes(enum ir_opcode op)
{
	switch (op) {
	case IR_ADD32: case IR_ADD64: case IR_MUL32: case IR_MUL64: case IR_AND32: case IR_AND64:
	case IR_OR32: case IR_OR64: case IR_XOR32: case IR_XOR64: case IR_SETEQ32: case IR_SETEQ64:
	case IR_SETNE32:
	case IR_SETNE64:
	case IR_BREQ32:
	case IR_BREQ64:
	case IR_BRNE32:
	case IR_BRNE64: return true;
	default:
		return false;
	}
}

/* x op 0 == x, for the 64-bit operations (a 32-bit one also clears the upper half). */
static bool ir_zero_is_neutral(enum ir_opcode op)
{
	switch (op) {
	case IR_ADD64: case IR_SUB64: case IR_OR64: case IR_XOR64: case IR_ANDN64:
	case IR_SHL64: case IR_SHR64: case IR_SAR64: case IR_ROTR64:
		return true;
	default:
		return false;
	}
}

/* Is the upper half of @v known to be 0? */
static bool ir_is_zx32(const struct ir_block *b, val_t v)
{
	enum ir_opcode op = b->op[v].op;

	return ir_info[op].result == 'w' || (op >= IR_ZX8 && op <= IR_ZX32) ||
	       (op >= IR_LDU8 && op <= IR_LDU32);
}

/* @len bits of @v from bit @at on. */
static val_t ir_bits(struct ir_block *b, val_t v, u32 at, u32 len, bool is_signed)
{
	if (at == 0 && (len == 8 || len == 16 || len == 32))
		return ir_1(b, (is_signed ? IR_SX8 : IR_ZX8) + (len == 8 ? 0 : len == 16 ? 1 : 2),
			    v);
	return ir_emit(b, is_signed ? IR_BFXS : IR_BFXU, v, 0, 0, 0, 0, at | len << 8);
}
_Static_assert(IR_SX32 == IR_SX8 + 2 && IR_ZX32 == IR_ZX8 + 2, "extensions are in order of width");
_Static_assert(IR_LDU32 == IR_LDU8 + 2, "so are loads");

/* Operand and count if @v is a shift to the left by a constant; a 32-bit one may be extended. */
static val_t ir_shifted_left(const struct ir_block *b, val_t v, bool wide, u64 *count)
{
	const struct ir_op *o = &b->op[v];

	if (!wide && o->op == IR_SX32)
		o = &b->op[o->a];
	return o->op == (wide ? IR_SHL64 : IR_SHL32) && ir_is_const(b, o->b, count) &&
	       *count < (wide ? 64 : 32) ? o->a : 0;
}

/*
 * Two shifts by constants that take a field out of @x, perhaps to scale it; and a 32-bit shift to
 * the right that is then extended: what compilers write for extensions and for bit fields.
 * 0: @op is not the last of them.
 */
static val_t ir_fold_field(struct ir_block *b, enum ir_opcode op, val_t x, val_t y)
{
	const struct ir_op *o = &b->op[x];
	u64 left = 0, right;
	val_t v;

	switch (op) {
	case IR_SHR64: case IR_SAR64:
		v = ir_shifted_left(b, x, true, &left);
		if (!v || !ir_is_const(b, y, &right) || right > 63 || !left)
			return 0;
		if (right < left && left == 32)
			return ir_2(b, IR_SHL64, ir_bits(b, v, 0, 32, op == IR_SAR64),
				    ir_const(b, left - right));
		if (right < left)
			return 0;
		return ir_bits(b, v, (u32)(right - left), (u32)(64 - right), op == IR_SAR64);
	case IR_SX32:
		if ((o->op != IR_SAR32 && o->op != IR_SHR32) || !ir_is_const(b, o->b, &right) ||
		    right > 31 || !right)
			return 0;
		v = ir_shifted_left(b, o->a, false, &left);
		if (!v || left > right)
			v = o->a, left = 0;
		if (o->op == IR_SHR32 && !left)
			return 0;		/* it has cleared the upper half itself */
		return ir_bits(b, v, (u32)(right - left), (u32)(32 - right), o->op == IR_SAR32);
	default:
		return 0;
	}
}

/* Count and operand of a shift to the right by a constant that is not 0. */
static val_t ir_shifted_right(const struct ir_block *b, val_t v, bool wide, u64 *count)
{
	const struct ir_op *o = &b->op[v];

	return o->op == (wide ? IR_SHR64 : IR_SHR32) && ir_is_const(b, o->b, count) &&
	       *count > 0 && *count < (wide ? 64 : 32) ? o->a : 0;
}

/*
 * Two shifts of the same value whose results have no bit in common, put together by @op: a
 * rotation. For a 64-bit @op 32-bit shifts will do if the left one is extended, as is the result
 * then: its sign comes from there.
 */
static val_t ir_fold_rotate(struct ir_block *b, enum ir_opcode op, val_t x, val_t y)
{
	bool wide = op == IR_OR64 || op == IR_XOR64 || op == IR_ADD64;
	u64 left, right;
	val_t v;

	if (!wide && op != IR_OR32 && op != IR_XOR32 && op != IR_ADD32)
		return 0;
	for (u32 turn = 0; turn < 2; turn++, v = x, x = y, y = v) {
		bool extended = wide && b->op[y].op == IR_SX32, whole = wide && !extended;

		v = ir_shifted_left(b, y, whole, &left);
		if (!v || v != ir_shifted_right(b, x, whole, &right) ||
		    left + right != (whole ? 64 : 32))
			continue;
		v = ir_2(b, whole ? IR_ROTR64 : IR_ROTR32, v, ir_const(b, right));
		return extended ? ir_1(b, IR_SX32, v) : v;
	}
	return 0;
}

/* Comparisons that are then negated, and "and not": what other instruction sets have. */
static val_t ir_fold_not(struct ir_block *b, enum ir_opcode op, val_t x, val_t y)
{
	const struct ir_op o = b->op[x];
	u64 v;

	if (op == IR_AND64) {
		if (o.op == IR_XOR64 && ir_is_const(b, o.b, &v) && v == ~0ull)
			return ir_2(b, IR_ANDN64, y, o.a);
		if (b->op[y].op == IR_XOR64 && ir_is_const(b, b->op[y].b, &v) && v == ~0ull)
			return ir_2(b, IR_ANDN64, x, b->op[y].a);
	}
	if (op != IR_XOR64 || !ir_is_const(b, y, &v) || v != 1)
		return 0;
	switch (o.op) {
	case IR_SETEQ64:	return ir_2(b, IR_SETNE64, o.a, o.b);
	case IR_SETNE64:	return ir_2(b, IR_SETEQ64, o.a, o.b);
	case IR_SETLTU64:	return ir_2(b, IR_SETLEU64, o.b, o.a);
	case IR_SETLTS64:	return ir_2(b, IR_SETLES64, o.b, o.a);
	default:		return 0;
	}
}

/* The value of a pure scalar operation on constants, or of one that changes nothing; 0 = no. */
static val_t ir_fold(struct ir_block *b, enum ir_opcode op, val_t x, val_t y, val_t z, u64 imm)
{
	u64 vx = 0, vy = 0, vz = 0;
	bool cx = ir_is_const(b, x, &vx), cy = ir_is_const(b, y, &vy), cz = ir_is_const(b, z, &vz);

	if (!ir_is_scalar(op) || !ir_has(op, 'P') || ir_info[op].result == 'f' || !x)
		return 0;
	if ((cx || !x) && (cy || !y) && (cz || !z) && ir_info[op].args[0] != 'f')
		return ir_const(b, ir_eval(op, vx, vy, vz, imm));
	if (cy && vy == 0 && ir_zero_is_neutral(op))
		return x;
	if (op == IR_SX32 && b->sx32[x])
		return x;
	if (op == IR_ZX32 && ir_is_zx32(b, x))
		return x;
	if (op == IR_SX32 && (b->op[x].op == IR_ADD32 || b->op[x].op == IR_SUB32) &&
	    ir_is_const(b, b->op[x].b, &vy) && !(u32)vy)
		return ir_1(b, IR_SX32, b->op[x].a);
	if (op == IR_SETLTU64 && cx && vx == 0)
		return ir_2(b, IR_SETNE64, y, x);
	if (op == IR_SEL64 && cx)
		return vx ? y : z;
	if (op == IR_SEL32 && cx)
		return ir_emit(b, IR_ZX32, (u32)vx ? y : z, 0, 0, 0, 0, 0);
	val_t v = ir_fold_field(b, op, x, y);

	if (!v)
		v = ir_fold_rotate(b, op, x, y);
	return v ? v : ir_fold_not(b, op, x, y);
}

val_t ir_emit(struct ir_block *b, enum ir_opcode op, val_t x, val_t y, val_t z, u8 aux, s32 off,
	      u64 imm)
{
	u64 v;

	if (ir_commutes(op) && ir_is_const(b, x, &v)) {
		val_t t = x;

		x = y;
		y = t;
	}
	val_t folded = ir_fold(b, op, x, y, z, imm);
	if (folded)
		return folded;
	return ir_append(
		b, (struct ir_op){
			   .op = op, .aux = aux, .a = x, .b = y, .c = z, .off = off, .imm = imm });
}

static val_t *ir_memo_at(struct ir_block *b, u32 off)
{
	return off / 8 < IR_MEMO && off % 8 == 0 ? &b->memo[off / 8] : NULL;
}

val_t ir_get64(struct ir_block *b, u32 off)
{
	val_t *memo = ir_memo_at(b, off);
	val_t v;

	if (memo && *memo)
		return *memo;
	v = ir_emit(b, IR_GET64, 0, 0, 0, 0, (s32)off, 0);
	if (memo)
		*memo = v;
	return v;
}

void ir_put64(struct ir_block *b, u32 off, val_t v)
{
	val_t *memo = ir_memo_at(b, off);

	ir_emit(b, IR_PUT64, v, 0, 0, 0, (s32)off, 0);
	if (memo)
		*memo = v;
}

val_t ir_get(struct ir_block *b, enum ir_opcode op, u32 off)
{
	return op == IR_GET64 ? ir_get64(b, off) : ir_emit(b, op, 0, 0, 0, 0, (s32)off, 0);
}

void ir_put(struct ir_block *b, enum ir_opcode op, u32 off, val_t v)
{
	if (op == IR_PUT64) {
		ir_put64(b, off, v);
		return;
	}
	ir_emit(b, op, v, 0, 0, 0, (s32)off, 0);
	for (u32 i = off / 8; i <= off / 8 + (op == IR_PUTV) && i < IR_MEMO; i++)
		b->memo[i] = 0;
}

val_t ir_call(struct ir_block *b, const struct ir_helper *h, val_t x, val_t y, val_t z)
{
	val_t v = ir_emit(b, IR_CALL, x, y, z, 0, 0, (uptr)h);

	if (h->flags & H_STATE)
		memset(b->memo, 0, sizeof(b->memo));
	return v;
}

void ir_exit(struct ir_block *b, gva_t pc, enum ir_exit how)
{
	if (how == IR_CHAIN && (pc ^ b->pc) & PAGE_MASK)
		how = IR_LOOKUP;
	ir_emit(b, IR_EXIT, 0, 0, 0, how, 0, pc);
}

void ir_exit_to(struct ir_block *b, val_t pc, enum ir_exit how)
{
	u64 to;

	if (ir_is_const(b, pc, &to)) {
		ir_exit(b, to, how == IR_CHECK ? IR_CHECK : IR_CHAIN);
		return;
	}
	ir_emit(b, IR_EXITIND, pc, 0, 0, how == IR_CHAIN ? IR_LOOKUP : how, 0, 0);
}

void ir_branch(struct ir_block *b, enum ir_opcode op, val_t x, val_t y, gva_t pc)
{
	u64 vx, vy;

	if (ir_is_const(b, x, &vx) && ir_is_const(b, y, &vy)) {
		if (ir_eval(op, vx, vy, 0, 0))
			ir_exit(b, pc, IR_CHAIN);
		return;
	}
	ir_emit(b, op, x, y, 0, (pc ^ b->pc) & PAGE_MASK ? IR_LOOKUP : IR_CHAIN, 0, pc);
}

void ir_except(struct ir_block *b, u32 cause, val_t value)
{
	ir_emit(b, IR_EXCEPT, value, 0, 0, 0, 0, cause);
}

void ir_except_if(struct ir_block *b, val_t cond, u32 cause, val_t value)
{
	ir_emit(b, IR_EXCEPTIF, cond, value, 0, 0, 0, cause);
}
