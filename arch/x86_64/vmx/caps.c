/*
 * What this CPU's VT-x can do: SDM 3D, appendix A. For each word of controls a register says which
 * bits must be 1 (low half) and which may (high half); VMX_CONTROLS says what we make of them.
 */
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/vmx/vmx.h"

enum need { NEED, WANT, DEMAND, OFF };

static const struct control {
	u8 word, bit, need;
	const char *missing;
} controls[] = {
#define X(word, name, bit, need, text) \
	{ VMX_##word, bit, need, "the CPU's VT-x is too old: no " text },
	VMX_CONTROLS(X)
#undef X
};

static const u32 msrs[VMX_WORDS] = {
	[VMX_PIN] = MSR_VMX_PIN, [VMX_PROC] = MSR_VMX_PROC, [VMX_PROC2] = MSR_VMX_PROC2,
	[VMX_EXIT] = MSR_VMX_EXIT, [VMX_ENTRY] = MSR_VMX_ENTRY,
};
static const u32 true_msrs[VMX_WORDS] = {
	[VMX_PIN] = MSR_VMX_TRUE_PIN, [VMX_PROC] = MSR_VMX_TRUE_PROC, [VMX_PROC2] = MSR_VMX_PROC2,
	[VMX_EXIT] = MSR_VMX_TRUE_EXIT, [VMX_ENTRY] = MSR_VMX_TRUE_ENTRY,
};

/* *missing stays, or becomes the first thing that is. */
static u32 word_choose(u32 word, u64 allowed, const char **missing)
{
	u32 must = (u32)allowed, may = (u32)(allowed >> 32), value = must;

	for (u32 i = 0; i < ARRAY_LEN(controls); i++) {
		const struct control *c = &controls[i];
		u32 bit = 1u << c->bit;
		bool good = c->need == OFF ? !(must & bit) : may & bit || c->need == WANT;

		if (c->word != word)
			continue;
		if (!good && !*missing)
			*missing = c->missing;
		if (c->need == NEED || c->need == WANT)
			value |= may & bit;
		if (c->need == DEMAND)
			value &= ~(bit & ~must);
	}
	return value;
}

static bool has_secondary(void)
{
	return msr_read(MSR_VMX_PROC) >> 32 >> VMX_PROC_SECONDARY & 1;
}

static bool has_ept(void)
{
	return has_secondary() && msr_read(MSR_VMX_PROC2) >> 32 >> VMX_PROC2_EPT & 1;
}

static void words_choose(struct vmx_caps *c, bool exact)
{
	for (u32 word = 0; word < VMX_WORDS; word++) {
		u32 msr = exact ? true_msrs[word] : msrs[word];
		u64 allowed = word == VMX_PROC2 && !has_secondary() ? 0 : msr_read(msr);

		c->word[word] = word_choose(word, allowed, &c->missing);
	}
}

static void ept_check(struct vmx_caps *c)
{
	c->ept = has_ept() ? msr_read(MSR_VMX_EPT_VPID) : 0;
	if (c->missing)
		return;
	if (!(c->ept & VMX_EPT_WALK_4))
		c->missing = "the CPU's EPT does not have four levels";
	else if (!(c->ept & VMX_EPT_WB))
		c->missing = "the CPU's EPT tables cannot be cached";
	else if (!(c->ept & VMX_EPT_INVEPT))
		c->missing = "the CPU's EPT has no INVEPT";
}

const struct vmx_caps *vmx_caps(void)
{
	static struct vmx_caps c;
	u64 basic;

	if (c.revision)
		return &c;
	basic = msr_read(MSR_VMX_BASIC);
	words_choose(&c, basic & VMX_BASIC_TRUE);
	ept_check(&c);
	c.cr0_fixed0 = msr_read(MSR_VMX_CR0_FIXED0);
	c.cr4_fixed0 = msr_read(MSR_VMX_CR4_FIXED0);
	c.cr4_fixed1 = msr_read(MSR_VMX_CR4_FIXED1);
	c.preemption_shift = msr_read(MSR_VMX_MISC) & 0x1f;
	c.revision = (u32)basic & 0x7fffffff;
	return &c;
}
