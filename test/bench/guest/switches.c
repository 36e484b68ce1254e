/* Context switches: two processes on one CPU yield until a word in shared memory is theirs. */
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/bench/guest/bench.h"

#define ROUNDS	12000

static void turns_take(_Atomic u64 *turn, u64 mine)
{
	for (int round = 0; round < ROUNDS; round++) {
		while (atomic_load(turn) % 2 != mine)
			sched_yield();
		atomic_fetch_add(turn, 1);
	}
}

u64 bench_switches(void)
{
	_Atomic u64 *turn = mmap(NULL, sizeof(*turn), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	u64 sum;

	if (turn == MAP_FAILED)
		bench_die("mmap");
	bench_one_cpu();
	pid = fork();
	if (pid < 0)
		bench_die("fork");
	turns_take(turn, !pid);
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	sum = *turn;
	munmap((void *)turn, sizeof(*turn));
	return sum;
}
