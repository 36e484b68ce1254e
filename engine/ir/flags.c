/*
 * Condition flags, computed eagerly for the interpreter and as the JIT's reference. One
 * layout for x86 and Arm (see ir.h); Arm's carry of a subtraction is the inverted borrow,
 * which is a kind of its own. Intel SDM vol. 1, 3.4.3; Arm ARM, "Condition flags".
 */
#include "engine/ir/ir.h"

/* Z, S and P of a result of @bits bits. */
static u64 flags_of(u64 r, u32 bits)
{
	r &= MASK(bits);
	return (r == 0 ? FL_Z : 0) | (r >> (bits - 1) ? FL_S : 0) |
	       (__builtin_parity((u32)(r & 0xff)) ? 0 : FL_P);
}

static u64 flag_if(bool cond, u64 flag)
{
	return cond ? flag : 0;
}

static u64 flags_add(u64 a, u64 b, u64 carry, u32 bits)
{
	u64 m = MASK(bits), r = (a + b + carry) & m;
	u64 out = ((a & b) | ((a | b) & ~r)) & m;		/* carry out of each bit */

	return flags_of(r, bits) | flag_if(out >> (bits - 1), FL_C) |
	       ((a ^ b ^ r) & FL_A) |
	       flag_if((~(a ^ b) & (a ^ r)) >> (bits - 1) & 1, FL_O);
}

static u64 flags_sub(u64 a, u64 b, u64 borrow, u32 bits)
{
	u64 m = MASK(bits), r = (a - b - borrow) & m;
	u64 out = ((~a & b) | (~(a ^ b) & r)) & m;

	return flags_of(r, bits) | flag_if(out >> (bits - 1), FL_C) |
	       ((a ^ b ^ r) & FL_A) |
	       flag_if(((a ^ b) & (a ^ r)) >> (bits - 1) & 1, FL_O);
}

static u64 flags_shift(u32 kind, u64 a, u32 n, u32 bits)
{
	u64 top = BIT(bits - 1), r, c, o;

	a &= MASK(bits);
	if (kind == FLAG_SHL) {
		r = n < bits ? a << n : 0;
		c = n <= bits ? a >> (bits - n) & 1 : 0;
		o = (r & top ? 1 : 0) ^ c;
	} else {
		s64 v = kind == FLAG_SAR ? sext(a, bits) : (s64)a;

		r = kind == FLAG_SAR ? (u64)(v >> MIN(n, 63)) : n < bits ? a >> n : 0;
		c = kind == FLAG_SAR ? (u64)(v >> MIN(n - 1, 63)) & 1 :
		    n <= bits        ? a >> (n - 1) & 1 :
				       0;
		o = kind == FLAG_SHR ? (a & top) != 0 : 0;
	}
	return flags_of(r, bits) | flag_if(c, FL_C) | flag_if(o, FL_O);
}

static u64 flags_rotate(u32 kind, u64 a, u32 n, u64 old, u32 bits)
{
	u32 k = n % bits;
	u64 m = MASK(bits), r, c, o;

	a &= m;
	r = !k               ? a :
	    kind == FLAG_ROL ? (a << k | a >> (bits - k)) & m :
			       (a >> k | a << (bits - k)) & m;
	c = kind == FLAG_ROL ? r & 1 : r >> (bits - 1);
	o = kind == FLAG_ROL ? (r >> (bits - 1)) ^ c : (r >> (bits - 1) ^ r >> (bits - 2)) & 1;
	return (old & ~(u64)(FL_C | FL_O)) | flag_if(c, FL_C) | flag_if(o, FL_O);
}

static u64 flags_mul(u32 kind, u64 a, u64 b, u32 bits)
{
	bool big;
	u64 r = a * b;

	if (kind == FLAG_MULU)
		big = (u128)(a & MASK(bits)) * (b & MASK(bits)) >> bits != 0;
	else
		big = (s128)sext(a, bits) * sext(b, bits) != (s128)sext(r, bits);
	return flags_of(r, bits) | flag_if(big, FL_C | FL_O);
}

u64 flags_compute(u64 kind_size, u64 a, u64 b, u64 c)
{
	u32 bits = 8u << (kind_size & 3), kind = (u32)(kind_size >> 2);

	switch ((enum flag_kind)kind) {
	case FLAG_ADD:	return flags_add(a, b, 0, bits);
	case FLAG_ADC:	return flags_add(a, b, c & 1, bits);
	case FLAG_SUB:	return flags_sub(a, b, 0, bits);
	case FLAG_SBB:	return flags_sub(a, b, c & 1, bits);
	case FLAG_ASUB:	return flags_sub(a, b, 0, bits) ^ FL_C;
	case FLAG_ASBC:	return flags_sub(a, b, ~c & 1, bits) ^ FL_C;
	case FLAG_LOGIC: return flags_of(a, bits);
	case FLAG_INC:	return (flags_add(a, 1, 0, bits) & ~(u64)FL_C) | (c & FL_C);
	case FLAG_DEC:	return (flags_sub(a, 1, 0, bits) & ~(u64)FL_C) | (c & FL_C);
	case FLAG_SHL:
	case FLAG_SHR:
	case FLAG_SAR:	return flags_shift(kind, a, (u32)b, bits);
	case FLAG_ROL:
	case FLAG_ROR:	return flags_rotate(kind, a, (u32)b, c, bits);
	case FLAG_MULU:
	case FLAG_MULS:	return flags_mul(kind, a, b, bits);
	}
	return 0;
}

u64 flags_cc(u64 cc, u64 f)
{
	bool c = f & FL_C, z = f & FL_Z, s = f & FL_S, o = f & FL_O, p = f & FL_P;

	switch ((enum flag_cc)cc) {
	case CC_O:	return o;
	case CC_NO:	return !o;
	case CC_C:	return c;
	case CC_NC:	return !c;
	case CC_Z:	return z;
	case CC_NZ:	return !z;
	case CC_BE:	return c || z;
	case CC_A:	return !c && !z;
	case CC_S:	return s;
	case CC_NS:	return !s;
	case CC_P:	return p;
	case CC_NP:	return !p;
	case CC_L:	return s != o;
	case CC_GE:	return s == o;
	case CC_LE:	return z || s != o;
	case CC_G:	return !z && s == o;
	case CC_HI:	return c && !z;
	case CC_LS:	return !c || z;
	}
	return 0;
}
