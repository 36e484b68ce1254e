/*
 * The ring of log lines and what feeds and prints it. A line is formatted before the lock
 * is taken, so the lock covers only a copy and the sink. Control characters in a message
 * become '?': part of it may come from a guest, and the log ends up on a terminal.
 */
#include "kernel/base/log.h"

#include "arch/clock.h"
#include "kernel/base/lock.h"
#include "kernel/base/str.h"

#define LOG_LINES	256u
#define LOG_TEXT	216u		/* a longer message is cut */
#define LOG_RATE	10u		/* lines a second of one limited call site */

struct log_entry {
	ns_t when;
	enum log_level level;
	char text[LOG_TEXT];
};

static struct lock log_lock;
static struct log_entry ring[LOG_LINES];
static u64 ring_head;			/* lines so far; the next goes to ring_head % LOG_LINES */
static struct sink *log_sink;

static struct lock limit_lock;

_Atomic u32 log_threshold = LOG_INFO;

static const struct {
	const char *name;
	char letter;
} levels[] = {
	[LOG_ERROR] = { "error", 'E' },
	[LOG_WARN] = { "warn", 'W' },
	[LOG_INFO] = { "info", 'I' },
	[LOG_DEBUG] = { "debug", 'D' },
	[LOG_TRACE] = { "trace", 'T' },
};

const char *log_level_name(enum log_level level)
{
	return levels[level].name;
}

bool log_level_parse(const char *name, enum log_level *out)
{
	for (u32 i = 0; i < ARRAY_LEN(levels); i++) {
		if (str_eq(name, levels[i].name)) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static void entry_print(struct sink *to, const struct log_entry *e)
{
	char line[LOG_TEXT + 32];
	size_t len = fmt_buf(line, sizeof(line), "[%5llu.%06llu] %c %s\n",
			     (unsigned long long)(e->when / NS_PER_SEC),
			     (unsigned long long)(e->when % NS_PER_SEC / NS_PER_US),
			     levels[e->level].letter, e->text);

	/* In one piece: CPUs share the console. */
	sink_write(to, line, MIN(len, sizeof(line) - 1));
}

void log_line(enum log_level level, const char *fmt, ...)
{
	struct log_entry e = { .level = level };
	struct sink_buf out = sink_buf_init(e.text, sizeof(e.text));
	va_list ap;

	if (level > atomic_load_explicit(&log_threshold, memory_order_relaxed))
		return;
	e.when = arch_clock_ns();
	va_start(ap, fmt);
	sink_vprintf(&out.sink, fmt, ap);
	va_end(ap);
	for (char *p = e.text; *p; p++)
		if ((u8)*p < ' ' || *p == 0x7f)
			*p = '?';

	lock_take(&log_lock);
	ring[ring_head++ % LOG_LINES] = e;
	if (log_sink)
		entry_print(log_sink, &e);
	lock_drop(&log_lock);
}

bool log_limit_pass(struct log_limit *l)
{
	ns_t now = arch_clock_ns();
	u32 dropped = 0;
	bool pass;

	lock_take(&limit_lock);
	if (now - l->window >= NS_PER_SEC) {
		dropped = l->dropped;
		*l = (struct log_limit){ .window = now };
	}
	pass = l->passed < LOG_RATE;
	*(pass ? &l->passed : &l->dropped) += 1;
	lock_drop(&limit_lock);

	if (dropped)
		log_line(LOG_WARN, "%u lines like the next one were dropped", dropped);
	return pass;
}

void log_set_sink(struct sink *sink)
{
	lock_take(&log_lock);
	log_sink = sink;
	lock_drop(&log_lock);
}

/*
 * Copies line by line, so a slow console does not hold the log up. The lock is given up on
 * after a while: panic() replays the log with its owner possibly stopped for good, and a
 * torn line is better than none.
 */
void log_replay(struct sink *to, u32 lines)
{
	u64 end = ring_head;
	u64 at = end - MIN(end, MIN((u64)lines, (u64)LOG_LINES));

	for (; at < end; at++) {
		struct log_entry e;
		bool locked = false;

		for (u32 tries = 0; tries < 1000000 && !(locked = lock_try(&log_lock)); tries++)
			host_relax();
		e = ring[at % LOG_LINES];
		if (locked)
			lock_drop(&log_lock);
		e.text[LOG_TEXT - 1] = '\0';
		entry_print(to, &e);
	}
}
