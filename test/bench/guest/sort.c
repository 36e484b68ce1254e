/* Sorting: quicksort with the comparison inline, merge sort with a comparison by pointer. */
#include "test/bench/guest/bench.h"

#define COUNT	(1 << 18)
#define ROUNDS	5

static u32 data[COUNT], other[COUNT];

static void insertion(u32 *a, long n)
{
	for (long i = 1; i < n; i++) {
		u32 x = a[i];
		long j = i;

		for (; j > 0 && a[j - 1] > x; j--)
			a[j] = a[j - 1];
		a[j] = x;
	}
}

static void quick(u32 *a, long n)
{
	while (n > 12) {
		u32 pivot = a[n / 2];
		long i = 0, j = n - 1;

		while (i <= j) {
			while (a[i] < pivot)
				i++;
			while (a[j] > pivot)
				j--;
			if (i <= j) {
				u32 t = a[i];

				a[i++] = a[j];
				a[j--] = t;
			}
		}
		quick(a, j + 1);
		a += i;
		n -= i;
	}
	insertion(a, n);
}

static int compare_low_half(const void *a, const void *b)
{
	u32 x = *(const u32 *)a & 0xffff, y = *(const u32 *)b & 0xffff;

	return (x > y) - (x < y);
}

/* Bottom up and stable; the result is in *a again. */
static void merge(u32 *a, u32 *b, long n, int (*compare)(const void *, const void *))
{
	for (long width = 1; width < n; width *= 2) {
		for (long start = 0; start < n; start += 2 * width) {
			long i = start, mid = start + width < n ? start + width : n;
			long j = mid, end = mid + width < n ? mid + width : n;

			for (long k = start; k < end; k++)
				b[k] = i < mid && (j >= end || compare(&a[i], &a[j]) <= 0) ?
					a[i++] : a[j++];
		}
		memcpy(a, b, n * sizeof(*a));
	}
}

u64 bench_sort(void)
{
	u64 seed = 1, sum = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (long i = 0; i < COUNT; i++)
			data[i] = bench_random(&seed) >> 32;
		quick(data, COUNT);
		merge(data, other, COUNT, compare_low_half);
		for (long i = 0; i < COUNT; i++)
			sum = bench_mix(sum, data[i]);
	}
	return sum;
}
