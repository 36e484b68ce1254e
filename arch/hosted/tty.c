/*
 * The console of the process: stdin and stdout as a character port. A terminal is put into
 * raw mode when the console is first asked for, and given back at every way out. Input
 * raises CPU_INPUT on CPU 0; what is there is then read without waiting.
 *
 * O_NONBLOCK is never set on stdin or stdout: it would belong to the terminal, not to us,
 * and stay with the shell. Output post-processing stays on, so log lines need no carriage returns.
 * Works with a pipe, a file or /dev/null as stdin; end of file is just silence.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "arch/io.h"
#include "arch/irq.h"
#include "drivers/port/chr.h"
#include "kernel/base/cpu.h"
#include "kernel/base/log.h"

static struct termios saved;
static _Atomic bool raw;		/* the terminal is in our mode */
static _Atomic bool eof;
static int out = STDOUT_FILENO;

static bool tty_is_ours(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void tty_raw(void)
{
	struct termios t;

	/* Changing the terminal from the background would stop us, or surprise its owner. */
	if (!tty_is_ours() || tcgetattr(STDIN_FILENO, &saved) != 0)
		return;
	t = saved;
	t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t.c_cflag = (t.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	atomic_store(&raw, true);	/* first: a signal in between must restore */
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

void hosted_tty_restore(void)
{
	if (atomic_exchange(&raw, false))
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

/* Stopped by somebody (kill -TSTP): leave the terminal usable, and take it again afterwards. */
static void tty_suspend(int sig)
{
	int e = errno;

	hosted_tty_restore();
	raise(SIGSTOP);
	tty_raw();
	errno = e;
}

static bool ready_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) == 1;
}

static void input_end(void)
{
	if (!atomic_exchange(&eof, true))
		arch_irq_unbind(STDIN_FILENO);
}

static size_t tty_read(struct chr *c, u8 *buf, size_t len)
{
	ssize_t n;

	if (len == 0 || atomic_load(&eof) || !ready_for(STDIN_FILENO, POLLIN))
		return 0;
	n = read(STDIN_FILENO, buf, len);
	if (n > 0)
		return (size_t)n;
	if (n == 0 || (errno != EINTR && errno != EAGAIN))
		input_end();
	return 0;
}

/* A reader that is gone gets what /dev/null gets. */
static size_t tty_write(struct chr *c, const u8 *buf, size_t len)
{
	ssize_t n;

	if (out == STDOUT_FILENO) {	/* blocking, maybe: no more than surely fits */
		if (!ready_for(out, POLLOUT))
			return 0;
		len = MIN(len, (size_t)256);
	}
	n = write(out, buf, len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n > 0 ? (size_t)n : len;
}

/*
 * The terminal or pipe behind stdout once more, not blocking. Opened anew rather than
 * dup'ed: file status flags belong to the open file, which the shell shares with us.
 */
static void output_open(void)
{
	struct stat st;
	int fd;

	if (fstat(STDOUT_FILENO, &st) != 0 || !(S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)))
		return;
	fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		out = fd;
}

static void tty_raise(void *arg)
{
	cpu_raise(&cpus[0], CPU_INPUT);
}

static const struct chr_ops tty_ops = { tty_write, tty_read };
static struct chr tty = { .ops = &tty_ops, .name = "terminal" };

static void tty_open(void)
{
	struct sigaction act = { .sa_handler = tty_suspend, .sa_flags = SA_RESTART };

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);	/* reading in the background: an error, not a stop */
	sigaction(SIGTSTP, &act, NULL);
	output_open();
	tty_raw();
	if (arch_irq_bind(STDIN_FILENO, tty_raise, NULL) != OK) {
		log_info("host: no console input: %s", err_text(E_IO));
		atomic_store(&eof, true);
	}
}

struct chr *arch_display(void)
{
	return NULL;
}

struct chr *arch_console(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, tty_open);
	return &tty;
}
