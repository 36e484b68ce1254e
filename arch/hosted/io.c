/*
 * The rest of the host contract that is a system call each: last-resort output, entropy,
 * files, the end of the process, the banner line. The terminal is tty.c's.
 */
#include "arch/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "boot/boot.h"
#include "drivers/port/rng.h"
#include "host/cpu.h"
#include "kernel/base/cpu.h"
#include "kernel/base/fmt.h"

struct boot_info *boot;			/* no boot loader here: NULL */

static void write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {	/* somebody set O_NONBLOCK */
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, 100);
			continue;
		}
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

void arch_early_write(const char *text, size_t len)
{
	write_all(STDERR_FILENO, text, len);
}

void arch_stdout_write(const char *text, size_t len)
{
	write_all(STDOUT_FILENO, text, len);
}

static err_t urandom_read(struct rng *r, void *buf, size_t len)
{
	u8 *p = buf;

	while (len) {
		ssize_t n = getrandom(p, MIN(len, (size_t)256), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERRF(E_IO, "getrandom: %s", hosted_strerror(errno));
		p += n;
		len -= (size_t)n;
	}
	return OK;
}

struct rng *arch_rng(void)
{
	static const struct rng_ops ops = { urandom_read };
	static struct rng rng = { &ops, "urandom" };

	return &rng;
}

void hosted_exit(int status)
{
	hosted_tty_restore();
	_exit(status);
}

void arch_poweroff(int status)
{
	fflush(NULL);
	hosted_exit(status);
}

void arch_reboot(void)
{
	arch_poweroff(1);	/* who started the process decides whether to start it again */
}

static void cpu_model(char *buf, size_t cap)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256], *name;

	fmt_buf(buf, cap, "%s", HOST_NAME);
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "model name", 10) != 0 || !(name = strstr(line, ": ")))
			continue;
		name[strcspn(name, "\n")] = '\0';
		fmt_buf(buf, cap, "%s", name + 2);
		break;
	}
	if (f)
		fclose(f);
}

void arch_describe(char *buf, size_t cap)
{
	struct utsname u;
	char model[128];

	cpu_model(model, sizeof(model));
	uname(&u);
	fmt_buf(buf, cap, "%s, %u CPU%s, process on %s %s", model, cpu_count,
		cpu_count == 1 ? "" : "s", u.sysname, u.release);
}

const char *hosted_strerror(int errnum)
{
	const char *text = strerrordesc_np(errnum);

	return text ? text : "unknown error";
}

err_t hosted_open_error(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:	return E_NOENT;
	case ENOMEM:	return E_NOMEM;
	default:	return E_IO;
	}
}

static err_t file_map(const char *path, int fd, struct file *out)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) != 0)
		return ERRF(E_IO, "%s: %s", path, hosted_strerror(errno));
	if (!S_ISREG(st.st_mode))
		return ERRF(E_IO, "%s: is %s, want a regular file", path,
			    S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
	*out = (struct file){ .name = path, .data = (const u8 *)"", .len = (u64)st.st_size };
	if (st.st_size == 0)
		return OK;
	p = mmap(NULL, out->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return ERRF(errno == ENOMEM ? E_NOMEM : E_IO, "%s: mmap: %s", path,
			    hosted_strerror(errno));
	out->data = p;
	out->arch = p;
	return OK;
}

err_t arch_file_open(const char *path, struct file *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);	/* a FIFO must not block us */
	err_t e;

	if (fd < 0)
		return ERRF(hosted_open_error(errno), "%s: %s", path, hosted_strerror(errno));
	e = file_map(path, fd, out);
	close(fd);
	return e;
}

void arch_file_close(struct file *f)
{
	if (f->arch)
		munmap(f->arch, f->len);
	f->arch = NULL;
	f->data = NULL;
	f->len = 0;
}
