/*
 * SiFive's test finisher: one register through which a guest ends its machine. Layout and
 * values are those of QEMU's virt (sifive,test0 / sifive,test1 bindings of Linux).
 */
#include "drivers/model/model.h"
#include "kernel/base/log.h"

enum {
	TEST_FAIL = 0x3333,	/* bits 31:16 carry the exit code */
	TEST_PASS = 0x5555,
	TEST_RESET = 0x7777,
};

struct vsifive_test {
	u32 last;		/* what was written last, for the post-mortem */
};

static const struct field vsifive_test_fields[] = {
	FIELD(struct vsifive_test, last),
	{ NULL },
};

static u64 vsifive_test_read(struct dev *d, u64 off, u32 len)
{
	return 0;
}

static void vsifive_test_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vsifive_test *t = d->state;

	if (off || (len != 2 && len != 4))
		return;
	t->last = (u32)val;
	switch (val & 0xffff) {
	case TEST_FAIL: return d->shutdown(d->vm, SHUTDOWN_FAIL, (u32)val >> 16);
	case TEST_PASS: return d->shutdown(d->vm, SHUTDOWN_POWEROFF, 0);
	case TEST_RESET: return d->shutdown(d->vm, SHUTDOWN_REBOOT, 0);
	}
	log_limited(LOG_DEBUG, "%s: unknown command 0x%x ignored", d->name, t->last);
}

static void vsifive_test_reset(struct dev *d)
{
	struct vsifive_test *t = d->state;

	t->last = 0;
}

static err_t vsifive_test_attach(struct dev *d)
{
	return d->shutdown ? OK : ERRF(E_INVAL, "%s: the board gave no way to shut down", d->name);
}

const struct model vsifive_test_model = {
	.name = "vsifive_test",
	.compatible = "sifive,test1",
	.state_size = sizeof(struct vsifive_test),
	.fields = vsifive_test_fields,
	.attach = vsifive_test_attach,
	.reset = vsifive_test_reset,
	.read = vsifive_test_read,
	.write = vsifive_test_write,
};
