/*
 * QEMU's isa-debug-exit at port 0xf4: what a test program writes there ends the machine, and the
 * exit code is twice that plus one, so never 0.
 */
#include "drivers/model/model.h"

#define DEBUG_EXIT	0xf4

struct vdebugexit {
	u32 last;		/* what was written last, for the post-mortem */
};

static const struct field vdebugexit_fields[] = {
	FIELD(struct vdebugexit, last),
	{ NULL },
};

static u64 vdebugexit_read(struct dev *d, u64 off, u32 len)
{
	return 0;
}

static void vdebugexit_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vdebugexit *e = d->state;

	e->last = (u32)val;
	d->shutdown(d->vm, SHUTDOWN_FAIL, e->last << 1 | 1);
}

static void vdebugexit_reset(struct dev *d)
{
	struct vdebugexit *e = d->state;

	e->last = 0;
}

static err_t vdebugexit_attach(struct dev *d)
{
	return d->shutdown ? OK : ERRF(E_INVAL, "%s: the board gave no way to shut down", d->name);
}

static const struct dev_pio vdebugexit_pio[] = { { DEBUG_EXIT, 4, 0 }, { 0 } };

const struct model vdebugexit_model = {
	.name = "vdebugexit",
	.compatible = "qemu,isa-debug-exit",
	.state_size = sizeof(struct vdebugexit),
	.fields = vdebugexit_fields,
	.pio = vdebugexit_pio,
	.attach = vdebugexit_attach,
	.reset = vdebugexit_reset,
	.read = vdebugexit_read,
	.write = vdebugexit_write,
};
