/*
 * The log: a ring of lines, each also sent to the log sinks (host console, stderr).
 *
 *	[   12.345678] W vm=web cpu=1 blk0: read past end (lba 2048+8 > 2048)
 *
 * error: something the user asked for did not happen. warn: abnormal but harmless.
 * info: infrequent state change. What a guest can trigger is never an error and goes
 * through log_limited(), which passes 10 lines a second per call site and counts the rest.
 */
#pragma once

#include "kernel/base/fmt.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

struct log_limit {
	ns_t window;
	u32 passed, dropped;
};

void log_line(enum log_level level, const char *fmt, ...) printf_like(2, 3);
bool log_limit_pass(struct log_limit *l);	/* false: drop this line */

#define log_error(...)	log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)	log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_DEBUG, __VA_ARGS__)
#define log_limited(level, ...) do {			\
	static struct log_limit log_limit_here;		\
	if ((level) <= log_threshold && log_limit_pass(&log_limit_here)) \
		log_line(level, __VA_ARGS__);		\
} while (0)

extern _Atomic u32 log_threshold;		/* an enum log_level; lines above it are dropped */
const char *log_level_name(enum log_level level);
bool log_level_parse(const char *name, enum log_level *out);

/* Where finished lines go beside the ring; NULL = nowhere. Called with the log lock held. */
void log_set_sink(struct sink *sink);
/* Print the newest @lines lines of the ring, oldest first. */
void log_replay(struct sink *to, u32 lines);
