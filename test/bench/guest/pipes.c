/* Ping-pong: a message goes to another process through a pipe and comes back through another. */
#include <sys/wait.h>
#include <unistd.h>

#include "test/bench/guest/bench.h"

#define ROUNDS	8000

static void message_read(int fd, u64 *message, size_t size)
{
	if (read(fd, message, size) != (ssize_t)size)
		bench_die("read");
}

static void message_write(int fd, const u64 *message, size_t size)
{
	if (write(fd, message, size) != (ssize_t)size)
		bench_die("write");
}

_Noreturn static void answer(int in, int out)
{
	u64 message[8];

	for (int round = 0; round < ROUNDS; round++) {
		message_read(in, message, sizeof(message));
		message[round % 8] = bench_mix(message[round % 8], round);
		message_write(out, message, sizeof(message));
	}
	_exit(0);
}

u64 bench_pipes(void)
{
	u64 message[8] = { 0 };
	int ping[2], pong[2];
	pid_t pid;

	bench_one_cpu();
	if (pipe(ping) || pipe(pong))
		bench_die("pipe");
	pid = fork();
	if (pid < 0)
		bench_die("fork");
	if (!pid)
		answer(ping[0], pong[1]);
	for (int round = 0; round < ROUNDS; round++) {
		message_write(ping[1], message, sizeof(message));
		message_read(pong[0], message, sizeof(message));
	}
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(ping[i]);
		close(pong[i]);
	}
	return message[0] ^ message[7];
}
