/* kernel/console.c on a fake terminal that may be slow, and with guests that may be deaf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/hosted/hosted.h"
#include "kernel/base/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/base/timer.h"
#include "kernel/console.h"

/* ---- the terminal ------------------------------------------------------------------------ */

static struct {
	char shown[1 << 18];
	size_t len, room;		/* room: bytes it takes before it is busy */
	const char *typed;
	size_t left;
} term;

static size_t term_write(struct chr *c, const u8 *buf, size_t len)
{
	len = MIN(len, term.room);
	memcpy(term.shown + term.len, buf, len);
	term.len += len;
	term.shown[term.len] = '\0';
	term.room -= len;
	return len;
}

static size_t term_read(struct chr *c, u8 *buf, size_t len)
{
	len = MIN(len, term.left);
	memcpy(buf, term.typed, len);
	term.typed += len;
	term.left -= len;
	return len;
}

static const struct chr_ops term_ops = { term_write, term_read };
static struct chr terminal = { .ops = &term_ops, .name = "test" };

static void type(const char *keys)
{
	term.typed = keys;
	term.left = strlen(keys);
	console_poll();
}

static void forget(void)
{
	term.len = 0;
	term.shown[0] = '\0';
}

/* ---- two guests --------------------------------------------------------------------------- */

static struct console_chan *web, *db;
static u32 web_ready;

static void ready(void *user)
{
	++*(u32 *)user;
}

static size_t say(struct console_chan *c, const char *text)
{
	return chr_write(console_chan_port(c), text, strlen(text));
}

static const char *hear(struct console_chan *c)
{
	static char buf[32768];
	size_t n = chr_read(console_chan_port(c), buf, sizeof(buf) - 1);

	buf[n] = '\0';
	return buf;
}

static int group_setup(void **s)
{
	cpu_count = 1;
	hosted_cpu_attach(0);
	return 0;
}

static int begin(void **s)
{
	memset(&term, 0, sizeof(term));
	term.room = SIZE_MAX;
	web_ready = 0;
	if (console_init(&terminal, false) != OK || console_open("web", &web) != OK ||
	    console_open("db", &db) != OK)
		return -1;
	console_chan_port(web)->ready = ready;
	console_chan_port(web)->user = &web_ready;
	return 0;
}

static int end(void **s)
{
	console_close(web);
	console_close(db);
	return 0;
}

/* ---- output ------------------------------------------------------------------------------- */

static void test_early_output_is_replayed(void **s)
{
	assert_int_equal(say(web, "early\n"), 6);
	assert_string_equal(term.shown, "");
	console_attach(web);
	assert_string_equal(term.shown, "\r\n[fvp] console of vm web; Ctrl-A h: help, Ctrl-A c: "
					"monitor, Ctrl-A x: leave\r\nearly\n");
	forget();
	say(web, "more");
	say(db, "unseen");
	assert_string_equal(term.shown, "more");
	forget();
	console_attach(db);
	assert_non_null(strstr(term.shown, "vm db"));
	assert_string_equal(term.shown + term.len - 6, "unseen");
	forget();
	console_attach(web);		/* nothing is shown twice */
	assert_null(strstr(term.shown, "early"));
	assert_null(strstr(term.shown, "more"));
}

static void test_only_the_newest_is_kept(void **s)
{
	char line[101];

	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "%099d\n", i);
		assert_int_equal(say(web, line), 100);
	}
	console_attach(web);
	assert_non_null(strstr(term.shown, "[fvp] 34464 bytes of output were dropped\r\n"));
	assert_non_null(strstr(term.shown, "0999\n"));
	assert_null(strstr(term.shown, "00343\n"));
	assert_true(term.len > KIB(64) && term.len < KIB(64) + 200);
}

/* A slow terminal: what is attached loses nothing, the guest has to wait. */
static void test_slow_terminal(void **s)
{
	static char sent[1 << 17];
	size_t at = 0, rounds = 0;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)('a' + i % 23);
	console_attach(web);
	forget();
	term.room = 0;
	while (at < sizeof(sent)) {
		size_t n = chr_write(console_chan_port(web), sent + at,
				     MIN(sizeof(sent) - at, 1000ul));

		at += n;
		if (!n) {
			assert_true(at > 1000);
			term.room = 777;
			rounds++;
		}
	}
	term.room = SIZE_MAX;
	console_drain();
	assert_int_equal(term.len, sizeof(sent));
	assert_memory_equal(term.shown, sent, sizeof(sent));
	assert_true(rounds > 10);
}

/* The terminal was busy and nobody writes any more: the rest comes by itself. */
static void test_retry(void **s)
{
	ns_t until = arch_clock_ns() + 10 * NS_PER_SEC;

	console_attach(web);
	forget();
	term.room = 2;
	say(web, "hello");
	assert_string_equal(term.shown, "he");
	term.room = SIZE_MAX;
	while (term.len < 5 && arch_clock_ns() < until)
		timer_run(arch_clock_ns());
	assert_string_equal(term.shown, "hello");
}

static void test_drain_gives_up(void **s)
{
	ns_t start = arch_clock_ns();

	console_attach(web);
	term.room = 0;
	say(web, "x");
	console_drain();
	assert_true(arch_clock_ns() - start >= 2 * NS_PER_SEC);
}

static void test_log(void **s)
{
	struct sink *log = console_log_sink();

	sink_puts(log, "one\n");
	assert_string_equal(term.shown, "one\r\n");	/* the monitor is attached at first */
	console_attach(web);
	forget();
	sink_puts(log, "two\n");
	assert_string_equal(term.shown, "\r\ntwo\r\n");
	forget();
	console_attach(NULL);
	assert_non_null(strstr(term.shown, "two\r\n"));	/* and kept for the monitor */
}

/* ---- input -------------------------------------------------------------------------------- */

static void test_input_goes_to_the_attached(void **s)
{
	console_attach(web);
	type("hi");
	assert_int_equal(web_ready, 1);
	assert_string_equal(hear(db), "");
	assert_string_equal(hear(web), "hi");
	assert_string_equal(hear(web), "");
	console_poll();
	assert_int_equal(web_ready, 1);
}

static void test_detach_key(void **s)
{
	console_attach(web);
	type("a\001cb\001cd\001ne\001af\001\001g");
	assert_ptr_equal(console_attached(), db);
	assert_string_equal(hear(web), "ad");
	assert_string_equal(hear(console_monitor()), "\x12" "b");	/* a redraw comes first */
	assert_string_equal(hear(db), "e\001f\001g");
	assert_false(console_quit_asked());
	forget();
	type("\001h\001?");
	assert_non_null(strstr(term.shown, "a: send Ctrl-A"));
	assert_string_equal(hear(db), "");
	type("\001");		/* the prefix waits for the next key */
	type("n");
	assert_ptr_equal(console_attached(), web);
}

static void test_toggle_without_history(void **s)
{
	assert_ptr_equal(console_attached(), console_monitor());
	type("\001c");
	assert_ptr_equal(console_attached(), web);
	type("\001n\001c\001c");
	assert_ptr_equal(console_attached(), db);
}

static void test_quit(void **s)
{
	type("\001x");
	assert_true(console_quit_asked());
}

static void test_quit_confirmed(void **s)
{
	end(s);
	assert_int_equal(console_init(&terminal, true), OK);
	assert_int_equal(console_open("web", &web), OK);
	assert_int_equal(console_open("db", &db), OK);
	console_attach(web);
	type("\001xn");
	assert_false(console_quit_asked());
	assert_non_null(strstr(term.shown, "power the machine off? y/n no\r\n"));
	type("\001x");
	assert_false(console_quit_asked());
	type("y");
	assert_true(console_quit_asked());
	assert_string_equal(hear(web), "");
}

/* A guest that does not read: its input waits in the host's port and nothing is lost. */
static void test_flow_control(void **s)
{
	static char sent[20000], got[20000];
	size_t at = 0, n;

	for (size_t i = 0; i < sizeof(sent) - 1; i++)
		sent[i] = (char)('A' + i % 51);
	console_attach(web);
	type(sent);
	assert_true(term.left > 3000);
	while ((n = chr_read(console_chan_port(web), got + at, 7)) > 0)
		at += n;
	assert_int_equal(at, sizeof(sent) - 1);
	assert_memory_equal(got, sent, at);
	assert_int_equal(term.left, 0);
}

/* A guest may offer gigabytes at once; they must not all go by under the lock. */
static void test_long_write(void **s)
{
	static u8 much[1 << 20];
	size_t n;

	memset(much, '.', sizeof(much));
	console_attach(db);
	n = chr_write(console_chan_port(web), much, sizeof(much));
	assert_true(n > 0 && n <= KIB(64));
}

/* A guest that does not listen cannot keep anybody from the monitor. */
static void test_deaf_guest(void **s)
{
	static char sent[9000];

	memset(sent, 'x', sizeof(sent) - 1);
	memcpy(sent + sizeof(sent) - 3, "\001c", 2);
	console_attach(web);
	type(sent);
	assert_ptr_equal(console_attached(), console_monitor());
	hear(web);
}

/* Room made by the guest's own reading lets a command behind the backlog through. */
static void test_command_behind_backlog(void **s)
{
	static char sent[16500];

	memset(sent, 'x', sizeof(sent) - 1);
	memcpy(sent + 16490, "\001nyy", 4);
	console_attach(web);
	type(sent);
	assert_ptr_equal(console_attached(), web);
	hear(web);
	assert_ptr_equal(console_attached(), db);
	assert_string_equal(hear(web), "");
	assert_true(cpu_self->pending & CPU_INPUT);
	assert_string_equal(hear(db), "yyxxxxx");
}

/* ---- further outputs, no console ------------------------------------------------------------ */

static char second[4096];

static size_t second_write(struct chr *c, const u8 *buf, size_t len)
{
	strncat(second, (const char *)buf, len);
	return len;
}

static size_t second_read(struct chr *c, u8 *buf, size_t len)
{
	return 0;
}

static void test_closed_channel(void **s)
{
	console_attach(web);
	console_close(web);
	assert_ptr_equal(console_attached(), console_monitor());
	assert_int_equal(console_open("web", &web), OK);
	type("\001c");
	assert_ptr_equal(console_attached(), web);
}

/* Last: outputs stay. */
static void test_further_output(void **s)
{
	static const struct chr_ops ops = { second_write, second_read };
	static struct chr out = { .ops = &ops, .name = "second" };

	console_attach(web);
	assert_int_equal(console_add_output(&out), OK);
	term.room = 3;
	say(web, "hello");
	assert_string_equal(second, "hel");
	term.room = SIZE_MAX;
	console_flush();
	assert_string_equal(second, "hello");
	end(s);
	assert_int_equal(console_init(NULL, false), OK);
	assert_int_equal(console_open("web", &web), OK);
	assert_int_equal(console_open("db", &db), OK);
	second[0] = '\0';
	console_attach(web);
	assert_int_equal(say(web, "x"), 1);
	assert_string_equal(second + strlen(second) - 1, "x");
	console_poll();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(test_early_output_is_replayed),
		T(test_only_the_newest_is_kept),
		T(test_slow_terminal),
		T(test_retry),
		T(test_drain_gives_up),
		T(test_log),
		T(test_input_goes_to_the_attached),
		T(test_detach_key),
		T(test_toggle_without_history),
		T(test_quit),
		T(test_quit_confirmed),
		T(test_flow_control),
		T(test_long_write),
		T(test_deaf_guest),
		T(test_command_behind_backlog),
		T(test_closed_channel),
		T(test_further_output),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
