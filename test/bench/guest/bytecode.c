/*
 * An interpreter's loop: a small register machine with a switch over its operations, running the
 * search for the longest Collatz chain and a sieve.
 */
#include "test/bench/guest/bench.h"

enum op { LOAD, MOVE, ADD, ADDI, MUL, SHR, ANDI, JUMP, JZ, JLT, GET, PUT, STOP };

struct insn {
	u8 op, a, b;
	int c;			/* constant, register, or where to go */
};

#define CELLS	65536
#define ROUNDS	5

static long cell[CELLS];

/* Result: the length of the longest chain that begins below register 0. */
static const struct insn collatz[] = {
	{ LOAD, 1, 0, 1 },		/* 0: n */
	{ LOAD, 2, 0, 0 },		/*    longest */
	{ JLT, 1, 0, 4 },		/* 2: next n */
	{ STOP, 2, 0, 0 },
	{ MOVE, 3, 1, 0 },		/* 4: x = n */
	{ LOAD, 4, 0, 0 },		/*    length */
	{ ADDI, 5, 3, -1 },		/* 6: step */
	{ JZ, 5, 0, 16 },
	{ ADDI, 4, 4, 1 },
	{ ANDI, 5, 3, 1 },
	{ JZ, 5, 0, 14 },
	{ LOAD, 6, 0, 3 },
	{ MUL, 3, 3, 6 },
	{ ADDI, 3, 3, 1 },
	{ SHR, 3, 3, 1 },		/* 14: 3 x + 1 is even: one step less */
	{ JUMP, 0, 0, 6 },
	{ JLT, 2, 4, 19 },		/* 16 */
	{ ADDI, 1, 1, 1 },
	{ JUMP, 0, 0, 2 },
	{ MOVE, 2, 4, 0 },		/* 19 */
	{ JUMP, 0, 0, 17 },
};

/* Result: how many primes are below register 0. */
static const struct insn sieve[] = {
	{ LOAD, 1, 0, 0 },		/* 0: clear */
	{ LOAD, 2, 0, 0 },
	{ JLT, 1, 0, 4 },
	{ JUMP, 0, 0, 7 },
	{ PUT, 2, 1, 0 },		/* 4 */
	{ ADDI, 1, 1, 1 },
	{ JUMP, 0, 0, 2 },
	{ LOAD, 1, 0, 2 },		/* 7: candidates; register 2 counts */
	{ LOAD, 5, 0, 1 },
	{ JLT, 1, 0, 11 },		/* 9 */
	{ STOP, 2, 0, 0 },
	{ GET, 3, 1, 0 },		/* 11 */
	{ JZ, 3, 0, 15 },
	{ ADDI, 1, 1, 1 },		/* 13 */
	{ JUMP, 0, 0, 9 },
	{ ADDI, 2, 2, 1 },		/* 15: a prime */
	{ ADD, 4, 1, 1 },
	{ JLT, 4, 0, 19 },		/* 17 */
	{ JUMP, 0, 0, 13 },
	{ PUT, 5, 4, 0 },		/* 19 */
	{ ADD, 4, 4, 1 },
	{ JUMP, 0, 0, 17 },
};

static long execute(const struct insn *code, long argument)
{
	long r[8] = { argument };

	for (const struct insn *i = code;; i++) {
		switch ((enum op)i->op) {
		case LOAD: r[i->a] = i->c; break;
		case MOVE: r[i->a] = r[i->b]; break;
		case ADD: r[i->a] = r[i->b] + r[i->c]; break;
		case ADDI: r[i->a] = r[i->b] + i->c; break;
		case MUL: r[i->a] = r[i->b] * r[i->c]; break;
		case SHR: r[i->a] = r[i->b] >> i->c; break;
		case ANDI: r[i->a] = r[i->b] & i->c; break;
		case JUMP: i = code + i->c - 1; break;
		case JZ: i = r[i->a] ? i : code + i->c - 1; break;
		case JLT: i = r[i->a] < r[i->b] ? code + i->c - 1 : i; break;
		case GET: r[i->a] = cell[r[i->b] % CELLS]; break;
		case PUT: cell[r[i->b] % CELLS] = r[i->a]; break;
		case STOP: return r[i->a];
		}
	}
}

u64 bench_bytecode(void)
{
	u64 sum = 0;

	for (int round = 0; round < ROUNDS; round++) {
		sum = bench_mix(sum, execute(collatz, 20000 + round));
		sum = bench_mix(sum, execute(sieve, CELLS - round));
	}
	return sum;
}
