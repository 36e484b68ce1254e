/*
 * The x86 decoder: encodings and what they are, as text (see text.h); and that no more and no less
 * of the bytes is looked at than belongs to an instruction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "engine/front/x86/decode.h"
#include "test/unit/engine/front/x86/text.h"

struct row {
	u32 bits;
	const char *hex, *text;		/* -1: undefined; -2: too long; 0: not all of it is here */
};

static const struct row rows[] = {
	/* ModRM and SIB */
	{ 64, "8907", "2 0:89 o4 a8 /0 w4 ds[di]" },
	{ 64, "8b4424fc", "4 0:8b o4 a8 /0 w4 ss[sp-4]" },
	{ 64, "8b05112233ff", "6 0:8b o4 a8 /0 w4 ds[ip-ccddef]" },
	{ 64, "67488b05443322f1", "8 0:8b o8 a4 /0 w8 ds[ip-eddccbc]" },
	{ 32, "8b0578563412", "6 0:8b o4 a4 /0 w4 ds[+12345678]" },
	{ 64, "8b0425785634f2", "7 0:8b o4 a8 /0 w4 ds[-dcba988]" },
	{ 64, "418b4500", "4 0:8b o4 a8 /0 w4 ds[r13+0]" },
	{ 64, "418b0424", "4 0:8b o4 a8 /0 w4 ds[r12]" },
	{ 64, "428b0420", "4 0:8b o4 a8 /0 w4 ds[ax+r12*1]" },
	{ 64, "8b0420", "3 0:8b o4 a8 /0 w4 ds[ax]" },
	{ 64, "8b04e4", "3 0:8b o4 a8 /0 w4 ss[sp]" },
	{ 64, "4b8b04a0", "4 0:8b o8 a8 /0 w8 ds[r8+r12*4]" },
	{ 64, "438b042d00000000", "8 0:8b o4 a8 /0 w4 ds[+r13*1+0]" },
	{ 64, "438b442d00", "5 0:8b o4 a8 /0 w4 ds[r13+r13*1+0]" },
	{ 64, "8b4500", "3 0:8b o4 a8 /0 w4 ss[bp+0]" },
	{ 64, "418b0c2c", "4 0:8b o4 a8 /1 w4 ds[r12+bp*1]" },
	{ 64, "678b0424", "4 0:8b o4 a4 /0 w4 ss[sp]" },
	{ 32, "8b0424", "3 0:8b o4 a4 /0 w4 ss[sp]" },
	/* 16-bit addresses */
	{ 16, "8b02", "2 0:8b o2 a2 /0 w2 ss[bp+si*1]" },
	{ 16, "8b4002", "3 0:8b o2 a2 /0 w2 ds[bx+si*1+2]" },
	{ 16, "8b03", "2 0:8b o2 a2 /0 w2 ss[bp+di*1]" },
	{ 16, "8b0c", "2 0:8b o2 a2 /1 w2 ds[si]" },
	{ 16, "8b0e3412", "4 0:8b o2 a2 /1 w2 ds[+1234]" },
	{ 16, "8b4e00", "3 0:8b o2 a2 /1 w2 ss[bp+0]" },
	{ 16, "8b8634f2", "4 0:8b o2 a2 /0 w2 ss[bp-dcc]" },
	{ 16, "8b07", "2 0:8b o2 a2 /0 w2 ds[bx]" },
	{ 16, "8b04", "2 0:8b o2 a2 /0 w2 ds[si]" },
	{ 16, "8b05", "2 0:8b o2 a2 /0 w2 ds[di]" },
	{ 16, "678b0424", "4 0:8b o2 a4 /0 w2 ss[sp]" },
	{ 16, "66678b442410", "6 0:8b o4 a4 /0 w4 ss[sp+10]" },
	{ 32, "678b4002", "4 0:8b o4 a2 /0 w4 ds[bx+si*1+2]" },
	{ 64, "678b4002", "4 0:8b o4 a4 /0 w4 ds[ax+2]" },
	/* segments: the last counts, only FS and GS in 64-bit mode */
	{ 64, "658b042500000000", "8 0:8b o4 a8 /0 w4 gs[+0]" },
	{ 64, "2e8b00", "3 0:8b o4 a8 /0 w4 ds[ax]" },
	{ 64, "642e8b00", "4 0:8b o4 a8 /0 w4 fs[ax]" },
	{ 64, "2e648b00", "4 0:8b o4 a8 /0 w4 fs[ax]" },
	{ 64, "64658b00", "4 0:8b o4 a8 /0 w4 gs[ax]" },
	{ 32, "642e8b00", "4 0:8b o4 a4 /0 w4 cs[ax]" },
	{ 32, "3e8b4500", "4 0:8b o4 a4 /0 w4 ds[bp+0]" },
	{ 32, "368b00", "3 0:8b o4 a4 /0 w4 ss[ax]" },
	{ 16, "2666a13412", "5 0:a1 o4 a2 w4 es[+1234]" },
	/* offsets and immediates */
	{ 32, "67a13412", "4 0:a1 o4 a2 w4 ds[+1234]" },
	{ 32, "a178563412", "5 0:a1 o4 a4 w4 ds[+12345678]" },
	{ 64, "a18877665544332211", "9 0:a1 o4 a8 w4 ds[+1122334455667788]" },
	{ 64, "67a178563412", "6 0:a1 o4 a4 w4 ds[+12345678]" },
	{ 64, "48a38877665544332211", "10 0:a3 o8 a8 w8 ds[+1122334455667788]" },
	{ 64, "48b88877665544332211", "10 0:b8 o8 a8 #1122334455667788" },
	{ 64, "b8887766f5", "5 0:b8 o4 a8 #fffffffff5667788" },
	{ 64, "66b88877", "4 0:b8 o2 a8 #7788" },
	{ 64, "41b7ff", "3 0:b7 o1 a8 #ffffffffffffffff" },
	{ 64, "4883e8f0", "4 0:83 o8 a8 /5 r0 #fffffffffffffff0" },
	{ 64, "6683c0ff", "4 0:83 o2 a8 /0 r0 #ffffffffffffffff" },
	{ 64, "81c078563482", "6 0:81 o4 a8 /0 r0 #ffffffff82345678" },
	{ 64, "4881c078563482", "7 0:81 o8 a8 /0 r0 #ffffffff82345678" },
	{ 64, "66814578341234f2", "6 0:81 o2 a8 /0 w2 ss[bp+78] #1234" },
	{ 16, "814578341234f2", "5 0:81 o2 a2 /0 w2 ds[di+78] #1234" },
	{ 16, "66814578341234f2", "8 0:81 o4 a2 /0 w4 ds[di+78] #fffffffff2341234" },
	{ 64, "c60701", "3 0:c6 o1 a8 /0 w1 ds[di] #1" },
	{ 64, "48c70701000080", "7 0:c7 o8 a8 /0 w8 ds[di] #ffffffff80000001" },
	{ 64, "f60780", "3 0:f6 o1 a8 /0 w1 ds[di] #ffffffffffffff80" },
	{ 64, "f7d8", "2 0:f7 o4 a8 /3 r0" },
	{ 64, "f70701020304", "6 0:f7 o4 a8 /0 w4 ds[di] #4030201" },
	{ 64, "66f7070102", "5 0:f7 o2 a8 /0 w2 ds[di] #201" },
	{ 64, "f71f", "2 0:f7 o4 a8 /3 w4 ds[di]" },
	{ 64, "c8341205", "4 0:c8 o8 a8 #1234,5" },
	{ 64, "c23412", "3 0:c2 o8 a8 #1234" },
	{ 64, "6812345678", "5 0:68 o8 a8 #78563412" },
	{ 64, "666812345678", "4 0:68 o2 a8 #3412" },
	{ 64, "6aff", "2 0:6a o8 a8 #ffffffffffffffff" },
	{ 64, "cd80", "2 0:cd o4 a8 #ffffffffffffff80" },
	{ 32, "9a112233441000", "7 0:9a o4 a4 #44332211,10" },
	{ 32, "669a11221000", "6 0:9a o2 a4 #2211,10" },
	{ 16, "ea11221000", "5 0:ea o2 a2 #2211,10" },
	{ 64, "660f78c00102", "6 1:78 o2 a8 /0 r0 #1,2 pp1" },
	/* branches and the stack */
	{ 64, "c3", "1 0:c3 o8 a8" },
	{ 64, "66c3", "2 0:c3 o2 a8" },
	{ 64, "e811223344", "5 0:e8 o8 a8 #44332211" },
	{ 64, "66e81122", "4 0:e8 o2 a8 #2211" },
	{ 16, "e81122", "3 0:e8 o2 a2 #2211" },
	{ 64, "0f8411223344", "6 1:84 o8 a8 #44332211" },
	{ 64, "ebfe", "2 0:eb o8 a8 #fffffffffffffffe" },
	{ 64, "ff10", "2 0:ff o8 a8 /2 w8 ds[ax]" },
	{ 64, "ff18", "2 0:ff o4 a8 /3 w6 ds[ax]" },
	{ 64, "48ff18", "3 0:ff o8 a8 /3 w10 ds[ax]" },
	{ 64, "ff30", "2 0:ff o8 a8 /6 w8 ds[ax]" },
	{ 64, "66ff30", "3 0:ff o2 a8 /6 w2 ds[ax]" },
	{ 32, "ff30", "2 0:ff o4 a4 /6 w4 ds[ax]" },
	{ 64, "8f00", "2 0:8f o8 a8 /0 w8 ds[ax]" },
	{ 64, "c7f800000000", "6 0:c7 o4 a8 /7 r0 #0" },
	/* what one mode has and another has not */
	{ 64, "06", "-1" },
	{ 32, "06", "1 0:06 o4 a4" },
	{ 64, "ea", "-1" },
	{ 64, "d6", "-1" },
	{ 32, "d6", "1 0:d6 o4 a4" },
	{ 32, "c408", "2 0:c4 o4 a4 /1 w6 ds[ax]" },
	{ 64, "c408", "0" },
	{ 32, "6208", "2 0:62 o4 a4 /1 w8 ds[ax]" },
	{ 32, "62c0", "0" },
	{ 32, "630f", "2 0:63 o4 a4 /1 w2 ds[di]" },
	{ 64, "630f", "2 0:63 o4 a8 /1 w4 ds[di]" },
	{ 64, "48630f", "3 0:63 o8 a8 /1 w4 ds[di]" },
	{ 64, "66630f", "3 0:63 o2 a8 /1 w2 ds[di]" },
	{ 32, "408b00", "1 0:40 o4 a4" },
	{ 64, "408b00", "3 0:8b o4 a8 /0 w4 ds[ax]" },
	/* what is intercepted */
	{ 64, "0fa2", "2 1:a2 o4 a8" },
	{ 64, "0f32", "2 1:32 o4 a8" },
	{ 64, "0f30", "2 1:30 o4 a8" },
	{ 64, "f4", "1 0:f4 o4 a8" },
	{ 64, "e460", "2 0:e4 o1 a8 #60" },
	{ 64, "e560", "2 0:e5 o4 a8 #60" },
	{ 64, "66ed", "2 0:ed o2 a8" },
	{ 64, "ee", "1 0:ee o1 a8" },
	{ 64, "0f20c0", "3 1:20 o8 a8 /0 r0" },
	{ 64, "0f2000", "3 1:20 o8 a8 /0 r0" },
	{ 32, "0f22d8", "3 1:22 o4 a4 /3 r0" },
	{ 64, "440f20c0", "4 1:20 o8 a8 /8 r0" },
	{ 64, "0f23f8", "3 1:23 o8 a8 /7 r0" },
	{ 64, "0f01f8", "3 1:01 o4 a8 /7 r0" },
	{ 64, "0f013f", "3 1:01 o4 a8 /7 w0 ds[di]" },
	{ 64, "0f0117", "3 1:01 o8 a8 /2 w10 ds[di]" },
	{ 32, "0f0117", "3 1:01 o4 a4 /2 w6 ds[di]" },
	{ 64, "0f00d8", "3 1:00 o4 a8 /3 r0" },
	{ 64, "0f0b", "2 1:0b o4 a8" },
	{ 64, "f1", "1 0:f1 o4 a8" },
	/* strings */
	{ 64, "6c", "1 0:6c o1 a8 w1 ds[di]" },
	{ 64, "f36d", "2 0:6d o4 a8 w4 ds[di]" },
	{ 64, "48f36d", "3 0:6d o4 a8 w4 ds[di]" },
	{ 64, "66f36f", "3 0:6f o2 a8 w2 ds[si]" },
	{ 64, "a4", "1 0:a4 o1 a8 w1 ds[si][di]" },
	{ 64, "48a5", "2 0:a5 o8 a8 w8 ds[si][di]" },
	{ 64, "f3a5", "2 0:a5 o4 a8 w4 ds[si][di]" },
	{ 64, "f348a5", "3 0:a5 o8 a8 w8 ds[si][di]" },
	{ 64, "f367a5", "3 0:a5 o4 a4 w4 ds[si][di]" },
	{ 64, "64f3a4", "3 0:a4 o1 a8 w1 fs[si][di]" },
	{ 16, "f3ab", "2 0:ab o2 a2 w2 ds[di]" },
	{ 64, "d7", "1 0:d7 o1 a8 w1 ds[bx+al]" },
	/* extended integers */
	{ 64, "0fb608", "3 1:b6 o4 a8 /1 w1 ds[ax]" },
	{ 64, "400fb6c4", "4 1:b6 o4 a8 /0 r4" },
	{ 64, "480fb708", "4 1:b7 o8 a8 /1 w2 ds[ax]" },
	{ 64, "660fbe08", "4 1:be o2 a8 /1 w1 ds[ax] pp1" },
	{ 64, "0fc708", "3 1:c7 o4 a8 /1 w8 ds[ax]" },
	{ 64, "f0480fc708", "5 1:c7 o8 a8 /1 w16 ds[ax]" },
	{ 64, "0f38f007", "4 2:f0 o4 a8 /0 w4 ds[di]" },
	{ 64, "660f38f107", "5 2:f1 o2 a8 /0 w2 ds[di] pp1" },
	{ 64, "f20f38f007", "5 2:f0 o1 a8 /0 w1 ds[di] pp3" },
	{ 64, "f2480f38f107", "6 2:f1 o8 a8 /0 w8 ds[di] pp3" },
	{ 64, "0f38f0c7", "-1" },
	{ 64, "f30fb8c1", "4 1:b8 o4 a8 /0 r1 pp2" },
	{ 64, "0fb8c1", "-1" },
	{ 64, "8c18", "2 0:8c o4 a8 /3 w2 ds[ax]" },
	{ 64, "8e08", "-1" },
	{ 64, "488d0500000000", "7 0:8d o8 a8 /0 w0 ds[ip+0]" },
	{ 64, "8dc0", "-1" },
	/* LOCK */
	{ 64, "f00fb10f", "4 1:b1 o4 a8 /1 w4 ds[di]" },
	{ 64, "f00fb1c1", "-1" },
	{ 64, "f08907", "-1" },
	{ 64, "f00fba2b05", "5 1:ba o4 a8 /5 w4 ds[bx] #5" },
	{ 64, "f00fba2305", "-1" },
	{ 64, "f08707", "3 0:87 o4 a8 /0 w4 ds[di]" },
	{ 64, "f0803f01", "-1" },
	{ 64, "f0830701", "4 0:83 o4 a8 /0 w4 ds[di] #1" },
	{ 64, "f00fa2", "-1" },
	/* x87, MMX, SSE by mandatory prefix */
	{ 64, "d807", "2 0:d8 o4 a8 /0 w4 ds[di]" },
	{ 64, "db2f", "2 0:db o4 a8 /5 w10 ds[di]" },
	{ 64, "df2f", "2 0:df o4 a8 /5 w8 ds[di]" },
	{ 64, "d90f", "-1" },
	{ 64, "dbe3", "2 0:db o4 a8 /4 r3" },
	{ 64, "0f6f07", "3 1:6f o4 a8 /0 w8 ds[di]" },
	{ 64, "660f6f07", "4 1:6f o2 a8 /0 w16 ds[di] pp1" },
	{ 64, "f30f6f07", "4 1:6f o4 a8 /0 w16 ds[di] pp2" },
	{ 64, "f20f6f07", "-1" },
	{ 64, "f3660f6f07", "5 1:6f o2 a8 /0 w16 ds[di] pp2" },
	{ 64, "66f30f1007", "5 1:10 o2 a8 /0 w4 ds[di] pp2" },
	{ 64, "660f2807", "4 1:28 o2 a8 /0 w16 ds[di] pp1" },
	{ 64, "f20f5807", "4 1:58 o4 a8 /0 w8 ds[di] pp3" },
	{ 64, "0fae07", "3 1:ae o4 a8 /0 w0 ds[di]" },
	{ 64, "0faef0", "3 1:ae o4 a8 /6 r0" },
	{ 64, "f3480faec8", "5 1:ae o8 a8 /1 r0 pp2" },
	{ 64, "660f3a0f0708", "6 3:0f o2 a8 /0 w16 ds[di] #8 pp1" },
	{ 64, "0f3a0f0708", "5 3:0f o4 a8 /0 w8 ds[di] #8" },
	{ 64, "66480f3a160708", "7 3:16 o8 a8 /0 w8 ds[di] #8 pp1" },
	{ 64, "0f0f070d", "4 1:0f o4 a8 /0 w8 ds[di] #d" },
	/* VEX, EVEX, XOP */
	{ 64, "c5f877", "3 1:77 o4 a8 vex2 v0 l0" },
	{ 64, "c5fc2807", "4 1:28 o4 a8 /0 w0 ds[di] vex2 v0 l1" },
	{ 64, "c4e27d1807", "5 2:18 o4 a8 /0 w0 ds[di] pp1 vex3 v0 l1" },
	{ 64, "c4c17a6f4508", "6 1:6f o4 a8 /0 w0 ds[r13+8] pp2 vex3 v0 l0" },
	{ 64, "c4e3790f070a", "6 3:0f o4 a8 /0 w0 ds[di] #a pp1 vex3 v0 l0" },
	{ 64, "66c5fc2807", "-1" },
	{ 64, "48c5fc2807", "-1" },
	{ 64, "67c5fc2807", "5 1:28 o4 a4 /0 w0 ds[di] vex2 v0 l1" },
	{ 64, "c4e2fd9044e500", "7 2:90 o8 a8 /0 w0 ss[bp+v4*8+0] pp1 vex3 v0 l1" },
	{ 64, "c4e400c0", "-1" },
	{ 64, "62f1fe486f4701", "7 1:6f o8 a8 /0 w0 ds[di+1] pp2 vex4 v0 l2" },
	{ 64, "62617c48280425ffffff7f", "11 1:28 o4 a8 /24 w0 ds[+7fffffff] vex4 v0 l2" },
	{ 64, "62f27d4992442000", "8 2:92 o4 a8 /0 w0 ds[ax+v4*1+0] pp1 vex4 v0 l2" },
	{ 64, "62f97c48280425ffffff7f", "-1" },
	{ 32, "c5fc2807", "4 1:28 o4 a4 /0 w0 ds[di] vex2 v0 l1" },
	{ 32, "c48000000000", "6 0:c4 o4 a4 /0 w6 ds[ax+0]" },
	{ 64, "8fe878c2ec0e", "6 8:c2 o4 a8 /5 r4 #e vex3 v0 l0" },
	/* prefixes: REX counts just before the opcode */
	{ 64, "4866890f", "4 0:89 o2 a8 /1 w2 ds[di]" },
	{ 64, "4840890f", "4 0:89 o4 a8 /1 w4 ds[di]" },
	{ 64, "40410fb6c4", "5 1:b6 o4 a8 /0 r12" },
	{ 64, "f30f1efa", "4 1:1e o4 a8 /7 r2 pp2" },
	{ 64, "f390", "2 0:90 o4 a8" },
	{ 64, "0f1f440000", "5 1:1f o4 a8 /0 w0 ds[ax+ax*1+0]" },
	{ 64, "6666666666662e0f1f840000000000", "15 1:1f o2 a8 /0 w0 ds[ax+ax*1+0] pp1" },
	{ 64, "666666666666662e0f1f840000000000", "-2" },
	{ 64, "666666666666666666666666666666", "-2" },
	{ 64, "6666666666666666666666666666", "0" },
	{ 64, "666666666666666666666666664889", "-2" },
	/* nothing */
	{ 64, "0f04", "-1" },
	{ 64, "0f2400", "-1" },
	{ 64, "0fba0305", "-1" },
	{ 64, "fff8", "-1" },
	{ 64, "8fc0", "2 0:8f o8 a8 /0 r0" },
};

static enum x86_mode mode_of(u32 bits)
{
	return bits == 64 ? X86_MODE64 : bits == 32 ? X86_MODE32 : X86_MODE16;
}

static u32 bytes_of(const char *hex, u8 *to)
{
	u32 n = 0;

	for (unsigned b; sscanf(hex + 2 * n, "%2x", &b) == 1; n++)
		to[n] = (u8)b;
	return n;
}

static void every_row(void **unused)
{
	(void)unused;
	for (const struct row *r = rows; r < rows + ARRAY_LEN(rows); r++) {
		u8 bytes[32];
		char got[200];
		struct x86_insn i;
		int len = x86_decode(bytes, bytes_of(r->hex, bytes), mode_of(r->bits), &i);

		if (len > 0)
			text_of(&i, got, sizeof(got));
		else
			snprintf(got, sizeof(got), "%d", len);
		if (strcmp(got, r->text) || (len > 0 && len != i.len))
			fail_msg("%u %s: %s, not %s", r->bits, r->hex, got, r->text);
	}
}

/* Each beginning of an instruction wants more; what follows it does not matter. */
static void beginnings(void **unused)
{
	(void)unused;
	for (const struct row *r = rows; r < rows + ARRAY_LEN(rows); r++) {
		u8 bytes[32];
		char text[200];
		struct x86_insn i;
		u32 n = bytes_of(r->hex, bytes);
		int len = x86_decode(bytes, n, mode_of(r->bits), &i);

		for (u32 cut = 0; (int)cut < len; cut++)
			assert_int_equal(x86_decode(bytes, cut, mode_of(r->bits), &i), X86_MORE);
		if (len <= 0)
			continue;
		memset(bytes + len, 0xff, sizeof(bytes) - (u32)len);
		assert_int_equal(x86_decode(bytes, 32, mode_of(r->bits), &i), len);
		text_of(&i, text, sizeof(text));
		assert_string_equal(text, r->text);
		assert_int_equal(x86_insn_length(bytes, (u32)len, mode_of(r->bits)), len);
	}
}

/* Any number of prefixes: 14 and an opcode are an instruction, 15 are too many. */
static void fifteen(void **unused)
{
	static const u8 prefix[] = { 0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
	u8 bytes[16];

	(void)unused;
	for (u32 p = 0; p < ARRAY_LEN(prefix); p++)
		for (u32 n = 0; n <= 15; n++) {
			memset(bytes, prefix[p], n);
			bytes[n] = 0x90;
			assert_int_equal(x86_insn_length(bytes, n + 1, X86_MODE64),
					 n < 15 ? (int)n + 1 : X86_TOO_LONG);
			assert_int_equal(x86_insn_length(bytes, n, X86_MODE64),
					 n < 15 ? X86_MORE : X86_TOO_LONG);
		}
}

/* The second time is the same as the first, and anything that differs is decoded anew. */
static void recent(void **unused)
{
	u8 bytes[16] = { 0x8b, 0x40, 0x08, 0x90, [14] = 0x90 };
	struct x86_recent r = { 0 };

	(void)unused;
	for (u32 n = 0; n < 2; n++) {
		assert_int_equal(x86_decode_recent(&r, bytes, X86_MODE64), 3);
		assert_int_equal(r.insn.disp, 8);
		assert_int_equal(r.insn.asize, 8);
	}
	assert_int_equal(x86_decode_recent(&r, bytes, X86_MODE32), 3);
	assert_int_equal(r.insn.asize, 4);
	bytes[2] = 9;
	assert_int_equal(x86_decode_recent(&r, bytes, X86_MODE32), 3);
	assert_int_equal(r.insn.disp, 9);
	bytes[0] = 0x0f, bytes[1] = 0x04;
	for (u32 n = 0; n < 2; n++)
		assert_int_equal(x86_decode_recent(&r, bytes, X86_MODE32), X86_INVALID);
	memset(bytes, 0, sizeof(bytes));
	memset(&r, 0, sizeof(r));
	assert_int_equal(x86_decode_recent(&r, bytes, X86_MODE16), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row), cmocka_unit_test(beginnings),
		cmocka_unit_test(fifteen), cmocka_unit_test(recent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
