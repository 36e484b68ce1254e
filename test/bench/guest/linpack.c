/* A system of linear equations by elimination with partial pivoting, as LINPACK's dgefa, dgesl. */
#include <math.h>

#include "test/bench/guest/bench.h"

#define N	200
#define ROUNDS	40

static double a[N][N], b[N];

static void system_make(u64 *seed)
{
	for (int i = 0; i < N; i++) {
		b[i] = 0;
		for (int j = 0; j < N; j++) {
			a[i][j] = (double)(bench_random(seed) >> 11) / (1L << 52) - 1;
			b[i] += a[i][j];
		}
	}
}

static int pivot_find(int k)
{
	int best = k;

	for (int i = k + 1; i < N; i++)
		if (fabs(a[i][k]) > fabs(a[best][k]))
			best = i;
	return best;
}

static void swap(double *x, double *y)
{
	double t = *x;

	*x = *y;
	*y = t;
}

static void rows_swap(int i, int j)
{
	for (int k = 0; k < N; k++)
		swap(&a[i][k], &a[j][k]);
	swap(&b[i], &b[j]);
}

static void eliminate(int k)
{
	for (int i = k + 1; i < N; i++) {
		double factor = a[i][k] / a[k][k];

		for (int j = k; j < N; j++)
			a[i][j] -= factor * a[k][j];
		b[i] -= factor * b[k];
	}
}

static void substitute_back(void)
{
	for (int i = N - 1; i >= 0; i--) {
		for (int j = i + 1; j < N; j++)
			b[i] -= a[i][j] * b[j];
		b[i] /= a[i][i];
	}
}

u64 bench_linpack(void)
{
	u64 seed = 6, sum = 0;

	for (int round = 0; round < ROUNDS; round++) {
		system_make(&seed);
		for (int k = 0; k < N; k++) {
			rows_swap(k, pivot_find(k));
			eliminate(k);
		}
		substitute_back();
		for (int i = 0; i < N; i++)
			sum = bench_mix_double(sum, b[i]);
	}
	return sum;
}
