/*
 * The 8042 keyboard controller of a PC without a keyboard: it passes its own self-test, says that
 * nothing is plugged in, and resets the machine. Also port 0x92, the quick way to do so.
 * IBM PS/2 hardware interface technical reference, "Keyboard and auxiliary device controller".
 *
 * A20 is always on; its bits are remembered for those who look.
 */
#include "drivers/model/model.h"

enum { PS2_DATA = 0x60, PS2_COMMAND = 0x64, PORT_A = 0x92 };
enum { STATUS_OUTPUT = 1, STATUS_SYSTEM = 4, STATUS_COMMAND = 8, STATUS_UNLOCKED = 0x10 };
enum { CMD_READ_CONFIG = 0x20, CMD_WRITE_CONFIG = 0x60, CMD_TEST_AUX = 0xa9, CMD_SELF_TEST = 0xaa,
       CMD_TEST_KEYBOARD = 0xab, CMD_READ_OUTPUT = 0xd0, CMD_WRITE_OUTPUT = 0xd1,
       CMD_PULSE = 0xf0 };
enum { SELF_TEST_OK = 0x55, PORT_STUCK = 0x01 };
enum { OUTPUT_RUN = 1, OUTPUT_A20 = 2, PORT_A_RESET = 1, PORT_A_A20 = 2 };

struct vps2 {
	u8 answer, config, output, port_a;
	u8 awaits;			/* the command that the next data byte is for, or 0 */
	bool full;			/* there is an answer */
};

static const struct field vps2_fields[] = {
	FIELD(struct vps2, answer),
	FIELD(struct vps2, config),
	FIELD(struct vps2, output),
	FIELD(struct vps2, port_a),
	FIELD(struct vps2, awaits),
	FIELD(struct vps2, full),
	{ NULL },
};

static void ps2_reset_machine(struct dev *d)
{
	d->shutdown(d->vm, SHUTDOWN_REBOOT, 0);
}

static void ps2_answer(struct vps2 *p, u8 val)
{
	p->answer = val;
	p->full = true;
}

static void ps2_command(struct dev *d, u8 cmd)
{
	struct vps2 *p = d->state;

	p->awaits = 0;
	switch (cmd) {
	case CMD_READ_CONFIG: ps2_answer(p, p->config); break;
	case CMD_READ_OUTPUT: ps2_answer(p, p->output); break;
	case CMD_SELF_TEST: ps2_answer(p, SELF_TEST_OK); break;
	case CMD_TEST_KEYBOARD:
	case CMD_TEST_AUX: ps2_answer(p, PORT_STUCK); break;
	case CMD_WRITE_CONFIG:
	case CMD_WRITE_OUTPUT: p->awaits = cmd; break;
	case CMD_PULSE ... 0xff:
		if (!(cmd & OUTPUT_RUN))
			ps2_reset_machine(d);
		break;
	}
}

/* Data without a command is for the keyboard, which does not answer. */
static void ps2_data(struct dev *d, u8 val)
{
	struct vps2 *p = d->state;

	if (p->awaits == CMD_WRITE_CONFIG)
		p->config = val;
	if (p->awaits == CMD_WRITE_OUTPUT) {
		p->output = val;
		if (!(val & OUTPUT_RUN))
			ps2_reset_machine(d);
	}
	p->awaits = 0;
}

static u64 vps2_read(struct dev *d, u64 off, u32 len)
{
	struct vps2 *p = d->state;

	switch (off) {
	case PS2_DATA: p->full = false; return p->answer;
	case PS2_COMMAND:
		return STATUS_SYSTEM | STATUS_UNLOCKED | (p->full ? STATUS_OUTPUT : 0) |
		       (p->awaits ? STATUS_COMMAND : 0);
	}
	return p->port_a;
}

static void vps2_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vps2 *p = d->state;

	if (off == PS2_DATA)
		ps2_data(d, (u8)val);
	else if (off == PS2_COMMAND)
		ps2_command(d, (u8)val);
	else if (val & PORT_A_RESET)
		ps2_reset_machine(d);
	else
		p->port_a = (u8)val;
}

static void vps2_reset(struct dev *d)
{
	struct vps2 *p = d->state;

	*p = (struct vps2){ .output = OUTPUT_RUN | OUTPUT_A20, .port_a = PORT_A_A20 };
}

static err_t vps2_attach(struct dev *d)
{
	return d->shutdown ? OK : ERRF(E_INVAL, "%s: the board gave no way to shut down", d->name);
}

static const struct dev_pio vps2_pio[] = {
	{ PS2_DATA, 1, PS2_DATA }, { PS2_COMMAND, 1, PS2_COMMAND }, { PORT_A, 1, PORT_A }, { 0 },
};

const struct model vps2_model = {
	.name = "vps2",
	.compatible = "intel,8042",
	.state_size = sizeof(struct vps2),
	.fields = vps2_fields,
	.pio = vps2_pio,
	.attach = vps2_attach,
	.reset = vps2_reset,
	.read = vps2_read,
	.write = vps2_write,
};
