/* Number and size parsers against the C library's strtoull. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/str.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* What str_to_u64 should say, by other means. */
static bool reference(const char *s, u64 *out)
{
	char digits[64], *end;
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
		if (n == sizeof(digits))
			return strlen(s) < 64;		/* too long for 64 bits in any base */
	}
	digits[n] = '\0';
	errno = 0;
	*out = strtoull(digits, &end, (int)base);
	return s[0] && *end == '\0' && errno == 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char s[80];
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
	} else if (reference(s, &want) && strlen(s) < 64) {
		abort();
	}
	str_to_size(s, &bytes);
	return 0;
}
