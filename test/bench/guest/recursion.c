/* Calls and returns: Fibonacci (two calls deep in an expression), Ackermann (deep), Takeuchi. */
#include "test/bench/guest/bench.h"

#define FLAT	__attribute__((noinline, noclone))

static FLAT u64 fibonacci(u64 n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static FLAT u64 ackermann(u64 m, u64 n)
{
	if (!m)
		return n + 1;
	return ackermann(m - 1, n ? ackermann(m, n - 1) : 1);
}

static FLAT long takeuchi(long x, long y, long z)
{
	if (y >= x)
		return z;
	return takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

u64 bench_recursion(void)
{
	u64 sum = bench_mix(0, fibonacci(37));

	sum = bench_mix(sum, ackermann(3, 10));
	return bench_mix(sum, takeuchi(22, 16, 8));
}
