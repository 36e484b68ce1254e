/*
 * arch/bare/mem.c, compiled under other names so that the test keeps libc's functions to
 * compare with: every combination of small offsets and lengths, overlapping both ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define memcpy	bare_memcpy
#define memmove	bare_memmove
#define memset	bare_memset
#define memcmp	bare_memcmp
#include "arch/bare/mem.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

#define ROOM 256
#define LEN_MAX 80

static u8 noise[ROOM], a[ROOM], b[ROOM];

static int setup(void **s)
{
	srand(4);
	for (u32 i = 0; i < ROOM; i++)
		noise[i] = (u8)rand();
	return 0;
}

static void test_copy(void **s)
{
	for (u32 d = 0; d < 9; d++)
		for (u32 f = 0; f < 9; f++)
			for (u32 len = 0; len < LEN_MAX; len++) {
				memset(a, 0xee, ROOM);
				memset(b, 0xee, ROOM);
				assert_ptr_equal(bare_memcpy(a + 9 + d, noise + f, len), a + 9 + d);
				memcpy(b + 9 + d, noise + f, len);
				assert_memory_equal(a, b, ROOM);
			}
}

static void test_move(void **s)
{
	for (u32 d = 0; d < 40; d++)
		for (u32 f = 0; f < 40; f++)
			for (u32 len = 0; len < LEN_MAX; len++) {
				memcpy(a, noise, ROOM);
				memcpy(b, noise, ROOM);
				assert_ptr_equal(bare_memmove(a + d, a + f, len), a + d);
				memmove(b + d, b + f, len);
				assert_memory_equal(a, b, ROOM);
			}
}

static void test_set(void **s)
{
	for (u32 d = 0; d < 9; d++)
		for (u32 len = 0; len < LEN_MAX; len++) {
			memcpy(a, noise, ROOM);
			memcpy(b, noise, ROOM);
			assert_ptr_equal(bare_memset(a + d, 0x1c7, len), a + d);
			memset(b + d, 0xc7, len);
			assert_memory_equal(a, b, ROOM);
		}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_compare(void **s)
{
	for (u32 d = 0; d < 9; d++)
		for (u32 f = 0; f < 9; f++)
			for (u32 len = 0; len < LEN_MAX; len++)
				for (u32 at = 0; at <= len; at++) {
					memcpy(a + d, noise, len + 1);
					memcpy(b + f, noise, len + 1);
					a[d + at] ^= 0x80;	/* at len: must not matter */
					assert_int_equal(sign(bare_memcmp(a + d, b + f, len)),
							 sign(memcmp(a + d, b + f, len)));
				}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_compare),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
