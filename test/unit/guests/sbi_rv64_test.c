/*
 * guests/sbi_rv64.c: a table of calls on four fake harts, with the error and value each must give.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/front/rv64/state.h"
#include "engine/isa.h"
#include "engine/runner.h"
#include "guests/virt_rv64.h"
#include "kernel/base/cpu.h"
#include "kernel/base/str.h"

#define HARTS	4
#define RAM	0x80000000ull
#define RAM_LEN	KIB(64)
#define ALL	UINT64_MAX

enum { BASE = 0x10, TIME = 0x54494d45, IPI = 0x735049, RFENCE = 0x52464e43, HSM = 0x48534d,
       SRST = 0x53525354, DBCN = 0x4442434e };
enum {
	OKAY = 0,
	FAILED = -1,
	NOT_SUPPORTED = -2,
	INVALID_PARAM = -3,
	INVALID_ADDRESS = -5,
	ALREADY = -6
};

extern const struct isa rv64_isa;

static struct vm vm;
static struct vcpu vcpu[HARTS];
static struct virt board;
static u8 ram[RAM_LEN] aligned_to(4096);
static struct { u32 how, code, count; } ended;
static struct { char out[512], in[16]; size_t written, taken; size_t room; } con;

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
	ended.code = code;
	ended.count++;
}

static size_t con_write(struct chr *c, const u8 *buf, size_t len)
{
	len = MIN(len, con.room - con.written);
	memcpy(con.out + con.written, buf, len);
	con.written += len;
	return len;
}

static size_t con_read(struct chr *c, u8 *buf, size_t len)
{
	len = MIN(len, strlen(con.in + con.taken));
	memcpy(buf, con.in + con.taken, len);
	con.taken += len;
	return len;
}

static const struct chr_ops con_ops = { con_write, con_read };
static struct chr con_chr = { .ops = &con_ops };

static err_t fake_init(struct gcpu *g) { return OK; }
static void fake_fini(struct gcpu *g) { }
static const struct runner fake_runner = { .name = "fake", .init = fake_init, .fini = fake_fini };

static int setup(void **s)
{
	cpu_self = &cpus[0];
	memset(ram, 0, sizeof(ram));
	memset(&con, 0, sizeof(con));
	memset(&ended, 0, sizeof(ended));
	memset(&board, 0, sizeof(board));
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	con.room = sizeof(con.out);
	assert_int_equal(space_init(&vm.space), OK);
	assert_int_equal(space_map_ram(&vm.space, RAM, RAM_LEN, ram, "RAM"), OK);
	gclock_start(&vm.clock, 0);
	board.console = &con_chr;
	vm.board_data = &board;
	vm.vcpu = vcpu;
	vm.vcpus = HARTS;
	for (u32 i = 0; i < HARTS; i++) {
		vcpu[i].vm = &vm;
		vcpu[i].index = i;
		vcpu[i].g = (struct gcpu){ .isa = &rv64_isa,
					   .runner = &fake_runner,
					   .space = &vm.space,
					   .clock = &vm.clock,
					   .index = i,
					   .features = rv64_isa.features };
		assert_int_equal(gcpu_init(&vcpu[i].g), OK);
		rv64_start(&vcpu[i].g, RAM, i, 0, false);
	}
	vcpu[0].power = vcpu[1].power = vcpu[2].power = true;	/* hart 3 is off */
	return 0;
}

static int teardown(void **s)
{
	for (u32 i = 0; i < HARTS; i++)
		gcpu_fini(&vcpu[i].g);
	space_fini(&vm.space);
	return 0;
}

static struct rv64_state *regs(u32 hart)
{
	return vcpu[hart].g.st;
}

/* Hart 0 calls; returns a0. a1 holds a mark before. */
static s64 call(u64 eid, u64 fid, u64 a0, u64 a1, u64 a2, u64 a3)
{
	struct rv64_state *st = regs(0);

	st->x[10] = a0;
	st->x[11] = a1;
	st->x[12] = a2;
	st->x[13] = a3;
	st->x[16] = fid;
	st->x[17] = eid;
	sbi_rv64(&vcpu[0]);
	assert_int_equal(st->x[16], fid);
	assert_int_equal(st->x[17], eid);
	return (s64)st->x[10];
}

static u64 value(void)
{
	return regs(0)->x[11];
}

static u64 ssip(void)
{
	u64 set = 0;

	for (u32 i = 0; i < HARTS; i++) {
		if (atomic_load(&vcpu[i].g.lines) & BIT(IRQ_SSI))
			set |= BIT(i);
		gcpu_line(&vcpu[i].g, IRQ_SSI, false);
	}
	return set;
}

static u64 requested(u32 bit)
{
	u64 set = 0;

	for (u32 i = 0; i < HARTS; i++) {
		if (atomic_exchange(&vcpu[i].g.requests, 0) & bit)
			set |= BIT(i);
	}
	return set;
}

/* ---- calls that change nothing else ---- */

static void test_answers(void **s)
{
	static const struct {
		u64 eid, fid, a0, a1, a2, a3;
		s64 error;
		u64 value;
	} calls[] = {
		{ BASE, 0, 0, 0, 0, 0, OKAY, 0x02000000 },
		{ BASE, 1, 0, 0, 0, 0, OKAY, 0x465650 },
		{ BASE, 3, TIME, 0, 0, 0, OKAY, 1 },
		{ BASE, 3, DBCN, 0, 0, 0, OKAY, 1 },
		{ BASE, 3, 8, 0, 0, 0, OKAY, 1 },		/* legacy shutdown */
		{ BASE, 3, 9, 0, 0, 0, OKAY, 0 },
		{ BASE, 3, 0x504d55, 0, 0, 0, OKAY, 0 },	/* PMU */
		{ BASE, 3, 0x53555350, 0, 0, 0, OKAY, 0 },	/* SUSP */
		{ BASE, 4, 0, 0, 0, 0, OKAY, 0 },
		{ BASE, 7, 0, 0, 0, 0, NOT_SUPPORTED, 0 },
		{ 0x12345678, 0, 0, 0, 0, 0, NOT_SUPPORTED, 0 },
		{ 0x504d55, 0, 0, 0, 0, 0, NOT_SUPPORTED, 0 },
		{ TIME, 1, 0, 0, 0, 0, NOT_SUPPORTED, 0 },
		{ IPI, 1, 1, 0, 0, 0, NOT_SUPPORTED, 0 },
		{ IPI, 0, 0x10, 0, 0, 0, INVALID_PARAM, 0 },
		{ IPI, 0, 1, HARTS, 0, 0, INVALID_PARAM, 0 },
		{ IPI, 0, 2, HARTS - 1, 0, 0, INVALID_PARAM, 0 },
		{ IPI, 0, 1, ALL - 1, 0, 0, INVALID_PARAM, 0 },
		{ IPI, 0, 1, 64, 0, 0, INVALID_PARAM, 0 },
		{ IPI, 0, 0, 0, 0, 0, OKAY, 0 },
		{ RFENCE, 3, 1, 0, 0, 0, NOT_SUPPORTED, 0 },	/* HFENCE */
		{ RFENCE, 7, 1, 0, 0, 0, NOT_SUPPORTED, 0 },
		{ RFENCE, 0, 0x10, 0, 0, 0, INVALID_PARAM, 0 },
		{ RFENCE, 1, 1, 0, ALL - 1, 4, INVALID_ADDRESS, 0 },
		{ HSM, 0, HARTS, RAM, 0, 0, INVALID_PARAM, 0 },
		{ HSM, 0, ALL, RAM, 0, 0, INVALID_PARAM, 0 },
		{ HSM, 0, 3, 0x1000, 0, 0, INVALID_ADDRESS, 0 },
		{ HSM, 0, 3, RAM + 1, 0, 0, INVALID_ADDRESS, 0 },
		{ HSM, 0, 3, RAM + RAM_LEN, 0, 0, INVALID_ADDRESS, 0 },
		{ HSM, 0, 1, RAM, 0, 0, ALREADY, 0 },
		{ HSM, 0, 0, RAM, 0, 0, ALREADY, 0 },
		{ HSM, 2, 0, 0, 0, 0, OKAY, 0 },
		{ HSM, 2, 3, 0, 0, 0, OKAY, 1 },
		{ HSM, 2, HARTS, 0, 0, 0, INVALID_PARAM, 0 },
		{ HSM, 3, 0x80000000, RAM, 0, 0, NOT_SUPPORTED, 0 },
		{ HSM, 3, 0x10000000, 0, 0, 0, NOT_SUPPORTED, 0 },
		{ HSM, 3, 1, 0, 0, 0, INVALID_PARAM, 0 },
		{ HSM, 3, 0x80000001, 0, 0, 0, INVALID_PARAM, 0 },
		{ HSM, 4, 0, 0, 0, 0, NOT_SUPPORTED, 0 },
		{ SRST, 1, 0, 0, 0, 0, NOT_SUPPORTED, 0 },
		{ SRST, 0, 3, 0, 0, 0, INVALID_PARAM, 0 },
		{ SRST, 0, 0, 2, 0, 0, INVALID_PARAM, 0 },
		{ SRST, 0, 0xf0000000, 0, 0, 0, NOT_SUPPORTED, 0 },
		{ DBCN, 0, 5, RAM, 1, 0, INVALID_PARAM, 0 },
		{ DBCN, 0, 5, RAM - 1, 0, 0, INVALID_PARAM, 0 },
		{ DBCN, 0, 5, RAM + RAM_LEN - 4, 0, 0, INVALID_PARAM, 0 },
		{ DBCN, 0, 5, ALL - 2, 0, 0, INVALID_PARAM, 0 },
		{ DBCN, 1, 5, RAM + RAM_LEN - 4, 0, 0, INVALID_PARAM, 0 },
		{ DBCN, 1, 5, 0x10000000, 0, 0, INVALID_PARAM, 0 },
		{ DBCN, 3, 0, 0, 0, 0, NOT_SUPPORTED, 0 },
	};

	for (u32 i = 0; i < ARRAY_LEN(calls); i++) {
		s64 error = call(calls[i].eid, calls[i].fid, calls[i].a0, calls[i].a1, calls[i].a2,
				 calls[i].a3);

		if (error != calls[i].error || value() != calls[i].value)
			fail_msg("call %u: error %lld, value 0x%llx", i, (long long)error,
				 (unsigned long long)value());
	}
	assert_int_equal(ssip(), 0);
	assert_int_equal(ended.count, 0);
	assert_int_equal(con.written, 0);
	assert_false(vcpu[3].power);
}

static void test_timer(void **s)
{
	assert_int_equal(call(TIME, 0, 12345, 0, 0, 0), OKAY);
	assert_int_equal(regs(0)->stimecmp, 12345);
	assert_int_equal(call(0, 77, 99, 4242, 0, 0), 0);
	assert_int_equal(regs(0)->stimecmp, 99);
	assert_int_equal(value(), 4242);		/* legacy leaves a1 alone */
}

static void test_ipi(void **s)
{
	assert_int_equal(call(IPI, 0, 0x5, 0, 0, 0), OKAY);
	assert_int_equal(ssip(), 0x5);
	assert_int_equal(call(IPI, 0, 0x3, 1, 0, 0), OKAY);
	assert_int_equal(ssip(), 0x6);
	assert_int_equal(call(IPI, 0, 0, ALL, 0, 0), OKAY);
	assert_int_equal(ssip(), 0x7);			/* not to the one that is off */
	call(IPI, 0, 1, 0, 0, 0);
	assert_int_equal(call(3, 0, 0, 0, 0, 0), 0);	/* legacy clear */
	assert_int_equal(ssip(), 0);
}

static void test_rfence(void **s)
{
	requested(0);
	assert_int_equal(call(RFENCE, 0, 0x6, 0, 0, 0), OKAY);
	assert_int_equal(requested(REQ_FENCE_I), 0x6);
	assert_int_equal(call(RFENCE, 1, 0, ALL, 0, ALL), OKAY);
	assert_int_equal(requested(REQ_TLB), 0xf);
	assert_int_equal(call(RFENCE, 2, 1, 1, 0x1000, 0x1000), OKAY);
	assert_int_equal(requested(REQ_TLB), 0x2);
}

static void test_hsm(void **s)
{
	gcpu_line(&vcpu[3].g, IRQ_SSI, true);
	assert_int_equal(call(HSM, 0, 3, RAM + 0x200, 0xabcd, 0), OKAY);
	assert_true(vcpu[3].power);
	assert_int_equal(regs(3)->pc, RAM + 0x200);
	assert_int_equal(regs(3)->x[10], 3);
	assert_int_equal(regs(3)->x[11], 0xabcd);
	assert_int_equal(regs(3)->priv, PRIV_S);
	assert_int_equal(regs(3)->satp, 0);
	assert_int_equal(ssip(), 0);
	assert_int_equal(call(HSM, 0, 3, RAM, 0, 0), ALREADY);
	assert_int_equal(regs(3)->pc, RAM + 0x200);	/* untouched */
	call(HSM, 1, 0, 0, 0, 0);
	assert_false(vcpu[0].power);
	vcpu[0].power = true;
	assert_false(vcpu[0].g.halted);
	assert_int_equal(call(HSM, 3, 0, 0, 0, 0), OKAY);
	assert_true(vcpu[0].g.halted);
}

static void test_reset(void **s)
{
	static const struct { u64 type, reason; u32 how, code; } resets[] = {
		{ 0, 0, SHUTDOWN_POWEROFF, 0 },
		{ 0, 1, SHUTDOWN_FAIL, 1 },
		{ 1, 0, SHUTDOWN_REBOOT, 0 },
		{ 2, 1, SHUTDOWN_REBOOT, 0 },
	};

	for (u32 i = 0; i < ARRAY_LEN(resets); i++) {
		call(SRST, 0, resets[i].type, resets[i].reason, 0, 0);
		assert_int_equal(ended.count, i + 1);
		assert_int_equal(ended.how, resets[i].how);
		assert_int_equal(ended.code, resets[i].code);
	}
	call(8, 0, 0, 0, 0, 0);
	assert_int_equal(ended.count, ARRAY_LEN(resets) + 1);
	assert_int_equal(ended.how, SHUTDOWN_POWEROFF);
}

static void test_console(void **s)
{
	memcpy(ram + 100, "hello", 5);
	assert_int_equal(call(DBCN, 0, 5, RAM + 100, 0, 0), OKAY);
	assert_int_equal(value(), 5);
	assert_int_equal(call(DBCN, 2, '!', 0, 0, 0), OKAY);
	assert_int_equal(call(1, 0, '?', 0, 0, 0), 0);
	assert_memory_equal(con.out, "hello!?", 7);
	assert_int_equal(call(DBCN, 0, 1000, RAM, 0, 0), OKAY);
	assert_true(value() > 0 && value() < 1000);	/* partial writes are allowed */
	con.room = con.written;
	assert_int_equal(call(DBCN, 0, 5, RAM, 0, 0), OKAY);
	assert_int_equal(value(), 0);
	assert_int_equal(call(DBCN, 2, '!', 0, 0, 0), FAILED);
	strcpy(con.in, "abc");
	assert_int_equal(call(2, 0, 0, 0, 0, 0), 'a');
	assert_int_equal(call(DBCN, 1, 100, RAM + 200, 0, 0), OKAY);
	assert_int_equal(value(), 2);
	assert_memory_equal(ram + 200, "bc\0", 3);
	assert_int_equal(call(2, 0, 0, 0, 0, 0), -1);
}

static void test_legacy_masks(void **s)
{
	store_le64(ram + 64, 0x6);
	assert_int_equal(call(4, 0, RAM + 64, 0, 0, 0), 0);
	assert_int_equal(ssip(), 0x6);
	assert_int_equal(call(4, 0, 0, 0, 0, 0), 0);
	assert_int_equal(ssip(), 0x7);
	assert_int_equal(call(4, 0, RAM + 65, 0, 0, 0), INVALID_ADDRESS);
	assert_int_equal(call(4, 0, 0x1000, 0, 0, 0), INVALID_ADDRESS);
	store_le64(ram + 64, 0x10);
	assert_int_equal(call(4, 0, RAM + 64, 0, 0, 0), INVALID_ADDRESS);
	assert_int_equal(ssip(), 0);
	assert_false(vcpu[0].g.xcpt.pending);
	store_le64(ram + 64, 0x2);
	requested(0);
	assert_int_equal(call(5, 0, RAM + 64, 0, 0, 0), 0);
	assert_int_equal(requested(REQ_FENCE_I), 0x2);
	assert_int_equal(call(6, 0, RAM + 64, 0, 0, 0), 0);
	assert_int_equal(requested(REQ_TLB), 0x2);
	assert_int_equal(call(7, 0, RAM + 64, 0, 0, 0), 0);
	assert_int_equal(requested(REQ_TLB), 0x2);
	/* Paging on, no tables: the walk fails, the hart takes no exception. */
	regs(0)->satp = 8ull << 60 | 0x7ffff;
	assert_int_equal(call(4, 0, RAM + 64, 0, 0, 0), INVALID_ADDRESS);
	assert_false(vcpu[0].g.xcpt.pending);
}

#define SBI_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SBI_TEST(test_answers),
		SBI_TEST(test_timer),
		SBI_TEST(test_ipi),
		SBI_TEST(test_rfence),
		SBI_TEST(test_hsm),
		SBI_TEST(test_reset),
		SBI_TEST(test_console),
		SBI_TEST(test_legacy_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
