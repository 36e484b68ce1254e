/* Fused multiply-add: polynomials by Horner's rule and dot products, in both precisions. */
#include <math.h>

#include "test/bench/guest/bench.h"

#define COUNT	1024
#define TERMS	8
#define ROUNDS	8000

static double x[COUNT], y[COUNT];
static float fx[COUNT], fy[COUNT];

/* exp(x) for small x; the terms are exact quotients of the machine. */
static double exponential(double v)
{
	static const double term[TERMS] = { 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6,
					    0.5, 1, 1 };
	double sum = term[0];

	for (int i = 1; i < TERMS; i++)
		sum = fma(sum, v, term[i]);
	return sum;
}

u64 bench_fma(void)
{
	u64 seed = 7, sum = 0;

	for (int i = 0; i < COUNT; i++) {
		fx[i] = x[i] = (double)(bench_random(&seed) >> 40) / (1 << 24) - 0.5;
		fy[i] = y[i] = (double)(bench_random(&seed) >> 40) / (1 << 24) - 0.5;
	}
	for (int round = 0; round < ROUNDS; round++) {
		double dot = 0;
		float fdot = 0;

		for (int i = 0; i < COUNT; i++) {
			dot = fma(x[i], y[i], dot);
			fdot = fmaf(fx[i], fy[i], fdot);
			y[i] = fma(x[i], -0.25, 0.5 * (exponential(y[i]) - 1));
		}
		sum = bench_mix_double(bench_mix_double(sum, dot), fdot);
	}
	return sum;
}
