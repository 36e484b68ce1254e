/*
 * Intel VT-x (SDM 3C, chapters 23 to 30) as a runner: what is prepared on each host CPU, and the
 * loop around the guest. Interrupts are masked from the last look at what is wanted until the guest
 * has been left. One that is due ends its stay and stays pending ("acknowledge interrupt on exit"
 * is off): it is taken when they are unmasked, by the host's own IDT.
 *
 * A VMCS belongs to a CPU from VMPTRLD to VMCLEAR. Every turn begins with the one and ends with the
 * other, so guests wander between CPUs and nobody has to ask another CPU for its VMCS.
 *
 * A VM exit leaves limits of 0xffff in GDTR and IDTR. FVP's tables are shorter, but it loads no
 * selector that is not in the GDT, and vectors end where the IDT does.
 */
#include "arch/x86_64/vmx/vmx.h"

#include <cpuid.h>

#include "arch/mem.h"
#include "arch/x86_64/sys/clock.h"
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/sys/percpu.h"
#include "engine/native.h"
#include "engine/runner.h"
#include "kernel/base/fmt.h"
#include "kernel/base/heap.h"
#include "kernel/base/page.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

enum { CPUID_VMX = 1 << 5, CPUID_SVM = 1 << 2 };	/* leaf 1 ecx, leaf 80000001h ecx */
/* Of TSC ticks: 128 between two PAUSEs of a loop that has been going on for 4096. */
enum { PLE_GAP = 128, PLE_WINDOW = 4096 };
/*
 * A guest is left as often: it should not be needed, but there are CPUs (Bochs's) where interrupts
 * do not end the stay of a guest that masks them.
 */
#define WATCHDOGS_PER_SECOND	100
enum { INVEPT_ONE = 1, INVEPT_ALL = 2 };

extern const struct isa x86_isa;
u32 vmx_enter(u64 *gpr, bool launched);
extern const u8 vmx_left[];

static void *vmxon[CPU_MAX];		/* regions of CPUs in VMX operation */
static u8 *msr_map;			/* the same for all guests: what msr.c does not pass */

void vmcs_broken(u64 field)
{
	panic("VMCS field %#llx cannot be accessed", (unsigned long long)field);
}

static bool has_svm(void)
{
	u32 a, b, c, d;

	return __get_cpuid(0x80000001, &a, &b, &c, &d) && c & CPUID_SVM;
}

static bool vmx_probe(const struct isa *isa, const char **why)
{
	u32 a, b, c, d;
	u64 feature;

	*why = NULL;
	if (isa != &x86_isa)
		return false;
	/* On AMD's CPUs it is svm_probe() that knows what is missing. */
	*why = has_svm() ? NULL : "the CPU has neither VT-x nor SVM";
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & CPUID_VMX))
		return false;
	*why = "the firmware has switched VT-x off";
	feature = msr_read(MSR_FEATURE_CONTROL);
	if (feature & FEATURE_LOCKED && !(feature & FEATURE_VMX))
		return false;
	*why = vmx_caps()->missing;
	return !*why;
}

/* ---- instructions: false if they fail ---- */

static bool vmx_on(hpa_t region)
{
	bool bad;

	__asm__ volatile("vmxon %1" : "=@ccbe"(bad) : "m"(region) : "memory");
	return !bad;
}

static bool vmcs_clear(hpa_t vmcs)
{
	bool bad;

	__asm__ volatile("vmclear %1" : "=@ccbe"(bad) : "m"(vmcs) : "memory");
	return !bad;
}

static bool vmcs_use(hpa_t vmcs)
{
	bool bad;

	__asm__ volatile("vmptrld %1" : "=@ccbe"(bad) : "m"(vmcs) : "memory");
	return !bad;
}

static void ept_forget(u64 eptp)
{
	struct { u64 eptp, zero; } what = { eptp, 0 };
	u64 kind = vmx_caps()->ept & VMX_EPT_INVEPT_ONE ? INVEPT_ONE : INVEPT_ALL;
	bool bad;

	__asm__ volatile("invept %1, %2" : "=@ccbe"(bad) : "m"(what), "r"(kind) : "memory");
	assert(!bad);
}

/* ---- preparations ---- */

static void msr_pass(void *ctx, u32 msr)
{
	/* Reads of 0 on, then of c000_0000h on; the same for writes (24.6.9). */
	u32 at = (msr & 0x1fff) / 8 + (msr >> 31 ? 0x400 : 0);
	u8 mask = (u8)~(1 << msr % 8);

	msr_map[at] &= mask;
	msr_map[at + 0x800] &= mask;
}

static bool maps_make(void)
{
	if (msr_map)
		return true;
	msr_map = page_alloc(0, NODE_ANY);
	if (!msr_map)
		return false;
	memset(msr_map, 0xff, PAGE_SIZE);
	vt_msr_each_passed(msr_pass, NULL);
	return true;
}

/* A VMCS or a VMXON region: a page that says for whom. */
static void *region_make(void)
{
	u32 *region = page_alloc(0, NODE_ANY);

	if (region)
		*region = vmx_caps()->revision;
	return region;
}

/* Once on each CPU that a guest comes to; NULL, or why not. */
static const char *host_prepare(void)
{
	const struct vmx_caps *caps = vmx_caps();
	u64 feature = msr_read(MSR_FEATURE_CONTROL);
	void *region;

	if (!(feature & FEATURE_LOCKED)) {
		feature |= FEATURE_LOCKED | FEATURE_VMX;
		msr_write(MSR_FEATURE_CONTROL, feature);
	}
	if (!(feature & FEATURE_VMX))
		return "the firmware has switched VT-x off on this CPU";
	region = region_make();
	if (!region)
		return "no memory for VT-x on this CPU";
	cr0_write(cr0_read() | caps->cr0_fixed0);
	cr4_write(cr4_read() | caps->cr4_fixed0);
	if (!vmx_on(arch_virt_to_phys(region))) {
		page_free(region, 0);
		return "this CPU refuses VMXON";
	}
	vmxon[cpu_self->id] = region;
	return NULL;
}

/* What never changes. */
static void vmcs_fill(struct vmx_cpu *s)
{
	const struct vmx_caps *c = vmx_caps();

	s->proc = c->word[VMX_PROC];
	vmcs_write(VMCS_PIN, c->word[VMX_PIN]);
	vmcs_write(VMCS_PROC, s->proc);
	vmcs_write(VMCS_PROC2, c->word[VMX_PROC2]);
	vmcs_write(VMCS_EXIT, c->word[VMX_EXIT]);
	vmcs_write(VMCS_ENTRY, c->word[VMX_ENTRY]);
	vmcs_write(VMCS_EXCEPTIONS, BIT(X86_V_DB) | BIT(X86_V_AC) | BIT(X86_V_MC));
	vmcs_write(VMCS_PF_MASK, 0);
	vmcs_write(VMCS_PF_MATCH, 0);
	vmcs_write(VMCS_CR3_TARGETS, 0);
	vmcs_write(VMCS_EXIT_MSR_STORES, 0);
	vmcs_write(VMCS_EXIT_MSR_LOADS, 0);
	vmcs_write(VMCS_ENTRY_MSR_LOADS, 0);
	vmcs_write(VMCS_MSR_BITMAP, arch_virt_to_phys(msr_map));
	vmcs_write(VMCS_EPTP, nested_root(s->vt.nested));
	vmcs_write(VMCS_LINK, UINT64_MAX);
	vmcs_write(VMCS_ACTIVITY, 0);
	if (vmx_can(VMX_PROC2, VMX_PROC2_VPID))
		vmcs_write(VMCS_VPID, s->vt.g->index + 1);
	if (vmx_can(VMX_PROC2, VMX_PROC2_PAUSE_LOOP)) {
		vmcs_write(VMCS_PLE_GAP, PLE_GAP);
		vmcs_write(VMCS_PLE_WINDOW, PLE_WINDOW);
	}
	if (vmx_can(VMX_PIN, VMX_PIN_PREEMPTION)) {
		u64 ticks = clock_tsc_hz() / WATCHDOGS_PER_SECOND >> c->preemption_shift;

		vmcs_write(VMCS_PREEMPTION, MIN(ticks, (u64)UINT32_MAX) | 1);
	}
}

static err_t vmx_init(struct gcpu *g)
{
	struct vmx_cpu *s = heap_alloc_aligned(sizeof(*s), 64);
	u64 ept = vmx_caps()->ept;

	g->accel = s;
	if (!s || !maps_make())
		return ERRF(E_NOMEM, "no memory for VT-x");
	s->vt.g = g;
	s->vt.st = g->st;
	s->vt.fetch = vmx_fetch;
	s->vt.st->tsc_hz = clock_tsc_hz();
	s->host = CPU_MAX;
	s->vmcs = region_make();
	s->vt.nested = vt_join(g, &ept_format, ept & VMX_EPT_1G ? 2 : ept & VMX_EPT_2M ? 1 : 0,
			       ept & VMX_EPT_AD);
	if (!s->vmcs || !s->vt.nested)
		return ERRF(E_NOMEM, "no memory for VT-x");
	return OK;
}

static void vmx_fini(struct gcpu *g)
{
	struct vmx_cpu *s = g->accel;

	if (!s)
		return;
	if (s->vt.nested)
		vt_part(g);
	if (s->vmcs)
		page_free(s->vmcs, 0);
	heap_free(s);
	g->accel = NULL;
}

/* ---- translations ----
 *
 * With EPT all that a CPU remembers of a guest is tagged with its EPTP, and with the VPID besides,
 * which keeps apart the CPUs of one guest: their number is good enough. INVEPT forgets both kinds
 * (28.3.3.1), so it is the only instruction needed: when the tables have changed, when the guest
 * has done what flushes, and on a CPU where the guest CPU was not last time.
 */

void vmx_flush(struct vmx_cpu *s)
{
	s->host = CPU_MAX;
}

static void translations_check(struct vmx_cpu *s)
{
	if (nested_enter(s->vt.nested, &s->vt.nested_seen))
		vmx_flush(s);
	if (likely(s->host == cpu_self->id))
		return;
	ept_forget(nested_root(s->vt.nested));
	s->host = cpu_self->id;
}

/* ---- the loop ---- */

/* What VM exits load. */
static void host_load(void)
{
	struct { u16 limit; u64 base; } packed idt;
	const struct percpu *p = percpu_of(cpu_self);

	__asm__ volatile("sidt %0" : "=m"(idt));
	vmcs_write(VMCS_HOST_CR0, cr0_read());
	vmcs_write(VMCS_HOST_CR3, cr3_read());
	vmcs_write(VMCS_HOST_CR4, cr4_read());
	vmcs_write(VMCS_HOST_CS, SEL_CODE);
	vmcs_write(VMCS_HOST_SS, SEL_DATA);
	vmcs_write(VMCS_HOST_DS, SEL_DATA);
	vmcs_write(VMCS_HOST_ES, SEL_DATA);
	vmcs_write(VMCS_HOST_FS, 0);
	vmcs_write(VMCS_HOST_GS, 0);
	vmcs_write(VMCS_HOST_TR, SEL_TSS);
	vmcs_write(VMCS_HOST_FS_BASE, msr_read(MSR_FS_BASE));
	vmcs_write(VMCS_HOST_GS_BASE, msr_read(MSR_GS_BASE));
	vmcs_write(VMCS_HOST_TR_BASE, (u64)&p->tss);
	vmcs_write(VMCS_HOST_GDTR_BASE, (u64)p->gdt);
	vmcs_write(VMCS_HOST_IDTR_BASE, idt.base);
	vmcs_write(VMCS_HOST_SYSENTER_CS, 0);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, 0);
	vmcs_write(VMCS_HOST_PAT, msr_read(MSR_PAT));
	vmcs_write(VMCS_HOST_EFER, msr_read(MSR_EFER));
	vmcs_write(VMCS_HOST_RIP, (u64)vmx_left);
}

static void turn_begin(struct vmx_cpu *s)
{
	hpa_t vmcs = arch_virt_to_phys(s->vmcs);
	bool good = (s->filled || vmcs_clear(vmcs)) && vmcs_use(vmcs);

	assert(good);
	if (!s->filled)
		vmcs_fill(s);
	s->filled = true;
	s->launched = false;
	host_load();
	vt_tsc_load(&s->vt);
	vt_code_forget(&s->vt);
	vmx_load(s);
	vt_xsave_load(&s->vt);
	s->vt.loaded = true;
}

static void vmx_sync(struct gcpu *g)
{
	struct vmx_cpu *s = g->accel;
	bool good;

	if (!s->vt.loaded)
		return;
	vt_xsave_store(&s->vt);
	vmx_store(s);
	good = vmcs_clear(arch_virt_to_phys(s->vmcs));
	assert(good);
	s->vt.loaded = false;
}

/* 0, or how it was refused. */
static u32 guest_enter(struct vmx_cpu *s)
{
	struct x86_state *st = s->vt.st;
	u32 how;

	vmcs_write(VMCS_GUEST_RSP, st->gpr[X86_RSP]);
	vmcs_write(VMCS_GUEST_RIP, st->rip);
	vmcs_write(VMCS_GUEST_RFLAGS, st->rflags);
	if (st->cr2 != cr2_read())
		cr2_write(st->cr2);
	how = vmx_enter(st->gpr, s->launched);
	if (unlikely(how))
		return how;
	s->launched = true;
	st->cr2 = cr2_read();
	st->gpr[X86_RSP] = vmcs_read(VMCS_GUEST_RSP);
	st->rip = vmcs_read(VMCS_GUEST_RIP);
	st->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	return 0;
}

/* Into the guest, unless somebody wants something first, and what has come of it. */
static enum vt_next guest_try(struct vmx_cpu *s, struct exit *x)
{
	struct gcpu *g = s->vt.g;
	bool enters;
	u32 how = 0;

	vmx_prepare(s);
	atomic_store(&g->in_guest, true);
	translations_check(s);
	__asm__ volatile("cli" ::: "memory");
	enters = !atomic_load(&g->attention) && !atomic_load(&cpu_self->pending);
	if (likely(enters))
		how = guest_enter(s);
	__asm__ volatile("sti" ::: "memory");
	atomic_store(&g->in_guest, false);
	if (unlikely(how))
		return vmx_refused(how, x);
	return enters ? vmx_exit(s, x) : VT_AGAIN;
}

static void vmx_run(struct gcpu *g, struct exit *x)
{
	struct vmx_cpu *s = g->accel;
	enum vt_next next = VT_AGAIN;

	if (unlikely(!vmxon[cpu_self->id])) {
		const char *why = host_prepare();

		if (why) {
			x->why = EXIT_FAIL;
			fmt_buf(x->text, sizeof(x->text), "%s", why);
			return;
		}
	}
	if (!s->vt.loaded)
		turn_begin(s);
	while (next == VT_AGAIN && native_may_enter(g, x, &s->host))
		next = guest_try(s, x);
}

const struct runner vmx_runner = {
	.name = "vmx", .accelerated = true, .probe = vmx_probe, .init = vmx_init, .run = vmx_run,
	.sync = vmx_sync, .fini = vmx_fini,
};
