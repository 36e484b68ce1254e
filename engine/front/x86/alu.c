/*
 * x86 integer operations and their flags. Intel SDM volume 1, 3.4.3.1 and volume 2.
 *
 * Every carry of an addition, bit by bit, follows from its operands and result, and CF, AF and OF
 * are three bits of that one word.
 */
#include "engine/front/x86/alu.h"

/* SF, ZF, PF of a result: PF from a table of 16 bits. */
static u64 flags_of(u64 r, u32 size)
{
	u64 low = r & MASK(8 * size);

	return (low ? 0 : X86_ZF) | (low >> (8 * size - 1) ? X86_SF : 0) |
	       (0x9669 >> ((low ^ low >> 4) & 15) & 1 ? X86_PF : 0);
}

/* CF, AF, OF from the carries (or borrows) out of each bit. */
static u64 flags_carry(u64 carries, u32 size)
{
	u64 out = carries >> (8 * size - 1) & 1, in = carries >> (8 * size - 2) & 1;

	return (out ? X86_CF : 0) | (carries & 8 ? X86_AF : 0) | (out != in ? X86_OF : 0);
}

static u64 add(u64 a, u64 b, u64 carry, u32 size, u64 *flags)
{
	u64 r = a + b + carry;

	*flags = flags_of(r, size) | flags_carry((a & b) | ((a | b) & ~r), size);
	return r;
}

static u64 subtract(u64 a, u64 b, u64 borrow, u32 size, u64 *flags)
{
	u64 r = a - b - borrow;

	*flags = flags_of(r, size) | flags_carry((~a & b) | ((~a | b) & r), size);
	return r;
}

static u64 logic(u64 r, u32 size, u64 *flags)
{
	*flags = flags_of(r, size);
	return r;
}

static u64 bit_test(enum x86_alu op, u64 a, u64 bit, u64 *rflags)
{
	*rflags = (*rflags & ~(u64)X86_CF) | (a >> bit & 1);
	switch (op) {
	case X86_BTS: return a | BIT(bit);
	case X86_BTR: return a & ~BIT(bit);
	case X86_BTC: return a ^ BIT(bit);
	default:      return a;
	}
}

u64 x86_alu(enum x86_alu op, u32 size, u64 a, u64 b, u64 *rflags)
{
	u64 cf = *rflags & X86_CF, kept = 0, flags, r;

	switch (op) {
	case X86_ADD: r = add(a, b, 0, size, &flags); break;
	case X86_ADC: r = add(a, b, cf, size, &flags); break;
	case X86_SUB: case X86_CMP: r = subtract(a, b, 0, size, &flags); break;
	case X86_SBB: r = subtract(a, b, cf, size, &flags); break;
	case X86_NEG: r = subtract(0, a, 0, size, &flags); break;
	case X86_INC: r = add(a, 1, 0, size, &flags); kept = X86_CF; break;
	case X86_DEC: r = subtract(a, 1, 0, size, &flags); kept = X86_CF; break;
	case X86_OR:  r = logic(a | b, size, &flags); break;
	case X86_XOR: r = logic(a ^ b, size, &flags); break;
	case X86_AND: case X86_TEST: r = logic(a & b, size, &flags); break;
	case X86_BT:  case X86_BTS: case X86_BTR: case X86_BTC:
		return bit_test(op, a, b & (8 * size - 1), rflags) & MASK(8 * size);
	default:
		return ~a & MASK(8 * size);			/* NOT: no flags */
	}
	*rflags = (*rflags & ~(X86_STATUS & ~kept)) | (flags & ~kept);
	return r & MASK(8 * size);
}

bool x86_condition(u64 rflags, u32 cc)
{
	bool cf = rflags & X86_CF, zf = rflags & X86_ZF, sf = rflags & X86_SF, of = rflags & X86_OF;
	bool yes[8] = { of, cf, zf, cf || zf, sf, rflags & X86_PF, sf != of, zf || sf != of };

	return yes[cc >> 1 & 7] != (cc & 1);
}
