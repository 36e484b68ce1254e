/*
 * The monitor's front: its console channel, splitting of lines, look-up in shell.def. The
 * commands themselves are in verbs_vm.c and verbs_host.c.
 */
#include "kernel/shell.h"
#include "arch/clock.h"
#include "host/cpu.h"
#include "kernel/base/log.h"
#include "kernel/base/str.h"
#include "kernel/console.h"
#include "kernel/vm.h"

#define PATIENCE (2 * NS_PER_SEC)	/* with a console that takes no output */

const struct verb verbs[] = {
#define VERB(noun, verb, args, function, help) { noun, verb, args, help, verb_##function },
#include "kernel/shell.def"
#undef VERB
	{ NULL }
};

static struct {
	struct config *config;
	struct edit edit;
} shell;

/* ---- the channel ------------------------------------------------------------------------- */

static void monitor_put(const char *text, size_t len)
{
	struct chr *port = console_chan_port(console_monitor());
	ns_t end = arch_clock_ns() + PATIENCE;

	while (len) {
		size_t n = chr_write(port, text, len);

		text += n;
		len -= n;
		if (!n && arch_clock_ns() > end)
			return;
		if (!n)
			host_relax();
	}
}

static void monitor_write(struct sink *s, const char *text, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\n' || (i && text[i - 1] == '\r'))
			continue;
		monitor_put(text + from, i - from);
		monitor_put("\r", 1);
		from = i;
	}
	monitor_put(text + from, len - from);
}

static struct sink monitor = { monitor_write };

/* ---- looking up -------------------------------------------------------------------------- */

/* Blank-separated words, cut out of @line in place; without --json, which is only noted. */
static u32 shell_split(char *line, const char *word[SHELL_WORDS], bool *json)
{
	u32 n = 0;

	for (char *p = line; *p && n < SHELL_WORDS;) {
		char *start;

		while (*p == ' ')
			*p++ = '\0';
		start = p;
		while (*p && *p != ' ')
			p++;
		if (p == start)
			break;
		if (*p)
			*p++ = '\0';
		if (str_eq(start, "--json"))
			*json = true;
		else
			word[n++] = start;
	}
	return n;
}

/* How many words @args has, without the optional ones if @needed. */
static u32 args_count(const char *args, bool needed)
{
	u32 n = 0;

	for (const char *p = args; *p; p++)
		if (*p != ' ' && (p == args || p[-1] == ' ') && !(needed && *p == '['))
			n++;
	return n;
}

static bool noun_exists(const char *noun)
{
	for (const struct verb *v = verbs; v->noun; v++)
		if (str_eq(v->noun, noun))
			return true;
	return false;
}

static err_t shell_unknown(const char *const *word, u32 n)
{
	char list[96];
	struct sink_buf b = sink_buf_init(list, sizeof(list));

	if (!noun_exists(word[0]))
		return ERRF(E_USAGE, "unknown command \"%s\"; try help", word[0]);
	for (const struct verb *v = verbs; v->noun; v++)
		if (str_eq(v->noun, word[0]))
			sink_printf(&b.sink, "%s%s", b.len ? ", " : "", v->verb);
	return ERRF(E_USAGE, "%s%s%s: there is %s", word[0], n > 1 ? " " : "", n > 1 ? word[1] : "",
		    list);
}

/* The verb for @word, and how many of them it takes. */
static const struct verb *shell_find(const char *const *word, u32 n, u32 *used)
{
	for (const struct verb *v = verbs; v->noun; v++) {
		*used = v->verb[0] ? 2 : 1;
		if (n >= *used && str_eq(v->noun, word[0]) &&
		    (*used == 1 || str_eq(v->verb, word[1])))
			return v;
	}
	return NULL;
}

static err_t shell_call(struct call *c, const char *const *word, u32 n)
{
	u32 used, given;
	const struct verb *v = shell_find(word, n, &used);

	if (!v)
		return shell_unknown(word, n);
	given = n - used;
	if (given < args_count(v->args, true) || given > args_count(v->args, false))
		return ERRF(E_USAGE, "usage: %s%s%s%s%s", v->noun, v->verb[0] ? " " : "", v->verb,
			    v->args[0] ? " " : "", v->args);
	for (u32 i = 0; i < given; i++)
		c->arg[i] = word[used + i];
	return v->run(c);
}

void shell_execute(const char *text, struct sink *to)
{
	struct call c = { .config = shell.config };
	const char *word[SHELL_WORDS];
	char line[EDIT_LINE];
	bool json = false;
	err_t e;
	u32 n;

	str_copy(line, sizeof(line), text);
	n = shell_split(line, word, &json);
	if (!n)
		return;
	report_begin(&c.report, to, json);
	e = shell_call(&c, word, n);
	if (e == OK)
		report_end(&c.report);
	else
		report_error(to, json, err_name(e), err_text(e));
}

/* ---- Tab --------------------------------------------------------------------------------- */

static void words_add(struct edit_words *w, const char *word)
{
	for (u32 i = 0; i < w->count; i++)
		if (str_eq(w->word[i], word))
			return;
	if (w->count < EDIT_WORDS)
		w->word[w->count++] = word;
}

static void complete_object(const struct verb *v, struct edit_words *out)
{
	if (str_find(v->args, "VM"))
		for (u32 i = 0; i < vm_count; i++)
			words_add(out, vms[i]->config.name);
	if (str_find(v->args, "LEVEL"))
		for (u32 i = LOG_ERROR; i <= LOG_TRACE; i++)
			words_add(out, log_level_name((enum log_level)i));
	if (str_find(v->args, "NOUN"))
		for (const struct verb *n = verbs; n->noun; n++)
			words_add(out, n->noun);
}

void shell_complete(const char *text, u32 start, struct edit_words *out)
{
	const char *word[SHELL_WORDS];
	char line[EDIT_LINE];
	bool json = false;
	u32 n;

	str_copy(line, MIN(sizeof(line), start + 1), text);
	n = shell_split(line, word, &json);
	for (const struct verb *v = verbs; v->noun; v++) {
		u32 used = v->verb[0] ? 2 : 1;

		if (n == 0)
			words_add(out, v->noun);
		else if (!str_eq(v->noun, word[0]))
			continue;
		else if (n == 1 && used == 2)
			words_add(out, v->verb);
		else if (n == used && (used == 1 || str_eq(v->verb, word[1])))
			complete_object(v, out);
	}
	if (n)
		words_add(out, "--json");
}

/* ---- the loop ---------------------------------------------------------------------------- */

void shell_init(struct config *config)
{
	shell.config = config;
	edit_init(&shell.edit, &monitor, "fvp> ");
	shell.edit.complete = shell_complete;
}

void shell_poll(void)
{
	struct chr *port = console_chan_port(console_monitor());
	u8 key;

	while (chr_read(port, &key, 1)) {
		const char *line = edit_key(&shell.edit, key);

		if (!line)
			continue;
		shell_execute(line, &monitor);
		if (console_attached() == console_monitor())
			edit_redraw(&shell.edit);
	}
}
