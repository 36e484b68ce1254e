/*
 * AMD SVM (APM 2, chapter 15) as a runner: what is prepared on each host CPU, and the loop around
 * the guest. While GIF is clear nothing interrupts; the host's interrupts end the guest's stay and
 * are taken after STGI, by the host's own IDT.
 *
 * Translations are tagged with ASIDs that each host CPU deals out; flushing is taking a new one,
 * and when they are used up the CPU begins again with everything flushed.
 */
#include "arch/x86_64/svm/svm.h"

#include <cpuid.h>

#include "arch/mem.h"
#include "arch/x86_64/sys/clock.h"
#include "arch/x86_64/sys/insn.h"
#include "engine/native.h"
#include "engine/runner.h"
#include "kernel/base/heap.h"
#include "kernel/base/page.h"
#include "kernel/base/str.h"

#define LEAF_SVM	0x8000000au
#define EFER_SVME	(1u << 12)
enum { VM_CR_DISABLED = 1 << 4 };
#define MSR_VM_CR	0xc0010114u
#define MSR_HSAVE	0xc0010117u
#define TLB_FLUSH_ALL	1

extern const struct isa x86_isa;
void svm_enter(u64 *gpr, hpa_t vmcb, hpa_t host);

/* What a host CPU has. */
static struct svm_host {
	struct vmcb *block;		/* its own registers, by VMSAVE; the page behind is HSAVE */
	hpa_t block_at;
	u32 asid;			/* the last one dealt out */
	u64 generation;
} hosts[CPU_MAX];

/* The same for all guests: every port and every MSR that msr.c does not pass. */
static u8 *io_map, *msr_map;
#define IO_MAP_ORDER	2
#define MSR_MAP_ORDER	1

static u32 leaf(u32 reg)
{
	u32 r[4] = { 0 };

	__get_cpuid(LEAF_SVM, &r[0], &r[1], &r[2], &r[3]);
	return r[reg];
}

u32 svm_features(void)
{
	static u32 features;

	if (!features)
		features = leaf(3) | 1;
	return features;
}

static bool svm_probe(const struct isa *isa, const char **why)
{
	u32 a, b, c, d;

	*why = NULL;
	if (isa != &x86_isa)
		return false;
	*why = "the CPU has no SVM";
	if (!__get_cpuid(0x80000001, &a, &b, &c, &d) || !(c & 1 << 2))
		return false;
	*why = "the firmware has switched SVM off";
	if (msr_read(MSR_VM_CR) & VM_CR_DISABLED)
		return false;
	*why = "the CPU's SVM has no nested paging";
	return leaf(3) & SVM_CPUID_NPT;
}

/* ---- preparations ---- */

static void msr_pass(void *ctx, u32 msr)
{
	/* Two bits each: 0000_0000h on, then c000_0000h, then c001_0000h (15.11). */
	u32 at = msr < 0x2000 ? msr : (msr & 0x1fff) + (msr >= 0xc0010000 ? 0x4000 : 0x2000);

	msr_map[at / 4] &= (u8)~(3 << at % 4 * 2);
}

static bool maps_make(void)
{
	if (io_map && msr_map)
		return true;
	io_map = io_map ? io_map : page_alloc(IO_MAP_ORDER, NODE_ANY);
	msr_map = msr_map ? msr_map : page_alloc(MSR_MAP_ORDER, NODE_ANY);
	if (!io_map || !msr_map)
		return false;
	memset(io_map, 0xff, PAGE_SIZE << IO_MAP_ORDER);
	memset(msr_map, 0xff, PAGE_SIZE << MSR_MAP_ORDER);
	vt_msr_each_passed(msr_pass, NULL);
	return true;
}

/* Once on each CPU that a guest comes to. */
static bool host_prepare(struct svm_host *h)
{
	if (h->block)
		return true;
	h->block = page_alloc(1, NODE_ANY);
	if (!h->block)
		return false;
	h->block_at = arch_virt_to_phys(h->block);
	h->asid = 0;
	h->generation = 1;
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_HSAVE, arch_virt_to_phys(h->block + 1));
	return true;
}

static void vmcb_fill(struct svm_cpu *s)
{
	struct vmcb *c = s->vmcb;

	c->cr_write = BIT(8);
	c->exceptions = BIT(X86_V_DB) | BIT(X86_V_AC) | BIT(X86_V_MC);
	c->intercept3 = BIT(SVM_I_INTR) | BIT(SVM_I_NMI) | BIT(SVM_I_SMI) | BIT(SVM_I_INIT) |
			BIT(SVM_I_RDPMC) | BIT(SVM_I_CPUID) | BIT(SVM_I_INVD) | BIT(SVM_I_HLT) |
			BIT(SVM_I_INVLPGA) | BIT(SVM_I_IO) | BIT(SVM_I_MSR) | BIT(SVM_I_TASK) |
			BIT(SVM_I_FERR) | (u32)BIT(SVM_I_SHUTDOWN);
	c->intercept4 = BIT(SVM_I_VMRUN) | BIT(SVM_I_VMMCALL) | BIT(SVM_I_VMLOAD) |
			BIT(SVM_I_VMSAVE) | BIT(SVM_I_STGI) | BIT(SVM_I_CLGI) | BIT(SVM_I_SKINIT) |
			BIT(SVM_I_WBINVD) | BIT(SVM_I_MONITOR) | BIT(SVM_I_MWAIT) |
			BIT(SVM_I_MWAIT_ARMED) | BIT(SVM_I_XSETBV);
	c->iopm = arch_virt_to_phys(io_map);
	c->msrpm = arch_virt_to_phys(msr_map);
	c->virq = SVM_V_MASKING;
	c->nested_enable = 1;
	c->nested_cr3 = nested_root(s->vt.nested);
}

static bool has_huge_pages(void)
{
	u32 a, b, c, d;

	return __get_cpuid(0x80000001, &a, &b, &c, &d) && d & 1 << 26;
}

static err_t svm_init(struct gcpu *g)
{
	struct svm_cpu *s = heap_alloc_aligned(sizeof(*s), 64);

	g->accel = s;
	if (!s || !maps_make())
		return ERRF(E_NOMEM, "no memory for SVM");
	s->vt.g = g;
	s->vt.st = g->st;
	s->vt.fetch = svm_fetch;
	s->vt.st->tsc_hz = clock_tsc_hz();
	s->host = CPU_MAX;
	s->vmcb = page_alloc(0, NODE_ANY);
	s->vt.nested = vt_join(g, &npt_format, has_huge_pages() ? 2 : 1, true);
	if (!s->vmcb || !s->vt.nested)
		return ERRF(E_NOMEM, "no memory for SVM");
	s->vmcb_at = arch_virt_to_phys(s->vmcb);
	vmcb_fill(s);
	return OK;
}

static void svm_fini(struct gcpu *g)
{
	struct svm_cpu *s = g->accel;

	if (!s)
		return;
	if (s->vt.nested)
		vt_part(g);
	if (s->vmcb)
		page_free(s->vmcb, 0);
	heap_free(s);
	g->accel = NULL;
}

/* ---- ASIDs ---- */

void svm_flush(struct svm_cpu *s)
{
	s->host = CPU_MAX;
}

static void asid_choose(struct svm_cpu *s)
{
	struct svm_host *h = &hosts[cpu_self->id];
	static u32 asids;

	s->vmcb->tlb_control = 0;
	if (nested_enter(s->vt.nested, &s->vt.nested_seen))
		svm_flush(s);
	if (likely(s->host == cpu_self->id && s->asid_generation == h->generation))
		return;
	if (!asids)
		asids = leaf(1);
	if (++h->asid >= asids) {
		h->asid = 1;
		h->generation++;
		s->vmcb->tlb_control = TLB_FLUSH_ALL;
	}
	s->vmcb->asid = h->asid;
	s->host = cpu_self->id;
	s->asid_generation = h->generation;
}

/* ---- the loop ---- */

static void turn_begin(struct svm_cpu *s)
{
	struct svm_host *h = &hosts[cpu_self->id];

	__asm__ volatile("vmsave %0" :: "a"(h->block_at) : "memory");
	vt_tsc_load(&s->vt);
	vt_code_forget(&s->vt);
	svm_load(s);
	vt_xsave_load(&s->vt);
	s->vt.loaded = true;
}

static void svm_sync(struct gcpu *g)
{
	struct svm_cpu *s = g->accel;

	if (!s->vt.loaded)
		return;
	vt_xsave_store(&s->vt);
	svm_store(s);
	s->vt.loaded = false;
}

static void guest_enter(struct svm_cpu *s)
{
	struct x86_state *st = s->vt.st;
	struct vmcb *c = s->vmcb;

	c->rax = st->gpr[X86_RAX];
	c->rsp = st->gpr[X86_RSP];
	c->rip = st->rip;
	c->rflags = st->rflags;
	svm_enter(st->gpr, s->vmcb_at, hosts[cpu_self->id].block_at);
	st->gpr[X86_RAX] = c->rax;
	st->gpr[X86_RSP] = c->rsp;
	st->rip = c->rip;
	st->rflags = c->rflags;
}

/* Into the guest, unless somebody wants something first. */
static bool guest_try(struct svm_cpu *s)
{
	struct gcpu *g = s->vt.g;
	bool enters;

	svm_prepare(s);
	atomic_store(&g->in_guest, true);
	asid_choose(s);
	__asm__ volatile("clgi" ::: "memory");
	enters = !atomic_load(&g->attention) && !atomic_load(&cpu_self->pending);
	if (likely(enters))
		guest_enter(s);
	__asm__ volatile("stgi" ::: "memory");
	atomic_store(&g->in_guest, false);
	return enters;
}

static void svm_run(struct gcpu *g, struct exit *x)
{
	struct svm_cpu *s = g->accel;
	enum vt_next next = VT_AGAIN;

	if (unlikely(!host_prepare(&hosts[cpu_self->id]))) {
		x->why = EXIT_FAIL;
		fmt_buf(x->text, sizeof(x->text), "no memory for SVM on this CPU");
		return;
	}
	if (!s->vt.loaded)
		turn_begin(s);
	while (next == VT_AGAIN && native_may_enter(g, x, &s->host)) {
		bool entered = guest_try(s);

		if (likely(entered))
			next = svm_exit(s, x);
	}
}

const struct runner svm_runner = {
	.name = "svm", .accelerated = true, .probe = svm_probe, .init = svm_init, .run = svm_run,
	.sync = svm_sync, .fini = svm_fini,
};
