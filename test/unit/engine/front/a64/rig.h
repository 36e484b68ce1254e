/*
 * What the tests of the A64 front end share: one CPU that nobody runs, the clock of the device
 * tests' bench, and a controller that notes levels.
 */
#pragma once

#include "test/unit/drivers/model/bench.h"

#include "engine/front/a64/a64.h"
#include "engine/runner.h"

extern const struct isa a64_isa;

static struct gcpu g;
static struct { bool level[32]; u32 calls, resets; } ppi;
static u32 kicks;

void gcpu_kick(struct gcpu *x)
{
	(void)x;
	kicks++;
}

static inline err_t rig_init(struct gcpu *x)
{
	(void)x;
	return OK;
}

static inline void rig_fini(struct gcpu *x)
{
	(void)x;
}

static inline void rig_ppi(void *ctl, u32 cpu, u32 intid, bool level)
{
	(void)ctl;
	assert_int_equal(cpu, 3);
	ppi.level[intid] = level;
	ppi.calls++;
}

static inline void rig_reset(void *ctl, u32 cpu)
{
	(void)ctl;
	assert_int_equal(cpu, 3);
	ppi.resets++;
}

static const struct runner rig_runner = { .name = "rig", .init = rig_init, .fini = rig_fini };
static const struct a64_intc rig_intc = { .ppi = rig_ppi, .reset = rig_reset };

static inline struct a64_state *state(void)
{
	return g.st;
}

static int rig_open(void **unused)
{
	(void)unused;
	bench_open();
	memset(&ppi, 0, sizeof(ppi));
	kicks = 0;
	g = (struct gcpu){ .isa = &a64_isa, .runner = &rig_runner, .space = &bench_space,
			   .clock = &bench_clock, .index = 3, .intc = &rig_intc };
	return gcpu_init(&g) == OK ? 0 : -1;
}

static int rig_close(void **unused)
{
	(void)unused;
	gcpu_fini(&g);
	assert_int_equal(timer_next(), NS_NEVER);
	bench_close();
	return 0;
}
