/* What the tests of the RV64 front end share: one hart over a page or two of RAM. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "engine/front/rv64/rv64.h"
#include "engine/runner.h"
#include "kernel/base/cpu.h"
#include "kernel/base/page.h"

#define RAM_BASE 0x80000000ull
#define RAM_SIZE (16 * PAGE_SIZE)

extern const struct isa rv64_isa;

static struct gcpu g;
static struct space space;
static struct gclock guest_clock;
static struct cpu host_cpu;
static u8 ram[RAM_SIZE] aligned_to(4096);
static u8 heap_memory[MIB(16)] aligned_to(4096);
static u32 kicks;

void gcpu_kick(struct gcpu *x)
{
	(void)x;
	kicks++;
}

static inline struct rv64_state *state(void)
{
	return g.st;
}

static int rig_open(void **unused)
{
	(void)unused;
	page_add_range(heap_memory, sizeof(heap_memory), 0);
	cpu_self = &host_cpu;
	gclock_start(&guest_clock, 0);
	assert_int_equal(space_init(&space), OK);
	assert_int_equal(space_map_ram(&space, RAM_BASE, RAM_SIZE, ram, "ram"), OK);
	g = (struct gcpu){ .isa = &rv64_isa, .runner = &interp_runner, .space = &space,
			   .clock = &guest_clock, .features = ~0u, .firmware = true };
	return gcpu_init(&g) == OK ? 0 : -1;
}

static int rig_close(void **unused)
{
	(void)unused;
	gcpu_fini(&g);
	space_fini(&space);
	return 0;
}

/* A hart in @priv at RAM_BASE, everything permitted by PMP. */
static inline void rig_start(enum rv64_priv priv)
{
	rv64_start(&g, RAM_BASE, 0, 0, true);
	state()->priv = priv;
	state()->pmpaddr[0] = MASK(54);
	state()->pmpcfg[0] = 0x1f;
	rv64_ctx_update(&g);
}

static u64 rig_seed = 88172645463325252;
static inline u64 rnd(void)
{
	rig_seed ^= rig_seed << 13, rig_seed ^= rig_seed >> 7, rig_seed ^= rig_seed << 17;
	return rig_seed;
}

/* Cause of the parked exception, which is forgotten; -1 if there is none. */
static inline s64 rig_cause(void)
{
	s64 cause = g.xcpt.pending ? (s64)g.xcpt.cause : -1;

	g.xcpt.pending = false;
	return cause;
}

/* One CSR instruction as translated code would do it: op 1 write, 2 set, 3 clear. */
static inline u64 csr_op(u32 number, u32 op, u64 v)
{
	return rv64_csr.fn(&g, number << 20 | 5 << 15 | op << 12 | 0x73, v, 0);
}
static inline u64 csr_read(u32 number)
{
	return rv64_csr.fn(&g, number << 20 | 2 << 12 | 0x73, 0, 0);
}
