/* Figures of a VM's run, see stats.h. Integers only: MIPS come as tenths. */
#include "kernel/stats.h"

/* Millions of instructions a second, times ten. */
static u64 stats_mips10(const struct vm_stats *s)
{
	return s->instructions / (s->run_ns / 10000 + 1);
}

static void stats_exits(struct report *r, const struct vm_stats *s)
{
	static const char *const names[EXIT_COUNT] = {
#define X(name, text) [EXIT_##name] = "exits_" #name,
		EXIT_REASONS(X)
#undef X
	};

	for (u32 i = 0; i < EXIT_COUNT; i++)
		if (s->exits[i] || r->as_json)
			report_number(r, names[i], 0, s->exits[i]);
}

void stats_report(struct report *r, const struct vm *vm)
{
	struct vm_stats s;
	u64 mips;

	vm_stats(vm, &s);
	mips = stats_mips10(&s);
	report_text(r, "vm", 0, "%s", vm->config.name);
	report_number(r, "instructions", 0, s.instructions);
	report_number(r, "run_ns", 0, s.run_ns);
	report_text(r, "mips", 0, "%llu.%llu", (unsigned long long)mips / 10,
		    (unsigned long long)mips % 10);
	stats_exits(r, &s);
	report_number(r, "tlb_slow", 0, s.tlb_slow);
	report_number(r, "tlb_fills", 0, s.tlb_fills);
	report_number(r, "tlb_flushes", 0, s.tlb_flushes);
	report_number(r, "lpt_fills", 0, s.lpt_fills);
	report_number(r, "lpt_flushes", 0, s.lpt_flushes);
#define X(name, text) report_number(r, "code_" #name, 0, s.code.name);
	CODE_STATS(X)
#undef X
	report_text(r, "host_bytes_per_insn", 0, "%llu",
		    (unsigned long long)(s.code.host_bytes / MAX(s.code.host_insns, 1)));
}
