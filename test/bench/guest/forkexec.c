/* fork, exec of this program as "bench exit", wait. */
#include <sys/wait.h>
#include <unistd.h>

#include "test/bench/guest/bench.h"

#define ROUNDS	120

u64 bench_forkexec(void)
{
	u64 sum = 0;

	for (int round = 0; round < ROUNDS; round++) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			bench_die("fork");
		if (!pid) {
			execl("/proc/self/exe", "bench", "exit", (char *)NULL);
			_exit(1);
		}
		if (waitpid(pid, &status, 0) != pid)
			bench_die("waitpid");
		sum = bench_mix(sum, WEXITSTATUS(status));
	}
	return sum;
}
