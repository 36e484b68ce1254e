/*
 * The scheduler, see sched.h. One lock over the ready queue and every guest CPU's state: the
 * sections are a few dozen instructions long and turns last milliseconds. Host CPUs to wake
 * are collected in a mask and raised after the lock is dropped.
 *
 * No wake-up is lost: a halting CPU is marked WAITING and its wake condition looked at again
 * under the lock; who changes the condition does so first and takes the lock (sched_kick) then.
 */
#include "kernel/sched.h"
#include "arch/clock.h"
#include "arch/smp.h"
#include "engine/runner.h"
#include "kernel/base/panic.h"

static struct {
	struct lock lock;
	struct list ready;
	u64 idle;			/* host CPUs that sleep and were not raised yet */
	u64 raise;			/* host CPUs to raise when the lock is dropped */
	_Atomic u32 waiting;		/* length of ready; also read without the lock */
} sched = { .ready = { &sched.ready, &sched.ready } };

/* cpu->sched */
static struct host {
	struct vcpu *current;
	struct timer slice;
} hosts[CPU_MAX];

void (*sched_chores)(void);

static void sched_drop(void)
{
	u64 raise = sched.raise;

	sched.raise = 0;
	lock_drop(&sched.lock);
	for (; raise; raise &= raise - 1)
		cpu_raise(&cpus[__builtin_ctzll(raise)], CPU_KICK);
}

const char *vcpu_state_name(enum vcpu_state s)
{
	static const char *const names[] = { "off", "ready", "running", "waiting", "parked" };

	return names[s];
}

bool sched_others_wait(void)
{
	return atomic_load_explicit(&sched.waiting, memory_order_relaxed);
}

struct vcpu *sched_current(void)
{
	struct host *h = cpu_self->sched;

	return h ? h->current : NULL;
}

/* ---- whose turn it is (under the lock) -------------------------------------------------- */

static bool turn_powered(const struct vcpu *v)
{
	for (u32 i = 0; i < v->crew; i++)
		if (v[i].power)
			return true;
	return false;
}

static bool turn_wakes(struct vcpu *v)
{
	for (u32 i = 0; i < v->crew; i++)
		if (v[i].power && v[i].g.isa->wakes(&v[i].g))
			return true;
	return gclock_counts(&v->vm->clock) && gclock_has_timers(&v->vm->clock);
}

/* ---- the ready queue (under the lock) --------------------------------------------------- */

/* A sleeping host CPU that may run @v, rather the one where it ran last; -1 if there is none. */
static s32 sched_idle_cpu(const struct vcpu *v)
{
	u64 may = v->pin >= 0 ? BIT(v->pin) : ~0ull, idle = sched.idle & may;

	if (!idle)
		return -1;
	return idle & BIT(v->host) ? (s32)v->host : __builtin_ctzll(idle);
}

static bool sched_wake_idle(const struct vcpu *v)
{
	s32 cpu = sched_idle_cpu(v);

	if (cpu < 0)
		return false;
	sched.idle &= ~BIT(cpu);
	sched.raise |= BIT(cpu);
	return true;
}

static void sched_enqueue(struct vcpu *v)
{
	v->state = VCPU_READY;
	list_add_tail(&sched.ready, &v->run_link);
	sched.waiting++;
}

static void sched_dequeue(struct vcpu *v)
{
	list_remove(&v->run_link);
	sched.waiting--;
}

/* Enqueue one that did not run just now: somebody has to notice. */
static void sched_wake(struct vcpu *v)
{
	sched_enqueue(v);
	if (!sched_wake_idle(v))
		sched.raise |= BIT(v->pin >= 0 ? (u32)v->pin : v->host);
}

/* Somebody is left waiting: is there a sleeping host CPU for one of them? It will look further. */
static void sched_spread(void)
{
	list_each(it, &sched.ready)
		if (sched_wake_idle(container_of(it, struct vcpu, run_link)))
			return;
}

static struct vcpu *sched_first_for(s32 cpu)
{
	list_each(it, &sched.ready) {
		struct vcpu *v = container_of(it, struct vcpu, run_link);

		if (v->pin < 0 || v->pin == cpu)
			return v;
	}
	return NULL;
}

/* ---- turns ------------------------------------------------------------------------------ */

/* Nothing to do: that the timer fired has already ended the turn. */
static void slice_end(struct timer *t)
{
}

/* The next guest CPU for this host CPU, or NULL and the host CPU counts as idle. */
static struct vcpu *sched_pick(struct host *h)
{
	struct vcpu *v;
	bool others;

	lock_take(&sched.lock);
	v = sched_first_for((s32)cpu_self->id);
	if (v) {
		sched.idle &= ~BIT(cpu_self->id);
		sched_dequeue(v);
		v->state = VCPU_RUNNING;
		v->host = cpu_self->id;
		h->current = v;
		sched_spread();
	} else {
		sched.idle |= BIT(cpu_self->id);
	}
	others = !list_empty(&sched.ready);
	sched_drop();
	if (v && others && !timer_armed(&h->slice))
		timer_arm(&h->slice, arch_clock_ns() + SCHED_SLICE);
	return v;
}

static bool vm_all_off(const struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].power)
			return false;
	return true;
}

/* Did @v switch itself off, and the machine with it? */
static bool vcpu_was_last(const struct vcpu *v)
{
	bool last;

	if (v->power)
		return false;
	lock_take(&sched.lock);
	last = vm_all_off(v->vm);
	lock_drop(&sched.lock);
	return last;
}

/* The turn is over: decide where @v goes. After that its VM may be gone, or in another life. */
static void sched_put(struct host *h, struct vcpu *v, enum turn next, ns_t ran)
{
	struct vm *vm = v->vm;

	if (vcpu_was_last(v))
		vm_request_end(vm, END_HALTED, 0);
	lock_take(&sched.lock);
	h->current = NULL;
	v->run_ns += ran;
	if (v->park || vm->stop_request || vm->pause_request) {
		v->state = VCPU_PARKED;
	} else if (!turn_powered(v)) {
		v->state = VCPU_OFF;
	} else {
		v->state = VCPU_WAITING;
		if (next != TURN_HALT || turn_wakes(v))
			sched_enqueue(v);
	}
	sched_drop();
}

static void sched_turn(struct host *h, struct vcpu *v)
{
	ns_t start = arch_clock_ns(), ran;
	enum turn next = TURN_AGAIN;

	atomic_store(&cpu_self->attention, &v->g.attention);
	if (!atomic_load(&cpu_self->pending))	/* raised before attention could tell */
		next = vcpu_run(v);
	atomic_store(&cpu_self->attention, NULL);
	ran = arch_clock_ns() - start;
	cpu_self->busy_ns += ran;
	sched_put(h, v, next, ran);
}

static void sched_idle(void)
{
	ns_t start = arch_clock_ns();

	arch_cpu_idle();
	cpu_self->idle_ns += arch_clock_ns() - start;
}

_Noreturn void sched_loop(void)
{
	struct host *h = &hosts[cpu_self->id];

	h->slice.fire = slice_end;
	cpu_self->sched = h;
	cpu_raise(cpu_self, CPU_KICK | CPU_TIMER);	/* look at everything once */
	for (;;) {
		u32 pending = atomic_exchange(&cpu_self->pending, 0);
		struct vcpu *v;

		if (pending & CPU_TIMER)
			timer_run(arch_clock_ns());
		if (pending && cpu_self->id == 0 && sched_chores)
			sched_chores();
		if (pending & CPU_INPUT && cpu_self->id != 0)
			cpu_raise(&cpus[0], CPU_INPUT);
		v = sched_pick(h);
		if (v)
			sched_turn(h, v);
		else
			sched_idle();
	}
}

/* ---- what others want from guest CPUs --------------------------------------------------- */

void sched_admit(struct vcpu *v, s32 pin)
{
	v->state = VCPU_OFF;
	v->power = false;
	v->park = true;
	v->carried = 0;
	v->crew = 1;
	v->pin = pin;
	v->host = pin >= 0 ? (u32)pin : v->index % cpu_count;
	v->run_ns = 0;
	list_init(&v->run_link);
}

static bool vcpu_is_running(struct vcpu *v)
{
	bool running;

	lock_take(&sched.lock);
	running = v->state == VCPU_RUNNING;
	lock_drop(&sched.lock);
	return running;
}

void sched_park(struct vm *vm)
{
	assert(!sched_current() || sched_current()->vm != vm);
	lock_take(&sched.lock);
	for (u32 i = 0; i < vm->vcpus; i++) {
		struct vcpu *v = &vm->vcpu[i];

		v->park = true;
		if (v->state == VCPU_READY)
			sched_dequeue(v);
		if (v->state == VCPU_READY || v->state == VCPU_WAITING)
			v->state = VCPU_PARKED;
	}
	sched_drop();
	for (u32 i = 0; i < vm->vcpus; i++)
		if (vcpu_is_running(&vm->vcpu[i]))
			gcpu_request(&vm->vcpu[i].g, REQ_LEAVE);
	for (u32 i = 0; i < vm->vcpus; i++)
		while (vcpu_is_running(&vm->vcpu[i]))
			host_relax();
}

void sched_unpark(struct vm *vm)
{
	lock_take(&sched.lock);
	for (u32 i = 0; i < vm->vcpus; i++) {
		struct vcpu *v = &vm->vcpu[i];

		v->park = false;
		if (v->state != VCPU_PARKED)
			continue;
		if (turn_powered(v))
			sched_wake(v);
		else
			v->state = VCPU_OFF;
	}
	sched_drop();
}

err_t sched_power_on(struct vcpu *v)
{
	bool off;

	lock_take(&sched.lock);
	off = !v->power && (v->state == VCPU_OFF || v->state == VCPU_PARKED);
	if (off) {
		v->power = true;
		v = vcpu_carrier(v);
		if (v->park)
			v->state = VCPU_PARKED;
		else if (v->state != VCPU_READY && v->state != VCPU_RUNNING)
			sched_wake(v);
	}
	sched_drop();
	return off ? OK : ERR(E_STATE);
}

void sched_power_off(struct vcpu *v)
{
	lock_take(&sched.lock);
	v->power = false;
	sched_drop();
}

bool sched_is_off(struct vcpu *v)
{
	bool off;

	lock_take(&sched.lock);
	off = !v->power && (v->state == VCPU_OFF || v->state == VCPU_PARKED);
	lock_drop(&sched.lock);
	return off;
}

void sched_kick(struct vcpu *v)
{
	struct cpu *kick = NULL;

	v = vcpu_carrier(v);
	if (v == sched_current()) /* it looks at ->attention before the next instruction it runs */
		return;
	lock_take(&sched.lock);
	if (v->state == VCPU_WAITING && turn_wakes(v))
		sched_wake(v);
	else if (v->state == VCPU_RUNNING && v->g.runner->accelerated)
		kick = &cpus[v->host];
	sched_drop();
	if (kick)
		arch_cpu_kick(kick);
}
