/*
 * Bring-up, shared by bare metal and the process: console, CPUs, banner, VMs, then the loop;
 * and what the end of a VM means for the whole. A VM that cannot start is an error of its own:
 * the others go on, and the machine stays in the monitor (the process ends with its status).
 */
#include "kernel/main.h"
#include "arch/clock.h"
#include "arch/io.h"
#include "arch/smp.h"
#include "engine/runner.h"
#include "host/cpu.h"
#include "kernel/base/log.h"
#include "kernel/base/panic.h"
#include "kernel/base/page.h"
#include "kernel/base/str.h"
#include "kernel/board.h"
#include "kernel/console.h"
#include "kernel/sched.h"
#include "kernel/shell.h"
#include "kernel/stats.h"

static struct {
	struct launch launch;
	struct timer timeout;
	bool timed_out, ended;		/* time is up; a VM came to its end */
	struct vm *over; /* the VM that came to its end last, until the console was looked at */
	bool leaving;
	int status;			/* of the first VM that did not end well */
} machine;

static void stderr_write(struct sink *s, const char *text, size_t len)
{
	arch_early_write(text, len);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void machine_print_stats(void)
{
	struct sink to = { stderr_write };
	struct report r;

	report_begin(&r, &to, false);
	for (u32 i = 0; i < vm_count; i++)
		stats_report(&r, vms[i]);
	report_end(&r);
}

_Noreturn void machine_end(int status, bool reboot)
{
	machine.leaving = true;
	for (u32 i = 0; i < vm_count; i++)
		if (vms[i]->state != VM_STOPPED && vm_stop(vms[i]) != OK)
			log_warn("vm %s: %s", vms[i]->config.name, err_text(E_STATE));
	console_drain();
	if (machine.launch.stats)
		machine_print_stats();
	if (reboot)
		arch_reboot();
	arch_poweroff(status);
}

static void machine_note_status(int status)
{
	if (!machine.status)
		machine.status = status;
}

/* A VM ended for good. The monitor's own `vm stop` does not count: its user is still there. */
static void machine_vm_ended(struct vm *vm)
{
	struct sink to = { stderr_write };

	if (machine.leaving)
		return;
	if (vm->problem[0])
		machine_note_status(STATUS_HYPERVISOR);	/* it was to start again */
	else
		machine_note_status(vm_end_status(vm->end));
	if (machine.launch.process && vm->post_mortem[0])
		sink_puts(&to, vm->post_mortem);
	else if (vm->post_mortem[0])
		log_info("vm %s: `vm show %s` in the monitor tells more", vm->config.name,
			 vm->config.name);
	if (vm->end != END_STOPPED || vm->problem[0])
		machine.ended = true;
	machine.over = vm;
}

/* Who sat at the console of a VM that is over finds himself in the monitor. */
static void machine_leave_console(void)
{
	if (machine.over && machine.over->console && console_attached() == machine.over->console)
		console_attach(NULL);
	machine.over = NULL;
}

static bool machine_any_vm(void)
{
	for (u32 i = 0; i < vm_count; i++)
		if (vms[i]->state != VM_STOPPED)
			return true;
	return false;
}

static bool machine_is_over(const struct launch *l)
{
	return machine.ended && !l->monitor && !machine_any_vm() &&
	       str_eq(l->config->host.exit, "last-vm");
}

static void machine_chores(void)
{
	const struct launch *l = &machine.launch;

	vm_serve_requests();
	if (machine_is_over(l))
		machine_end(machine.status, false);
	machine_leave_console();
	console_poll();
	shell_poll();
	if (machine.timed_out) {
		log_warn("time is up after %llu s", (unsigned long long)(l->timeout / NS_PER_SEC));
		machine_end(STATUS_TIMEOUT, false);
	}
	if (console_quit_asked())
		machine_end(0, false);
}

/* ---- bring-up ---------------------------------------------------------------------------- */

static void machine_banner(void)
{
	struct page_stats pages = page_stats(NODE_ANY);
	char text[128];

	arch_describe(text, sizeof(text));
	log_info("FVP %s on %s: %s", FVP_VERSION, HOST_NAME, text);
	if (pages.total && !machine.launch.process)
		log_info("host: %llu MiB of memory, %llu MiB free",
			 (unsigned long long)pages.total >> 20,
			 (unsigned long long)pages.free >> 20);
}

static void machine_announce_vm(const struct vm *vm)
{
	const struct vm_config *c = &vm->config;
	struct vm_plan plan;

	if (vm_plan(c, &plan) == OK)
		log_info("vm %s: %s, %llu CPU%s, %llu MiB, runner %s (%s)", c->name,
			 plan.board->name, (unsigned long long)c->cpus, c->cpus == 1 ? "" : "s",
			 (unsigned long long)c->memory >> 20, plan.runner->name, plan.why);
}

static bool machine_wants(const struct vm *vm)
{
	if (machine.launch.only)
		return str_eq(vm->config.name, machine.launch.only);
	return vm->config.autostart;
}

/* The VM whose console is shown first. */
static struct vm *machine_first_vm(void)
{
	struct vm *named = vm_find(machine.launch.config->host.console);

	if (named)
		return named;
	for (u32 i = 0; i < vm_count; i++)
		if (vms[i]->state == VM_RUNNING)
			return vms[i];
	return NULL;
}

static void machine_create_vms(const struct config *c)
{
	struct vm *vm;

	for (u32 i = 0; i < c->vms; i++) {
		err_t e = vm_create(&c->vm[i], &vm);

		if (e == OK)
			continue;
		log_error("%s", err_text(e));
		machine_note_status(err_status(e));
	}
}

static void machine_start_vms(void)
{
	for (u32 i = 0; i < vm_count; i++) {
		err_t e;

		if (!machine_wants(vms[i]))
			continue;
		machine_announce_vm(vms[i]);
		e = vm_start(vms[i]);
		if (e != OK)
			machine_note_status(err_status(e));
	}
}

static void timeout_fire(struct timer *t)
{
	machine.timed_out = true;
}

static void machine_attach(void)
{
	struct vm *vm = machine_first_vm();

	console_attach(vm && !machine.launch.monitor ? vm->console : NULL);
}

_Noreturn void kernel_launch(const struct launch *l)
{
	struct chr *display;
	enum log_level level;
	err_t e;

	machine.launch = *l;
	if (log_level_parse(l->config->host.log, &level))
		log_threshold = level;
	e = console_init(arch_console(), !l->process);
	if (e != OK)
		panic("console: %s", err_text(e));
	display = arch_display();
	if (display && console_add_output(display) != OK)
		log_warn("display: %s", err_text(E_NOMEM));
	if (!l->process)
		log_set_sink(console_log_sink());
	e = arch_smp_start(sched_loop);
	if (e != OK)
		log_error("host: other CPUs cannot be started: %s", err_text(e));
	machine_banner();
	shell_init(l->config);
	vm_on_end = machine_vm_ended;
	sched_chores = machine_chores;
	machine_create_vms(l->config);
	machine_start_vms();
	if (l->process && !l->monitor && !machine_any_vm())
		machine_end(machine.status, false);
	machine_attach();
	machine.timeout.fire = timeout_fire;
	if (l->timeout)
		timer_arm(&machine.timeout, arch_clock_ns() + l->timeout);
	sched_loop();
}

/* ---- bare metal -------------------------------------------------------------------------- */

static err_t config_load(struct config *c, const char *path)
{
	struct file f;
	err_t e = arch_file_open(path, &f);

	if (e != OK)
		return e;
	e = config_parse(c, path, (const char *)f.data, f.len);
	arch_file_close(&f);
	return e;
}

_Noreturn void kernel_main(void)
{
	static struct config config;
	struct sink early = { stderr_write };
	err_t e = config_init(&config);

	log_set_sink(&early);		/* until the console is there */
	if (e == OK)
		e = config_load(&config, "fvp.toml");
	if (e != OK) {
		log_error("configuration: %s", err_text(e));
		log_error("no VM is started; the monitor is here, `help` lists its commands");
		config_fini(&config);
		if (config_init(&config) != OK)
			panic("configuration: no memory");
	}
	e = config_check_shared(&config);
	if (e != OK)
		log_error("configuration: %s", err_text(e));
	kernel_launch(&(struct launch){ .config = &config });
}
