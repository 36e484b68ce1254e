/*
 * The command line, each in a process of its own: exit status, standard output and error together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "kernel/base/cpu.h"
#include "kernel/base/log.h"
#include "kernel/main.h"
#include "test/unit/child.h"

static char words[512];			/* of the command line, blank-separated */
static struct child child;
static char dir[] = "/tmp/fvp-cli-XXXXXX";

static void stderr_write(struct sink *s, const char *text, size_t len)
{
	(void)!write(STDERR_FILENO, text, len);
}

static void run_child(void)
{
	static struct sink log = { stderr_write };
	char *argv[32] = { "fvp" };
	int argc = 1;

	for (char *p = strtok(words, " "); p; p = strtok(NULL, " "))
		argv[argc++] = p;
	dup2(STDERR_FILENO, STDOUT_FILENO);
	cpu_count = 1;
	hosted_cpu_attach(0);
	log_set_sink(&log);
	_exit(cli_main(argc, argv));
}

static int fvp(const char *args)
{
	snprintf(words, sizeof(words), "%s", args);
	child = child_run(run_child);
	return child.status;
}

static bool said(const char *text)
{
	return strstr(child.err, text) != NULL;
}

static void file_put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int setup(void **s)
{
	setenv("FVP_CPUS", "2", 1);
	if (!mkdtemp(dir) || chdir(dir) != 0)
		return -1;
	file_put("junk", "this is no kernel");
	file_put("good.toml",
		 "[vm.a]\nkernel = \"junk\"\n[vm.b]\nkernel = \"missing\"\nautostart = false\n");
	file_put("bad.toml", "[vm.a]\nmemroy = \"1G\"\n");
	file_put("incomplete.toml", "[vm.a]\n");
	file_put("empty.toml", "");
	return 0;
}

static int teardown(void **s)
{
	char cmd[64];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return chdir("/") == 0 && system(cmd) == 0 ? 0 : -1;
}

static void test_messages(void **s)
{
	static const struct {
		const char *args;
		int status;
		const char *says;
	} rows[] = {
		{ "", 64, "fvp: no command; `fvp help` lists them\n" },
		{ "frob", 64, "fvp: unknown command \"frob\"; `fvp help` lists them\n" },
		{ "run", 64,
		  "fvp: run what? Give -c FILE.toml, --kernel FILE or --firmware FILE\n" },
		{ "run x", 64, "fvp: unexpected argument \"x\"\n" },
		{ "run -k", 64, "fvp: unknown option -k; `fvp help` lists them\n" },
		{ "run --kernel", 64, "fvp: --kernel needs a value\n" },
		{ "run -c", 64, "fvp: -c needs a value\n" },
		{ "run --memroy 1G", 64,
		  "fvp: --memroy: unknown key \"memroy\" (did you mean \"memory\"?)\n" },
		{ "run --memory=lots", 64,
		  "fvp: --memory: memory: \"lots\" is not a size; write bytes or \"512M\", "
		  "\"2G\"\n" },
		{ "run --cpus two --kernel junk", 64,
		  "fvp: --cpus: cpus wants a number, not \"two\"\n" },
		{ "run --timeout soon", 64,
		  "fvp: --timeout wants a number of seconds, not \"soon\"\n" },
		{ "run --vm a.b --kernel junk", 64, "fvp: --vm a.b: not a VM's name\n" },
		{ "run -c good.toml --vm z", 64, "fvp: --vm z: there is no [vm.z] in good.toml\n" },
		{ "run -c good.toml --memory 1G", 64,
		  "fvp: --memory: for which VM? Say --vm NAME\n" },
		{ "run -c bad.toml", 65,
		  "fvp: bad.toml:2:1: unknown key \"memroy\" in [vm.a] (did you mean "
		  "\"memory\"?)\n" },
		{ "run -c incomplete.toml", 65,
		  "fvp: vm.a: nothing to run; set kernel = \"FILE\" or firmware = \"FILE\"\n" },
		{ "run -c nowhere.toml", 66, "nowhere.toml: " },
		{ "run --memory 1M --kernel junk", 65, "memory = 1048576 bytes is too little" },
		{ "run --kernel junk --trace 5", 65, "trace needs clock = \"icount\"" },
		{ "run --kernel nowhere", 66, "E vm vm0: cannot start: nowhere: " },
		{ "run -c good.toml --vm b", 66, "E vm b: cannot start: missing: " },
		{ "run --kernel junk --arch aarch64", 69,
		  "cannot execute aarch64 here: there is no translation" },
		{ "run --kernel junk --runner vmx", 69,
		  "runner = \"vmx\" cannot execute riscv64 here" },
		{ "run --kernel junk --pin 7", 65, "this machine has the CPUs 0 to 1" },
		{ "run --kernel junk --isa nonsense", 65, "has no feature \"nonsense\"" },
		{ "run --kernel junk --disk nowhere", 66, "nowhere" },
		{ "config", 64, "usage: fvp config check|dump FILE.toml" },
		{ "config check", 64, "usage: fvp config check|dump FILE.toml" },
		{ "config check bad.toml", 65, "bad.toml:2:1" },
		{ "config check incomplete.toml", 65, "nothing to run" },
		{ "config check good.toml", 0, "good.toml: good\n" },
		{ "config check good.toml --json", 0, "{\"config\":\"good\"}\n" },
		{ "config dump good.toml", 0, "[vm.b]\n" },
		{ "config dump good.toml --json", 0, "{\"exit\":\"last-vm\"" },
		{ "doctor", 0, "riscv64    interp     translated   yes\n" },
		{ "doctor --json", 0, "{\"host\":" },
		{ "doctor -c good.toml", 0, "a            riscv64    yes    hybrid on " },
		{ "version", 0, "FVP " FVP_VERSION "\n" },
		{ "help", 0, "  --memory     SIZE  guest RAM\n" },
		{ "run --help", 0, "fvp run [-c FILE.toml]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int status = fvp(rows[i].args);

		if (status != rows[i].status || !said(rows[i].says))
			fail_msg("fvp %s: status %d, said: %s", rows[i].args, status, child.err);
	}
}

/* A wrong command line or configuration is one line, and nothing else. */
static void test_one_line(void **s)
{
	static const char *const wrong[] = { "run", "frob", "run -c bad.toml", "run --cpus two",
					     "config check bad.toml" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		fvp(wrong[i]);
		assert_ptr_equal(strchr(child.err, '\n'), child.err + strlen(child.err) - 1);
	}
}

/* A raw "kernel" of one endless loop: j . */
static void test_timeout_and_stats(void **s)
{
	file_put("loop", "\x6f");		/* jal x0, 0 is 6f 00 00 00; RAM is zero beyond */
	assert_int_equal(fvp("run --kernel loop --timeout 1 --stats --memory 32M"), 5);
	assert_true(said("time is up after 1 s"));
	assert_true(said("instructions   "));
	assert_true(said("mips           "));
	assert_int_equal(fvp("run --kernel loop --budget 1000000 --memory 32M --stats"), 2);
	assert_true(said("instruction budget used up"));
	assert_true(said("instructions   1000000\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_timeout_and_stats),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
