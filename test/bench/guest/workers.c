/* The same integer work in one process, and in each of four: how a guest's CPUs add up. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/bench/guest/bench.h"

#define MAX	4

static u64 workers_run(int count)
{
	u64 *sums = mmap(NULL, MAX * sizeof(*sums), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	u64 sum;

	if (sums == MAP_FAILED)
		bench_die("mmap");
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			bench_die("fork");
		if (!pid) {
			sums[i] = bench_mix(bench_sha256(), bench_sort());
			_exit(0);
		}
	}
	for (int i = 0; i < count; i++)
		wait(NULL);
	sum = sums[0];
	for (int i = 1; i < count; i++)
		if (sums[i] != sum)
			bench_die("workers disagree");
	munmap(sums, MAX * sizeof(*sums));
	return sum;
}

u64 bench_workers1(void)
{
	return workers_run(1);
}

u64 bench_workers4(void)
{
	return workers_run(4);
}
