/* F and D: boxes, NaNs, minimum, conversions, rounding modes, flags, mstatus.FS. */
#include "isa.h"

/* @insn on bit patterns: F gives an FP register, X an integer one; the number is its operands'. */
#define IN(n, v) "fmv.d.x ft" #n ", %" #v "\n"
#define CLEAR "csrw fflags, x0\n"
#define FT "ft0", "ft1", "ft2", "ft3"
#define ASM(code, ...) ({ u64 r_; __asm__ volatile(code : "=r"(r_) : __VA_ARGS__ : FT); r_; })
#define BITS(v) "r"((u64)(v))
#define OUT "\n fmv.x.d %0, ft2"
#define X1(insn, a) ASM(IN(0, 1) CLEAR insn, BITS(a))
#define X2(insn, a, b) ASM(IN(0, 1) IN(1, 2) CLEAR insn " %0, ft0, ft1", BITS(a), BITS(b))
#define F1(insn, a) ASM(IN(0, 1) CLEAR insn " ft2, ft0" OUT, BITS(a))
#define F2(insn, a, b) ASM(IN(0, 1) IN(1, 2) CLEAR insn " ft2, ft0, ft1" OUT, BITS(a), BITS(b))
#define F3(insn, a, b, c) \
	ASM(IN(0, 1) IN(1, 2) IN(3, 3) CLEAR insn " ft2, ft0, ft1, ft3" OUT, \
	    BITS(a), BITS(b), BITS(c))
#define FLAGS read_csr(fflags)
#define BOX(v) (0xffffffff00000000 | (v))
enum { NX = 1, UF = 2, OF = 4, DZ = 8, NV = 16 };
#define ONE BOX(0x3f800000)
#define QNAN BOX(0x7fc00000)
#define SNAN BOX(0x7f800001)
#define INF BOX(0x7f800000)
#define DNAN 0x7ff8000000000000
#define DINF 0x7ff0000000000000
#define DONE 0x3ff0000000000000

static void boxes(void)
{
	CHECK_EQ(F2("fadd.s", 0x3f800000, ONE), QNAN);		/* not boxed: reads as NaN */
	CHECK_EQ(FLAGS, 0);
	CHECK_EQ(F2("fsgnj.s", 0x3f800000, BOX(0x80000000)), BOX(0xffc00000));
	CHECK_EQ(X1("fmv.x.w %0, ft0", 0x1234567880000000), 0xffffffff80000000);
	CHECK_EQ(F2("fsgnjx.s", SNAN, BOX(0x80000000)), BOX(0xff800001));
	CHECK_EQ(F2("fsgnjn.d", 0x7ff0000000000001, 0), 0xfff0000000000001);
	CHECK_EQ(F2("fadd.s", BOX(0xffc12345), ONE), QNAN);	/* canonical */
	CHECK_EQ(F1("fcvt.d.s", BOX(0xffc12345)), DNAN);
	CHECK_EQ(F1("fcvt.s.d", 0xfff8000000000001), QNAN);
	CHECK_EQ(F1("fcvt.s.d", 0x7ff0000000000001), QNAN);
	CHECK_EQ(FLAGS, NV);
}

static void minimum(void)
{
	CHECK_EQ(F2("fmin.s", QNAN, ONE), ONE);
	CHECK_EQ(FLAGS, 0);
	CHECK_EQ(F2("fmin.s", SNAN, ONE), ONE);
	CHECK_EQ(FLAGS, NV);
	CHECK_EQ(F2("fmax.s", BOX(0xffc00001), QNAN), QNAN);
	CHECK_EQ(F2("fmin.s", BOX(0), BOX(0x80000000)), BOX(0x80000000));
	CHECK_EQ(F2("fmax.s", BOX(0x80000000), BOX(0)), BOX(0));
	CHECK_EQ(F2("fmin.d", BIT(63), 0), BIT(63));
	CHECK_EQ(F2("fmax.d", 0, BIT(63)), 0);
}

static void compare(void)
{
	CHECK_EQ(X2("feq.s", QNAN, ONE), 0);
	CHECK_EQ(FLAGS, 0);
	CHECK_EQ(X2("feq.s", SNAN, ONE), 0);
	CHECK_EQ(FLAGS, NV);
	CHECK_EQ(X2("flt.d", DNAN, DONE), 0);
	CHECK_EQ(FLAGS, NV);
	CHECK_EQ(X2("fle.d", BIT(63), 0), 1);
	CHECK_EQ(X2("flt.d", BIT(63), 0), 0);
	CHECK_EQ(FLAGS, 0);
}

static void fused(void)
{
	CHECK_EQ(F3("fmadd.d", DINF, 0, DNAN), DNAN);
	CHECK_EQ(FLAGS, NV);
	CHECK_EQ(F3("fnmadd.d", DONE, 0, 0), BIT(63));		/* -(1 * 0) - 0 */
	CHECK_EQ(F3("fnmsub.d", DONE, 0, 0), 0);		/* -(1 * 0) + 0 */
	CHECK_EQ(F3("fmsub.d", DONE, 0, 0), 0);			/* 1 * 0 - 0 */
	CHECK_EQ(F3("fmsub.s", ONE, ONE, ONE), BOX(0));
	CHECK_EQ(FLAGS, 0);
}

static void convert(void)
{
	CHECK_EQ(X1("fcvt.w.s %0, ft0, rtz", QNAN), 0x7fffffff);
	CHECK_EQ(FLAGS, NV);
	CHECK_EQ(X1("fcvt.wu.s %0, ft0, rtz", QNAN), ~0ull);
	CHECK_EQ(X1("fcvt.lu.s %0, ft0, rtz", BOX(0xbf800000)), 0);
	CHECK_EQ(FLAGS, NV);
	CHECK_EQ(X1("fcvt.lu.d %0, ft0, rtz", 0xbfe0000000000000), 0);	/* -0.5 */
	CHECK_EQ(FLAGS, NX);
	CHECK_EQ(X1("fcvt.wu.d %0, ft0, rtz", 0x41e0000000000000), 0xffffffff80000000);
	CHECK_EQ(FLAGS, 0);
	CHECK_EQ(X1("fcvt.w.d %0, ft0, rtz", 0x41e0000000000000), 0x7fffffff);
	CHECK_EQ(FLAGS, NV);
	CHECK_EQ(X1("fcvt.w.d %0, ft0, rne", 0x4004000000000000), 2);	/* 2.5 */
	CHECK_EQ(X1("fcvt.w.d %0, ft0, rmm", 0x4004000000000000), 3);
	CHECK_EQ(X1("fcvt.w.d %0, ft0, rup", 0x4002000000000000), 3);	/* 2.25 */
	CHECK_EQ(X1("fcvt.l.d %0, ft0, rtz", 0xc3e0000000000000), BIT(63));
	CHECK_EQ(FLAGS, 0);
	CHECK_EQ(F1("fsqrt.d", BIT(63)), BIT(63));
	CHECK_EQ(F1("fsqrt.d", 0xbff0000000000000), DNAN);
	CHECK_EQ(FLAGS, NV);
	CHECK_EQ(F2("fdiv.d", DONE, 0), DINF);
	CHECK_EQ(FLAGS, DZ);
	CHECK_EQ(F2("fdiv.d", 0, 0), DNAN);
	CHECK_EQ(FLAGS, NV);
	CHECK_EQ(F1("fcvt.s.d", 0x380ffffff8000000), BOX(0x00800000));
	CHECK_EQ(FLAGS, NX);					/* tiny only before rounding */
}

static void classes(void)
{
	static const u64 of_class[10] = {
		0xff800000, 0xbf800000, 0x80000001, 0x80000000, 0, 1, 0x3f800000, 0x7f800000,
		0x7f800001, 0x7fc00000,
	};

	for (u32 i = 0; i < 10; i++)
		CHECK_EQ(X1("fclass.s %0, ft0", BOX(of_class[i])), 1 << i);
	CHECK_EQ(X1("fclass.s %0, ft0", 0), 1 << 9);		/* not boxed */
}

static void rounding(void)
{
	CHECK_EQ(TRAP_OF(INSN(0x00105053)), ILLEGAL);		/* fadd.s rm = 5 */
	CHECK_EQ(TRAP_OF(INSN(0x00106053)), ILLEGAL);
	for (u64 rm = 5; rm < 8; rm++) {
		write_csr(frm, rm);
		CHECK_EQ(read_csr(frm), rm);
		CHECK_EQ(TRAP_OF(INSN(0x00107053)), ILLEGAL);	/* dynamic */
		CHECK_EQ(TRAP_OF(INSN(0x00100053)), NO_TRAP);	/* static */
	}
	write_csr(frm, 4);
	CHECK_EQ(TRAP_OF(INSN(0x00107053)), NO_TRAP);
	write_csr(fcsr, 0xffffffffff);
	CHECK_EQ(read_csr(fcsr), 0xff);
	CHECK_EQ(read_csr(fflags), 0x1f);
	CHECK_EQ(read_csr(frm), 7);
	write_csr(frm, 1);
	CHECK_EQ(read_csr(fcsr), 0x3f);
	write_csr(fcsr, 0);
	set_csr(fflags, 3);
	F2("fadd.s", ONE, ONE);
	CHECK_EQ(FLAGS, 0);
}

#define STATUS_FS (read_csr(mstatus) >> 13 & 3)
static void set_fs(u64 fs)
{
	clear_csr(mstatus, FS);
	set_csr(mstatus, fs << 13);
}

static void state(void)
{
	static u64 word;

	set_fs(0);
	CHECK_EQ(read_csr(mstatus) >> 63, 0);
	CHECK_EQ(TRAP_OF(INSN(0x00100053)), ILLEGAL);				/* fadd.s */
	CHECK_EQ(TRAP_OF(__asm__ volatile("fld ft0, 0(%0)" : : "r"(&word))), ILLEGAL);
	CHECK_EQ(TRAP_OF(__asm__ volatile("fsd ft0, 0(%0)" : : "r"(&word))), ILLEGAL);
	CHECK_EQ(TRAP_OF(INSN16(0x2000)), ILLEGAL);				/* c.fld */
	CHECK_EQ(TRAP_OF(read_csr(fcsr)), ILLEGAL);
	CHECK_EQ(TRAP_OF(write_csr(fflags, 0)), ILLEGAL);
	CHECK_EQ(STATUS_FS, 0);
	set_fs(1);
	__asm__ volatile("fsd ft0, 0(%0)" : : "r"(&word) : "memory");
	read_csr(fcsr);
	CHECK_EQ(STATUS_FS, 1);
	__asm__ volatile("fld ft0, 0(%0)" : : "r"(&word));
	CHECK_EQ(STATUS_FS, 3);
	CHECK_EQ(read_csr(mstatus) >> 63, 1);
	CHECK_EQ(read_csr(sstatus) >> 63, 1);
	set_fs(2);
	write_csr(fflags, 0);
	CHECK_EQ(STATUS_FS, 3);
	set_fs(2);
	__asm__ volatile("fmv.w.x ft0, x0\n fmv.w.x ft1, x0\n feq.s t0, ft0, ft1" : : : "t0");
	CHECK_EQ(STATUS_FS, 3);
	set_fs(2);
	CHECK_EQ(TRAP_OF(__asm__ volatile("fld ft0, 0(x0)")), LOAD_ACCESS);
	CHECK_EQ(STATUS_FS, 2);
	set_fs(3);
}

void isa_main(void)
{
	boxes();
	minimum();
	compare();
	fused();
	convert();
	classes();
	rounding();
	state();
}
