/*
 * RDRAND as the machine's entropy source (SDM volume 1, 7.3.17). Some CPUs lost it after
 * resume and answer all ones with success, so a source that repeats itself is not offered.
 */
#include "arch/io.h"
#include "drivers/port/rng.h"
#include "kernel/base/str.h"

#include <cpuid.h>

static bool word_draw(u64 *v)
{
	bool ok = false;

	for (u32 i = 0; i < 10 && !ok; i++)
		__asm__ volatile("rdrand %0" : "=r"(*v), "=@ccc"(ok) :: "cc");
	return ok;
}

static bool source_works(void)
{
	u64 last = 0, v;
	u32 a, b, c, d, same = 0;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_RDRND))
		return false;
	for (u32 i = 0; i < 8; i++, last = v) {
		if (!word_draw(&v))
			return false;
		same += v == last || !~v;
	}
	return same == 0;
}

static err_t rdrand_read(struct rng *r, void *buf, size_t len)
{
	for (size_t at = 0; at < len; at += 8) {
		u64 v;

		if (!word_draw(&v))
			return ERRF(E_IO, "RDRAND gives no number");
		memcpy((u8 *)buf + at, &v, MIN(len - at, sizeof(v)));
	}
	return OK;
}

struct rng *arch_rng(void)
{
	static const struct rng_ops ops = { .read = rdrand_read };
	static struct rng rdrand = { .ops = &ops, .name = "rdrand" };
	static _Atomic int works;	/* 0 not tried, 1 yes, -1 no */

	if (!works)
		works = source_works() ? 1 : -1;
	return works > 0 ? &rdrand : NULL;
}
