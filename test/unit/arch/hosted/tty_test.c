/*
 * arch/hosted/tty.c: the console on a pipe, on /dev/null, on a file and on a pseudo
 * terminal. There is one console per process, so each case runs in a child whose stdin and
 * stdout are what the case says; the child plays back what it reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "arch/clock.h"
#include "arch/hosted/hosted.h"
#include "arch/io.h"
#include "arch/smp.h"
#include "drivers/port/chr.h"
#include "kernel/base/cpu.h"

/* Echo in capitals until 'q'; poweroff with the number of times that input was signalled. */
static void echo(void)
{
	struct chr *c;
	u32 signalled = 0;

	cpu_count = 1;
	hosted_traps_init();
	hosted_cpu_attach(0);
	c = arch_console();
	chr_write(c, "ready\n", 6);
	for (;;) {
		u8 buf[64];
		size_t n;

		arch_cpu_idle();
		if (atomic_exchange(&cpu_self->pending, 0) & CPU_INPUT)
			signalled++;
		while ((n = chr_read(c, buf, sizeof(buf)))) {
			for (size_t i = 0; i < n; i++) {
				if (buf[i] == 'q')
					arch_poweroff((int)signalled);
				if (buf[i] >= 'a' && buf[i] <= 'z')
					buf[i] = (u8)(buf[i] - 32);
			}
			chr_write(c, buf, n);
		}
	}
}

/* Read until @want has been seen; false after 20 s of silence. */
static bool expect(int fd, const char *want)
{
	char seen[4096] = "";
	size_t len = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (!strstr(seen, want) && poll(&p, 1, 20000) == 1) {
		ssize_t n = read(fd, seen + len, sizeof(seen) - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
		seen[len] = '\0';
	}
	return strstr(seen, want) != NULL;
}

static int status_of(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Start echo() with stdin @in and a pipe as stdout, whose reading end is *out. */
static pid_t start(int in, int *out)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(in, STDIN_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		echo();
	}
	close(fds[1]);
	*out = fds[0];
	return pid;
}

static void test_pipe(void **s)
{
	int in[2], out;
	pid_t pid;

	assert_int_equal(pipe(in), 0);
	pid = start(in[0], &out);
	assert_true(expect(out, "ready\n"));
	assert_int_equal(write(in[1], "hello", 5), 5);
	assert_true(expect(out, "HELLO"));
	assert_int_equal(write(in[1], "again", 5), 5);
	assert_true(expect(out, "AGAIN"));
	assert_int_equal(write(in[1], "q", 1), 1);
	assert_in_range(status_of(pid), 1, 3);
	close(in[0]);
	close(in[1]);
	close(out);
}

static ns_t cpu_time(pid_t pid)
{
	char path[64], line[512], *p;
	unsigned long user = 0, sys = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	p = fgets(line, sizeof(line), f);
	fclose(f);
	p = p ? strrchr(line, ')') : NULL;
	assert_non_null(p);
	assert_int_equal(sscanf(p, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
				&user, &sys), 2);
	return (user + sys) * 10 * NS_PER_MS;
}

/* End of file neither spins nor ends the process, and output still works. */
static void check_silence(int in)
{
	int out;
	pid_t pid = start(in, &out);
	ns_t before;

	assert_true(expect(out, "ready\n"));
	usleep(50000);
	before = cpu_time(pid);
	usleep(300000);
	assert_true(cpu_time(pid) - before <= 60 * NS_PER_MS);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGTERM);
	assert_int_equal(status_of(pid), 128 + SIGTERM);
	close(out);
}

static void test_end_of_file(void **s)
{
	int in[2], null = open("/dev/null", O_RDONLY);

	assert_int_equal(pipe(in), 0);
	close(in[1]);
	check_silence(in[0]);
	check_silence(null);
	close(in[0]);
	close(null);
}

static void test_regular_file(void **s)
{
	char name[] = "/tmp/fvp-tty-XXXXXX";
	int in = mkstemp(name), out;
	pid_t pid;

	assert_int_equal(write(in, "from a file", 11), 11);
	lseek(in, 0, SEEK_SET);
	pid = start(in, &out);
	assert_true(expect(out, "FROM A FILE"));
	kill(pid, SIGINT);
	assert_int_equal(status_of(pid), 128 + SIGINT);
	close(in);
	close(out);
	unlink(name);
}

/* What is written to a stuck reader is refused, not waited for. */
static void flood(void)
{
	struct chr *c;
	static u8 buf[65536];
	size_t taken = 0;

	cpu_count = 1;
	hosted_cpu_attach(0);
	c = arch_console();
	for (u32 i = 0; i < 1000; i++)
		taken += chr_write(c, buf, sizeof(buf));
	_exit(taken >= 4096 && taken < sizeof(buf) * 1000 ? 7 : 8);
}

static void test_output_does_not_block(void **s)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		flood();
	}
	assert_int_equal(status_of(pid), 7);
	assert_false(fcntl(fds[1], F_GETFL) & O_NONBLOCK);	/* ours is still blocking */
	close(fds[0]);
	close(fds[1]);
}

static void broken_pipe(void)
{
	struct chr *c;

	cpu_count = 1;
	hosted_cpu_attach(0);
	c = arch_console();
	_exit(chr_write(c, "x", 1) == 1 ? 9 : 10);	/* swallowed */
}

static void test_reader_gone(void **s)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		broken_pipe();
	}
	assert_int_equal(status_of(pid), 9);
	close(fds[0]);
	close(fds[1]);
}

/* ---- pseudo terminal ---------------------------------------------------------------------- */

static pid_t start_on_terminal(int *master)
{
	pid_t pid = forkpty(master, NULL, NULL, NULL);

	if (pid == 0)
		echo();
	assert_true(expect(*master, "ready\r\n"));	/* output post-processing stays on */
	return pid;
}

/* Our end shows the terminal's modes, also when the child is gone. */
static bool is_raw(int fd)
{
	struct termios t;

	assert_int_equal(tcgetattr(fd, &t), 0);
	return !(t.c_lflag & (ICANON | ECHO | ISIG)) && (t.c_oflag & OPOST);
}

static bool is_cooked(int fd)
{
	struct termios t;

	assert_int_equal(tcgetattr(fd, &t), 0);
	return (t.c_lflag & ICANON) && (t.c_lflag & ECHO) && (t.c_lflag & ISIG) &&
	       (t.c_iflag & ICRNL);
}

static void test_terminal_is_raw_and_given_back(void **s)
{
	int master;
	pid_t pid = start_on_terminal(&master);

	assert_true(is_raw(master));
	assert_int_equal(write(master, "\x03key\r", 5), 5);	/* Ctrl-C is just a byte */
	assert_true(expect(master, "\x03KEY\r"));
	assert_int_equal(write(master, "q", 1), 1);
	assert_true(status_of(pid) < 128);
	assert_true(is_cooked(master));
	close(master);
}

static void test_signals_give_the_terminal_back(void **s)
{
	static const int ends[][2] = {
		{ SIGINT, 130 }, { SIGTERM, 143 }, { SIGHUP, 129 }, { SIGQUIT, 131 },
		{ SIGSEGV, 70 }, { SIGABRT, 128 + SIGABRT },
	};

	for (u32 i = 0; i < ARRAY_LEN(ends); i++) {
		int master;
		pid_t pid = start_on_terminal(&master);

		assert_true(is_raw(master));
		kill(pid, ends[i][0]);
		if (ends[i][0] == SIGSEGV)
			assert_true(expect(master, "last log lines"));
		assert_int_equal(status_of(pid), ends[i][1]);
		assert_true(is_cooked(master));
		close(master);
	}
}

static void test_stop_and_continue(void **s)
{
	int master, status;
	pid_t pid = start_on_terminal(&master);

	kill(pid, SIGTSTP);
	waitpid(pid, &status, WUNTRACED);
	assert_true(WIFSTOPPED(status));
	assert_true(is_cooked(master));
	kill(pid, SIGCONT);
	assert_int_equal(write(master, "back", 4), 4);
	assert_true(expect(master, "BACK"));
	assert_true(is_raw(master));
	kill(pid, SIGTERM);
	assert_int_equal(status_of(pid), 143);
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_end_of_file),
		cmocka_unit_test(test_regular_file),
		cmocka_unit_test(test_output_does_not_block),
		cmocka_unit_test(test_reader_gone),
		cmocka_unit_test(test_terminal_is_raw_and_given_back),
		cmocka_unit_test(test_signals_give_the_terminal_back),
		cmocka_unit_test(test_stop_and_continue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
