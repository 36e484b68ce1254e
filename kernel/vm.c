/*
 * Virtual machines: plan, creation, furnishing and life cycle. How a run ends is in vm_end.c.
 *
 * A VM that cannot be started is still there, stopped, with the reason in ->problem. Between
 * runs nothing of the machine remains but its console and its guest CPUs' memory.
 */
#include "kernel/vm.h"
#include "arch/clock.h"
#include "arch/io.h"
#include "arch/mem.h"
#include "engine/runner.h"
#include "kernel/base/heap.h"
#include "kernel/base/log.h"
#include "kernel/base/page.h"
#include "kernel/base/str.h"
#include "kernel/board.h"
#include "kernel/console.h"
#include "kernel/sched.h"

struct vm *vms[VM_MAX];
u32 vm_count;

const char *vm_state_name(enum vm_state s)
{
	static const char *const names[] = { "stopped", "running", "paused" };

	return names[s];
}

struct vm *vm_find(const char *name)
{
	for (u32 i = 0; i < vm_count; i++)
		if (str_eq(vms[i]->config.name, name))
			return vms[i];
	return NULL;
}

/* ---- plan ------------------------------------------------------------------------------- */

static err_t plan_board(const struct vm_config *c, struct vm_plan *out)
{
	char list[64] = "";
	struct sink_buf b = sink_buf_init(list, sizeof(list));

	out->board = board_find(c->arch);
	if (out->board)
		return OK;
	for (const struct board *const *i = boards; *i; i++)
		sink_printf(&b.sink, " %s", (*i)->arch);
	return ERRF(E_UNSUPPORTED, "no board for arch = \"%s\" in this build; there is:%s", c->arch,
		    b.len ? list : " none");
}

static err_t plan_runner(const struct vm_config *c, struct vm_plan *out)
{
	out->runner = runner_pick(out->board->isa, c->runner, &out->why);
	if (out->runner)
		return OK;
	return ERRF(E_UNSUPPORTED, "runner = \"%s\" cannot execute %s here: %s", c->runner,
		    c->arch, out->why);
}

static err_t plan_size(const struct vm_config *c, const struct board *b)
{
	if (c->memory < b->memory_min || c->memory > b->memory_max)
		return ERRF(E_CONFIG, "memory = \"%lluM\"; %s has %lluM to %lluM",
			    (unsigned long long)c->memory >> 20, b->name,
			    (unsigned long long)b->memory_min >> 20,
			    (unsigned long long)b->memory_max >> 20);
	if (c->cpus < 1 || c->cpus > b->cpus_max)
		return ERRF(E_CONFIG, "cpus = %llu; %s has 1 to %u",
			    (unsigned long long)c->cpus, b->name, b->cpus_max);
	return OK;
}

static err_t plan_pins(const struct vm_config *c)
{
	u64 cpu;

	for (u32 i = 0; i < c->pin.count; i++)
		if (!str_to_u64(c->pin.item[i], &cpu) || cpu >= cpu_count)
			return ERRF(E_CONFIG, "pin = \"%s\"; this machine has the CPUs 0 to %u",
				    c->pin.item[i], cpu_count - 1);
	return OK;
}

/* Where each page costs a system call, kernels get none: they touch each once. */
static enum gcpu_views plan_views(const struct vm_config *c, const struct runner *r)
{
	bool cheap = arch_views_are_cheap();

	if (!r->translates || str_eq(c->memory_mode, "lpt") ||
	    (str_eq(c->memory_mode, "auto") && !cheap))
		return VIEWS_NONE;
	return cheap || str_eq(c->memory_mode, "direct-all") ? VIEWS_ALL : VIEWS_USER;
}

static err_t plan_features(const struct vm_config *c, struct vm_plan *out)
{
	const struct isa *isa = out->board->isa;
	err_t e = isa_features(isa, c->isa.item, c->isa.count, &out->features);

	out->views = plan_views(c, out->runner);
	if (out->views != VIEWS_NONE)
		out->features &= ~isa->wide;
	return e;
}

err_t vm_plan(const struct vm_config *c, struct vm_plan *out)
{
	err_t e = config_check_vm(c);

	if (e == OK)
		e = plan_board(c, out);
	if (e == OK)
		e = plan_runner(c, out);
	if (e == OK)
		e = plan_size(c, out->board);
	if (e == OK)
		e = plan_pins(c);
	if (e == OK)
		e = plan_features(c, out);
	return e;
}

/* ---- creation --------------------------------------------------------------------------- */

err_t vm_create(const struct vm_config *c, struct vm **out)
{
	struct vm *vm;
	err_t e;

	if (vm_find(c->name))
		return ERRF(E_EXIST, "vm %s: there is one of that name", c->name);
	if (vm_count == VM_MAX)
		return ERRF(E_RANGE, "vm %s: more than %d VMs", c->name, VM_MAX);
	vm = heap_alloc(sizeof(*vm));
	if (!vm)
		return ERRF(E_NOMEM, "vm %s: no memory for it", c->name);
	vm->config = *c;
	vm->id = vm_count;
	e = console_open(c->name, &vm->console);
	if (e != OK) {
		heap_free(vm);
		return e;
	}
	vms[vm_count++] = vm;
	*out = vm;
	return OK;
}

static s32 vm_pin(const struct vm *vm, u32 index)
{
	u64 cpu;

	if (index >= vm->config.pin.count || !str_to_u64(vm->config.pin.item[index], &cpu))
		return -1;
	return (s32)cpu;
}

/* ---- time as a function of instructions -------------------------------------------------- */

static u64 vm_count_instructions(const struct gclock *c)
{
	const struct vm *vm = container_of(c, struct vm, clock);
	u64 sum = 0;

	for (u32 i = 0; i < vm->vcpus; i++)
		sum += gcpu_icount(&vm->vcpu[i].g);
	return sum;
}

static void vm_timer_armed(struct gclock *c)
{
	sched_kick(&container_of(c, struct vm, clock)->vcpu[0]);
}

static void vm_start_clock(struct vm *vm)
{
	if (str_eq(vm->config.clock, "icount"))
		gclock_start_counting(&vm->clock, vm_count_instructions, vm_timer_armed);
	else
		gclock_start(&vm->clock, 0);
	gclock_freeze(&vm->clock);
	vm->turn = 0;
}

static void vm_carry(struct vm *vm, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		vm->vcpu[i].carried = i;
		vm->vcpu[i].crew = i == 0 ? count : 0;
		vm->vcpu[i].g.quantum = ICOUNT_QUANTUM;
	}
}

/* ---- building --------------------------------------------------------------------------- */

static err_t vm_build_cpus(struct vm *vm, const struct vm_plan *plan)
{
	u32 count = (u32)vm->config.cpus;
	err_t e = OK;

	if (!vm->vcpu)
		vm->vcpu = heap_alloc(count * sizeof(*vm->vcpu));
	if (!vm->vcpu)
		return ERRF(E_NOMEM, "no memory for its CPUs");
	for (vm->vcpus = 0; vm->vcpus < count && e == OK; vm->vcpus++) {
		struct vcpu *v = &vm->vcpu[vm->vcpus];

		memset(v, 0, sizeof(*v));
		v->g.isa = plan->board->isa;
		v->g.runner = plan->runner;
		v->g.space = &vm->space;
		v->g.ports = &vm->ports;
		v->g.clock = &vm->clock;
		v->g.index = v->index = vm->vcpus;
		v->g.cpus = count;
		v->g.features = plan->features;
		v->g.hot = (u32)MIN(vm->config.hot, UINT32_MAX);
		v->g.views = plan->views;
		v->g.firmware = vm->config.firmware[0];
		v->vm = vm;
		sched_admit(v, vm_pin(vm, v->index));
		e = gcpu_init(&v->g);
	}
	if (e == OK && gclock_counts(&vm->clock))
		vm_carry(vm, count);
	return e;
}

static err_t vm_open_disks(struct vm *vm)
{
	char path[256];
	err_t e = OK;

	for (u32 i = 0; i < vm->config.disk.count && e == OK; i++) {
		const char *item = vm->config.disk.item[i];
		size_t len = str_len(item);
		bool readonly = len > 3 && str_eq(item + len - 3, ",ro");

		if (!str_copy(path, sizeof(path), item))
			return ERRF(E_CONFIG, "disk %u: path too long", i);
		if (readonly)
			path[len - 3] = '\0';
		e = arch_disk_open(path, readonly, &vm->blk[i]);
	}
	return e;
}

static void vm_close_disks(struct vm *vm)
{
	for (u32 i = 0; i < ARRAY_LEN(vm->blk); i++) {
		if (vm->blk[i] && vm->blk[i]->ops->close)
			vm->blk[i]->ops->close(vm->blk[i]);
		vm->blk[i] = NULL;
	}
}

void *vm_alloc_ram(const struct vm *vm)
{
	u64 len = vm->config.memory;

	return vm->vcpu[0].g.views ? arch_ram_alloc_viewed(len, NODE_ANY) :
				     arch_ram_alloc(len, NODE_ANY);
}

static void vm_free_memory(struct vm *vm)
{
	if (vm->ram)
		arch_ram_free(vm->ram, vm->ram_len);
	vm->ram = NULL;
	for (u32 i = 0; i < ARRAY_LEN(vm->rom); i++) {
		if (vm->rom[i])
			arch_ram_free(vm->rom[i], vm->rom_len[i]);
		vm->rom[i] = NULL;
	}
	heap_free(vm->board_data);
	vm->board_data = NULL;
}

/* Take the machine apart, however far it was built; its CPUs are parked. */
void vm_teardown(struct vm *vm)
{
	while (vm->devs)
		dev_destroy(&vm->dev[--vm->devs]);
	heap_free(vm->dev);
	vm->dev = NULL;
	for (u32 i = 0; i < vm->vcpus; i++) {
		vm->vcpu[i].state = VCPU_OFF;
		vm->vcpu[i].power = false;
		gcpu_fini(&vm->vcpu[i].g);
	}
	vm_close_disks(vm);
	ports_fini(&vm->ports);
	space_fini(&vm->space);
	vm_free_memory(vm);
}

static err_t vm_build(struct vm *vm)
{
	struct vm_plan plan;
	err_t e = vm_plan(&vm->config, &plan);

	if (e != OK)
		return e;
	e = space_init(&vm->space);
	if (e != OK)
		return e;
	ports_init(&vm->ports);
	vm->board = plan.board;
	vm_start_clock(vm);
	e = vm_build_cpus(vm, &plan);
	if (e == OK)
		e = vm_open_disks(vm);
	if (e == OK)
		e = plan.board->build(vm);
	if (e == OK && !vm->vcpu[0].power)
		e = sched_power_on(&vm->vcpu[0]);
	if (e != OK)
		vm_teardown(vm);
	return e;
}

/* ---- life cycle ------------------------------------------------------------------------- */

static void vm_forget_run(struct vm *vm)
{
	vm->end = END_NONE;
	vm->end_code = 0;
	vm->problem[0] = vm->post_mortem[0] = vm->cause[0] = '\0';
	vm->stop_request = vm->stop_code = 0;
	vm->pause_request = false;
	vm->end_claimed = false;
	memset(&vm->ended, 0, sizeof(vm->ended));
}

static err_t vm_start_locked(struct vm *vm)
{
	err_t e;

	if (vm->state != VM_STOPPED)
		return ERRF(E_STATE, "vm %s: is %s already", vm->config.name,
			    vm_state_name(vm->state));
	vm_forget_run(vm);
	e = vm_build(vm);
	if (e != OK) {
		str_copy(vm->problem, sizeof(vm->problem), err_text(e));
		log_error("vm %s: cannot start: %s", vm->config.name, vm->problem);
		return e;
	}
	vm->state = VM_RUNNING;
	vm->started = arch_clock_ns();
	gclock_thaw(&vm->clock);
	sched_unpark(vm);
	return OK;
}

err_t vm_start(struct vm *vm)
{
	err_t e;

	lock_take(&vm->lock);
	e = vm_start_locked(vm);
	lock_drop(&vm->lock);
	return e;
}

/* Is this CPU 0's loop between turns, where life cycle happens? */
static bool vm_here(void)
{
	return cpu_self->id == 0 && !sched_current();
}

static err_t vm_end_now(struct vm *vm, enum vm_end end)
{
	if (vm->state == VM_STOPPED)
		return ERRF(E_STATE, "vm %s: is stopped already", vm->config.name);
	vm_request_end(vm, end, 0);
	if (vm_here())
		vm_serve_requests();
	return OK;
}

err_t vm_stop(struct vm *vm)
{
	return vm_end_now(vm, END_STOPPED);
}

err_t vm_reset(struct vm *vm)
{
	return vm_end_now(vm, END_RESET);
}

static void vm_pause_locked(struct vm *vm)
{
	if (vm->state != VM_RUNNING)
		return;
	sched_park(vm);
	gclock_freeze(&vm->clock);
	vm->state = VM_PAUSED;
}

err_t vm_pause(struct vm *vm)
{
	if (vm->state != VM_RUNNING)
		return ERRF(E_STATE, "vm %s: is %s", vm->config.name, vm_state_name(vm->state));
	vm->pause_request = true;
	if (vm_here())
		vm_serve_requests();
	else
		cpu_raise(&cpus[0], CPU_KICK);
	return OK;
}

err_t vm_resume(struct vm *vm)
{
	bool paused;

	lock_take(&vm->lock);
	paused = vm->state == VM_PAUSED;
	if (paused) {
		vm->state = VM_RUNNING;
		gclock_thaw(&vm->clock);
		sched_unpark(vm);
	}
	lock_drop(&vm->lock);
	return paused ? OK :
			ERRF(E_STATE, "vm %s: is %s, not paused", vm->config.name,
			     vm_state_name(vm->state));
}

static err_t vm_press_locked(struct vm *vm)
{
	if (vm->state != VM_RUNNING)
		return ERRF(E_STATE, "vm %s: is %s", vm->config.name, vm_state_name(vm->state));
	if (!vm->board->press)
		return ERRF(E_UNSUPPORTED, "vm %s: the board %s has no power key", vm->config.name,
			    vm->board->name);
	vm->board->press(vm);
	return OK;
}

err_t vm_press(struct vm *vm)
{
	err_t e;

	lock_take(&vm->lock);
	e = vm_press_locked(vm);
	lock_drop(&vm->lock);
	return e;
}

void vm_serve_requests(void)
{
	for (u32 i = 0; i < vm_count; i++) {
		struct vm *vm = vms[i];

		if (atomic_exchange(&vm->pause_request, false)) {
			lock_take(&vm->lock);
			vm_pause_locked(vm);
			lock_drop(&vm->lock);
		}
		if (vm->stop_request)
			vm_finish(vm);
	}
}

/* ---- figures ---------------------------------------------------------------------------- */

static void stats_add_code(struct vm_stats *out, const struct gcpu *g)
{
	const struct lpt *l = g->tlb->lpt;

	out->lpt_fills += l ? l->fills : 0;
	out->lpt_flushes += l ? l->flushes : 0;
#define X(name, text) out->code.name += g->code->stats.name;
	if (g->code) {
		CODE_STATS(X)
	}
#undef X
}

void vm_stats(const struct vm *vm, struct vm_stats *out)
{
	*out = vm->ended;
	if (vm->state == VM_STOPPED)
		return;
	for (u32 i = 0; i < vm->vcpus; i++) {
		const struct vcpu *v = &vm->vcpu[i];

		out->instructions += v->retired;
		out->run_ns += v->run_ns;
		for (u32 why = 0; why < EXIT_COUNT; why++)
			out->exits[why] += v->g.exits[why];
		out->tlb_slow += v->g.tlb->hits_slow;
		out->tlb_fills += v->g.tlb->fills;
		out->tlb_flushes += v->g.tlb->flushes;
		stats_add_code(out, &v->g);
	}
}
