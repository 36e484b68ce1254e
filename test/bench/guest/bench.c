/*
 * bench list			names every program with its group
 * bench NAME[:TIMES]...	runs programs, or groups of them
 *
 * Around each program stand two lines, "BEGIN name" and "END name checksum": whoever reads the
 * console takes the time there. After each of them the guest sleeps for a moment, so that what is
 * read then belongs to the program, however late the reader comes.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "test/bench/guest/bench.h"

#define MARK_SLEEP_MS	30

static const struct program {
	const char *group, *name;
	u64 (*run)(void);
} programs[] = {
#define PROGRAM(group, name)	{ #group, #name, bench_##name },
#include "test/bench/guest/programs.def"
#undef PROGRAM
};

void bench_die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

void bench_one_cpu(void)
{
	cpu_set_t set;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		bench_die("sched_getaffinity");
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("sched_setaffinity");
}

static void mark(void)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	nanosleep(&(struct timespec){ .tv_nsec = MARK_SLEEP_MS * 1000000L }, NULL);
}

static void program_run(const struct program *p, unsigned long times)
{
	u64 sum = 0;

	printf("BEGIN %s\n", p->name);
	mark();
	while (times--)
		sum = p->run();
	printf("END %s %016llx\n", p->name, (unsigned long long)sum);
	mark();
}

/* @word is NAME or NAME:TIMES; true if there is such a program or group. */
static int programs_run(char *word)
{
	char *colon = strchr(word, ':');
	unsigned long times = colon ? strtoul(colon + 1, NULL, 10) : 1;
	int found = 0;

	if (colon)
		*colon = 0;
	for (size_t i = 0; i < LENGTH(programs); i++) {
		const struct program *p = &programs[i];

		if (!strcmp(word, p->name) || !strcmp(word, p->group)) {
			program_run(p, times);
			found = 1;
		}
	}
	return found;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "exit"))		/* what forkexec executes */
		return 7;
	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (size_t i = 0; i < LENGTH(programs); i++)
			printf("%s %s\n", programs[i].group, programs[i].name);
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		if (!programs_run(argv[i])) {
			fprintf(stderr, "bench: no program %s\n", argv[i]);
			return 1;
		}
	}
	return 0;
}
