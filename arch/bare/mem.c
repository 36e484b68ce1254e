/*
 * memcpy, memmove, memset and memcmp for bare metal, in plain C: a machine word at a time
 * where alignment allows, never an unaligned word (the AArch64 core runs with strict
 * alignment before its MMU is on).
 *
 * The compiler likes to recognise such loops and to replace them by calls to the very
 * function they implement; no_builtin forbids it.
 */
#include "kernel/base/str.h"

#define no_idioms	__attribute__((no_builtin("memcpy", "memmove", "memset", "memcmp")))
#define WORD		sizeof(u64)

static inline bool word_aligned(const void *p)
{
	return (uptr)p % WORD == 0;
}

static inline bool word_congruent(const void *a, const void *b)
{
	return ((uptr)a ^ (uptr)b) % WORD == 0;
}

/* Ascending copy; right for overlap when @d < @s. */
no_idioms static void copy_up(u8 *d, const u8 *s, size_t len)
{
	if (word_congruent(d, s)) {
		for (; len && !word_aligned(d); len--)
			*d++ = *s++;
		for (; len >= 4 * WORD; len -= 4 * WORD, d += 4 * WORD, s += 4 * WORD) {
			u64 a = ((const u64 *)s)[0], b = ((const u64 *)s)[1];
			u64 c = ((const u64 *)s)[2], e = ((const u64 *)s)[3];

			((u64 *)d)[0] = a;
			((u64 *)d)[1] = b;
			((u64 *)d)[2] = c;
			((u64 *)d)[3] = e;
		}
		for (; len >= WORD; len -= WORD, d += WORD, s += WORD)
			*(u64 *)d = *(const u64 *)s;
	}
	while (len--)
		*d++ = *s++;
}

/* Descending copy; right for overlap when @d > @s. */
no_idioms static void copy_down(u8 *d, const u8 *s, size_t len)
{
	d += len;
	s += len;
	if (word_congruent(d, s)) {
		for (; len && !word_aligned(d); len--)
			*--d = *--s;
		for (; len >= WORD; len -= WORD) {
			d -= WORD;
			s -= WORD;
			*(u64 *)d = *(const u64 *)s;
		}
	}
	while (len--)
		*--d = *--s;
}

no_idioms void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	copy_up(dst, src, len);
	return dst;
}

no_idioms void *memmove(void *dst, const void *src, size_t len)
{
	if ((uptr)dst - (uptr)src >= len)
		copy_up(dst, src, len);
	else
		copy_down(dst, src, len);
	return dst;
}

no_idioms void *memset(void *dst, int byte, size_t len)
{
	u64 word = (u8)byte * 0x0101010101010101ull;
	u8 *d = dst;

	for (; len && !word_aligned(d); len--)
		*d++ = (u8)byte;
	for (; len >= 4 * WORD; len -= 4 * WORD, d += 4 * WORD) {
		((u64 *)d)[0] = word;
		((u64 *)d)[1] = word;
		((u64 *)d)[2] = word;
		((u64 *)d)[3] = word;
	}
	for (; len >= WORD; len -= WORD, d += WORD)
		*(u64 *)d = word;
	while (len--)
		*d++ = (u8)byte;
	return dst;
}

no_idioms int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *x = a, *y = b;

	if (word_congruent(x, y)) {
		for (; len && !word_aligned(x) && *x == *y; len--)
			x++, y++;
		if (word_aligned(x))
			for (; len >= WORD && *(const u64 *)x == *(const u64 *)y; len -= WORD)
				x += WORD, y += WORD;
	}
	for (; len && *x == *y; len--)
		x++, y++;
	return len ? *x - *y : 0;
}
