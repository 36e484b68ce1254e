/*
 * A toy machine for tests of the scheduler and of VM life cycle: an ISA whose only instruction
 * is a step of a C function, a runner that keeps the runners' protocol, a board that takes the
 * guest's program from `cmdline`. The host CPUs are the hosted process's real threads.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/hosted/hosted.h"
#include "arch/mem.h"
#include "arch/smp.h"
#include "engine/runner.h"
#include "kernel/base/heap.h"
#include "kernel/base/str.h"
#include "kernel/board.h"
#include "kernel/console.h"
#include "kernel/sched.h"

#define FAKE_CPUS	3		/* host CPUs */
#define PATIENCE	(60 * NS_PER_SEC)

/* ---- the guest ---------------------------------------------------------------------------- */

struct fake_state {
	u64 pc;
};

static _Atomic u64 hops, strayed, builds;
static u64 builds_wanted;	/* "reboot", "crash": do so until there were that many builds */
static struct vm *victim;

/* One step; true leaves run() with x->why set. */
typedef bool (*program)(struct gcpu *g, struct exit *x);

static bool step_spin(struct gcpu *g, struct exit *x)
{
	struct vcpu *v = vcpu_of(g);

	if (v->pin >= 0 && (u32)v->pin != cpu_self->id)
		strayed++;
	return false;
}

/* Pass a token on to the next CPU, sleep until it comes round again. */
static bool step_ring(struct gcpu *g, struct exit *x)
{
	struct vcpu *v = vcpu_of(g);

	if (g->lines & 1) {
		gcpu_line(g, 0, false);
		hops++;
		gcpu_line(&v->vm->vcpu[(v->index + 1) % v->vm->vcpus].g, 0, true);
	}
	g->halted = true;
	return false;
}

static bool step_yield(struct gcpu *g, struct exit *x)
{
	x->why = EXIT_YIELD;
	return true;
}

static bool step_halt(struct gcpu *g, struct exit *x)
{
	g->halted = true;
	return false;
}

static bool step_poweroff(struct gcpu *g, struct exit *x)
{
	vm_shutdown(vcpu_of(g)->vm, SHUTDOWN_POWEROFF, 0);
	return false;
}

static bool step_failcode(struct gcpu *g, struct exit *x)
{
	vm_shutdown(vcpu_of(g)->vm, SHUTDOWN_FAIL, 42);
	return false;
}

static bool step_reboot(struct gcpu *g, struct exit *x)
{
	if (builds < builds_wanted)
		vm_shutdown(vcpu_of(g)->vm, SHUTDOWN_REBOOT, 0);
	return false;
}

static bool step_crash(struct gcpu *g, struct exit *x)
{
	if (builds < builds_wanted)
		vm_fail(vcpu_of(g)->vm, "step %llu went wrong", (unsigned long long)g->icount);
	return false;
}

static bool step_fail(struct gcpu *g, struct exit *x)
{
	x->why = EXIT_FAIL;
	str_copy(x->text, sizeof(x->text), "cannot go on");
	return true;
}

static bool step_shut(struct gcpu *g, struct exit *x)
{
	x->why = EXIT_SHUTDOWN;
	str_copy(x->text, sizeof(x->text), "triple fault");
	return true;
}

static bool step_pause_self(struct gcpu *g, struct exit *x)
{
	return g->icount % 1000 == 500 && vm_pause(vcpu_of(g)->vm) != OK;
}

static bool step_stop_self(struct gcpu *g, struct exit *x)
{
	(void)!vm_stop(vcpu_of(g)->vm);
	return false;
}

static bool step_stop_victim(struct gcpu *g, struct exit *x)
{
	(void)!vm_stop(victim);
	return false;
}

/* Off in the same turn as the VM is to be paused. */
static bool step_pause_off(struct gcpu *g, struct exit *x)
{
	(void)!vm_pause(vcpu_of(g)->vm);
	vcpu_power_off(vcpu_of(g));
	x->why = EXIT_YIELD;
	return true;
}

static bool step_call(struct gcpu *g, struct exit *x)
{
	x->why = EXIT_HYPERCALL;
	return true;
}

static u64 order;		/* of all that "order" and "nap" did: a hash */

static void order_note(struct gcpu *g)
{
	order = (order ^ ((u64)g->index << 48 | g->icount)) * 0xd6e8feb86659fd93ull;
	order ^= order >> 32;
}

/* Note every step; now and then yield, or wake the next CPU and sleep. */
static bool step_order(struct gcpu *g, struct exit *x)
{
	struct vm *of = vcpu_of(g)->vm;

	order_note(g);
	gcpu_line(g, 0, false);
	if (g->icount % 1009 == 0) {
		gcpu_line(&of->vcpu[(g->index + 1) % of->vcpus].g, 0, true);
		g->halted = true;
	}
	x->why = EXIT_YIELD;
	return g->icount % 777 == 0;
}

static void nap_over(struct timer *t)
{
	gcpu_line(container_of(t, struct gcpu, timer), 0, true);
}

/* Sleep for a second, over and over. */
static bool step_nap(struct gcpu *g, struct exit *x)
{
	order_note(g);
	order += gcpu_now(g);
	gcpu_line(g, 0, false);
	g->timer.fire = nap_over;
	gclock_arm(g->clock, &g->timer, gcpu_now(g) + NS_PER_SEC);
	g->halted = true;
	return false;
}

/* A port at 0x80 that tells the number of the CPU that reads it. A 1 in it ends the machine. */
static u64 port_read(void *ctx, u64 off, u32 len)
{
	return vm_cpu(ctx) + off;
}

static void port_write(void *ctx, u64 off, u32 len, u64 val)
{
	vm_shutdown(ctx, SHUTDOWN_FAIL, (u32)(val << 8 | off));
}

static const struct mmio_ops port_ops = { port_read, port_write };

/* Read the port; then, if that is right and this is the last CPU, write the number to the next. */
static bool step_port(struct gcpu *g, struct exit *x)
{
	if (ports_read(g->ports, 0x80, 1) != g->index)
		return step_fail(g, x);
	if (g->index + 1 == vcpu_of(g)->vm->vcpus)
		ports_write(g->ports, 0x81, 1, g->index);
	return step_spin(g, x);
}

static const struct {
	const char *name;
	program step;
	bool all_on;		/* every CPU is powered on at the start, not only the first */
} programs[] = {
	{ "spin", step_spin, true },
	{ "ring", step_ring, true },
	{ "yield", step_yield, true },
	{ "halt", step_halt, true },
	{ "poweroff", step_poweroff, true },
	{ "failcode", step_failcode, false },
	{ "reboot", step_reboot, true },
	{ "crash", step_crash, true },
	{ "fail", step_fail, false },
	{ "shut", step_shut, false },
	{ "pause_self", step_pause_self, true },
	{ "stop_self", step_stop_self, true },
	{ "stop_victim", step_stop_victim, false },
	{ "power_off", step_call, true },
	{ "order", step_order, true },
	{ "nap", step_nap, true },
	{ "pause_off", step_pause_off, false },
	{ "power_on", step_call, false },
	{ "port", step_port, true },
};

static u32 program_of(const struct vm *vm)
{
	for (u32 i = 0; i < ARRAY_LEN(programs); i++)
		if (str_eq(programs[i].name, vm->config.cmdline))
			return i;
	return ARRAY_LEN(programs);
}

/* ---- ISA, runner, board -------------------------------------------------------------------- */

static void fake_reset(struct gcpu *g)
{
}

static bool fake_wakes(struct gcpu *g)
{
	return atomic_load(&g->lines) != 0;
}

static void fake_print(const struct gcpu *g, struct sink *to)
{
	sink_printf(to, "registers of %u\n", g->index);
}

static const struct isa fake_isa = {
	.name = "fake",
	.state_size = sizeof(struct fake_state),
	.pc_offset = offsetof(struct fake_state, pc),
	.reset = fake_reset,
	.wakes = fake_wakes,
	.print = fake_print,
};

static bool fake_probe(const struct isa *isa, const char **why)
{
	*why = "it only runs the fake ISA";
	return isa == &fake_isa;
}

static err_t fake_init(struct gcpu *g)
{
	g->code = heap_alloc(64);
	return g->code ? OK : ERR(E_NOMEM);
}

static void fake_fini(struct gcpu *g)
{
	heap_free(g->code);
}

static void fake_run(struct gcpu *g, struct exit *x)
{
	program step = programs[program_of(vcpu_of(g)->vm)].step;

	x->why = EXIT_BUDGET;
	atomic_store(&g->in_guest, true);
	for (;;) {
		if (atomic_load(&g->attention)) {
			atomic_store(&g->attention, 0);
			if (atomic_exchange(&g->requests, 0) & REQ_LEAVE || cpu_self->pending)
				break;
		}
		if (g->halted && !fake_wakes(g)) {
			x->why = EXIT_HALT;
			break;
		}
		g->halted = false;
		if (g->budget <= 0)
			break;
		g->budget--;
		g->icount++;
		((struct fake_state *)g->st)->pc += 4;
		if (step(g, x))
			break;
	}
	atomic_store(&g->in_guest, false);
}

static const struct runner fake_runner = {
	.name = "fake", .probe = fake_probe, .init = fake_init, .run = fake_run, .fini = fake_fini,
};
const struct runner *const runners[] = { &fake_runner, NULL };

static err_t fake_build(struct vm *vm)
{
	err_t e;

	builds++;
	if (program_of(vm) == ARRAY_LEN(programs))
		return ERRF(E_FORMAT, "no program %s", vm->config.cmdline);
	vm->ram = arch_ram_alloc(vm->config.memory, 0);
	vm->ram_len = vm->config.memory;
	if (!vm->ram)
		return ERR(E_NOMEM);
	e = space_map_ram(&vm->space, 0, vm->ram_len, vm->ram, "ram");
	for (u64 i = 0; e == OK && i < vm->ram_len; i += PAGE_SIZE)
		if (*(u64 *)(vm->ram + i))
			return ERRF(E_INTERNAL, "RAM is not clean");
	if (e == OK)
		e = ports_map(&vm->ports, &(struct port_range){ 0x80, 2, 0, "port", &port_ops, vm,
								&vm->bus_lock });
	if (e != OK)
		return e;
	vm->ram[4096] = 0xaa;
	for (u32 i = 0; e == OK && programs[program_of(vm)].all_on && i < vm->vcpus; i++)
		e = vcpu_power_on(&vm->vcpu[i]);
	return e;
}

/*
 * "power_off": switch oneself off. "power_on": the first starts the next one, once, which spins
 * here.
 */
static void fake_hypercall(struct vcpu *v)
{
	struct vm *vm = v->vm;

	if (str_eq(vm->config.cmdline, "power_off"))
		vcpu_power_off(v);
	else if (v->index + 1 < vm->vcpus && vcpu_power_on(&vm->vcpu[v->index + 1]) == OK)
		hops++;
}

static const struct board fake_board = {
	.name = "toy", .arch = "riscv64", .isa = &fake_isa, .cpus_max = 8, .memory_min = MIB(16),
	.memory_max = MIB(64), .build = fake_build, .hypercall = fake_hypercall,
};
const struct board *const boards[] = { &fake_board, NULL };

const struct board *board_find(const char *arch)
{
	return str_eq(arch, "riscv64") ? &fake_board : NULL;
}

/* ---- tests run between turns of CPU 0's loop ------------------------------------------------ */

static jmp_buf loop_left;
static bool (*loop_until)(void);
static ns_t loop_end;
static struct timer loop_tick;
static u32 ended;			/* calls of vm_on_end */

static void tick(struct timer *t)
{
	timer_arm(t, arch_clock_ns() + NS_PER_MS);
}

static void chores(void)
{
	vm_serve_requests();
	if (loop_until())
		longjmp(loop_left, 1);
	if (arch_clock_ns() > loop_end)
		longjmp(loop_left, 2);
}

/* Let the machine run until @until says so; false if it never does. */
static bool run_until(bool (*until)(void))
{
	loop_until = until;
	loop_end = arch_clock_ns() + PATIENCE;
	switch (setjmp(loop_left)) {
	case 0:
		sched_loop();
	case 1:
		return true;
	default:
		return false;
	}
}

static ns_t sleep_end;

static bool slept(void)
{
	return arch_clock_ns() >= sleep_end;
}

static inline void run_ms(u64 ms)
{
	sleep_end = arch_clock_ns() + ms * NS_PER_MS;
	assert_true(run_until(slept));
}

static void on_end(struct vm *vm)
{
	ended++;
}

static int fake_setup(void **s)
{
	setenv("FVP_CPUS", "3", 1);
	cpu_count = 1;
	hosted_cpu_attach(0);
	sched_chores = chores;
	vm_on_end = on_end;
	loop_tick.fire = tick;
	tick(&loop_tick);
	if (console_init(NULL, false) != OK || arch_smp_start(sched_loop) != OK)
		return -1;
	return cpu_count == FAKE_CPUS ? 0 : -1;
}

/* A VM that runs @what, made once under this name. */
static struct vm *vm_make(const char *name, const char *what, u32 cpu_number)
{
	struct vm_config c = {
		.arch = "riscv64",
		.memory = MIB(16),
		.cpus = cpu_number,
		.runner = "auto",
		.kernel = "k",
		.initrd = "",
		.cmdline = what,
		.clock = "real",
		.firmware = "",
		.restart = "never",
	};
	struct vm *vm = NULL;

	str_copy(c.name, sizeof(c.name), name);
	assert_int_equal(vm_create(&c, &vm), OK);
	return vm;
}

/* VMs are for ever, but a test wants a fresh list. */
static int vms_forget(void **s)
{
	for (u32 i = 0; i < vm_count; i++)	/* all of them first: one may stop another */
		if (vms[i]->state != VM_STOPPED && vm_stop(vms[i]) != OK)
			return -1;
	for (u32 i = 0; i < vm_count; i++) {
		console_close(vms[i]->console);
		heap_free(vms[i]->vcpu);
		heap_free(vms[i]);
	}
	vm_count = 0;
	hops = strayed = builds = 0;
	builds_wanted = UINT64_MAX;
	ended = 0;
	return 0;
}
