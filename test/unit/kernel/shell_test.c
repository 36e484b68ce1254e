/* kernel/shell.c and the verbs, on the toy machine: each command as text and as one JSON value. */
#include "test/unit/kernel/fake.h"

#include <stdio.h>

#include "kernel/base/log.h"
#include "kernel/shell.h"

static char answer[1 << 16];
static struct config config;

static const char *run(const char *line)
{
	struct sink_buf b = sink_buf_init(answer, sizeof(answer));

	shell_execute(line, &b.sink);
	return answer;
}

/* Is @p one JSON value? Returns what follows it, or NULL. */
static const char *json_value(const char *p);

static const char *json_quoted(const char *p)
{
	for (p++; *p != '"'; p++) {
		if ((u8)*p < ' ')
			return NULL;
		if (*p == '\\' && !*++p)
			return NULL;
	}
	return p + 1;
}

static const char *json_items(const char *p, char close)
{
	if (*++p == close)
		return p + 1;
	for (;;) {
		if (close == '}' && (*p != '"' || !(p = json_quoted(p)) || *p++ != ':'))
			return NULL;
		p = json_value(p);
		if (!p || (*p != ',' && *p != close))
			return NULL;
		if (*p++ == close)
			return p;
	}
}

static const char *json_value(const char *p)
{
	if (*p == '{' || *p == '[')
		return json_items(p, *p + 2);
	if (*p == '"')
		return json_quoted(p);
	if (strncmp(p, "true", 4) == 0 || strncmp(p, "null", 4) == 0)
		return p + 4;
	if (strncmp(p, "false", 5) == 0)
		return p + 5;
	return *p >= '0' && *p <= '9' ? p + strspn(p, "0123456789") : NULL;
}

static void assert_json(const char *text)
{
	const char *end = json_value(text);

	if (!end || strcmp(end, "\n") != 0)
		fail_msg("not one JSON value: %s", text);
}

static int begin(void **s)
{
	static const char text[] = "[vm.web]\nkernel=\"k\"\nmemory=\"16M\"\n";
	struct vm *vm;

	vms_forget(s);
	if (config_init(&config) != OK || config_parse(&config, "f", text, sizeof(text) - 1) != OK)
		return -1;
	shell_init(&config);
	vm = vm_make("web", "spin", 2);
	vm_make("db", "nonsense", 1);
	return vm_start(vm) == OK ? 0 : -1;
}

static int end(void **s)
{
	config_fini(&config);
	return vms_forget(s);
}

/* Every row of shell.def answers with one JSON value, also when it fails. */
static void test_json_everywhere(void **s)
{
	for (const struct verb *v = verbs; v->noun; v++) {
		static const char *const objects[] = { "", " web", " db", " 3", " warn", " vm" };

		if (str_eq(v->noun, "poweroff") || str_eq(v->noun, "reboot"))
			continue;
		for (u32 i = 0; i < ARRAY_LEN(objects); i++) {
			char line[128];

			snprintf(line, sizeof(line), "%s %s%s --json", v->noun, v->verb,
				 objects[i]);
			assert_json(run(line));
			assert_true(answer[0] == '{');
		}
	}
}

static void test_vm_list(void **s)
{
	run("vm list");
	assert_ptr_equal(strstr(answer, "vm           state    arch     cpus memory   note\n"),
			 answer);
	assert_non_null(strstr(answer, "\nweb          running  riscv64  2    16M      up 0 s\n"));
	assert_non_null(
		strstr(answer, "\ndb           stopped  riscv64  1    16M      has not run yet\n"));
	assert_ptr_equal(
		strstr(run("vm list --json"), "{\"vms\":[{\"vm\":\"web\",\"state\":\"running\","),
		answer);
}

static void test_vm_actions(void **s)
{
	assert_string_equal(run("vm pause web"), "vm             web\nstate          paused\n");
	assert_non_null(strstr(run("vm show web"), "registers of 1\n"));
	assert_string_equal(run("vm resume web --json"),
			    "{\"vm\":\"web\",\"state\":\"running\"}\n");
	assert_string_equal(run("vm press web"), "error: vm web: the board toy has no power key\n");
	assert_string_equal(run("vm reset web --json"), "{\"vm\":\"web\",\"state\":\"running\"}\n");
	assert_string_equal(run("  vm   stop  web "),
			    "vm             web\nstate          stopped\n");
	assert_string_equal(run("vm stop web"), "error: vm web: is stopped already\n");
	assert_string_equal(run("vm start db"), "error: no program nonsense\n");
	assert_non_null(strstr(run("vm show db"), "cannot start: no program nonsense"));
	assert_string_equal(run("vm start nope --json"),
			    "{\"error\":\"there is no VM \\\"nope\\\"; `vm list` names "
			    "them\",\"code\":\"E_NOENT\"}\n");
	run("vm console db");
	assert_ptr_equal(console_attached(), vm_find("db")->console);
	console_attach(NULL);
}

static void test_post_mortem(void **s)
{
	struct vm *vm = vm_find("web");

	vm_fail(vm, "for the test");
	vm_serve_requests();
	assert_non_null(strstr(run("vm show web"), "for the test\ncpu 0: on, pc "));
	assert_non_null(
		strstr(run("vm show web --json"), "\"post_mortem\":\"for the test\\ncpu 0"));
	assert_json(answer);
}

static void test_usage(void **s)
{
	assert_string_equal(run(""), "");
	assert_string_equal(run("   "), "");
	assert_string_equal(run("--json"), "");
	assert_string_equal(run("frob"), "error: unknown command \"frob\"; try help\n");
	assert_string_equal(run("vm"), "error: vm: there is list, start, stop, press, reset, "
				       "pause, resume, show, console\n");
	assert_string_equal(run("vm frob"), "error: vm frob: there is list, start, stop, press, "
					    "reset, pause, resume, show, console\n");
	assert_string_equal(run("vm start"), "error: usage: vm start VM\n");
	assert_string_equal(run("vm list x"), "error: usage: vm list\n");
	assert_string_equal(run("log show x"), "error: log show: \"x\" is not a number of lines\n");
	assert_string_equal(
		run("log level loud"),
		"error: log level \"loud\": there is error, warn, info, debug, trace\n");
	assert_string_equal(run("help frob"), "error: no help on \"frob\"; try help alone\n");
	assert_string_equal(run("a b c d e f g h i j k l m n o p q r s t"),
			    "error: unknown command \"a\"; try help\n");
}

static void test_host(void **s)
{
	assert_non_null(strstr(run("host info"), "version        "));
	assert_non_null(
		strstr(run("doctor"),
		       "riscv64    fake       translated   no: it only runs the fake ISA\n"));
	assert_non_null(strstr(
		answer,
		"web          riscv64    yes    fake on toy, translated (the best there is)\n"));
	assert_string_equal(run("log level debug"), "level          debug\n");
	assert_int_equal(log_threshold, LOG_DEBUG);
	log_threshold = LOG_INFO;
	log_info("one line to find");
	assert_non_null(strstr(run("log show 1"), " I one line to find\n"));
	assert_string_equal(run("config check"), "config         good\n");
	assert_non_null(strstr(run("config dump"), "[vm.web]\n"));
	assert_non_null(strstr(run("config check /nonexistent"), "error: /nonexistent: "));
	assert_non_null(strstr(run("stats web"), "instructions   "));
	assert_non_null(strstr(run("help vm"), "vm start VM "));
	assert_null(strstr(answer, "doctor"));
}

static bool offers(const char *line, u32 start, const char *word)
{
	struct edit_words w = { .count = 0 };

	shell_complete(line, start, &w);
	for (u32 i = 0; i < w.count; i++)
		if (str_eq(w.word[i], word))
			return true;
	return false;
}

static void test_completion(void **s)
{
	assert_true(offers("", 0, "vm"));
	assert_true(offers("v", 0, "doctor"));
	assert_false(offers("v", 0, "list"));
	assert_true(offers("vm ", 3, "start"));
	assert_false(offers("log ", 4, "start"));
	assert_true(offers("vm start ", 9, "web"));
	assert_true(offers("stats d", 6, "db"));
	assert_false(offers("vm list ", 8, "web"));
	assert_true(offers("log level ", 10, "trace"));
	assert_true(offers("help ", 5, "config"));
	assert_true(offers("vm list ", 8, "--json"));
}

/* From the keyboard to the screen, through the console. */
static void test_keyboard(void **s)
{
	struct chr *port = console_chan_port(console_monitor());
	char buf[64];

	while (chr_read(port, buf, sizeof(buf)))
		;
	console_attach(NULL);		/* puts a Ctrl-R into the input */
	shell_poll();
	assert_int_equal(chr_read(port, buf, sizeof(buf)), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(test_json_everywhere), T(test_vm_list), T(test_vm_actions), T(test_post_mortem),
		T(test_usage),           T(test_host),    T(test_completion), T(test_keyboard),
	};

	return cmocka_run_group_tests(tests, fake_setup, NULL);
}
