/*
 * A board in miniature for tests of device models: 512 KiB of RAM, one device, a clock that
 * stands still until the test moves it, an interrupt recorder, and ports made of memory.
 * It replaces arch/hosted/clock.c, so time passes only through bench_pass(). The fuzz targets
 * use it, too: it calls nothing of cmocka's.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/model/model.h"
#include "kernel/base/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/base/panic.h"
#include "kernel/base/timer.h"
#include "mmu/space.h"

#define BENCH_RAM	0x80000000ull
#define BENCH_RAM_LEN	KIB(512)
#define BENCH_WALL	1700000000ull
#define BENCH_OUTS	8

static ns_t bench_ns = 5 * NS_PER_SEC;

ns_t arch_clock_ns(void) { return bench_ns; }
u64 arch_wall_seconds(void) { return BENCH_WALL; }
void arch_timer_set(ns_t deadline) { }
void hosted_clock_attach(struct cpu *c);
void hosted_clock_attach(struct cpu *c) { }
ns_t hosted_timer_deadline(const struct cpu *c);
ns_t hosted_timer_deadline(const struct cpu *c) { return NS_NEVER; }

static u8 bench_ram[BENCH_RAM_LEN] aligned_to(4096);
static struct space bench_space;
static struct ports bench_ports;
static struct lock bench_lock;
static struct gclock bench_clock;
static bool bench_level[1 + BENCH_OUTS];	/* [0] the interrupt, [1 + n] output n */
static u32 bench_edges;				/* rises of [0] */
static struct irq_line bench_out[BENCH_OUTS];

static inline void bench_irq_set(void *ctl, u32 input, bool level)
{
	if (!input && level && !bench_level[0])
		bench_edges++;
	bench_level[input] = level;
}

/* Let @ns pass, firing timers in order as the scheduler's loop would. */
static inline void bench_pass(ns_t ns)
{
	ns_t end = bench_ns + ns;

	for (ns_t next; (next = timer_next()) <= end; timer_run(bench_ns))
		bench_ns = MAX(bench_ns, next);
	bench_ns = end;
}

static inline void bench_open(void)
{
	static struct cpu self;

	cpu_self = &self;
	memset(bench_ram, 0, sizeof(bench_ram));
	memset(bench_level, 0, sizeof(bench_level));
	bench_edges = 0;
	assert(space_init(&bench_space) == OK);
	assert(space_map_ram(&bench_space, BENCH_RAM, BENCH_RAM_LEN, bench_ram, "ram") == OK);
	ports_init(&bench_ports);
	gclock_start(&bench_clock, 0);
	for (u32 i = 0; i < BENCH_OUTS; i++)
		bench_out[i] = (struct irq_line){ .set = bench_irq_set, .input = 1 + i };
}

static inline void bench_close(void)
{
	ports_fini(&bench_ports);
	space_fini(&bench_space);
}

/* A device at 0x10000000 with everything but its port. */
static inline struct dev bench_dev(const struct model *m, u64 len)
{
	return (struct dev){
		.model = m, .name = "dut", .base = 0x10000000, .len = len, .space = &bench_space,
		.lock = &bench_lock, .clock = &bench_clock, .irq = { .set = bench_irq_set },
	};
}

static inline u64 bench_read(const struct dev *d, u64 off, u32 len)
{
	return range_mmio_read(space_find(&bench_space, d->base + off), d->base + off, len);
}

static inline void bench_write(const struct dev *d, u64 off, u32 len, u64 val)
{
	range_mmio_write(space_find(&bench_space, d->base + off), d->base + off, len, val);
}

/* A device with ports only: @pio, or NULL for the model's usual ones. */
static inline struct dev bench_port_dev(const struct model *m, const struct dev_pio *pio)
{
	struct dev d = bench_dev(m, 0);

	d.ports = &bench_ports;
	d.pio = pio;
	return d;
}

static inline u32 bench_in(u32 port, u32 len)
{
	return ports_read(&bench_ports, port, len);
}

static inline void bench_out_to(u32 port, u32 len, u32 val)
{
	ports_write(&bench_ports, port, len, val);
}

/*
 * A character port: what the test put into in[] comes out of read; write takes at most `room`
 * bytes.
 */
struct bench_chr {
	struct chr chr;
	u8 in[512], out[2048];
	size_t in_at, in_len, out_len, room;
	u32 writes;
};

static inline size_t bench_chr_write(struct chr *c, const u8 *buf, size_t len)
{
	struct bench_chr *b = container_of(c, struct bench_chr, chr);
	size_t part = MIN(MIN(len, b->room), sizeof(b->out) - b->out_len);

	memcpy(b->out + b->out_len, buf, part);
	b->out_len += part;
	b->room -= part;
	b->writes += len != 0;
	return part;
}

static inline size_t bench_chr_read(struct chr *c, u8 *buf, size_t len)
{
	struct bench_chr *b = container_of(c, struct bench_chr, chr);
	size_t part = MIN(len, b->in_len - b->in_at);

	memcpy(buf, b->in + b->in_at, part);
	b->in_at += part;
	return part;
}

static const struct chr_ops bench_chr_ops = { .write = bench_chr_write, .read = bench_chr_read };

static inline void bench_chr_open(struct bench_chr *b)
{
	memset(b, 0, sizeof(*b));
	b->chr = (struct chr){ .ops = &bench_chr_ops, .name = "chr" };
	b->room = SIZE_MAX;
}

static inline void bench_chr_type(struct bench_chr *b, const char *text)
{
	b->in_at = 0;
	b->in_len = strlen(text);
	memcpy(b->in, text, b->in_len);
	if (b->chr.ready)
		b->chr.ready(b->chr.user);
}
