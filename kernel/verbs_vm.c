/*
 * The monitor's commands on virtual machines. Each fails before it prints, or prints and succeeds.
 */
#include "arch/clock.h"
#include "engine/runner.h"
#include "kernel/board.h"
#include "kernel/console.h"
#include "kernel/sched.h"
#include "kernel/shell.h"
#include "kernel/stats.h"

static err_t call_vm(struct call *c, struct vm **vm)
{
	*vm = vm_find(c->arg[0]);
	return *vm ? OK : ERRF(E_NOENT, "there is no VM \"%s\"; `vm list` names them", c->arg[0]);
}

static void report_ending(struct report *r, const struct vm *vm, u32 width)
{
	if (vm->problem[0])
		report_text(r, "note", width, "cannot start: %s", vm->problem);
	else if (vm->state == VM_STOPPED && vm->end == END_FAIL_CODE)
		report_text(r, "note", width, "%s, with code %u", vm_end_text(vm->end),
			    vm->end_code);
	else if (vm->state == VM_STOPPED)
		report_text(r, "note", width, "%s", vm_end_text(vm->end));
	else
		report_text(r, "note", width, "up %llu s",
			    (unsigned long long)((arch_clock_ns() - vm->started) / NS_PER_SEC));
}

err_t verb_vm_list(struct call *c)
{
	struct report *r = &c->report;

	report_list(r, "vms");
	for (u32 i = 0; i < vm_count; i++) {
		const struct vm *vm = vms[i];

		report_row(r);
		report_text(r, "vm", 12, "%s", vm->config.name);
		report_text(r, "state", 8, "%s", vm_state_name(vm->state));
		report_text(r, "arch", 8, "%s", vm->config.arch);
		report_number(r, "cpus", 4, vm->config.cpus);
		report_size(r, "memory", 8, vm->config.memory);
		report_ending(r, vm, 0);
		report_row_end(r);
	}
	report_list_end(r);
	if (!vm_count)
		report_remark(r, "no VMs; fvp.toml has none or could not be read\n");
	return OK;
}

static err_t call_on_vm(struct call *c, err_t (*action)(struct vm *vm))
{
	struct vm *vm;
	err_t e = call_vm(c, &vm);

	if (e == OK)
		e = action(vm);
	if (e != OK)
		return e;
	report_text(&c->report, "vm", 0, "%s", vm->config.name);
	report_text(&c->report, "state", 0, "%s", vm_state_name(vm->state));
	return OK;
}

err_t verb_vm_start(struct call *c)
{
	return call_on_vm(c, vm_start);
}

err_t verb_vm_stop(struct call *c)
{
	return call_on_vm(c, vm_stop);
}

err_t verb_vm_press(struct call *c)
{
	return call_on_vm(c, vm_press);
}

err_t verb_vm_reset(struct call *c)
{
	return call_on_vm(c, vm_reset);
}

err_t verb_vm_pause(struct call *c)
{
	return call_on_vm(c, vm_pause);
}

err_t verb_vm_resume(struct call *c)
{
	return call_on_vm(c, vm_resume);
}

static err_t vm_attach(struct vm *vm)
{
	console_attach(vm->console);
	return OK;
}

err_t verb_vm_console(struct call *c)
{
	return call_on_vm(c, vm_attach);
}

static void show_cpus(struct report *r, const struct vm *vm)
{
	report_list(r, "cpu_list");
	for (u32 i = 0; i < vm->vcpus; i++) {
		struct vcpu *v = &vm->vcpu[i];

		report_row(r);
		report_number(r, "cpu", 4, i);
		report_text(r, "state", 8, "%s",
			    v->power ? vcpu_state_name(vcpu_carrier(v)->state) : "off");
		report_number(r, "host", 5, v->host);
		report_number(r, "instructions", 14, v->retired);
		report_number(r, "run_ms", 8, v->run_ns / NS_PER_MS);
		report_text(r, "pc", 0, "%llx", (unsigned long long)gcpu_pc(&v->g));
		report_row_end(r);
	}
	report_list_end(r);
}

/* Registers, while nobody changes them. */
static void show_registers(struct report *r, const struct vm *vm)
{
	char text[4096];
	struct sink_buf b = sink_buf_init(text, sizeof(text));

	vm_print_cpus(vm, &b.sink);
	report_lines(r, "registers", text);
}

err_t verb_vm_show(struct call *c)
{
	struct report *r = &c->report;
	const struct vm_config *config;
	struct vm *vm;
	err_t e = call_vm(c, &vm);

	if (e != OK)
		return e;
	config = &vm->config;
	report_text(r, "vm", 0, "%s", config->name);
	report_text(r, "state", 0, "%s", vm_state_name(vm->state));
	report_ending(r, vm, 0);
	report_text(r, "arch", 0, "%s", config->arch);
	report_text(r, "board", 0, "%s", vm->board ? vm->board->name : "none yet");
	report_size(r, "memory", 0, config->memory);
	report_number(r, "cpus", 0, config->cpus);
	report_text(r, "kernel", 0, "%s", config->kernel);
	if (vm->state != VM_STOPPED) {
		report_text(r, "runner", 0, "%s", vm->vcpu[0].g.runner->name);
		show_cpus(r, vm);
	}
	if (vm->state == VM_PAUSED)
		show_registers(r, vm);
	if (vm->post_mortem[0])
		report_lines(r, "post_mortem", vm->post_mortem);
	return OK;
}

err_t verb_stats(struct call *c)
{
	struct vm *vm;
	err_t e = OK;

	if (c->arg[0]) {
		e = call_vm(c, &vm);
		if (e == OK)
			stats_report(&c->report, vm);
		return e;
	}
	report_list(&c->report, "vms");
	c->report.table = false;	/* too wide for columns */
	for (u32 i = 0; i < vm_count; i++) {
		report_row(&c->report);
		stats_report(&c->report, vms[i]);
		report_row_end(&c->report);
	}
	report_list_end(&c->report);
	return OK;
}
