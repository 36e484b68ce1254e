/*
 * The process's front door: it makes the calling thread CPU 0, points the log at stderr and
 * hands over to the command line. Everything beyond is the same code as on bare metal.
 */
#include "arch/hosted/hosted.h"
#include "arch/io.h"
#include "kernel/base/cpu.h"
#include "kernel/base/log.h"
#include "kernel/main.h"

static void stderr_write(struct sink *s, const char *text, size_t len)
{
	arch_early_write(text, len);
}

int main(int argc, char **argv)
{
	static struct sink log_to_stderr = { stderr_write };

	cpu_count = 1;
	hosted_traps_init();
	hosted_cpu_attach(0);
	log_set_sink(&log_to_stderr);
	arch_poweroff(cli_main(argc, argv));
}
