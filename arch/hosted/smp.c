/*
 * Threads play host CPUs. An idle one sleeps in a futex on its own ->pending word, until
 * somebody raises a flag or its timer is due.
 */
#include "arch/smp.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "arch/clock.h"
#include "arch/hosted/hosted.h"
#include "kernel/base/log.h"
#include "kernel/base/str.h"

struct start {
	u32 id;
	void (*entry)(void);
	sem_t online;
};

void hosted_cpu_attach(u32 id)
{
	struct cpu *c = &cpus[id];

	c->id = id;
	c->hw_id = (u64)syscall(SYS_gettid);
	cpu_self = c;
	hosted_trap_stack();
	hosted_clock_attach(c);
	atomic_store(&c->online, true);
}

static void *cpu_thread(void *arg)
{
	struct start *s = arg;
	void (*entry)(void) = s->entry;

	hosted_cpu_attach(s->id);
	sem_post(&s->online);
	entry();
	return NULL;
}

static err_t cpu_start(u32 id, void (*entry)(void))
{
	struct start s = { .id = id, .entry = entry };
	pthread_t thread;
	int e;

	sem_init(&s.online, 0, 0);
	e = pthread_create(&thread, NULL, cpu_thread, &s);
	if (e)
		return ERRF(E_NOMEM, "thread for cpu %u: %s", id, hosted_strerror(e));
	pthread_detach(thread);
	while (sem_wait(&s.online) != 0)
		;
	sem_destroy(&s.online);
	return OK;
}

/* FVP_CPUS, or as many as this process may use. */
static err_t cpus_wanted(u32 *out)
{
	const char *env = getenv("FVP_CPUS");
	cpu_set_t set;
	u64 n;

	if (env) {
		if (!str_to_u64(env, &n) || n < 1 || n > CPU_MAX)
			return ERRF(E_USAGE, "FVP_CPUS=%s: want a number from 1 to %d", env,
				    CPU_MAX);
	} else if (sched_getaffinity(0, sizeof(set), &set) == 0) {
		n = (u64)CPU_COUNT(&set);
	} else {
		n = (u64)sysconf(_SC_NPROCESSORS_ONLN);
	}
	*out = (u32)MAX(1u, MIN(n, (u64)CPU_MAX));
	return OK;
}

err_t arch_smp_start(void (*entry)(void))
{
	u32 want;
	err_t e = cpus_wanted(&want);

	if (e != OK)
		return e;
	for (cpu_count = MAX(cpu_count, 1u); cpu_count < want; cpu_count++) {
		if (cpu_start(cpu_count, entry) != OK) {
			log_warn("host: %s; going on with %u CPUs", err_text(E_NOMEM), cpu_count);
			break;
		}
	}
	return OK;
}

static long futex(_Atomic u32 *word, int op, u32 val, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, val, timeout, NULL, 0);
}

/* The flag is raised before ->idle is read here, and ->idle set before the flags are read there. */
void arch_cpu_kick(struct cpu *c)
{
	if (atomic_load(&c->idle))
		futex(&c->pending, FUTEX_WAKE, 1, NULL);
}

void arch_cpu_idle(void)
{
	struct cpu *c = cpu_self;

	atomic_store(&c->idle, true);
	while (atomic_load(&c->pending) == 0) {
		ns_t deadline = hosted_timer_deadline(c), now = arch_clock_ns(), left;
		struct timespec t;

		if (deadline <= now) {
			arch_timer_set(deadline);	/* due: raises CPU_TIMER */
			break;
		}
		left = MIN(deadline - now, 3600 * NS_PER_SEC);
		t.tv_sec = (time_t)(left / NS_PER_SEC);
		t.tv_nsec = (long)(left % NS_PER_SEC);
		futex(&c->pending, FUTEX_WAIT, 0, &t);
	}
	atomic_store(&c->idle, false);
}
