/*
 * Accesses to devices: the instruction is carried out step by step (engine/front/x86/access.h), its
 * accesses to memory and to models here, without leaving the runner. Plain IN and OUT, the most
 * frequent, need no decoding: the exit says all about them.
 */
#include "arch/x86_64/vt/vt.h"
#include "kernel/base/fmt.h"
#include "kernel/base/str.h"
#include "mmu/ports.h"

static u64 port_access(struct vt_cpu *v, u32 port, u32 len, bool write, u64 value)
{
	struct ports *p = v->g->ports;

	v->g->exits[EXIT_PIO]++;
	if (write)
		ports_write(p, port, len, (u32)value);
	else
		value = ports_read(p, port, len);
	return value;
}

static u64 mmio_access(struct vt_cpu *v, gpa_t gpa, u32 len, bool write, u64 value)
{
	const struct range *r = gpa == v->device ? v->range : space_find(v->g->space, gpa);

	v->g->exits[EXIT_MMIO]++;
	return range_emulate(r, gpa, len, write, value);
}

static void page_fault(struct vt_cpu *v, u64 va, u32 error)
{
	v->st->cr2 = va;
	vt_raise_error(v->st, X86_V_PF, error);
}

/* The guest's @va: *gpa, and *host if that is memory for what is wanted. False: it faults. */
static bool reach(struct vt_cpu *v, u64 va, u32 len, bool write, gpa_t *gpa, u8 **host)
{
	u32 here = (u32)MIN(len, PAGE_SIZE - (va & ~PAGE_MASK)), error;

	*host = NULL;
	/* The exit has said where the only operand is. */
	if (v->insn->mem == X86_MEM_EA && (va & ~PAGE_MASK) == (v->device & ~PAGE_MASK)) {
		*gpa = v->device;
		return true;
	}
	if (!vt_translate(v, va, write ? ACCESS_WRITE : ACCESS_READ, vt_is_user(v->st), gpa,
			  &error)) {
		page_fault(v, va, error);
		return false;
	}
	*host = space_ptr(v->g->space, *gpa, here, write);
	return true;
}

/* @len bytes in one page: memory or a device. */
static bool access_page(struct vt_cpu *v, u64 va, u32 len, bool write, u64 *value)
{
	u8 *host;
	gpa_t gpa;

	if (!reach(v, va, len, write, &gpa, &host))
		return false;
	if (!host)
		*value = mmio_access(v, gpa, len, write, *value);
	else
		memcpy(write ? host : (u8 *)value, write ? (u8 *)value : host, len);
	return true;
}

/* What reaches into a second page goes there only when both can be reached. */
static bool access_pages(struct vt_cpu *v, u64 va, u32 len, bool write, u64 *value)
{
	u32 here = (u32)MIN(len, PAGE_SIZE - (va & ~PAGE_MASK));
	u64 low = *value & MASK(8 * here), high = here < len ? *value >> 8 * here : 0;
	u8 *host;
	gpa_t gpa;

	if (likely(here == len))
		return access_page(v, va, len, write, value);
	if (!reach(v, va + here, len - here, write, &gpa, &host) ||
	    !access_page(v, va, here, write, &low) ||
	    !access_page(v, va + here, len - here, write, &high))
		return false;
	*value = low | high << 8 * here;
	return true;
}

static enum vt_next refused(struct vt_cpu *v, struct exit *x)
{
	x->why = EXIT_FAIL;
	fmt_buf(x->text, sizeof(x->text), "%s to a device at %#llx, rip %#llx", v->access.why,
		(unsigned long long)v->device, (unsigned long long)v->st->rip);
	return VT_LEAVE;
}

/* All steps; of a string as many elements as nobody else wants the CPU. */
static enum vt_next steps(struct vt_cpu *v, struct exit *x)
{
	struct x86_access *a = &v->access;
	enum x86_step step = x86_access_begin(a, v->st, v->insn);

	for (;;) {
		u64 value = a->value;

		switch (step) {
		case X86_DONE:
			if (!a->again || atomic_load(&v->g->attention))
				return VT_AGAIN;
			step = x86_access_begin(a, v->st, v->insn);
			continue;
		case X86_READ:
		case X86_WRITE:
			if (!access_pages(v, a->va, a->width, step == X86_WRITE, &value))
				return VT_AGAIN;
			break;
		case X86_IN:
		case X86_OUT:
			value = port_access(v, (u32)a->va, a->width, step == X86_OUT, value);
			break;
		case X86_REFUSED:
			return refused(v, x);
		}
		step = x86_access_next(a, v->st, value);
	}
}

/* In 64-bit mode most segments have no base, so they need not be fetched. */
static bool needs_segments(const struct x86_insn *i)
{
	return i->mode != X86_MODE64 || i->seg == X86_FS || i->seg == X86_GS;
}

enum vt_next vt_mmio(struct vt_cpu *v, gpa_t gpa, const struct range *r, struct exit *x)
{
	v->insn = vt_fetch(v);
	if (!v->insn) {
		vt_raise(v->st, X86_V_UD);	/* changed under our feet */
		return VT_AGAIN;
	}
	if (needs_segments(v->insn))
		v->fetch(v);
	v->device = gpa;
	v->range = r;
	return steps(v, x);
}

enum vt_next vt_port(struct vt_cpu *v, u16 port, u32 len, bool in, bool string, u64 next,
		     struct exit *x)
{
	u64 *rax = &v->st->gpr[X86_RAX], mask = MASK(8 * len), value;

	if (string)
		return vt_mmio(v, port, NULL, x);
	v->st->rip = next;
	value = port_access(v, port, len, !in, *rax & mask);
	if (in)
		*rax = len == 4 ? value & mask : (*rax & ~mask) | (value & mask);
	return VT_AGAIN;
}
