/*
 * Signals. Faults are bugs of the hypervisor: registers, then panic() with its call chain,
 * exit status 70. SIGINT, SIGTERM, SIGHUP and SIGQUIT end the process in order, with the
 * terminal given back and status 128 + signal.
 *
 * Call chains come from the unwind tables (backtrace(3)): the code has no frame pointers.
 */
#include "arch/trap.h"

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "arch/io.h"
#include "engine/back/jit/host.h"
#include "host/cpu.h"
#include "kernel/base/cpu.h"
#include "kernel/base/panic.h"

#define STACK_SIZE	KIB(64)
#define SIG_STOP	SIGUSR2

u32 arch_backtrace(uptr *pc, u32 max)
{
	void *at[64];
	int count = backtrace(at, (int)MIN(max + 1, (u32)ARRAY_LEN(at)));

	for (int i = 1; i < count; i++)		/* without ourselves */
		pc[i - 1] = (uptr)at[i];
	return count > 1 ? (u32)count - 1 : 0;
}

static void stop_here(int sig)
{
	for (;;)
		pause();
}

void arch_stop_others(void)
{
	u64 self = (u64)syscall(SYS_gettid);

	for (u32 i = 0; i < CPU_MAX; i++)
		if (atomic_load(&cpus[i].online) && cpus[i].hw_id != self)
			syscall(SYS_tgkill, getpid(), (pid_t)cpus[i].hw_id, SIG_STOP);
}

void arch_halt(void)
{
	hosted_exit(err_status(E_INTERNAL));
}

static void early_sink_write(struct sink *s, const char *text, size_t len)
{
	arch_early_write(text, len);
}

/* The machine context begins with the registers on every host; returns the program counter. */
static uptr context_print(struct sink *to, const ucontext_t *u)
{
	static const char *const names[] = { HOST_SIGNAL_REGS };
	const u64 *regs = (const u64 *)&u->uc_mcontext;
	u32 count = ARRAY_LEN(names);

	for (u32 i = 0; i < count; i++)
		sink_printf(to, "  %-4s %016llx%s", names[i], (unsigned long long)regs[i],
			    i % 4 == 3 || i + 1 == count ? "\n" : "");
	return regs[HOST_SIGNAL_PC];
}

static void trap(int sig, siginfo_t *info, void *context)
{
	struct sink to = { early_sink_write };
	u64 *regs = (u64 *)&((ucontext_t *)context)->uc_mcontext;
	uptr pc = sig == SIGSEGV || sig == SIGBUS ? jit_fault(regs[HOST_SIGNAL_PC]) : 0;

	if (pc) {
		regs[HOST_SIGNAL_PC] = pc;
		return;
	}
	sink_printf(&to, "\ntrap: SIG%s, address %p, code %d\n", sigabbrev_np(sig), info->si_addr,
		    info->si_code);
	pc = context_print(&to, context);
	panic("SIG%s at pc %#lx, address %p", sigabbrev_np(sig), pc, info->si_addr);
}

static void leave(int sig)
{
	hosted_exit(128 + sig);
}

/* abort(), as from a sanitizer: the terminal back, then the default. */
static void die(int sig)
{
	hosted_tty_restore();
	signal(sig, SIG_DFL);
	raise(sig);
}

void hosted_trap_stack(void)
{
	stack_t s = { .ss_size = STACK_SIZE };

	s.ss_sp = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	if (s.ss_sp != MAP_FAILED)
		sigaltstack(&s, NULL);
}

void hosted_traps_init(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE };
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	/* NODEFER: a fault inside the dump must reach panic() again, not kill us, tty raw. */
	struct sigaction act = {
		.sa_sigaction = trap,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};
	void *warm[4];

	backtrace(warm, ARRAY_LEN(warm));	/* loads what it needs while it may allocate */
	for (u32 i = 0; i < ARRAY_LEN(faults); i++)
		sigaction(faults[i], &act, NULL);
	act = (struct sigaction){ .sa_handler = leave, .sa_flags = SA_RESTART };
	for (u32 i = 0; i < ARRAY_LEN(ends); i++)
		sigaction(ends[i], &act, NULL);
	act.sa_handler = die;
	sigaction(SIGABRT, &act, NULL);
	act.sa_handler = stop_here;
	act.sa_flags |= SA_ONSTACK;
	sigaction(SIG_STOP, &act, NULL);
}
