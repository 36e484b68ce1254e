/*
 * What a guest is told by CPUID (SDM 2A; AMD APM 3, appendix E): a table. A row's answer is the
 * host's, masked, with bits added; what has no row is 0. Topology, APIC IDs and what depends on the
 * guest's own registers is filled in behind it.
 *
 * The masks name what is known to work in a guest, so that a feature of a later CPU stays off until
 * somebody has looked at it.
 */
#include "arch/x86_64/vt/vt.h"

#include <cpuid.h>

#define ANY	UINT32_MAX		/* subleaf: does not matter */
#define ALL	UINT32_MAX

enum { A, B, C, D };

struct row {
	u32 leaf, sub;
	u32 host[4];			/* bits taken from the host */
	u32 set[4];
};

#define BITS1_C	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) |	\
		 BIT(22) | BIT(23) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30))
#define X2APIC	BIT(21)
#define DEADLINE BIT(24)
#define HYPERVISOR BIT(31)
#define BITS1_D	0x0f8bfbffu		/* up to SSE2, less DS, ACPI, SS and what watches heat */
#define BITS7_B	(BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | BIT(18) |	\
		 BIT(19) | BIT(20) | BIT(23) | BIT(24) | BIT(29))
#define BITS7_C	(BIT(2) | BIT(9) | BIT(10) | BIT(22))
#define EXT_C	(BIT(0) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8))
#define EXT_D	(0x0183f3ffu | BIT(11) | BIT(20) | BIT(22) | BIT(25) | BIT(26) | BIT(27) | BIT(29))

static const struct row rows[] = {
	{ 0x1, ANY, { ALL, 0xff00, (u32)BITS1_C, BITS1_D },
	  { [C] = (u32)(X2APIC | DEADLINE | HYPERVISOR) } },
	{ 0x2, ANY, { ALL, ALL, ALL, ALL }, { 0 } },
	{ 0x4, ANY, { 0x3fff, ALL, ALL, ALL }, { 0 } },
	{ 0x6, ANY, { 0 }, { [A] = 1 << 2 } },		/* the APIC's timer never stops */
	{ 0x7, 0, { 0, (u32)BITS7_B, (u32)BITS7_C, 0 }, { 0 } },
	{ 0xd, 0, { 0, 0, ALL, 0 }, { 0 } },
	{ 0xd, 1, { 3, 0, 0, 0 }, { 0 } },		/* XSAVEOPT, XSAVEC */
	{ 0xd, 2, { ALL, ALL, ALL, 0 }, { 0 } },
	{ 0x15, ANY, { ALL, ALL, ALL, 0 }, { 0 } },
	{ 0x80000001, ANY, { ALL, ALL, (u32)EXT_C, (u32)EXT_D }, { 0 } },
	{ 0x80000002, ANY, { ALL, ALL, ALL, ALL }, { 0 } },
	{ 0x80000003, ANY, { ALL, ALL, ALL, ALL }, { 0 } },
	{ 0x80000004, ANY, { ALL, ALL, ALL, ALL }, { 0 } },
	{ 0x80000005, ANY, { ALL, ALL, ALL, ALL }, { 0 } },
	{ 0x80000006, ANY, { ALL, ALL, ALL, ALL }, { 0 } },
	{ 0x80000007, ANY, { 0 }, { [D] = 1 << 8 } },	/* the TSC never stops */
	{ 0x80000008, ANY, { 0xffff, 0, 0, 0 }, { 0 } },
};

#define LEAVES		32u		/* of a kind, at most */
#define LEAF_MAX	0x16u
#define LEAF_EXT_MAX	0x80000008u
/* KVM's leaves, for its clock: see pvclock.c. Nothing else of KVM's is there. */
#define LEAF_HYPERVISOR	0x40000000u
#define LEAF_KVM	0x40000001u
enum { KVM_NO_IO_DELAY = 1 << 1, KVM_CLOCK = 1 << 3, KVM_CLOCK_STABLE = 1 << 24 };
enum { CR4_OSXSAVE = 1 << 18 };

static void leaf_zero(u32 *r, u32 most)
{
	r[A] = MIN(r[A], most);
}

static void leaf_features(const struct vt_cpu *v, u32 *r)
{
	u32 cpus = v->g->cpus;

	r[B] |= v->g->index << 24 | MIN(cpus, 255u) << 16;
	if (cpus > 1)
		r[D] |= 1 << 28;		/* HTT: the count is valid */
	if (v->st->cr4 & CR4_OSXSAVE)
		r[C] |= 1 << 27;
}

/* Every CPU is a core of one package. */
static void leaf_topology(const struct vt_cpu *v, u32 sub, u32 *r)
{
	u32 cpus = v->g->cpus, bits = cpus > 1 ? 32 - (u32)__builtin_clz(cpus - 1) : 0;

	r[C] = sub & 0xff;
	r[D] = v->g->index;
	if (sub == 0) {
		r[B] = 1;
		r[C] |= 1 << 8;			/* threads */
	} else if (sub == 1) {
		r[A] = bits;
		r[B] = cpus;
		r[C] |= 2 << 8;			/* cores */
	}
}

/*
 * Sizes of the XSAVE image: for what is on now, and for all that can be. AVX's part is the last in
 * the compacted form (subleaf 1), too, and where it is in the other.
 */
static void leaf_xsave(const struct vt_cpu *v, u32 sub, u32 *r)
{
	u32 a, b, c, d, compacts = r[A] & 2;

	if (sub == 0)
		r[A] = (u32)vt_xcr0_mask();
	r[B] = r[C] = 576;
	if (vt_xcr0_mask() & 4 && __get_cpuid_count(0xd, 2, &a, &b, &c, &d)) {
		r[C] = a + b;
		if (v->st->xcr0 & 4)
			r[B] = a + b;
	}
	if (sub == 1) {
		r[B] = compacts ? r[B] : 0;
		r[C] = 0;
	}
}

static void leaf_fill(const struct vt_cpu *v, u32 leaf, u32 sub, u32 *r)
{
	static const char name[12] = "KVMKVMKVM\0\0";

	switch (leaf) {
	case 0:
		leaf_zero(r, LEAF_MAX);
		break;
	case 0x1:
		leaf_features(v, r);
		break;
	case 0x4:
		if (r[A] & 0x1f)
			r[A] |= (MIN(v->g->cpus, 64u) - 1) << 26;
		break;
	case 0xb:
		leaf_topology(v, sub, r);
		break;
	case 0xd:
		if (sub <= 1)
			leaf_xsave(v, sub, r);
		break;
	case LEAF_HYPERVISOR:
		r[A] = LEAF_KVM;
		__builtin_memcpy(&r[B], name, sizeof(name));
		break;
	case LEAF_KVM:
		r[A] = KVM_NO_IO_DELAY | KVM_CLOCK | KVM_CLOCK_STABLE;
		break;
	case 0x80000000:
		leaf_zero(r, LEAF_EXT_MAX);
		break;
	case 0x80000008:
		r[C] = v->g->cpus - 1;
		break;
	default:
		break;
	}
}

/* The first row of each leaf, plus 1: basic leaves, then extended ones. */
static u8 first[2][LEAVES];

static void rows_index(void)
{
	for (u32 i = ARRAY_LEN(rows); i-- > 0;)
		first[rows[i].leaf >> 31][rows[i].leaf % LEAVES] = (u8)(i + 1);
}

static const struct row *row_find(u32 leaf, u32 sub)
{
	u32 i;

	if ((leaf & ~BIT(31)) >= LEAVES)
		return NULL;
	if (unlikely(!first[0][1]))
		rows_index();
	i = first[leaf >> 31][leaf % LEAVES];
	for (; i && i <= ARRAY_LEN(rows) && rows[i - 1].leaf == leaf; i++)
		if (rows[i - 1].sub == ANY || rows[i - 1].sub == sub)
			return &rows[i - 1];
	return NULL;
}

void vt_cpuid(const struct vt_cpu *v)
{
	u64 *gpr = v->st->gpr;
	u32 leaf = (u32)gpr[X86_RAX], sub = (u32)gpr[X86_RCX], r[4] = { 0 };
	const struct row *row = row_find(leaf, sub);

	if (row || leaf == 0 || leaf == 0x80000000)
		__get_cpuid_count(leaf, sub, &r[A], &r[B], &r[C], &r[D]);
	for (u32 i = 0; row && i < 4; i++)
		r[i] = (r[i] & row->host[i]) | row->set[i];
	leaf_fill(v, leaf, sub, r);
	gpr[X86_RAX] = r[A];
	gpr[X86_RBX] = r[B];
	gpr[X86_RCX] = r[C];
	gpr[X86_RDX] = r[D];
}
