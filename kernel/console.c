/*
 * Console multiplexer, see console.h. One lock over everything; the host's ports are called
 * with it held (they never call back), a consumer's ready() without it.
 *
 * What FVP itself has to say to the user (attach lines, log lines) does not go into a
 * channel's ring but into a small notice buffer that is shown before the ring's content.
 */
#include "kernel/console.h"
#include "arch/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/base/lock.h"
#include "kernel/base/str.h"
#include "kernel/config.h"

#define RING		KIB(64)
#define BACKLOG		(RING / 2)	/* so much not shown yet, and the guest has to wait */
#define INPUT		KIB(16)	/* read ahead, to see Ctrl-A however deaf a guest is */
#define NOTICE		2048
#define OUTPUTS		4
#define RETRY		NS_PER_MS

#define CTRL(c)		((c) & 31)

struct console_chan {
	struct chr port;
	char name[VM_NAME_MAX];
	bool used, tell;		/* ready() is due */
	bool never_busy;
	u8 *out;
	u64 head, shown;		/* bytes written and shown since the beginning */
	u8 in[INPUT];
	u32 in_at, in_len;
};

static struct {
	struct lock lock;
	struct chr *machine, *extra[OUTPUTS];
	u32 extras;
	struct console_chan monitor, vm[VM_MAX];
	struct console_chan *attached, *last;	/* last: the VM's that Ctrl-A c goes back to */
	char notice[NOTICE];
	u32 notice_len;
	u8 held[64];			/* read from the host, not passed on yet */
	u32 held_at, held_len;
	bool more;			/* input was left behind for lack of room */
	bool prefix, confirm, confirming, quit;
	struct timer retry;
} con;

/* ---- output (under the lock) ------------------------------------------------------------- */

/* One piece to every output; the machine's console sets the pace. */
static size_t con_show(const void *text, size_t len)
{
	size_t n = chr_write(con.machine, text, len);

	for (u32 i = 0; i < con.extras; i++)
		for (size_t at = 0, w; at < n; at += w)
			if (!(w = chr_write(con.extra[i], (const char *)text + at, n - at)))
				break;
	return n;
}

static void con_notice(const char *fmt, ...) printf_like(1, 2);
static void con_notice(const char *fmt, ...)
{
	struct sink_buf b = sink_buf_init(con.notice + con.notice_len, NOTICE - con.notice_len);
	va_list ap;

	va_start(ap, fmt);
	sink_vprintf(&b.sink, fmt, ap);
	va_end(ap);
	con.notice_len = MIN(con.notice_len + (u32)b.len, NOTICE - 1);
}

static bool con_flush_notice(void)
{
	while (con.notice_len) {
		size_t n = con_show(con.notice, con.notice_len);

		if (!n)
			return false;
		con.notice_len -= (u32)n;
		memmove(con.notice, con.notice + n, con.notice_len);
	}
	return true;
}

/* Show what there is as far as the host takes it; false if some is left. */
static bool con_flush(void)
{
	struct console_chan *c = con.attached;

	if (c->head - c->shown > RING) {
		con_notice("\r\n[fvp] %llu bytes of output were dropped\r\n",
			   (unsigned long long)(c->head - c->shown - RING));
		c->shown = c->head - RING;
	}
	if (!con_flush_notice())
		return false;
	while (c->shown < c->head) {
		u64 at = c->shown % RING;
		size_t n = con_show(c->out + at, MIN(c->head - c->shown, RING - at));

		if (!n)
			return false;
		c->shown += n;
	}
	return true;
}

static void chan_append(struct console_chan *c, const void *text, size_t len)
{
	const u8 *p = text;

	while (len) {
		u64 at = c->head % RING;
		size_t n = MIN(len, RING - at);

		memcpy(c->out + at, p, n);
		c->head += n;
		p += n;
		len -= n;
	}
}

/* Drop the lock; if the host could not take everything, try again soon. */
static void con_drop(bool all_shown)
{
	lock_drop(&con.lock);
	if (!all_shown && !timer_armed(&con.retry))
		timer_arm(&con.retry, arch_clock_ns() + RETRY);
}

static void con_retry(struct timer *t)
{
	console_flush();
}

/* ---- attaching --------------------------------------------------------------------------- */

static void con_put_input(struct console_chan *c, u8 byte)
{
	if (c->in_len == INPUT)
		return;
	c->in[(c->in_at + c->in_len++) % INPUT] = byte;
	c->tell = true;
}

static void con_attach(struct console_chan *c)
{
	if (c != &con.monitor)
		con.last = c;
	con.attached = c;
	con_notice("\r\n[fvp] %s %s; Ctrl-A h: help, Ctrl-A c: %s, Ctrl-A x: leave\r\n",
		   c == &con.monitor ? "this is the" : "console of vm", c->name,
		   c == &con.monitor ? "back" : "monitor");
	if (c == &con.monitor)
		con_put_input(c, CTRL('R'));
}

/*
 * The channel of the next VM after the attached one, in order of creation; the monitor if there is
 * none.
 */
static struct console_chan *con_next(void)
{
	u32 from = con.attached == &con.monitor ? VM_MAX - 1 : (u32)(con.attached - con.vm);

	for (u32 i = 1; i <= VM_MAX; i++)
		if (con.vm[(from + i) % VM_MAX].used)
			return &con.vm[(from + i) % VM_MAX];
	return &con.monitor;
}

/* ---- input (under the lock) -------------------------------------------------------------- */

static void con_command(u8 key)
{
	switch (key) {
	case 'x':
		con.confirming = con.confirm;
		con.quit = !con.confirm;
		if (con.confirm)
			con_notice("\r\n[fvp] power the machine off? y/n ");
		break;
	case 'c':
		con_attach(con.attached != &con.monitor ? &con.monitor :
			   con.last                     ? con.last :
							  con_next());
		break;
	case 'n':
		con_attach(con_next());
		break;
	case 'a':
	case CTRL('A'):
		con_put_input(con.attached, CTRL('A'));
		break;
	default:
		con_notice("\r\n[fvp] Ctrl-A c: monitor and back, n: next VM, a: send Ctrl-A, x: "
			   "leave\r\n");
	}
}

static void con_key(u8 key)
{
	if (con.confirming) {
		con.confirming = false;
		con.quit = key == 'y' || key == 'Y';
		con_notice("%s\r\n", con.quit ? "yes" : "no");
	} else if (con.prefix) {
		con.prefix = false;
		con_command(key);
	} else if (key == CTRL('A')) {
		con.prefix = true;
	} else {
		con_put_input(con.attached, key);
	}
}

static u32 con_read_host(void)
{
	con.held_at = 0;
	con.held_len = (u32)chr_read(con.machine, con.held, sizeof(con.held));
	for (u32 i = 0; !con.held_len && i < con.extras; i++)
		con.held_len = (u32)chr_read(con.extra[i], con.held, sizeof(con.held));
	return con.held_len;
}

/* Take input while the attached channel has room for it. */
static void con_pull(void)
{
	for (;;) {
		con.more = con.attached->in_len == INPUT;
		if (con.more)
			return;
		if (con.held_at == con.held_len && !con_read_host())
			return;
		con_key(con.held[con.held_at++]);
	}
}

/* ---- a channel's port -------------------------------------------------------------------- */

static size_t chan_write(struct chr *port, const u8 *buf, size_t len)
{
	struct console_chan *c = container_of(port, struct console_chan, port);
	bool all = true;

	len = MIN(len, RING);		/* a guest may offer gigabytes: not all under the lock */
	lock_take(&con.lock);
	if (c == con.attached) {
		u64 backlog;

		con_flush();
		backlog = c->head - c->shown;
		if (!c->never_busy)
			len = MIN(len, backlog < BACKLOG ? BACKLOG - backlog : 0);
	}
	chan_append(c, buf, len);
	if (c == con.attached)
		all = con_flush();
	con_drop(all);
	return len;
}

static size_t chan_take(struct console_chan *c, u8 *buf, size_t len)
{
	size_t n = 0;

	for (; n < len && c->in_len; n++) {
		buf[n] = c->in[c->in_at];
		c->in_at = (c->in_at + 1) % INPUT;
		c->in_len--;
	}
	return n;
}

static size_t chan_read(struct chr *port, u8 *buf, size_t len)
{
	struct console_chan *c = container_of(port, struct console_chan, port);
	bool pulled;
	size_t n;

	lock_take(&con.lock);
	n = chan_take(c, buf, len);
	pulled = c == con.attached && con.more && n;
	if (pulled) {
		con_pull();
		n += chan_take(c, buf + n, len - n);
	}
	lock_drop(&con.lock);
	if (pulled)
		/* there may be a command in it, or another channel's input */
		cpu_raise(&cpus[0], CPU_INPUT);
	return n;
}

static const struct chr_ops chan_ops = { .write = chan_write, .read = chan_read };

static err_t chan_init(struct console_chan *c, const char *name)
{
	memset(c, 0, sizeof(*c));
	c->out = heap_alloc(RING);
	if (!c->out)
		return ERRF(E_NOMEM, "console %s: no memory", name);
	str_copy(c->name, sizeof(c->name), name);
	c->port = (struct chr){ .ops = &chan_ops, .name = c->name };
	c->used = true;
	return OK;
}

/* ---- the interface ----------------------------------------------------------------------- */

err_t console_init(struct chr *machine, bool confirm)
{
	u32 extras = con.extras;	/* a frame buffer may have come first */
	struct chr *extra[OUTPUTS];

	memcpy(extra, con.extra, sizeof(extra));
	memset(&con, 0, sizeof(con));
	memcpy(con.extra, extra, sizeof(extra));
	con.extras = extras;
	con.machine = machine;
	con.confirm = confirm;
	con.retry.fire = con_retry;
	con.attached = &con.monitor;
	return chan_init(&con.monitor, "monitor");
}

err_t console_open(const char *name, struct console_chan **out)
{
	for (u32 i = 0; i < VM_MAX; i++) {
		if (!con.vm[i].used) {
			*out = &con.vm[i];
			return chan_init(&con.vm[i], name);
		}
	}
	return ERRF(E_RANGE, "console %s: more than %d", name, VM_MAX);
}

void console_close(struct console_chan *c)
{
	lock_take(&con.lock);
	if (con.last == c)
		con.last = NULL;
	if (con.attached == c)
		con_attach(&con.monitor);
	c->used = false;
	lock_drop(&con.lock);
	heap_free(c->out);
}

struct chr *console_chan_port(struct console_chan *c)
{
	return &c->port;
}

void console_chan_never_busy(struct console_chan *c, bool never)
{
	c->never_busy = never;
}

const char *console_chan_name(const struct console_chan *c)
{
	return c->name;
}

struct console_chan *console_monitor(void)
{
	return &con.monitor;
}

struct console_chan *console_attached(void)
{
	return con.attached;
}

void console_attach(struct console_chan *c)
{
	lock_take(&con.lock);
	con_attach(c ? c : &con.monitor);
	con_drop(con_flush());
}

err_t console_add_output(struct chr *out)
{
	err_t e = OK;

	lock_take(&con.lock);
	if (con.extras < OUTPUTS)
		con.extra[con.extras++] = out;
	else
		e = ERRF(E_RANGE, "console: more than %d further outputs", OUTPUTS);
	lock_drop(&con.lock);
	return e;
}

bool console_quit_asked(void)
{
	return con.quit;
}

void console_flush(void)
{
	lock_take(&con.lock);
	con_drop(con_flush());
}

void console_drain(void)
{
	ns_t end = arch_clock_ns() + 2 * NS_PER_SEC;
	bool all;

	do {
		lock_take(&con.lock);
		all = con_flush();
		lock_drop(&con.lock);
	} while (!all && arch_clock_ns() < end);
}

/* Call ready() of a channel that got input; its consumer will come back with chan_read(). */
static void chan_tell(struct console_chan *c)
{
	bool tell;

	lock_take(&con.lock);
	tell = c->used && c->tell;
	c->tell = false;
	lock_drop(&con.lock);
	if (tell && c->port.ready)
		c->port.ready(c->port.user);
}

void console_poll(void)
{
	lock_take(&con.lock);
	con_pull();
	con_drop(con_flush());
	chan_tell(&con.monitor);
	for (u32 i = 0; i < VM_MAX; i++)
		chan_tell(&con.vm[i]);
}

/* ---- the log ----------------------------------------------------------------------------- */

static void con_log(struct sink *s, const char *text, size_t len)
{
	lock_take(&con.lock);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			chan_append(&con.monitor, "\r", 1);
		chan_append(&con.monitor, text + i, 1);
	}
	if (con.attached != &con.monitor)
		con_notice("\r\n%.*s\r\n", (int)(len - (len && text[len - 1] == '\n')), text);
	con_drop(con_flush());
}

struct sink *console_log_sink(void)
{
	static struct sink sink = { con_log };

	return &sink;
}
