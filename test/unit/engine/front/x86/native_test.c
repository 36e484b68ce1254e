/*
 * Emulated accesses against the CPU itself: an instruction with a memory operand runs natively, by
 * way of a thunk that loads and stores all registers and flags, and then step by step through
 * x86_access_next(); registers, flags, memory and length must agree.
 *
 * Only x86-64 hosts have such a CPU. What the manuals leave undefined is not compared, unless
 * NATIVE_UNDEFINED is set in the environment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "engine/front/x86/access.h"

#if defined(__x86_64__)
#include <cpuid.h>

#define COMPARED	(X86_STATUS | X86_DF)
#define WINDOW		512		/* bytes of memory that are compared */

struct regs {
	u64 gpr[16], rflags;
};

static u8 *code;	/* a page that is run, and behind it one that is worked on, below 2 GiB */
static u8 *middle;	/* of the latter's window */
static u64 seed = 88172645463325252ull;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* MOV between register @n and [rdi + 8 * n]. */
static u8 *emit_mov(u8 *p, u8 op, u32 n)
{
	*p++ = n >= 8 ? 0x4c : 0x48;
	*p++ = op;
	*p++ = (u8)(0x47 | (n & 7) << 3);
	*p++ = (u8)(8 * n);
	return p;
}

/* void thunk(struct regs *): rsp is not exchanged, rdi is last in and first out. */
static void emit_thunk(const u8 *insn, u32 len)
{
	static const u8 enter[] = { 0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57,
				    0x57, 0xff, 0xb7, 0x80, 0, 0, 0, 0x9d };  /* push...; popfq */
	static const u8 middle_part[] = { 0x57, 0x48, 0x8b, 0x7c, 0x24, 0x08 };
	static const u8 leave[] = { 0x8f, 0x47, 0x38, 0x9c, 0x8f, 0x87, 0x80, 0, 0, 0, 0x5f, 0xfc,
				    0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b,
				    0xc3 };
	u8 *p = code;

	p = mempcpy(p, enter, sizeof(enter));
	for (u32 n = 0; n < 16; n++)
		if (n != X86_RSP && n != X86_RDI)
			p = emit_mov(p, 0x8b, n);
	p = emit_mov(p, 0x8b, X86_RDI);
	p = mempcpy(p, insn, len);
	p = mempcpy(p, middle_part, sizeof(middle_part));
	for (u32 n = 0; n < 16; n++)
		if (n != X86_RSP && n != X86_RDI)
			p = emit_mov(p, 0x89, n);
	memcpy(p, leave, sizeof(leave));
}

/* The same instruction by our means, until a REP is done. */
static void emulate(const u8 *bytes, u32 len, struct regs *r)
{
	static struct x86_state st;
	struct x86_access a;
	struct x86_insn i;

	memset(&st, 0, sizeof(st));
	st.efer = BIT(10);
	st.seg[X86_CS].attr = X86_SEG_L;
	st.rip = 0x1000;
	memcpy(st.gpr, r->gpr, sizeof(st.gpr));
	st.rflags = r->rflags;
	assert_int_equal(x86_decode(bytes, len, X86_MODE64, &i), len);
	do {
		enum x86_step step = x86_access_begin(&a, &st, &i);

		while (step != X86_DONE) {
			u64 v = 0;

			assert_true(step == X86_READ || step == X86_WRITE);
			if (step == X86_READ)
				memcpy(&v, (void *)(uptr)a.va, a.width);
			else
				memcpy((void *)(uptr)a.va, &a.value, a.width);
			v |= rnd() << (4 * a.width) << (4 * a.width);	/* garbage above */
			step = x86_access_next(&a, &st, v);
		}
		assert_int_equal(st.rip, a.again ? 0x1000 : 0x1000 + len);
	} while (a.again);
	memcpy(r->gpr, st.gpr, sizeof(st.gpr));
	r->rflags = st.rflags;
}

static void compare(const u8 *bytes, u32 len, struct regs r, u64 flags)
{
	struct regs ours = r, before = r;
	u8 start[2 * WINDOW], want[2 * WINDOW];
	char hex[64] = "";

	for (u32 n = 0; n < len; n++)
		snprintf(hex + 2 * n, 3, "%02x", bytes[n]);
	for (u32 n = 0; n < sizeof(start); n++)
		start[n] = (u8)rnd();
	if (rnd() & 1)			/* something to find equal */
		memcpy(start + WINDOW, &r.gpr[X86_RAX], 8);
	memcpy(middle - WINDOW, start, sizeof(start));
	emit_thunk(bytes, len);
	((void (*)(struct regs *))(uptr)code)(&r);
	memcpy(want, middle - WINDOW, sizeof(want));
	memcpy(middle - WINDOW, start, sizeof(start));
	emulate(bytes, len, &ours);
	for (u32 n = 0; n < 16; n++)
		if (ours.gpr[n] != r.gpr[n])
			fail_msg("%s: register %u from %llx to %llx, not %llx", hex, n,
				 before.gpr[n] + 0ull, ours.gpr[n] + 0ull, r.gpr[n] + 0ull);
	if ((ours.rflags ^ r.rflags) & flags)
		fail_msg("%s: flags from %llx to %llx, not %llx", hex, before.rflags + 0ull,
			 ours.rflags + 0ull, r.rflags + 0ull);
	if (memcmp(middle - WINDOW, want, sizeof(want)))
		fail_msg("%s: memory differs", hex);
}

static struct regs random_regs(void)
{
	struct regs r;

	for (u32 n = 0; n < 16; n++)
		r.gpr[n] = rnd() & 1 ? rnd() : rnd() & 1 ? rnd() % 3 - 1 : rnd() >> 48;
	r.gpr[X86_RSP] = 0;
	r.rflags = 0x202 | (rnd() & COMPARED);
	return r;
}

/* ---- with ModRM ---- */

struct form {
	const char *op;			/* hexadecimal, without ModRM */
	s8 ext;				/* /ext, or -1: a register */
	u8 imm;				/* 1; 4: as the operand size says, at most 4; 0: none */
	u64 undefined;			/* flags */
};

#define LOGIC	X86_AF
#define BITS_OF	(X86_OF | X86_SF | X86_AF | X86_PF)

static const struct form forms[] = {
	{ "00", -1 }, { "01", -1 }, { "02", -1 }, { "03", -1 },
	{ "08", -1, 0, LOGIC }, { "09", -1, 0, LOGIC }, { "0a", -1, 0, LOGIC },
	{ "0b", -1, 0, LOGIC }, { "10", -1 }, { "11", -1 }, { "12", -1 }, { "13", -1 },
	{ "18", -1 }, { "19", -1 }, { "1a", -1 }, { "1b", -1 },
	{ "20", -1, 0, LOGIC }, { "21", -1, 0, LOGIC }, { "22", -1, 0, LOGIC },
	{ "23", -1, 0, LOGIC }, { "28", -1 }, { "29", -1 }, { "2a", -1 }, { "2b", -1 },
	{ "30", -1, 0, LOGIC }, { "31", -1, 0, LOGIC }, { "32", -1, 0, LOGIC },
	{ "33", -1, 0, LOGIC }, { "38", -1 }, { "39", -1 }, { "3a", -1 }, { "3b", -1 },
	{ "63", -1 }, { "84", -1, 0, LOGIC }, { "85", -1, 0, LOGIC },
	{ "86", -1 }, { "87", -1 }, { "88", -1 }, { "89", -1 }, { "8a", -1 }, { "8b", -1 },
	{ "80", 0, 1 }, { "80", 1, 1, LOGIC }, { "80", 2, 1 }, { "80", 3, 1 },
	{ "80", 4, 1, LOGIC }, { "80", 5, 1 }, { "80", 6, 1, LOGIC }, { "80", 7, 1 },
	{ "81", 0, 4 }, { "81", 1, 4, LOGIC }, { "81", 2, 4 }, { "81", 3, 4 },
	{ "81", 4, 4, LOGIC }, { "81", 5, 4 }, { "81", 6, 4, LOGIC }, { "81", 7, 4 },
	{ "83", 0, 1 }, { "83", 1, 1, LOGIC }, { "83", 2, 1 }, { "83", 3, 1 },
	{ "83", 4, 1, LOGIC }, { "83", 5, 1 }, { "83", 6, 1, LOGIC }, { "83", 7, 1 },
	{ "c6", 0, 1 }, { "c7", 0, 4 },
	{ "f6", 0, 1, LOGIC }, { "f6", 2 }, { "f6", 3 },
	{ "f7", 0, 4, LOGIC }, { "f7", 2 }, { "f7", 3 },
	{ "fe", 0 }, { "fe", 1 }, { "ff", 0 }, { "ff", 1 },
	{ "0fb0", -1 }, { "0fb1", -1 }, { "0fc0", -1 }, { "0fc1", -1 },
	{ "0fb6", -1 }, { "0fb7", -1 }, { "0fbe", -1 }, { "0fbf", -1 }, { "0fc3", -1 },
	{ "0fba", 4, 1, BITS_OF }, { "0fba", 5, 1, BITS_OF }, { "0fba", 6, 1, BITS_OF },
	{ "0fba", 7, 1, BITS_OF },
	{ "0fa3", -2, 0, BITS_OF }, { "0fab", -2, 0, BITS_OF }, { "0fb3", -2, 0, BITS_OF },
	{ "0fbb", -2, 0, BITS_OF },			/* -2: register r10, an index of bits */
	{ "0f38f0", -1 }, { "0f38f1", -1 },
	{ "0f40", -1 }, { "0f41", -1 }, { "0f42", -1 }, { "0f43", -1 }, { "0f44", -1 },
	{ "0f45", -1 }, { "0f46", -1 }, { "0f47", -1 }, { "0f48", -1 }, { "0f49", -1 },
	{ "0f4a", -1 }, { "0f4b", -1 }, { "0f4c", -1 }, { "0f4d", -1 }, { "0f4e", -1 },
	{ "0f4f", -1 },
	{ "0f90", 0 }, { "0f91", 0 }, { "0f92", 0 }, { "0f93", 0 }, { "0f94", 0 },
	{ "0f95", 0 }, { "0f96", 0 }, { "0f97", 0 }, { "0f98", 0 }, { "0f99", 0 },
	{ "0f9a", 0 }, { "0f9b", 0 }, { "0f9c", 0 }, { "0f9d", 0 }, { "0f9e", 0 },
	{ "0f9f", 0 },
};

static bool has_movbe(void)
{
	u32 a, b, c = 0, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c >> 22 & 1;
}

/* Is the register a byte, so that number 4 is AH? */
static bool is_byte(const char *op)
{
	static const char *const wide[] = { "0f4", "0f38", "0fb6", "0fbe" };

	for (u32 n = 0; n < ARRAY_LEN(wide); n++)
		if (!strncmp(op, wide[n], strlen(wide[n])))
			return false;
	return strchr("02468ace", op[strlen(op) - 1]);
}

/*
 * Some encoding of @f: its length. Memory is [rbx + disp], or [rbx + r9 * scale + disp] with a
 * small r9; prefix 67 leaves garbage in the upper half of rbx.
 */
static u32 encode(const struct form *f, u8 *to, struct regs *r)
{
	bool sib = rnd() & 1, p66 = !(rnd() % 4) && strcmp(f->op, "0fc3");
	u8 reg = f->ext == -2 ? 10 : f->ext >= 0 ? (u8)f->ext : rnd() & 15, rex;
	u8 *p = to;

	rex = (u8)(0x40 | (rnd() & 1) << 3 | (reg >> 3) << 2 | sib << 1);
	if (reg == X86_RSP && f->ext < 0 && is_byte(f->op))
		rex = sib = 0;		/* AH */
	else if (reg == X86_RSP && f->ext < 0)
		reg = X86_RSI;		/* the stack is not ours */
	if (!(rnd() % 4)) {
		*p++ = 0x67;
		r->gpr[X86_RBX] |= rnd() << 32;
	}
	if (p66)
		*p++ = 0x66;
	if (rex > 0x40 || (rex && rnd() & 1))
		*p++ = rex;
	for (unsigned b, n = 0; sscanf(f->op + n, "%2x", &b) == 1; n += 2)
		*p++ = (u8)b;
	*p++ = (u8)(0x40 | (reg & 7) << 3 | (sib ? 4 : X86_RBX));
	if (sib)
		*p++ = (u8)((rnd() & 3) << 6 | 1 << 3 | X86_RBX);
	*p++ = (u8)rnd();
	for (u32 n = f->imm == 4 && p66 && !(rex & 8) ? 2 : f->imm; n; n--)
		*p++ = (u8)rnd();
	return (u32)(p - to);
}

static void with_modrm(void **unused)
{
	bool movbe = has_movbe(), strict = getenv("NATIVE_UNDEFINED");

	(void)unused;
	for (const struct form *f = forms; f < forms + ARRAY_LEN(forms); f++) {
		if (!strncmp(f->op, "0f38", 4) && !movbe)
			continue;
		for (u32 n = 0; n < 400; n++) {
			struct regs r = random_regs();
			s64 bit = (s64)(rnd() % 1024) - 512;
			u8 insn[16];

			r.gpr[X86_RBX] = (uptr)middle;
			r.gpr[X86_R9] = rnd() % 17 - 8;
			r.gpr[X86_R10] = (u64)bit;
			compare(insn, encode(f, insn, &r), r,
				COMPARED & ~(strict ? 0 : f->undefined));
		}
	}
}

/* ---- strings ---- */

static void strings(void **unused)
{
	static const u8 op[] = { 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf };
	static const u8 rep[] = { 0, 0xf2, 0xf3 };

	(void)unused;
	for (u32 n = 0; n < 20000; n++) {
		struct regs r = random_regs();
		u8 insn[8], *p = insn;
		u32 kind = n % ARRAY_LEN(op);

		r.gpr[X86_RSI] = (uptr)middle + rnd() % 64;
		r.gpr[X86_RDI] = (uptr)middle + rnd() % 64;
		r.gpr[X86_RCX] = rnd() % 6;
		if (rnd() & 1)
			r.gpr[X86_RDI] = r.gpr[X86_RSI];
		if ((*p = rep[rnd() % 3]))
			p++;
		if (!(rnd() % 4) && r.gpr[X86_RCX]) {
			*p++ = 0x67;
			r.gpr[X86_RSI] |= rnd() << 32;
			r.gpr[X86_RDI] |= rnd() << 32;
			r.gpr[X86_RCX] |= rnd() << 32;
		}
		if (!(rnd() % 4))
			*p++ = 0x66;
		if (rnd() & 1)
			*p++ = 0x48;
		*p++ = op[kind];
		compare(insn, (u32)(p - insn), r, COMPARED);
	}
}

static int open_pages(void **unused)
{
	(void)unused;
	code = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	middle = code + PAGE_SIZE + PAGE_SIZE / 2;
	return code == MAP_FAILED ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_modrm), cmocka_unit_test(strings),
	};

	return cmocka_run_group_tests(tests, open_pages, NULL);
}

#else

int main(void)
{
	puts("SKIP x86 accesses against the CPU: this host is no x86-64");
	return 0;
}

#endif
