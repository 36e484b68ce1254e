/* The monitor's commands on the hypervisor and its machine. */
#include "arch/clock.h"
#include "arch/io.h"
#include "host/cpu.h"
#include "kernel/base/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/base/log.h"
#include "kernel/base/page.h"
#include "kernel/base/str.h"
#include "kernel/doctor.h"
#include "kernel/main.h"
#include "kernel/shell.h"

static void info_cpus(struct report *r)
{
	report_list(r, "cpu_list");
	for (u32 i = 0; i < cpu_count; i++) {
		const struct cpu *c = &cpus[i];

		report_row(r);
		report_number(r, "cpu", 4, c->id);
		report_number(r, "node", 5, c->node);
		report_text(r, "hw_id", 10, "%llx", (unsigned long long)c->hw_id);
		report_number(r, "busy_ms", 10, c->busy_ns / NS_PER_MS);
		report_number(r, "idle_ms", 0, c->idle_ns / NS_PER_MS);
		report_row_end(r);
	}
	report_list_end(r);
}

err_t verb_host_info(struct call *c)
{
	struct report *r = &c->report;
	struct page_stats pages = page_stats(NODE_ANY);
	struct heap_stats heap = heap_stats();
	char text[128];

	arch_describe(text, sizeof(text));
	report_text(r, "version", 0, "%s", FVP_VERSION);
	report_text(r, "isa", 0, "%s", HOST_NAME);
	report_text(r, "host", 0, "%s", text);
	report_number(r, "uptime_s", 0, arch_clock_ns() / NS_PER_SEC);
	report_number(r, "cpus", 0, cpu_count);
	report_size(r, "memory", 0, pages.total);
	report_size(r, "memory_free", 0, pages.free);
	report_size(r, "heap_used", 0, heap.used);
	info_cpus(r);
	return OK;
}

err_t verb_doctor(struct call *c)
{
	doctor_report(&c->report, c->config);
	return OK;
}

err_t verb_log_level(struct call *c)
{
	enum log_level level = log_threshold;

	if (c->arg[0] && !log_level_parse(c->arg[0], &level))
		return ERRF(E_USAGE, "log level \"%s\": there is error, warn, info, debug, trace",
			    c->arg[0]);
	log_threshold = level;
	report_text(&c->report, "level", 0, "%s", log_level_name(level));
	return OK;
}

/* In JSON the whole log is one string, so it is cut to what a buffer holds. */
static err_t log_show_json(struct call *c, u32 lines)
{
	const size_t cap = KIB(32);
	char *text = heap_alloc(cap);
	struct sink_buf b;

	if (!text)
		return ERR(E_NOMEM);
	b = sink_buf_init(text, cap);
	log_replay(&b.sink, lines);
	report_lines(&c->report, "log", text);
	heap_free(text);
	return OK;
}

err_t verb_log_show(struct call *c)
{
	u64 lines = 40;

	if (c->arg[0] && (!str_to_u64(c->arg[0], &lines) || !lines || lines > UINT32_MAX))
		return ERRF(E_USAGE, "log show: \"%s\" is not a number of lines", c->arg[0]);
	if (c->report.as_json)
		return log_show_json(c, (u32)lines);
	log_replay(c->report.to, (u32)lines);
	return OK;
}

static err_t config_check_file(const char *path)
{
	struct config *fresh = heap_alloc(sizeof(*fresh));
	struct file f;
	err_t e;

	if (!fresh)
		return ERR(E_NOMEM);
	e = config_init(fresh);
	if (e == OK)
		e = arch_file_open(path, &f);
	if (e == OK) {
		e = config_parse(fresh, path, (const char *)f.data, f.len);
		if (e == OK)
			e = config_check(fresh);
		arch_file_close(&f);
	}
	config_fini(fresh);
	heap_free(fresh);
	return e;
}

err_t verb_config_check(struct call *c)
{
	err_t e = c->arg[0] ? config_check_file(c->arg[0]) : config_check(c->config);

	if (e == OK)
		report_text(&c->report, "config", 0, "good");
	return e;
}

err_t verb_config_dump(struct call *c)
{
	config_dump(c->config, c->report.to, c->report.as_json);
	c->report.as_json = false;	/* that was the value */
	return OK;
}

err_t verb_help(struct call *c)
{
	struct report *r = &c->report;
	bool found = !c->arg[0];

	for (const struct verb *v = verbs; v->noun && !found; v++)
		found = str_eq(v->noun, c->arg[0]);
	if (!found)
		return ERRF(E_NOENT, "no help on \"%s\"; try help alone", c->arg[0]);
	report_list(r, "commands");
	for (const struct verb *v = verbs; v->noun; v++) {
		if (c->arg[0] && !str_eq(v->noun, c->arg[0]))
			continue;
		report_row(r);
		report_text(r, "command", 24, "%s%s%s%s%s", v->noun, v->verb[0] ? " " : "", v->verb,
			    v->args[0] ? " " : "", v->args);
		report_text(r, "does", 0, "%s", v->help);
		report_row_end(r);
	}
	report_list_end(r);
	report_remark(r, "--json anywhere: the answer as one JSON value. Tab completes.\n");
	return OK;
}

err_t verb_poweroff(struct call *c)
{
	machine_end(0, false);
}

err_t verb_reboot(struct call *c)
{
	machine_end(0, true);
}
