/*
 * The rings of error records, one per host CPU, newest last. Before cpu_self is set, and
 * on threads that are no host CPU, CPU 0's ring is used: a record torn by two writers is
 * the worst that can come of it, and the text always stays terminated.
 */
#include "kernel/base/err.h"

#include "arch/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/fmt.h"

#define ERR_RING 16u

struct err_ring {
	u32 head;		/* records written so far; the next goes to head % ERR_RING */
	struct err_record record[ERR_RING];
};

static struct err_ring rings[CPU_MAX];

static const struct {
	const char *name, *text;
	int status;
} errs[] = {
#define ERR_ROW(name, text, status) { #name, text, status },
#include "kernel/base/err.def"
#undef ERR_ROW
};

static struct err_ring *ring_here(void)
{
	return &rings[cpu_self ? cpu_self->id : 0];
}

static struct err_record *ring_push(err_t code, const char *file, u32 line)
{
	struct err_ring *ring = ring_here();
	struct err_record *r = &ring->record[ring->head++ % ERR_RING];

	r->code = code;
	r->file = file;
	r->line = line;
	r->when = arch_clock_ns();
	r->text[0] = '\0';
	return r;
}

err_t err_note(err_t code, const char *file, u32 line)
{
	ring_push(code, file, line);
	return code;
}

err_t err_notef(err_t code, const char *file, u32 line, const char *fmt, ...)
{
	struct err_record *r = ring_push(code, file, line);
	char text[sizeof(r->text)];	/* an argument may be err_text() of a record */
	struct sink_buf out = sink_buf_init(text, sizeof(text));
	va_list ap;

	va_start(ap, fmt);
	sink_vprintf(&out.sink, fmt, ap);
	va_end(ap);
	__builtin_memcpy(r->text, text, sizeof(text));
	return code;
}

const char *err_name(err_t code)
{
	return code < ERR_COUNT ? errs[code].name : "E_?";
}

const char *err_text(err_t code)
{
	const struct err_record *r = err_recent(0);

	if (r && r->code == code && r->text[0])
		return r->text;
	return code < ERR_COUNT ? errs[code].text : "unknown error";
}

int err_status(err_t code)
{
	return errs[code < ERR_COUNT ? code : E_INTERNAL].status;
}

const struct err_record *err_recent(u32 back)
{
	struct err_ring *ring = ring_here();

	if (back >= ERR_RING || back >= ring->head)
		return NULL;
	return &ring->record[(ring->head - 1 - back) % ERR_RING];
}
