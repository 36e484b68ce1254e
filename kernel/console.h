/*
 * Console multiplexer: one channel for each VM and one for the monitor share the machine's
 * console. A channel keeps the newest 64 KiB of its output; the attached one's goes to the
 * console and every further output. What was not shown yet is replayed when a channel is
 * attached. Input goes to the attached channel and stays in the host's port while the guest
 * does not take it. Ctrl-A is the detach key; Ctrl-A h lists what can follow.
 *
 * Ports are used from any CPU; a channel's ready() is only ever called from CPU 0's loop.
 */
#pragma once

#include "drivers/port/chr.h"
#include "kernel/base/err.h"
#include "kernel/base/fmt.h"

struct console_chan;

/*
 * @machine may be NULL. Makes the monitor's channel and attaches it. @confirm: Ctrl-A x asks
 * before it quits.
 */
err_t console_init(struct chr *machine, bool confirm);

/* A channel for a VM; the name is copied. */
err_t console_open(const char *name, struct console_chan **out);
void console_close(struct console_chan *c);
/* What the VM's UART is wired to. */
struct chr *console_chan_port(struct console_chan *c);
/*
 * Take all output at once, even if the host is slow and some has to be dropped: the guest must
 * not see what the host does.
 */
void console_chan_never_busy(struct console_chan *c, bool never);
const char *console_chan_name(const struct console_chan *c);

/*
 * NULL attaches the monitor, whose input gets a Ctrl-R (redraw the line) then. The detach key is
 * printed.
 */
void console_attach(struct console_chan *c);
struct console_chan *console_attached(void);
struct console_chan *console_monitor(void);

/* Show everything on @out as well (frame buffer); its input is read too. */
err_t console_add_output(struct chr *out);

/* CPU 0's loop: take input, show output, call ready(). */
void console_poll(void);
/* Any CPU: show what the attached channel holds, as far as the host takes it. */
void console_flush(void);
/* The same, waiting for the host, at most 2 s: before the machine goes away. */
void console_drain(void);

/* Log lines: kept in the monitor's channel and shown at once whatever is attached. */
struct sink *console_log_sink(void);

/* Ctrl-A x was pressed (and confirmed). */
bool console_quit_asked(void);
