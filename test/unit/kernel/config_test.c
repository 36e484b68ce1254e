/*
 * kernel/toml.c, config.c and config_check.c: what is accepted, and the exact word for what is
 * not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "kernel/base/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/config.h"
#include "arch/hosted/hosted.h"

static struct config c;

static int setup(void **s)
{
	cpu_count = 1;
	hosted_cpu_attach(0);
	return 0;
}

static err_t parse(const char *file, const char *text)
{
	return config_parse(&c, file, text, strlen(text));
}

static err_t parse_and_check(const char *text)
{
	err_t e = parse("fvp.toml", text);

	return e == OK ? config_check(&c) : e;
}

static void begin(void)
{
	assert_int_equal(config_init(&c), OK);
}

static void end(void)
{
	config_fini(&c);
	assert_int_equal(heap_stats().count, 0);
}

/* ---- good ------------------------------------------------------------------------------- */

static void test_defaults(void **s)
{
	begin();
	assert_int_equal(parse("f", "[vm.a]\n"), OK);
	assert_int_equal(c.vms, 1);
	assert_string_equal(c.vm[0].name, "a");
	assert_string_equal(c.vm[0].arch, "riscv64");
	assert_int_equal(c.vm[0].memory, MIB(256));
	assert_int_equal(c.vm[0].cpus, 1);
	assert_true(c.vm[0].autostart);
	assert_string_equal(c.vm[0].restart, "on-reboot");
	assert_string_equal(c.host.exit, "last-vm");
	end();
}

static void test_everything(void **s)
{
	begin();
	assert_int_equal(parse("fvp.toml",
		"\xef\xbb\xbf# comment \xe2\x82\xac\r\n"
		"exit = \"never\" # why not\r\n"
		"log=\"debug\"\n"
		"\n"
		"\t[ vm.web ]  # the first\n"
		"  memory = \"1G\"\n"
		"cpus = 0b11\n"
		"budget = 1_000_000\n"
		"pin = [ \"0\", # here\n\n \"1\",\n]\n"
		"disk = [\n\"a b.img\"\n,\"c,ro\"]\n"
		"kernel = \"guests/Image\"\n"
		"cmdline = \"say \\\"hi\\\" \\\\ \\u0041\\u00e9\\u20AC\\t\\n\"\n"
		"autostart = false\n"
		"[vm.db]\n"
		"memory = 0x2000000\n"
		"isa = []\n"
		"kernel = \"/abs\"\n"
		"cpus = +2"), OK);
	assert_int_equal(config_check(&c), OK);
	assert_string_equal(c.host.exit, "never");
	assert_string_equal(c.host.log, "debug");
	assert_int_equal(c.vms, 2);
	assert_int_equal(c.vm[0].memory, GIB(1));
	assert_int_equal(c.vm[0].cpus, 3);
	assert_int_equal(c.vm[0].budget, 1000000);
	assert_int_equal(c.vm[0].pin.count, 2);
	assert_string_equal(c.vm[0].pin.item[1], "1");
	assert_int_equal(c.vm[0].disk.count, 2);
	assert_string_equal(c.vm[0].disk.item[0], "a b.img");
	assert_string_equal(c.vm[0].disk.item[1], "c,ro");
	assert_string_equal(c.vm[0].cmdline, "say \"hi\" \\ A\xc3\xa9\xe2\x82\xac\t\n");
	assert_false(c.vm[0].autostart);
	assert_int_equal(c.vm[1].memory, 0x2000000);
	assert_int_equal(c.vm[1].isa.count, 0);
	assert_int_equal(c.vm[1].cpus, 2);
	end();
}

/* Files are found beside the configuration; absolute and empty ones stay. */
static void test_paths(void **s)
{
	begin();
	assert_int_equal(parse("some/dir/fvp.toml",
			       "[vm.a]\nkernel=\"Image\"\ninitrd=\"/i\"\ndisk=[\"d,ro\",\"/e\"]\n"
			       "cmdline=\"x\"\n"),
			 OK);
	assert_string_equal(c.vm[0].kernel, "some/dir/Image");
	assert_string_equal(c.vm[0].initrd, "/i");
	assert_string_equal(c.vm[0].firmware, "");
	assert_string_equal(c.vm[0].disk.item[0], "some/dir/d,ro");
	assert_string_equal(c.vm[0].disk.item[1], "/e");
	assert_string_equal(c.vm[0].cmdline, "x");
	end();
}

static void test_empty(void **s)
{
	static const char *const empty[] = { "", "\n", "# only a comment", " \t\r\n#\n",
					     "\xef\xbb\xbf" };

	for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
		begin();
		assert_int_equal(parse_and_check(empty[i]), OK);
		assert_int_equal(c.vms, 0);
		end();
	}
}

/* ---- bad -------------------------------------------------------------------------------- */

#define VM "[vm.w]\n"
#define OVERLONG "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg"

static const struct {
	const char *text, *message;
} bad[] = {
	/* keys and tables */
	{ "[vm.web]\narch = \"riscv64\"\n    memroy = \"1G\"\n",
	  "fvp.toml:3:5: unknown key \"memroy\" in [vm.web] (did you mean \"memory\"?)" },
	{ VM "kernal = 1\n",
	  "fvp.toml:2:1: unknown key \"kernal\" in [vm.w] (did you mean \"kernel\"?)" },
	{ VM "colour = 1\n", "fvp.toml:2:1: unknown key \"colour\" in [vm.w]" },
	{ "logg = \"x\"\n", "fvp.toml:1:1: unknown key \"logg\" (did you mean \"log\"?)" },
	{ "memory = 1\n", "fvp.toml:1:1: key \"memory\" belongs under a [vm.NAME] table" },
	{ "colour = 1", "fvp.toml:1:1: unknown key \"colour\"" },
	{ VM "cpus = 1\ncpus = 2\n", "fvp.toml:3:1: key \"cpus\" was already set on line 2" },
	{ "exit=\"never\"\nexit=\"never\"",
	  "fvp.toml:2:1: key \"exit\" was already set on line 1" },
	{ VM "\n" VM, "fvp.toml:3:1: [vm.w] was already defined on line 1" },
	{ "[host]\n", "fvp.toml:1:1: unknown table [host]; there is [vm.NAME]" },
	{ "[vm]\n", "fvp.toml:1:1: unknown table [vm]; there is [vm.NAME]" },
	{ "[vm.]\n", "fvp.toml:1:1: [vm.]: a VM's name has 1 to 31 letters, digits, '_' or '-'" },
	{ "[vm.a.b]\n",
	  "fvp.toml:1:1: [vm.a.b]: a VM's name has 1 to 31 letters, digits, '_' or '-'" },
	{ "[vm.abcdefghijabcdefghijabcdefghijab]",
	  "fvp.toml:1:1: [vm.abcdefghijabcdefghijabcdefghijab]: a VM's name has 1 to 31 letters, "
	  "digits, '_' or '-'" },
	{ "[" OVERLONG "]", "fvp.toml:1:2: name longer than 63 characters" },
	{ OVERLONG " = 1", "fvp.toml:1:1: name longer than 63 characters" },
	{ "[]\n", "fvp.toml:1:2: expected a table name, found ']'" },
	{ "[vm.a\n", "fvp.toml:1:6: expected ']' after the table name, found the end of the line" },
	{ "[vm.a", "fvp.toml:1:6: expected ']' after the table name, found the end of the file" },
	{ "[vm.a b]", "fvp.toml:1:7: expected ']' after the table name, found 'b'" },
	{ "[vm.\"a\"]", "fvp.toml:1:5: expected ']' after the table name, found '\"'" },
	{ "[vm.a] cpus = 1",
	  "fvp.toml:1:8: expected the end of the line after the table name, found 'c'" },
	{ "[[vm.a]]", "fvp.toml:1:1: arrays of tables are not supported" },
	{ "\"log\" = \"info\"", "fvp.toml:1:1: keys are not quoted" },
	{ "vm.a.cpus = 2", "fvp.toml:1:1: dotted keys are not supported; write a [table]" },
	{ "= 2", "fvp.toml:1:1: expected a key, a [table] or a comment, found '='" },
	{ "log", "fvp.toml:1:4: expected '=' after the key, found the end of the file" },
	{ "log : \"info\"", "fvp.toml:1:5: expected '=' after the key, found ':'" },
	{ "l\xc3\xb6g = 1", "fvp.toml:1:2: expected '=' after the key, found '\xc3\xb6'" },
	{ VM "cpus = 1 memory = 2\n",
	  "fvp.toml:2:10: expected the end of the line after the value, found 'm'" },
	{ VM "cpus = 1,\n",
	  "fvp.toml:2:9: expected the end of the line after the value, found ','" },
	/* values */
	{ VM "cpus =\n", "fvp.toml:2:7: expected a value, found the end of the line" },
	{ VM "cpus = ", "fvp.toml:2:8: expected a value, found the end of the file" },
	{ VM "cpus = ]", "fvp.toml:2:8: expected a value, found ']'" },
	{ VM "arch = riscv64\n", "fvp.toml:2:8: strings need quotes: \"riscv64\"" },
	{ VM "autostart = True\n", "fvp.toml:2:13: strings need quotes: \"True\"" },
	{ VM "arch = 'riscv64'\n", "fvp.toml:2:8: strings need double quotes" },
	{ VM "arch = \"\"\"riscv64\"\"\"\n",
	  "fvp.toml:2:8: multi-line strings are not supported; use \\n" },
	{ VM "net = { a = 1 }\n",
	  "fvp.toml:2:7: inline tables are not supported; write a [table]" },
	{ VM "kernel = \"Image\n", "fvp.toml:2:10: string without closing quote" },
	{ VM "kernel = \"Image", "fvp.toml:2:10: string without closing quote" },
	{ VM "kernel = \"Image\\",
	  "fvp.toml:2:16: unknown escape; there are \\\" \\\\ \\n \\t \\uXXXX" },
	{ VM "kernel = \"a\\x\"",
	  "fvp.toml:2:12: unknown escape; there are \\\" \\\\ \\n \\t \\uXXXX" },
	{ VM "kernel = \"\xc3\xa9\\u12\"", "fvp.toml:2:12: \\u needs four hexadecimal digits" },
	{ VM "kernel = \"\\u0000\"", "fvp.toml:2:11: \\u0000 is not a character" },
	{ VM "kernel = \"\\ud800\"", "fvp.toml:2:11: \\ud800 is not a character" },
	{ VM "memory = 512M\n", "fvp.toml:2:10: a size with a unit is a string: \"512M\"" },
	{ VM "memory = \"512Q\"\n",
	  "fvp.toml:2:10: memory: \"512Q\" is not a size; write bytes or \"512M\", \"2G\"" },
	{ VM "memory = \"-1M\"\n",
	  "fvp.toml:2:10: memory: \"-1M\" is not a size; write bytes or \"512M\", \"2G\"" },
	{ VM "memory = \"99999999999T\"\n", "fvp.toml:2:10: memory: \"99999999999T\" is not a "
					    "size; write bytes or \"512M\", \"2G\"" },
	{ VM "memory = true\n", "fvp.toml:2:10: memory wants a size like \"512M\", not a boolean" },
	{ VM "memory = [\"1M\"]\n",
	  "fvp.toml:2:10: memory wants a size like \"512M\", not an array" },
	{ VM "cpus = -1\n", "fvp.toml:2:8: -1: numbers must not be negative" },
	{ VM "cpus = 01\n", "fvp.toml:2:8: 01: a number must not begin with 0" },
	{ VM "cpus = 1.5\n", "fvp.toml:2:8: 1.5 is not a whole number of at most 64 bits" },
	{ VM "cpus = 1__0\n", "fvp.toml:2:8: 1__0 is not a whole number of at most 64 bits" },
	{ VM "cpus = 0xg\n", "fvp.toml:2:8: 0xg is not a whole number of at most 64 bits" },
	{ VM "cpus = 18446744073709551616\n",
	  "fvp.toml:2:8: 18446744073709551616 is not a whole number of at most 64 bits" },
	{ VM "cpus = +x\n", "fvp.toml:2:9: expected a digit after '+', found 'x'" },
	{ VM "cpus = \"2\"\n", "fvp.toml:2:8: cpus wants a number, not a string" },
	{ VM "autostart = 1\n", "fvp.toml:2:13: autostart wants true or false, not a number" },
	{ VM "kernel = 1\n", "fvp.toml:2:10: kernel wants a string, not a number" },
	{ VM "arch = \"mips\"\n",
	  "fvp.toml:2:8: arch cannot be \"mips\"; there are riscv64|aarch64|x86_64" },
	{ VM "arch = \"\"\n",
	  "fvp.toml:2:8: arch cannot be \"\"; there are riscv64|aarch64|x86_64" },
	{ VM "arch = \"riscv\"\n",
	  "fvp.toml:2:8: arch cannot be \"riscv\"; there are riscv64|aarch64|x86_64" },
	{ VM "disk = \"a\"\n", "fvp.toml:2:8: disk wants an array of strings, not a string" },
	{ VM "pin = [0]\n", "fvp.toml:2:8: expected a string in double quotes or ']', found '0'" },
	{ VM "disk = [\"a\" \"b\"]\n", "fvp.toml:2:13: expected ',' or ']', found '\"'" },
	{ VM "disk = [\"a\",\n", "fvp.toml:2:8: array without closing bracket" },
	{ VM "disk = [\"a\"\n", "fvp.toml:2:8: array without closing bracket" },
	{ VM "disk = [,]\n", "fvp.toml:2:9: expected a string in double quotes or ']', found ','" },
	{ VM "isa = "
	     "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\","
	     "\"14\",\"15\",\"16\",\"17\"]",
	  "fvp.toml:2:79: more than 16 items" },
	/* text */
	{ "# a\n# \x01\n", "fvp.toml:2:3: control character 0x01" },
	{ "log = \"\x7f\"\n", "fvp.toml:1:8: control character 0x7f" },
	{ "log = \"info\"\rx", "fvp.toml:1:13: control character 0x0d" },
	{ "# \xff\n", "fvp.toml:1:3: byte 0xff is not valid UTF-8" },
	{ "# \xc0\xaf\n", "fvp.toml:1:3: byte 0xc0 is not valid UTF-8" },
	{ "# \xed\xa0\x80\n", "fvp.toml:1:3: byte 0xed is not valid UTF-8" },
	{ "# \xe2\x82", "fvp.toml:1:3: byte 0xe2 is not valid UTF-8" },
	/* several keys together */
	{ VM, "vm.w: nothing to run; set kernel = \"FILE\" or firmware = \"FILE\"" },
	{ VM "firmware=\"f\"\ninitrd=\"i\"", "vm.w: initrd without kernel" },
	{ VM "kernel=\"k\"\nmemory=\"1M\"",
	  "vm.w: memory = 1048576 bytes is too little; at least \"16M\"" },
	{ VM "kernel=\"k\"\nmemory=33554433", "vm.w: memory must be a multiple of 4K" },
	{ VM "kernel=\"k\"\ncpus=0", "vm.w: cpus = 0; there can be 1 to 64" },
	{ VM "kernel=\"k\"\ncpus=65", "vm.w: cpus = 65; there can be 1 to 64" },
	{ VM "kernel=\"k\"\npin=[\"0\",\"1\"]", "vm.w: 2 pins for 1 CPUs" },
	{ VM "kernel=\"k\"\npin=[\"x\"]", "vm.w: pin \"x\" is not the number of a host CPU" },
	{ VM "kernel=\"k\"\npin=[\"64\"]", "vm.w: pin \"64\" is not the number of a host CPU" },
	{ "console=\"x\"\n" VM "kernel=\"k\"\n", "console = \"x\": there is no such VM" },
	{ VM "kernel=\"k\"\ndisk=[\"d\",\"d,ro\"]",
	  "vm.w: disk d,ro is also a disk of vm.w; both must be \",ro\"" },
	{ VM "kernel=\"k\"\ndisk=[\"d,ro\"]\n[vm.v]\nkernel=\"k\"\ndisk=[\"e\",\"d\"]",
	  "vm.v: disk d is also a disk of vm.w; both must be \",ro\"" },
};

static void test_bad(void **s)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		begin();
		assert_int_equal(parse_and_check(bad[i].text), E_CONFIG);
		assert_string_equal(err_text(E_CONFIG), bad[i].message);
		end();
	}
}

static void test_nul_byte(void **s)
{
	begin();
	assert_int_equal(config_parse(&c, "f", "log\0= 1", 7), E_CONFIG);
	assert_string_equal(err_text(E_CONFIG), "f:1:4: control character 0x00");
	end();
}

static void test_too_many_vms(void **s)
{
	char text[VM_MAX * 12 + 32];
	size_t n = 0;

	begin();
	for (int i = 0; i <= VM_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "[vm.v%d]\n", i);
	assert_int_equal(parse("f", text), E_CONFIG);
	assert_string_equal(err_text(E_CONFIG), "f:33:1: [vm.v32]: more than 32 VMs");
	assert_int_equal(c.vms, 0);
	end();
}

/* A failed parse leaves everything as it was, and a later file may add to an earlier one. */
static void test_failure_changes_nothing(void **s)
{
	begin();
	assert_int_equal(parse("a", "log=\"warn\"\n[vm.a]\ncmdline=\"one\"\n"), OK);
	assert_int_equal(parse("b", "log=\"debug\"\n[vm.a]\ncmdline=\"two\"\n[vm.b]\nx=1\n"),
			 E_CONFIG);
	assert_int_equal(c.vms, 1);
	assert_string_equal(c.host.log, "warn");
	assert_string_equal(c.vm[0].cmdline, "one");
	assert_int_equal(parse("c", "[vm.a]\ncmdline=\"three\"\n"), OK);
	assert_string_equal(c.vm[0].cmdline, "three");
	end();
}

static void test_out_of_memory(void **s)
{
	static const char text[] = "[vm.a]\nkernel=\"Image\"\ndisk=[\"x\",\"y\"]\n";

	for (u64 nth = 1;; nth++) {
		err_t e;

		begin();
		heap_fail_after(nth);
		e = parse("dir/f", text);
		heap_fail_after(0);
		if (e == OK) {
			assert_true(nth > 4);
			end();
			return;
		}
		assert_int_equal(c.vms, 0);
		end();
	}
}

/* ---- the command line -------------------------------------------------------------------- */

static void test_set(void **s)
{
	struct vm_config *vm;

	begin();
	vm = config_vm(&c, "x");
	assert_non_null(vm);
	assert_ptr_equal(config_vm(&c, "x"), vm);
	assert_null(config_vm(&c, "a.b"));
	assert_int_equal(config_set(&c, vm, "memory", "64M"), OK);
	assert_int_equal(config_set(&c, vm, "cpus", "4"), OK);
	assert_int_equal(config_set(&c, vm, "autostart", "false"), OK);
	assert_int_equal(config_set(&c, vm, "kernel", "here/Image"), OK);
	assert_int_equal(config_set(&c, vm, "disk", "a"), OK);
	assert_int_equal(config_set(&c, vm, "disk", "b,ro"), OK);
	assert_int_equal(config_set(&c, vm, "runner", "interp"), OK);
	assert_int_equal(config_set(&c, NULL, "log", "trace"), OK);
	assert_int_equal(vm->memory, MIB(64));
	assert_int_equal(vm->cpus, 4);
	assert_false(vm->autostart);
	assert_string_equal(vm->kernel, "here/Image");
	assert_int_equal(vm->disk.count, 2);
	assert_string_equal(vm->disk.item[1], "b,ro");
	assert_string_equal(c.host.log, "trace");
	end();
}

static void test_set_bad(void **s)
{
	static const struct {
		const char *key, *value, *message;
	} wrong[] = {
		{ "memroy", "1M", "unknown key \"memroy\" (did you mean \"memory\"?)" },
		{ "zzz", "1M", "unknown key \"zzz\"" },
		{ "memory", "lots",
		  "memory: \"lots\" is not a size; write bytes or \"512M\", \"2G\"" },
		{ "cpus", "two", "cpus wants a number, not \"two\"" },
		{ "autostart", "yes", "autostart wants true or false, not \"yes\"" },
		{ "arch", "vax", "arch cannot be \"vax\"; there are riscv64|aarch64|x86_64" },
	};
	struct vm_config *vm;

	begin();
	vm = config_vm(&c, "x");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(config_set(&c, vm, wrong[i].key, wrong[i].value), E_CONFIG);
		assert_string_equal(err_text(E_CONFIG), wrong[i].message);
	}
	for (u32 i = 0; i < CONFIG_LIST_MAX; i++)
		assert_int_equal(config_set(&c, vm, "disk", "a"), OK);
	assert_int_equal(config_set(&c, vm, "disk", "a"), E_CONFIG);
	end();
}

/* ---- dump --------------------------------------------------------------------------------- */

/* What is dumped as TOML is read back as the same. */
static void test_dump_reads_back(void **s)
{
	static const char text[] = "exit=\"never\"\n[vm.a]\nmemory=\"64M\"\ncmdline="
				   "\"q\\\"\\\\\\n\\u000d\\u0007\xc3\xa9\"\n"
				   "disk=[\"d\",\"e,ro\"]\n[vm.b]\nautostart=false\n";
	char one[8192], two[8192];
	struct sink_buf b;

	begin();
	assert_int_equal(parse("f", text), OK);
	b = sink_buf_init(one, sizeof(one));
	config_dump(&c, &b.sink, false);
	assert_true(b.len < sizeof(one));
	end();
	begin();
	assert_int_equal(parse("g", one), OK);
	assert_string_equal(c.vm[0].cmdline, "q\"\\\n\r\a\xc3\xa9");
	b = sink_buf_init(two, sizeof(two));
	config_dump(&c, &b.sink, false);
	assert_string_equal(one, two);
	end();
}

static void test_dump_json(void **s)
{
	char text[4096];
	struct sink_buf b = sink_buf_init(text, sizeof(text));

	begin();
	assert_int_equal(parse("f", "[vm.a]\ndisk=[\"d\",\"e\"]\n[vm.b]\n"), OK);
	config_dump(&c, &b.sink, true);
	assert_ptr_equal(strstr(text, "{\"exit\":\"last-vm\",\"log\":\"info\",\"console\":\"\","
				      "\"vm\":{\"a\":{\"arch\":"),
			 text);
	assert_non_null(strstr(text, "\"disk\":[\"d\",\"e\"]"));
	assert_non_null(strstr(text, "\"autostart\":true"));
	assert_non_null(strstr(text, "},\"b\":{"));
	assert_string_equal(text + b.len - 4, "}}}\n");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_too_many_vms),
		cmocka_unit_test(test_failure_changes_nothing),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_bad),
		cmocka_unit_test(test_dump_reads_back),
		cmocka_unit_test(test_dump_json),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
