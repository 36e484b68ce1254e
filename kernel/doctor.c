/* `doctor`, see doctor.h. Asks the same functions that starting a VM asks. */
#include "kernel/doctor.h"
#include "arch/io.h"
#include "engine/runner.h"
#include "kernel/base/cpu.h"
#include "kernel/board.h"

static void doctor_runners(struct report *r)
{
	report_list(r, "runners");
	for (const struct isa *const *i = isas; *i; i++) {
		for (const struct runner *const *run = runners; *run; run++) {
			const char *why = "";
			bool can = (*run)->probe(*i, &why);

			report_row(r);
			report_text(r, "guest", 10, "%s", (*i)->name);
			report_text(r, "runner", 10, "%s", (*run)->name);
			report_text(r, "kind", 12, "%s",
				    (*run)->accelerated ? "accelerated" : "translated");
			report_text(r, "usable", 0, "%s%s%s", can ? "yes" : "no", can ? "" : ": ",
				    can ? "" : why);
			report_row_end(r);
		}
	}
	report_list_end(r);
}

static void doctor_vm(struct report *r, const struct vm_config *c)
{
	struct vm_plan plan;
	err_t e = vm_plan(c, &plan);

	report_row(r);
	report_text(r, "vm", 12, "%s", c->name);
	report_text(r, "arch", 10, "%s", c->arch);
	report_text(r, "runs", 6, "%s", e == OK ? "yes" : "no");
	if (e == OK)
		report_text(r, "how", 0, "%s on %s, %s (%s)", plan.runner->name, plan.board->name,
			    plan.runner->accelerated ? "accelerated" : "translated", plan.why);
	else
		report_text(r, "how", 0, "%s", err_text(e));
	report_row_end(r);
}

void doctor_report(struct report *r, const struct config *c)
{
	char text[128];

	arch_describe(text, sizeof(text));
	report_text(r, "host", 0, "%s", text);
	report_number(r, "cpus", 0, cpu_count);
	report_text(r, "console", 0, "%s", arch_console() ? "yes" : "no");
	report_text(r, "entropy", 0, "%s", arch_rng() ? "yes" : "no; guests get no random numbers");
	doctor_runners(r);
	if (!c->vms)
		return;
	report_list(r, "vms");
	for (u32 i = 0; i < c->vms; i++)
		doctor_vm(r, &c->vm[i]);
	report_list_end(r);
}
