/*
 * The programs of `make bench`: what main knows of them and what they share. They are ordinary C
 * for Linux, compiled static for the guest and once more for the host. A program returns a checksum
 * that must not depend on the machine: no time, no address, no order of what runs in parallel.
 */
#pragma once

#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#define LENGTH(a)	(sizeof(a) / sizeof(*(a)))

/* programs.def names them; bench_NAME is in NAME.c. */
#define PROGRAM(group, name)	u64 bench_##name(void);
#include "test/bench/guest/programs.def"
#undef PROGRAM

/* xorshift64*: *state is not 0. */
static inline u64 bench_random(u64 *state)
{
	u64 x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1d;
}

static inline u64 bench_mix(u64 sum, u64 value)
{
	sum = (sum ^ value) * 0x9e3779b97f4a7c15;
	return sum ^ sum >> 29;
}

static inline u64 bench_mix_double(u64 sum, double value)
{
	u64 bits;

	memcpy(&bits, &value, sizeof(bits));
	return bench_mix(sum, bits);
}

/* Ends the program with a line about what failed: there is nothing to measure then. */
_Noreturn void bench_die(const char *what);

/* Both sides of a conversation on one CPU, on hosts with several as well. */
void bench_one_cpu(void);
