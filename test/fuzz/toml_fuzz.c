/* The TOML parser: no crash, and what it accepts is dumped and read back as the same. */
#include <stdlib.h>
#include <string.h>

#include "kernel/base/cpu.h"
#include "kernel/config.h"
#include "arch/hosted/hosted.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static size_t dump(const struct config *c, char *buf, size_t cap)
{
	struct sink_buf b = sink_buf_init(buf, cap);

	config_dump(c, &b.sink, false);
	return b.len;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct config c;
	static char one[1 << 18], two[1 << 18];
	size_t len;

	if (!cpu_self) {
		cpu_count = 1;
		hosted_cpu_attach(0);
	}
	if (config_init(&c) != OK)
		abort();
	if (size > 4096 || config_parse(&c, "fuzz", (const char *)data, size) != OK) {
		if (c.vms || c.text)
			abort();
		return 0;
	}
	(void)!config_check(&c);
	len = dump(&c, one, sizeof(one));
	config_fini(&c);
	if (config_init(&c) != OK || config_parse(&c, "again", one, len) != OK)
		abort();
	dump(&c, two, sizeof(two));
	config_fini(&c);
	if (strcmp(one, two) != 0)
		abort();
	return 0;
}
