/*
 * Differential fuzzing of the RV64 front end: what the parts share. One case is a code blob
 * with registers and a data page; the generator makes it, two machines run it (ours and a
 * guest program under qemu-riscv64-static), the driver compares.
 *
 * Also included by the guest program, which has no other header.
 */
#pragma once

#include <stdint.h>

#define DIFF_CODE	0x40000000ull	/* where the blob lies in both machines */
#define DIFF_DATA	0x50000000ull
#define DIFF_CODE_MAX	1024
#define DIFF_DATA_SIZE	8192
#define DIFF_BATCH	64

enum diff_end { DIFF_BREAK, DIFF_ILLEGAL, DIFF_FAULT, DIFF_LOST };

struct diff_state {
	uint64_t pc;			/* out: where it ended */
	uint64_t x[32], f[32];
	uint64_t fcsr;
	uint64_t end;			/* out: enum diff_end */
	uint8_t data[DIFF_DATA_SIZE];
};

struct diff_case {
	struct diff_state in, out;
	uint32_t code_len;
	uint8_t code[DIFF_CODE_MAX];
};
