/*
 * What a guest's HVC #0 asks of firmware, answered by FVP itself: Power State Coordination
 * Interface 1.1 (DEN 0022), the SMC calling convention's own calls 1.1 (DEN 0028) and true random
 * numbers 1.0 (DEN 0098). What is absent (migration, SYSTEM_SUSPEND, statistics) says so.
 *
 * A call comes as EXIT_HYPERCALL with x0 = function, x1 to x3 = arguments; pc is past the HVC. The
 * answer is x0, and x1 to x3 if there is more. Bit 30 of the function: 64-bit arguments.
 */
#include "engine/front/a64/state.h"
#include "engine/isa.h"
#include "guests/virt_a64.h"
#include "kernel/base/str.h"

enum psci_result {	/* PSCI 5.2.2 */
	PSCI_SUCCESS = 0,
	PSCI_NOT_SUPPORTED = -1,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_ALREADY_ON = -4,
	PSCI_INTERNAL_FAILURE = -6,
	PSCI_INVALID_ADDRESS = -9,
};

enum {
	FUNCTION_64 = 1 << 30,
	SMCCC_VERSION = 0x10001,
	PSCI_VERSION = 0x10001,
	PSCI_ON = 0, PSCI_OFF = 1,			/* AFFINITY_INFO */
	PSCI_MIGRATION_NOT_NEEDED = 2,
	SUSPEND_RESERVED = (int)0xfcfe0000,		/* power_state, original format */
	TRNG_VERSION = 0x10000,
	TRNG_NO_ENTROPY = -3,
};

struct psci_call {
	struct vcpu *v;
	struct vm *vm;
	bool wide;		/* 64-bit arguments */
	u64 arg[3];
	bool has_more;
	u64 more[3];		/* for x1 to x3, if has_more says so; not cleared before */
};

static s64 psci_find(u32 function);

/* The CPU of that affinity (bits as in MPIDR, nothing else set), or NULL. */
static struct vcpu *psci_cpu(const struct vm *vm, u64 affinity)
{
	for (u32 i = 0; i < vm->vcpus; i++)
		if (a64_affinity(i) == affinity)
			return &vm->vcpu[i];
	return NULL;
}

/* ---- PSCI, chapter 5 ---------------------------------------------------------------------- */

static s64 psci_version(struct psci_call *c)
{
	return PSCI_VERSION;
}

/* No sleep here loses state, so every kind of it is WFI. */
static s64 psci_cpu_suspend(struct psci_call *c)
{
	if (c->arg[0] & (u32)SUSPEND_RESERVED)
		return PSCI_INVALID_PARAMETERS;
	c->v->g.halted = true;
	return PSCI_SUCCESS;
}

static s64 psci_cpu_off(struct psci_call *c)
{
	vcpu_power_off(c->v);
	return PSCI_SUCCESS;			/* nobody is left to see it */
}

static s64 psci_cpu_on(struct psci_call *c)
{
	struct virt *b = virt_of(c->vm);
	struct vcpu *v = psci_cpu(c->vm, c->arg[0]);
	s64 result = PSCI_ALREADY_ON;

	if (!v)
		return PSCI_INVALID_PARAMETERS;
	if (c->arg[1] % 4 || !space_ptr(&c->vm->space, c->arg[1], 4, false))
		return PSCI_INVALID_ADDRESS;
	lock_take(&b->power);
	if (vcpu_is_off(v)) {
		a64_start(&v->g, c->arg[1], c->arg[2]);
		result = vcpu_power_on(v) ? PSCI_INTERNAL_FAILURE : PSCI_SUCCESS;
	}
	lock_drop(&b->power);
	return result;
}

/* Of a CPU, or (lowest level 1 to 3) of all below a node of the affinity tree. */
static s64 psci_affinity_info(struct psci_call *c)
{
	u64 level = c->arg[1], below = MASK(8 * MIN(level, 3));
	s64 result = PSCI_INVALID_PARAMETERS;

	if (level > 3)
		return result;
	for (u32 i = 0; i < c->vm->vcpus; i++) {
		if ((a64_affinity(i) | below) != (c->arg[0] | below))
			continue;
		if (!vcpu_is_off(&c->vm->vcpu[i]))
			return PSCI_ON;
		result = PSCI_OFF;
	}
	return result;
}

static s64 psci_migrate_info_type(struct psci_call *c)
{
	return PSCI_MIGRATION_NOT_NEEDED;
}

/* The CPU sleeps until CPU 0's loop has ended its machine. */
static s64 psci_end(struct psci_call *c, enum shutdown_how how)
{
	vm_shutdown(c->vm, how, 0);
	c->v->g.halted = true;
	return PSCI_INTERNAL_FAILURE;
}

static s64 psci_system_off(struct psci_call *c)
{
	return psci_end(c, SHUTDOWN_POWEROFF);
}

static s64 psci_system_reset(struct psci_call *c)
{
	return psci_end(c, SHUTDOWN_REBOOT);
}

/* Type 0 is a warm reset, which is as cold as any here; vendors' types have bit 31. */
static s64 psci_system_reset2(struct psci_call *c)
{
	u32 type = (u32)c->arg[0];

	if (type)
		return type >> 31 ? PSCI_NOT_SUPPORTED : PSCI_INVALID_PARAMETERS;
	return psci_end(c, SHUTDOWN_REBOOT);
}

static s64 psci_features(struct psci_call *c)
{
	return psci_find((u32)c->arg[0]) < 0 ? PSCI_NOT_SUPPORTED : 0;
}

/* ---- the calling convention, chapter 7 ------------------------------------------------------ */

static s64 smccc_version(struct psci_call *c)
{
	return SMCCC_VERSION;
}

/* ---- TRNG ----------------------------------------------------------------------------------- */

static s64 trng_version(struct psci_call *c)
{
	return TRNG_VERSION;
}

/* An identifier of this back end, random once and fixed for ever. */
static s64 trng_uuid(struct psci_call *c)
{
	c->has_more = true;
	c->more[0] = 0x4ea1b7d9;
	c->more[1] = 0x03c5226f;
	c->more[2] = 0xa8f07e14;
	return 0x6d31590b;
}

/* Up to three registers' worth of bits, the lowest in x3. */
static s64 trng_rnd(struct psci_call *c)
{
	u32 width = c->wide ? 64 : 32;
	u64 bits = c->arg[0];
	struct rng *rng = virt_rng(c->vm);

	if (!bits || bits > 3 * width)
		return PSCI_INVALID_PARAMETERS;
	memset(c->more, 0, sizeof(c->more));
	for (u32 i = 3; i-- && bits; bits -= MIN(bits, width)) {
		if (!rng || rng_read(rng, &c->more[i], sizeof(c->more[i])) != OK)
			return TRNG_NO_ENTROPY;
		c->more[i] &= MASK(MIN(bits, width));
	}
	c->has_more = true;
	return PSCI_SUCCESS;
}

/* ---- dispatch ------------------------------------------------------------------------------- */

static const struct {
	u32 function;
	bool wide_too;		/* with FUNCTION_64 as well */
	s64 (*call)(struct psci_call *c);
} functions[] = {
	{ 0x80000000, false, smccc_version },
	{ 0x80000001, false, psci_features },		/* ARCH_FEATURES */
	{ 0x84000000, false, psci_version },
	{ 0x84000001, true, psci_cpu_suspend },
	{ 0x84000002, false, psci_cpu_off },
	{ 0x84000003, true, psci_cpu_on },
	{ 0x84000004, true, psci_affinity_info },
	{ 0x84000006, false, psci_migrate_info_type },
	{ 0x84000008, false, psci_system_off },
	{ 0x84000009, false, psci_system_reset },
	{ 0x8400000a, false, psci_features },
	{ 0x84000012, true, psci_system_reset2 },
	{ 0x84000050, false, trng_version },
	{ 0x84000051, false, psci_features },
	{ 0x84000052, false, trng_uuid },
	{ 0x84000053, true, trng_rnd },
};

/* Its row, or -1. */
static s64 psci_find(u32 function)
{
	for (u32 i = 0; i < ARRAY_LEN(functions); i++)
		if (functions[i].function == function ||
		    (functions[i].wide_too && (functions[i].function | FUNCTION_64) == function))
			return i;
	return -1;
}

void psci(struct vcpu *v)
{
	struct a64_state *st = v->g.st;
	u32 function = (u32)st->x[0];
	u64 mask = function & FUNCTION_64 ? UINT64_MAX : UINT32_MAX;
	struct psci_call c;
	s64 row = psci_find(function);

	c.v = v;
	c.vm = v->vm;
	c.wide = function & FUNCTION_64;
	c.has_more = false;
	for (u32 i = 0; i < ARRAY_LEN(c.arg); i++)
		c.arg[i] = st->x[1 + i] & mask;
	st->x[0] = (u64)(row < 0 ? PSCI_NOT_SUPPORTED : functions[row].call(&c));
	for (u32 i = 0; c.has_more && i < ARRAY_LEN(c.more); i++)
		st->x[1 + i] = c.more[i];
}
