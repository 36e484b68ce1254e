/* The Mandelbrot set: a short loop of multiplications, additions and a comparison. */
#include "test/bench/guest/bench.h"

#define SIZE	700
#define DEPTH	500

static int escape(double x, double y)
{
	double a = 0, b = 0;
	int n = 0;

	for (; n < DEPTH; n++) {
		double aa = a * a, bb = b * b;

		if (aa + bb > 4)
			break;
		b = 2 * a * b + y;
		a = aa - bb + x;
	}
	return n;
}

u64 bench_mandelbrot(void)
{
	u64 sum = 0;

	for (int i = 0; i < SIZE; i++)
		for (int j = 0; j < SIZE; j++)
			sum = bench_mix(sum, escape(j * 3.0 / SIZE - 2.2, i * 3.0 / SIZE - 1.5));
	return sum;
}
