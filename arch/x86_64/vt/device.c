/*
 * Accesses to devices: the instruction is carried out step by step (engine/front/x86/access.h), its
 * accesses to memory here, those to devices by the kernel, which means leaving and coming back.
 * Plain IN and OUT, the most frequent, need no decoding: the exit says all about them.
 */
#include "arch/x86_64/vt/vt.h"
#include "kernel/base/fmt.h"
#include "kernel/base/str.h"

/* Ask the kernel for an access. */
static enum vt_next ask(struct vt_cpu *v, struct exit *x, enum exit_why why, gpa_t at, u32 len,
			bool write, u64 value)
{
	x->why = why;
	x->gpa = at;
	x->len = len;
	x->write = write;
	x->value = value;
	return VT_LEAVE;
}

static enum vt_next page_fault(struct vt_cpu *v, u64 va, u32 error)
{
	v->pending = VT_IDLE;
	v->st->cr2 = va;
	vt_raise_error(v->st, X86_V_PF, error);
	return VT_AGAIN;
}

/* Memory behind @va to the end of the access or of the page; NULL: a device, at *gpa. */
static bool reach(struct vt_cpu *v, u64 va, u32 len, bool write, gpa_t *gpa, u8 **host, u32 *error)
{
	u32 here = (u32)MIN(len, PAGE_SIZE - (va & ~PAGE_MASK));

	if (!vt_translate(v, va, write ? ACCESS_WRITE : ACCESS_READ, vt_is_user(v->st), gpa, error))
		return false;
	*host = space_ptr(v->g->space, *gpa, here, write);
	return true;
}

/* Memory in two pages, or false: one of them is a device, which gets the access as a whole. */
static bool in_two_pages(u8 *first, u32 here, u8 *second, u32 len, bool write, u64 *value)
{
	u8 bytes[8];

	if (!first || !second)
		return false;
	memcpy(bytes, value, sizeof(bytes));
	if (write) {
		memcpy(first, bytes, here);
		memcpy(second, bytes + here, len - here);
	} else {
		memcpy(bytes, first, here);
		memcpy(bytes + here, second, len - here);
		memcpy(value, bytes, sizeof(bytes));
	}
	return true;
}

/* The step's access to memory. True: *value is what was read; false: *next says how it goes on. */
static bool step_memory(struct vt_cpu *v, struct exit *x, u64 *value, enum vt_next *next)
{
	struct x86_access *a = &v->access;
	bool write = a->step == X86_WRITE;
	u32 here = (u32)MIN(a->width, PAGE_SIZE - (a->va & ~PAGE_MASK)), error = 0;
	u8 *host, *host2 = NULL;
	gpa_t gpa, gpa2;

	*value = write ? a->value : 0;
	if (!reach(v, a->va, a->width, write, &gpa, &host, &error)) {
		*next = page_fault(v, a->va, error);
		return false;
	}
	if (here < a->width && !reach(v, a->va + here, a->width - here, write, &gpa2, &host2,
				      &error)) {
		*next = page_fault(v, a->va + here, error);
		return false;
	}
	if (here == a->width && host) {
		memcpy(write ? host : (u8 *)value, write ? (u8 *)value : host, a->width);
		return true;
	}
	if (here < a->width && in_two_pages(host, here, host2, a->width, write, value))
		return true;
	*next = ask(v, x, EXIT_MMIO, gpa, a->width, write, a->value);
	return false;
}

/* Steps until one needs the kernel, or the instruction is done. */
static enum vt_next steps(struct vt_cpu *v, struct exit *x, enum x86_step step)
{
	struct x86_access *a = &v->access;
	enum vt_next next;
	u64 value;

	v->pending = VT_STEP;
	for (;;) {
		switch (step) {
		case X86_DONE:
			v->pending = VT_IDLE;
			if (!a->again || atomic_load(&v->g->attention))
				return VT_AGAIN;
			v->pending = VT_STEP;
			step = x86_access_begin(a, v->st, &v->insn);
			break;
		case X86_READ:
		case X86_WRITE:
			if (!step_memory(v, x, &value, &next))
				return next;
			step = x86_access_next(a, v->st, value);
			break;
		case X86_IN:
		case X86_OUT:
			return ask(v, x, EXIT_PIO, a->va, a->width, step == X86_OUT, a->value);
		case X86_REFUSED:
			v->pending = VT_IDLE;
			x->why = EXIT_FAIL;
			fmt_buf(x->text, sizeof(x->text), "%s to a device at %#llx, rip %#llx",
				a->why, (unsigned long long)v->device,
				(unsigned long long)v->st->rip);
			return VT_LEAVE;
		}
	}
}

enum vt_next vt_mmio(struct vt_cpu *v, gpa_t gpa, struct exit *x)
{
	if (!vt_fetch(v, &v->insn)) {
		vt_raise(v->st, X86_V_UD);	/* changed under our feet */
		return VT_AGAIN;
	}
	v->device = gpa;
	return steps(v, x, x86_access_begin(&v->access, v->st, &v->insn));
}

enum vt_next vt_port(struct vt_cpu *v, u16 port, u32 len, bool in, bool string, u64 next,
		     struct exit *x)
{
	if (string)
		return vt_mmio(v, port, x);
	v->st->rip = next;
	v->in_len = len;
	v->pending = in ? VT_IN : VT_IDLE;
	return ask(v, x, EXIT_PIO, port, len, !in, v->st->gpr[X86_RAX] & MASK(8 * len));
}

static void in_finish(struct vt_cpu *v, u64 value)
{
	u64 *rax = &v->st->gpr[X86_RAX], mask = MASK(8 * v->in_len);

	v->pending = VT_IDLE;
	*rax = v->in_len == 4 ? value & mask : (*rax & ~mask) | (value & mask);
}

enum vt_next vt_resume(struct vt_cpu *v, struct exit *x)
{
	if (v->pending == VT_IN) {
		in_finish(v, x->value);
		return VT_AGAIN;
	}
	return steps(v, x, x86_access_next(&v->access, v->st, x->value));
}
