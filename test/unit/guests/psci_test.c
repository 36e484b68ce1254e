/* guests/psci.c: calls on CPUs of two clusters, with what each must answer and do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/front/a64/state.h"
#include "engine/isa.h"
#include "engine/runner.h"
#include "guests/virt_a64.h"
#include "kernel/base/cpu.h"

#define CPUS	18			/* 16 to a cluster */
#define RAM	0x40000000ull
#define RAM_LEN	KIB(64)

enum { VERSION = 0x84000000, CPU_SUSPEND, CPU_OFF, CPU_ON, AFFINITY_INFO, MIGRATE,
       MIGRATE_INFO_TYPE, MIGRATE_INFO_UP_CPU, SYSTEM_OFF, SYSTEM_RESET, FEATURES,
       SYSTEM_SUSPEND = 0x8400000e, SYSTEM_RESET2 = 0x84000012, TRNG_VERSION = 0x84000050,
       TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND, SMCCC_VERSION = 0x80000000, ARCH_FEATURES,
       WIDE = 0x40000000 };
enum { OKAY = 0, NOT_SUPPORTED = -1, INVALID_PARAMETERS = -2, ALREADY_ON = -4,
       INVALID_ADDRESS = -9 };

extern const struct isa a64_isa;

static struct vm vm;
static struct vcpu vcpu[CPUS];
static struct virt board;
static u8 ram[RAM_LEN] aligned_to(4096);
static struct { u32 how, count; } ended;
static bool no_entropy;

/* ---- doubles of the kernel: power is a flag, the end of the VM is noted ---- */

void gcpu_kick(struct gcpu *g) { }
bool vcpu_is_off(struct vcpu *v) { return !v->power; }
void vcpu_power_off(struct vcpu *v) { v->power = false; }

err_t vcpu_power_on(struct vcpu *v)
{
	v->power = true;
	return OK;
}

void vm_shutdown(void *which, u32 how, u32 code)
{
	assert_ptr_equal(which, &vm);
	ended.how = how;
	ended.count++;
}

static err_t ones_read(struct rng *r, void *buf, size_t len)
{
	memset(buf, 0xff, len);
	return no_entropy ? ERR(E_IO) : OK;
}

static const struct rng_ops ones = { ones_read };
static struct rng ones_rng = { .ops = &ones };

struct rng *virt_rng(const struct vm *which)
{
	return &ones_rng;
}

static err_t fake_init(struct gcpu *g) { return OK; }
static void fake_fini(struct gcpu *g) { }
static const struct runner fake_runner = { .name = "fake", .init = fake_init, .fini = fake_fini };

static int setup(void **s)
{
	cpu_self = &cpus[0];
	memset(&ended, 0, sizeof(ended));
	memset(&board, 0, sizeof(board));
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	no_entropy = false;
	assert_int_equal(space_init(&vm.space), OK);
	assert_int_equal(space_map_ram(&vm.space, RAM, RAM_LEN, ram, "RAM"), OK);
	gclock_start(&vm.clock, 0);
	vm.board_data = &board;
	vm.vcpu = vcpu;
	vm.vcpus = CPUS;
	for (u32 i = 0; i < CPUS; i++) {
		vcpu[i].vm = &vm;
		vcpu[i].index = i;
		vcpu[i].g = (struct gcpu){ .isa = &a64_isa, .runner = &fake_runner, .index = i,
					   .space = &vm.space, .clock = &vm.clock };
		assert_int_equal(gcpu_init(&vcpu[i].g), OK);
	}
	vcpu[0].power = true;
	return 0;
}

static int teardown(void **s)
{
	for (u32 i = 0; i < CPUS; i++)
		gcpu_fini(&vcpu[i].g);
	space_fini(&vm.space);
	return 0;
}

static struct a64_state *regs(u32 cpu)
{
	return vcpu[cpu].g.st;
}

static s64 call(u64 function, u64 a, u64 b, u64 c)
{
	struct a64_state *st = regs(0);

	st->x[0] = function;
	st->x[1] = a;
	st->x[2] = b;
	st->x[3] = c;
	st->x[4] = 0x4444;
	psci(&vcpu[0]);
	assert_int_equal(st->x[4], 0x4444);
	return (s64)st->x[0];
}

/* ---- tests ---- */

static void versions_and_features(void **s)
{
	static const u32 there[] = { VERSION, CPU_SUSPEND, CPU_SUSPEND | WIDE, CPU_OFF,
				     CPU_ON | WIDE, AFFINITY_INFO | WIDE, MIGRATE_INFO_TYPE,
				     SYSTEM_OFF, SYSTEM_RESET, FEATURES, SYSTEM_RESET2,
				     SYSTEM_RESET2 | WIDE, SMCCC_VERSION };
	static const u32 absent[] = { MIGRATE, MIGRATE_INFO_UP_CPU, SYSTEM_SUSPEND, 0x84000013,
				      VERSION | WIDE, CPU_OFF | WIDE, 0, 0xffffffff, 0x80008000 };

	assert_int_equal(call(VERSION, 0, 0, 0), 0x10001);
	assert_int_equal(call(SMCCC_VERSION, 0, 0, 0), 0x10001);
	assert_int_equal(call(MIGRATE_INFO_TYPE, 0, 0, 0), 2);
	for (u32 i = 0; i < ARRAY_LEN(there); i++)
		assert_int_equal(call(FEATURES, there[i], 0, 0), OKAY);
	for (u32 i = 0; i < ARRAY_LEN(absent); i++) {
		assert_int_equal(call(FEATURES, absent[i], 0, 0), NOT_SUPPORTED);
		assert_int_equal(call(absent[i], 1, 2, 3), NOT_SUPPORTED);
		assert_int_equal(regs(0)->x[1], 1);	/* arguments are kept */
	}
	assert_int_equal(call(ARCH_FEATURES, SMCCC_VERSION, 0, 0), OKAY);
	assert_int_equal(call(ARCH_FEATURES, 0x80008000, 0, 0), NOT_SUPPORTED);
	assert_int_equal(call(0xffffffff00000000 | VERSION, 0, 0, 0), 0x10001);
}

static void cpu_on(void **s)
{
	regs(17)->x[5] = 5;
	assert_int_equal(call(CPU_ON | WIDE, 0x101, RAM + 0x1000, 0x123456789abc), OKAY);
	assert_true(vcpu[17].power);
	assert_int_equal(regs(17)->pc, RAM + 0x1000);
	assert_int_equal(regs(17)->x[0], 0x123456789abc);
	assert_int_equal(regs(17)->x[5], 0);
	assert_int_equal(regs(17)->pstate, 0x3c5);
	assert_int_equal(call(CPU_ON | WIDE, 0x101, RAM, 0), ALREADY_ON);
	assert_int_equal(call(CPU_ON | WIDE, 0, RAM, 0), ALREADY_ON);
	assert_int_equal(call(CPU_ON | WIDE, 0x102, RAM, 0), INVALID_PARAMETERS);
	assert_int_equal(call(CPU_ON | WIDE, 16, RAM, 0), INVALID_PARAMETERS);
	assert_int_equal(call(CPU_ON | WIDE, BIT(31) | 1, RAM, 0), INVALID_PARAMETERS);
	assert_int_equal(call(CPU_ON | WIDE, 1, RAM + 2, 0), INVALID_ADDRESS);
	assert_int_equal(call(CPU_ON | WIDE, 1, RAM - 4, 0), INVALID_ADDRESS);
	assert_int_equal(call(CPU_ON | WIDE, 1, UINT64_MAX - 3, 0), INVALID_ADDRESS);
	assert_int_equal(call(CPU_ON, BIT(32) | 1, RAM, ~0ull), OKAY);	/* 32 bits of each */
	assert_int_equal(regs(1)->x[0], 0xffffffff);
}

static void affinity_info(void **s)
{
	assert_int_equal(call(AFFINITY_INFO | WIDE, 0, 0, 0), 0);
	assert_int_equal(call(AFFINITY_INFO | WIDE, 1, 0, 0), 1);
	assert_int_equal(call(AFFINITY_INFO | WIDE, 0x100, 1, 0), 1);	/* a cluster that is off */
	assert_int_equal(call(AFFINITY_INFO | WIDE, 0, 1, 0), 0);
	assert_int_equal(call(AFFINITY_INFO | WIDE, 0x100, 2, 0), 0);
	assert_int_equal(call(AFFINITY_INFO | WIDE, 0, 3, 0), 0);
	assert_int_equal(call(AFFINITY_INFO | WIDE, 0x200, 1, 0), INVALID_PARAMETERS);
	assert_int_equal(call(AFFINITY_INFO | WIDE, 0x102, 0, 0), INVALID_PARAMETERS);
	assert_int_equal(call(AFFINITY_INFO | WIDE, 0, 4, 0), INVALID_PARAMETERS);
	assert_int_equal(call(AFFINITY_INFO | WIDE, 0, ~0ull, 0), INVALID_PARAMETERS);
	assert_int_equal(call(AFFINITY_INFO | WIDE, BIT(32), 3, 0), INVALID_PARAMETERS);
}

static void sleep_and_off(void **s)
{
	assert_int_equal(call(CPU_SUSPEND, 0, 0, 0), OKAY);
	assert_true(vcpu[0].g.halted);
	vcpu[0].g.halted = false;
	assert_int_equal(call(CPU_SUSPEND | WIDE, 1 << 16, RAM, 0), OKAY);
	assert_true(vcpu[0].g.halted);
	vcpu[0].g.halted = false;
	assert_int_equal(call(CPU_SUSPEND, 1 << 20, 0, 0), INVALID_PARAMETERS);
	assert_int_equal(call(CPU_SUSPEND | WIDE, 0x80000000, 0, 0), INVALID_PARAMETERS);
	assert_false(vcpu[0].g.halted);
	call(CPU_OFF, 0, 0, 0);
	assert_false(vcpu[0].power);
}

static void the_end(void **s)
{
	call(SYSTEM_OFF, 0, 0, 0);
	assert_int_equal(ended.how, SHUTDOWN_POWEROFF);
	call(SYSTEM_RESET, 0, 0, 0);
	assert_int_equal(ended.how, SHUTDOWN_REBOOT);
	assert_int_equal(call(SYSTEM_RESET2, 1, 0, 0), INVALID_PARAMETERS);
	assert_int_equal(call(SYSTEM_RESET2, 0x80000000, 0, 0), NOT_SUPPORTED);
	assert_int_equal(ended.count, 2);
	call(SYSTEM_RESET2 | WIDE, 0, 0, 0);
	assert_int_equal(ended.how, SHUTDOWN_REBOOT);
	assert_int_equal(ended.count, 3);
	assert_true(vcpu[0].g.halted);
}

static void random_numbers(void **s)
{
	assert_int_equal(call(TRNG_VERSION, 0, 0, 0), 0x10000);
	assert_int_equal(call(TRNG_FEATURES, TRNG_RND | WIDE, 0, 0), OKAY);
	assert_true(call(TRNG_GET_UUID, 0, 0, 0) > 0);
	assert_int_equal(call(TRNG_RND | WIDE, 70, 7, 7), OKAY);
	assert_int_equal(regs(0)->x[3], ~0ull);
	assert_int_equal(regs(0)->x[2], 0x3f);
	assert_int_equal(regs(0)->x[1], 0);
	assert_int_equal(call(TRNG_RND | WIDE, 192, 0, 0), OKAY);
	assert_int_equal(regs(0)->x[1], ~0ull);
	assert_int_equal(call(TRNG_RND, 33, 0, 0), OKAY);
	assert_int_equal(regs(0)->x[3], 0xffffffff);
	assert_int_equal(regs(0)->x[2], 1);
	assert_int_equal(call(TRNG_RND | WIDE, 193, 0, 0), INVALID_PARAMETERS);
	assert_int_equal(call(TRNG_RND, 97, 0, 0), INVALID_PARAMETERS);
	assert_int_equal(call(TRNG_RND, 0, 9, 0), INVALID_PARAMETERS);
	assert_int_equal(regs(0)->x[2], 9);
	no_entropy = true;
	assert_int_equal(call(TRNG_RND | WIDE, 64, 0, 9), -3);
	assert_int_equal(regs(0)->x[3], 9);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(versions_and_features), T(cpu_on), T(affinity_info), T(sleep_and_off),
		T(the_end), T(random_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
