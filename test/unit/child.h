/*
 * For tests of what ends the process: run a function in a forked child and collect its
 * exit status (128 + signal if it was killed) and what it wrote to stderr.
 */
#pragma once

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
	int status;
	char err[16384];
};

static inline struct child child_run(void (*fn)(void))
{
	struct child c = { .status = -1 };
	size_t len = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(fds) != 0)
		return c;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		fn();
		_exit(0);
	}
	close(fds[1]);
	while (len < sizeof(c.err) - 1 &&
	       (n = read(fds[0], c.err + len, sizeof(c.err) - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	c.err[len] = '\0';
	waitpid(pid, &status, 0);
	c.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return c;
}
