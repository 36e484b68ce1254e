/*
 * Protection: pages are made read-only and writable in turn, as a garbage collector's write barrier
 * does: half of them by the program, half by the handler of the fault that a write to them caused.
 */
#include <signal.h>
#include <sys/mman.h>

#include "test/bench/guest/bench.h"

#define PAGE	4096
#define PAGES	64
#define ROUNDS	128

static u8 *region;
static volatile u64 faults;

static void protect(long page, int how)
{
	if (mprotect(region + page * PAGE, PAGE, how))
		bench_die("mprotect");
}

static void on_segv(int number, siginfo_t *info, void *context)
{
	faults++;
	protect(((u8 *)info->si_addr - region) / PAGE, PROT_READ | PROT_WRITE);
}

u64 bench_mprotect(void)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
	u64 sum = 0;

	region = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (region == MAP_FAILED || sigaction(SIGSEGV, &action, NULL))
		bench_die("mmap");
	faults = 0;
	for (int round = 0; round < ROUNDS; round++) {
		for (long page = 0; page < PAGES; page++)
			protect(page, PROT_READ);
		for (long page = 0; page < PAGES; page++) {
			if (page % 2)
				protect(page, PROT_READ | PROT_WRITE);
			((volatile u8 *)region)[page * PAGE + round] += page;
			sum = bench_mix(sum, region[page * PAGE + round]);
		}
	}
	munmap(region, PAGES * PAGE);
	signal(SIGSEGV, SIG_DFL);
	return bench_mix(sum, faults);
}
