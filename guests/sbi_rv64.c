/*
 * The supervisor binary interface that FVP answers itself when no firmware is configured: RISC-V
 * SBI 2.0, extensions base, TIME, IPI, RFENCE, HSM, SRST, DBCN and the legacy calls. PMU, SUSP,
 * CPPC, NACL and STA are absent and say so.
 *
 * A call comes as EXIT_HYPERCALL with a7 = extension, a6 = function, a0..a5 = arguments; pc is
 * past the ECALL already. a0 = error and a1 = value are written back, except that legacy calls
 * (chapter 5) answer in a0 alone.
 *
 * Remote fences flush more than asked: whole TLBs. That is allowed, and walks are cheap here.
 */
#include "engine/front/rv64/state.h"
#include "engine/isa.h"
#include "guests/virt_rv64.h"
#include "kernel/base/str.h"

enum {
	REG_A0 = 10, REG_A1 = 11, REG_A6 = 16, REG_A7 = 17,
};

enum sbi_error {	/* chapter 3, table 1 */
	SBI_SUCCESS = 0,
	SBI_ERR_FAILED = -1,
	SBI_ERR_NOT_SUPPORTED = -2,
	SBI_ERR_INVALID_PARAM = -3,
	SBI_ERR_DENIED = -4,
	SBI_ERR_INVALID_ADDRESS = -5,
	SBI_ERR_ALREADY_AVAILABLE = -6,
};

enum {
	SBI_SPEC_VERSION = 2 << 24,
	SBI_IMPL_ID = 0x465650,		/* "FVP"; not registered */
	SBI_IMPL_VERSION = 0x000100,
};

struct sbi_call {
	struct vcpu *v;
	struct vm *vm;
	u64 fid;
	u64 arg[6];
	u64 value;		/* for a1; legacy: for a0 */
};

/* ---- hart masks -------------------------------------------------------------------------- */

/* Chapter 3: @mask from hart @base on, or all if that is -1. False: some of them do not exist. */
static bool sbi_harts(const struct vm *vm, u64 mask, u64 base, u64 *out)
{
	u64 all = MASK(vm->vcpus);

	if (base == UINT64_MAX) {
		*out = all;
		return true;
	}
	if (mask == 0) {
		*out = 0;
		return base < vm->vcpus;
	}
	if (base >= vm->vcpus || mask & ~(all >> base))
		return false;
	*out = mask << base;
	return true;
}

_Static_assert(VIRT_HARTS <= 64, "a set of harts is a u64");
#define each_hart(i, set) \
	for (u64 i##_left = (set), i; i##_left && (i = (u64)__builtin_ctzll(i##_left), true); \
	     i##_left &= i##_left - 1)

static void sbi_send_ipi(struct vm *vm, u64 harts)
{
	each_hart(i, harts)
		if (!vcpu_is_off(&vm->vcpu[i]))
			gcpu_line(&vm->vcpu[i].g, IRQ_SSI, true);
}

/*
 * Post to all, then wait until each has obeyed or is outside its guest, where it obeys first.
 * We are outside ours, so two harts that fence each other do not wait for ever.
 */
static void sbi_request(struct vm *vm, u64 harts, u32 requests)
{
	each_hart(i, harts)
		gcpu_request(&vm->vcpu[i].g, requests);
	each_hart(i, harts) {
		struct gcpu *g = &vm->vcpu[i].g;

		while (atomic_load(&g->in_guest) && (atomic_load(&g->requests) & requests))
			host_relax();
	}
}

/* ---- base, chapter 4 ---------------------------------------------------------------------- */

static bool sbi_has(u64 eid);

static enum sbi_error sbi_base(struct sbi_call *c)
{
	switch (c->fid) {
	case 0: c->value = SBI_SPEC_VERSION; break;
	case 1: c->value = SBI_IMPL_ID; break;
	case 2: c->value = SBI_IMPL_VERSION; break;
	case 3: c->value = sbi_has(c->arg[0]); break;
	case 4: case 5: case 6: c->value = 0; break;	/* mvendorid, marchid, mimpid */
	default: return SBI_ERR_NOT_SUPPORTED;
	}
	return SBI_SUCCESS;
}

/* ---- TIME, IPI, RFENCE: chapters 6, 7, 8 --------------------------------------------------- */

static enum sbi_error sbi_time(struct sbi_call *c)
{
	if (c->fid != 0)
		return SBI_ERR_NOT_SUPPORTED;
	rv64_set_stimecmp(&c->v->g, c->arg[0]);
	return SBI_SUCCESS;
}

static enum sbi_error sbi_ipi(struct sbi_call *c)
{
	u64 harts;

	if (c->fid != 0)
		return SBI_ERR_NOT_SUPPORTED;
	if (!sbi_harts(c->vm, c->arg[0], c->arg[1], &harts))
		return SBI_ERR_INVALID_PARAM;
	sbi_send_ipi(c->vm, harts);
	return SBI_SUCCESS;
}

static enum sbi_error sbi_rfence(struct sbi_call *c)
{
	/* FENCE.I, SFENCE.VMA, the same for an ASID */
	static const u32 requests[] = { REQ_FENCE_I, REQ_TLB, REQ_TLB };
	u64 harts, start = c->arg[2], size = c->arg[3];

	if (c->fid >= ARRAY_LEN(requests))
		return SBI_ERR_NOT_SUPPORTED;		/* HFENCE: there is no H extension */
	if (!sbi_harts(c->vm, c->arg[0], c->arg[1], &harts))
		return SBI_ERR_INVALID_PARAM;
	if (c->fid && size != UINT64_MAX && start + size < start)
		return SBI_ERR_INVALID_ADDRESS;
	sbi_request(c->vm, harts, requests[c->fid]);
	return SBI_SUCCESS;
}

/* ---- HSM, chapter 9 ------------------------------------------------------------------------ */

enum {
	HSM_STARTED = 0,
	HSM_STOPPED = 1,
	HSM_SUSPEND_RETENTIVE = 0,
	HSM_SUSPEND_NON_RETENTIVE = 0x80000000,
	HSM_PLATFORM = 0x10000000,	/* the first of the platform's types, apart from bit 31 */
};

static enum sbi_error sbi_hart_start(struct sbi_call *c)
{
	struct virt *b = c->vm->board_data;
	enum sbi_error result = SBI_ERR_ALREADY_AVAILABLE;
	struct vcpu *v;

	if (c->arg[0] >= c->vm->vcpus)
		return SBI_ERR_INVALID_PARAM;
	if (c->arg[1] % 2 || !space_ptr(&c->vm->space, c->arg[1], 2, false))
		return SBI_ERR_INVALID_ADDRESS;
	v = &c->vm->vcpu[c->arg[0]];
	lock_take(&b->power);
	if (vcpu_is_off(v)) {
		gcpu_line(&v->g, IRQ_SSI, false);	/* sent in an earlier life */
		rv64_start(&v->g, c->arg[1], c->arg[0], c->arg[2], false);
		result = vcpu_power_on(v) ? SBI_ERR_FAILED : SBI_SUCCESS;
	}
	lock_drop(&b->power);
	return result;
}

/* Retentive suspend is WFI; there is no deeper sleep that would lose state, so no other kind. */
static enum sbi_error sbi_hart_suspend(struct sbi_call *c)
{
	u32 type = (u32)c->arg[0];

	if (type == HSM_SUSPEND_RETENTIVE) {
		c->v->g.halted = true;
		return SBI_SUCCESS;
	}
	if (type == HSM_SUSPEND_NON_RETENTIVE ||
	    (type & ~HSM_SUSPEND_NON_RETENTIVE) >= HSM_PLATFORM)
		return SBI_ERR_NOT_SUPPORTED;
	return SBI_ERR_INVALID_PARAM;
}

static enum sbi_error sbi_hsm(struct sbi_call *c)
{
	switch (c->fid) {
	case 0:
		return sbi_hart_start(c);
	case 1:
		vcpu_power_off(c->v);
		return SBI_SUCCESS;		/* nobody is left to see it */
	case 2:
		if (c->arg[0] >= c->vm->vcpus)
			return SBI_ERR_INVALID_PARAM;
		c->value = vcpu_is_off(&c->vm->vcpu[c->arg[0]]) ? HSM_STOPPED : HSM_STARTED;
		return SBI_SUCCESS;
	case 3:
		return sbi_hart_suspend(c);
	}
	return SBI_ERR_NOT_SUPPORTED;
}

/* ---- SRST, chapter 10 ---------------------------------------------------------------------- */

enum {
	SRST_SHUTDOWN = 0,
	SRST_COLD_REBOOT = 1,
	SRST_WARM_REBOOT = 2,
	SRST_NO_REASON = 0,
	SRST_SYSTEM_FAILURE = 1,
	SRST_PLATFORM = 0xf0000000,	/* the first of the platform's types, and of its reasons */
	SRST_PLATFORM_REASON = 0xe0000000,
};

static enum sbi_error sbi_srst(struct sbi_call *c)
{
	u32 type = (u32)c->arg[0], reason = (u32)c->arg[1];

	if (c->fid != 0)
		return SBI_ERR_NOT_SUPPORTED;
	if (type >= SRST_PLATFORM || reason >= SRST_PLATFORM_REASON)
		return SBI_ERR_NOT_SUPPORTED;
	if (type > SRST_WARM_REBOOT || reason > SRST_SYSTEM_FAILURE)
		return SBI_ERR_INVALID_PARAM;
	if (type != SRST_SHUTDOWN)
		vm_shutdown(c->vm, SHUTDOWN_REBOOT, 0);
	else if (reason == SRST_SYSTEM_FAILURE)
		vm_shutdown(c->vm, SHUTDOWN_FAIL, 1);
	else
		vm_shutdown(c->vm, SHUTDOWN_POWEROFF, 0);
	return SBI_SUCCESS;
}

/* ---- DBCN, chapter 12 ---------------------------------------------------------------------- */

#define DBCN_CHUNK	256	/* bytes moved per call at most; callers go on where we stopped */

static struct chr *sbi_console(const struct sbi_call *c)
{
	return ((struct virt *)c->vm->board_data)->console;
}

static enum sbi_error sbi_console_write(struct sbi_call *c)
{
	u8 buf[DBCN_CHUNK];
	u64 len = MIN(c->arg[0], sizeof(buf));

	if (c->arg[2] || space_read(&c->vm->space, c->arg[1], buf, len))
		return SBI_ERR_INVALID_PARAM;
	c->value = chr_write(sbi_console(c), buf, len);
	return SBI_SUCCESS;
}

static enum sbi_error sbi_console_read(struct sbi_call *c)
{
	u8 buf[DBCN_CHUNK];
	u64 len = MIN(c->arg[0], sizeof(buf));

	/* Looked at before input is taken: what cannot be delivered must not be lost. */
	if (c->arg[2] || (len && !space_ptr(&c->vm->space, c->arg[1], len, true)))
		return SBI_ERR_INVALID_PARAM;
	len = chr_read(sbi_console(c), buf, len);
	c->value = len;
	return space_write(&c->vm->space, c->arg[1], buf, len) ? SBI_ERR_FAILED : SBI_SUCCESS;
}

static bool sbi_put_byte(struct sbi_call *c)
{
	u8 byte = (u8)c->arg[0];

	return chr_write(sbi_console(c), &byte, 1) == 1;
}

static enum sbi_error sbi_dbcn(struct sbi_call *c)
{
	switch (c->fid) {
	case 0: return sbi_console_write(c);
	case 1: return sbi_console_read(c);
	case 2: return sbi_put_byte(c) ? SBI_SUCCESS : SBI_ERR_FAILED;
	}
	return SBI_ERR_NOT_SUPPORTED;
}

/* ---- legacy, chapter 5: the answer is one number, in ->value -------------------------------- */

static void legacy_set_timer(struct sbi_call *c)
{
	rv64_set_stimecmp(&c->v->g, c->arg[0]);
}

static void legacy_putchar(struct sbi_call *c)
{
	if (!sbi_put_byte(c))
		c->value = (u64)SBI_ERR_FAILED;
}

static void legacy_getchar(struct sbi_call *c)
{
	u8 byte;

	c->value = chr_read(sbi_console(c), &byte, 1) ? byte : (u64)-1;
}

static void legacy_clear_ipi(struct sbi_call *c)
{
	gcpu_line(&c->v->g, IRQ_SSI, false);
}

/* The mask lies at a guest virtual address, 0 standing for every hart. False: no such mask. */
static bool legacy_harts(struct sbi_call *c, u64 *harts)
{
	struct gcpu *g = &c->v->g;
	gva_t va = c->arg[0];
	u64 mask;

	if (!va)
		return sbi_harts(c->vm, 0, UINT64_MAX, harts);
	if (va % 8)
		return false;
	if (!g->isa->fill(g, va, 8, ACCESS_READ)) {
		g->xcpt.pending = false;	/* it is the call that fails, not an instruction */
		return false;
	}
	if (space_read(&c->vm->space, g->fill_gpa, &mask, sizeof(mask)))
		return false;
	return sbi_harts(c->vm, mask, 0, harts);
}

static void legacy_send_ipi(struct sbi_call *c)
{
	u64 harts;

	if (legacy_harts(c, &harts))
		sbi_send_ipi(c->vm, harts);
	else
		c->value = (u64)SBI_ERR_INVALID_ADDRESS;
}

static void legacy_fence(struct sbi_call *c, u32 requests)
{
	u64 harts;

	if (legacy_harts(c, &harts))
		sbi_request(c->vm, harts, requests);
	else
		c->value = (u64)SBI_ERR_INVALID_ADDRESS;
}

static void legacy_fence_i(struct sbi_call *c)
{
	legacy_fence(c, REQ_FENCE_I);
}

static void legacy_fence_vma(struct sbi_call *c)
{
	legacy_fence(c, REQ_TLB);
}

static void legacy_shutdown(struct sbi_call *c)
{
	vm_shutdown(c->vm, SHUTDOWN_POWEROFF, 0);
}

static void (*const legacy[])(struct sbi_call *c) = {
	legacy_set_timer, legacy_putchar, legacy_getchar, legacy_clear_ipi, legacy_send_ipi,
	legacy_fence_i, legacy_fence_vma, legacy_fence_vma, legacy_shutdown,
};

/* ---- dispatch -------------------------------------------------------------------------------- */

static const struct {
	u64 eid;
	enum sbi_error (*call)(struct sbi_call *c);
} extensions[] = {
	{ 0x10, sbi_base },
	{ 0x54494d45, sbi_time },
	{ 0x735049, sbi_ipi },
	{ 0x52464e43, sbi_rfence },
	{ 0x48534d, sbi_hsm },
	{ 0x53525354, sbi_srst },
	{ 0x4442434e, sbi_dbcn },
};

static bool sbi_has(u64 eid)
{
	for (u32 i = 0; i < ARRAY_LEN(extensions); i++)
		if (extensions[i].eid == eid)
			return true;
	return eid < ARRAY_LEN(legacy);
}

static enum sbi_error sbi_dispatch(struct sbi_call *c, u64 eid)
{
	for (u32 i = 0; i < ARRAY_LEN(extensions); i++)
		if (extensions[i].eid == eid)
			return extensions[i].call(c);
	return SBI_ERR_NOT_SUPPORTED;
}

void sbi_rv64(struct vcpu *v)
{
	struct rv64_state *st = v->g.st;
	struct sbi_call c = { .v = v, .vm = v->vm, .fid = st->x[REG_A6] };
	u64 eid = st->x[REG_A7];

	memcpy(c.arg, &st->x[REG_A0], sizeof(c.arg));
	if (eid < ARRAY_LEN(legacy)) {
		legacy[eid](&c);
		st->x[REG_A0] = c.value;
		return;
	}
	st->x[REG_A0] = (u64)(s64)sbi_dispatch(&c, eid);
	st->x[REG_A1] = c.value;
}
