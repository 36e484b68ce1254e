/* Signals: one that the program sends itself, and SIGSEGV left by siglongjmp. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "test/bench/guest/bench.h"

#define PAGE	4096
#define ROUNDS	3000

static volatile u64 caught;
static sigjmp_buf back;

static void on_usr1(int number)
{
	caught += number;
}

static void on_segv(int number)
{
	siglongjmp(back, number);
}

static void catch(int number, void (*how)(int))
{
	struct sigaction action = { .sa_handler = how };

	if (sigaction(number, &action, NULL))
		bench_die("sigaction");
}

u64 bench_signals(void)
{
	u64 sum = 0;
	volatile u8 *forbidden = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (forbidden == MAP_FAILED)
		bench_die("mmap");
	caught = 0;
	for (volatile int round = 0; round < ROUNDS; round++) {
		catch(SIGUSR1, on_usr1);
		catch(SIGSEGV, on_segv);
		raise(SIGUSR1);
		if (!sigsetjmp(back, 1))
			*forbidden = 1;
		else
			caught++;
		catch(SIGSEGV, SIG_DFL);
	}
	sum = bench_mix(sum, caught);
	munmap((void *)forbidden, PAGE);
	return sum;
}
