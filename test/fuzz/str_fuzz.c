/* Number and size parsers against the C library's strtoull. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/str.h"

#define INPUT_MAX	80

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* What str_to_u64 should say, by other means. */
static bool reference(const char *s, u64 *out)
{
	char digits[INPUT_MAX], *end;
	size_t n = 0, base = 10;

	if (s[0] == '0' && s[1] && strchr("xob", s[1])) {
		base = s[1] == 'x' ? 16 : s[1] == 'o' ? 8 : 2;
		s += 2;
	}
	for (size_t i = 0; s[i]; i++) {
		if (s[i] == '_') {
			if (i == 0 || !isxdigit((u8)s[i - 1]) || !isxdigit((u8)s[i + 1]))
				return false;
			continue;
		}
		if (!isxdigit((u8)s[i]))
			return false;
		if (n || s[i] != '0' || !s[i + 1])
			digits[n++] = s[i];
	}
	digits[n] = '\0';
	errno = 0;
	*out = strtoull(digits, &end, (int)base);
	return s[0] && *end == '\0' && errno == 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char s[INPUT_MAX];
	u64 got = 0, want = 0, bytes;

	if (size >= sizeof(s))
		return 0;
	memcpy(s, data, size);
	s[size] = '\0';
	if (str_to_u64(s, &got)) {
		if (!reference(s, &want) || got != want)
			abort();
		if (!str_to_size(s, &bytes) || bytes != got)
			abort();
	} else if (reference(s, &want)) {
		abort();
	}
	str_to_size(s, &bytes);
	return 0;
}
