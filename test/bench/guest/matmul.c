/* Matrix products, once in double and once in single precision. */
#include "test/bench/guest/bench.h"

#define N	160
#define ROUNDS	9

static double a[N][N], b[N][N], c[N][N];
static float fa[N][N], fb[N][N], fc[N][N];

static void multiply_double(void)
{
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++) {
			double sum = 0;

			for (int k = 0; k < N; k++)
				sum += a[i][k] * b[k][j];
			c[i][j] = sum;
		}
	}
}

static void multiply_float(void)
{
	memset(fc, 0, sizeof(fc));
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				fc[i][j] += fa[i][k] * fb[k][j];
}

u64 bench_matmul(void)
{
	u64 seed = 5, sum = 0;

	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++) {
			fa[i][j] = a[i][j] = (double)(bench_random(&seed) >> 40) / (1 << 24) - 0.5;
			fb[i][j] = b[i][j] = (double)(bench_random(&seed) >> 40) / (1 << 24) - 0.5;
		}
	}
	for (int round = 0; round < ROUNDS; round++) {
		multiply_double();
		multiply_float();
		for (int i = 0; i < N; i++) {
			sum = bench_mix_double(sum, c[i][N - 1 - i]);
			sum = bench_mix_double(sum, fc[i][i]);
		}
		a[round][round] += 1;
		fb[round][round] -= 1;
	}
	return sum;
}
