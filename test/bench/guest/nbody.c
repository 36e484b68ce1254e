/* Gravity between the sun and four planets, as in the Computer Language Benchmarks Game. */
#include <math.h>

#include "test/bench/guest/bench.h"

#define PI		3.141592653589793
#define SOLAR_MASS	(4 * PI * PI)
#define DAYS		365.24
#define STEPS		600000

struct body {
	double x[3], v[3], mass;
};

static const struct body start[] = {
	{ { 0, 0, 0 }, { 0, 0, 0 }, SOLAR_MASS },
	{ { 4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01 },
	  { 1.66007664274403694e-03 * DAYS, 7.69901118419740425e-03 * DAYS,
	    -6.90460016972063023e-05 * DAYS }, 9.54791938424326609e-04 * SOLAR_MASS },
	{ { 8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01 },
	  { -2.76742510726411899e-03 * DAYS, 4.99852801234917238e-03 * DAYS,
	    2.30417297573763929e-05 * DAYS }, 2.85885980666130812e-04 * SOLAR_MASS },
	{ { 1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01 },
	  { 2.96460137564761618e-03 * DAYS, 2.37847173959480950e-03 * DAYS,
	    -2.96589568540237556e-05 * DAYS }, 4.36624404335156298e-05 * SOLAR_MASS },
	{ { 1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01 },
	  { 2.68067772490389322e-03 * DAYS, 1.62824170038242295e-03 * DAYS,
	    -9.51592254519715870e-05 * DAYS }, 5.15138902046611451e-05 * SOLAR_MASS },
};

static struct body body[LENGTH(start)];

static void pair_attract(struct body *a, struct body *b, double dt)
{
	double d[3], square = 0, magnitude;

	for (int i = 0; i < 3; i++) {
		d[i] = a->x[i] - b->x[i];
		square += d[i] * d[i];
	}
	magnitude = dt / (square * sqrt(square));
	for (int i = 0; i < 3; i++) {
		a->v[i] -= d[i] * b->mass * magnitude;
		b->v[i] += d[i] * a->mass * magnitude;
	}
}

static void advance(double dt)
{
	for (size_t i = 0; i < LENGTH(body); i++)
		for (size_t j = i + 1; j < LENGTH(body); j++)
			pair_attract(&body[i], &body[j], dt);
	for (size_t i = 0; i < LENGTH(body); i++)
		for (int k = 0; k < 3; k++)
			body[i].x[k] += dt * body[i].v[k];
}

u64 bench_nbody(void)
{
	u64 sum = 0;

	memcpy(body, start, sizeof(body));
	for (int step = 0; step < STEPS; step++)
		advance(0.01);
	for (size_t i = 0; i < LENGTH(body); i++)
		for (int k = 0; k < 3; k++)
			sum = bench_mix_double(sum, body[i].x[k]);
	return sum;
}
