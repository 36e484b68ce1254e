/*
 * String functions and the number parsers that configuration, command line and monitor
 * share. Plain byte loops: nothing here is on a hot path.
 */
#include "kernel/base/str.h"

size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int str_cmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return (u8)*a - (u8)*b;
}

bool str_eq(const char *a, const char *b)
{
	return str_cmp(a, b) == 0;
}

bool str_starts(const char *s, const char *prefix)
{
	for (; *prefix; s++)
		if (*s != *prefix++)
			return false;
	return true;
}

const char *str_chr(const char *s, char c)
{
	for (; *s != c; s++)
		if (*s == '\0')
			return NULL;
	return s;
}

const char *str_find(const char *s, const char *needle)
{
	for (;; s++) {
		if (str_starts(s, needle))
			return s;
		if (*s == '\0')
			return NULL;
	}
}

bool str_copy(char *dst, size_t cap, const char *src)
{
	size_t i = 0;

	if (cap == 0)
		return false;
	for (; src[i] && i + 1 < cap; i++)
		dst[i] = src[i];
	dst[i] = '\0';
	return src[i] == '\0';
}

static u32 digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (u32)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (u32)(c - 'A') + 10;
	return UINT32_MAX;
}

static u32 base_prefix(const char **s)
{
	if ((*s)[0] != '0')
		return 10;
	switch ((*s)[1]) {
	case 'x': *s += 2; return 16;
	case 'o': *s += 2; return 8;
	case 'b': *s += 2; return 2;
	}
	return 10;
}

/* The number that @s begins with; its end, or NULL if there is none or it exceeds 64 bits. */
static const char *number_parse(const char *s, u64 *out)
{
	u32 base = base_prefix(&s);
	u64 v = 0;

	if (digit_value(*s) >= base)
		return NULL;
	for (;; s++) {
		if (*s == '_' && digit_value(s[1]) < base)
			s++;
		if (digit_value(*s) >= base)
			break;
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, digit_value(*s), &v))
			return NULL;
	}
	*out = v;
	return s;
}

bool str_to_u64(const char *s, u64 *out)
{
	u64 v;
	const char *end = number_parse(s, &v);

	if (!end || *end)
		return false;
	*out = v;
	return true;
}

bool str_to_size(const char *s, u64 *out)
{
	static const char units[] = "KMGT";
	u64 v, unit = 1;
	const char *end = number_parse(s, &v);

	if (!end)
		return false;
	if (*end) {
		const char *u = str_chr(units, *end);

		if (!u || end[1])
			return false;
		unit = 1ull << 10 * (u - units + 1);
	}
	return !__builtin_mul_overflow(v, unit, out);
}
