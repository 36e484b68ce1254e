/* The virtio transport over PCI, with the entropy device behind it; VIRTIO 1.2, 4.1. */
#include "test/unit/drivers/model/virtio/driver.h"

#include "drivers/model/pci/pci.h"
#include "drivers/model/virtio/pci.h"

#define WINDOW	0xc0000000ull
#define REGS	(WINDOW + 0x100000)
#define MSIX	(WINDOW + 0x1000)
enum { DEVICE_SEL = 0, DEVICE_FEATURES = 4, DRIVER_SEL = 8, DRIVER_FEATURES = 0xc,
       CONFIG_VECTOR = 0x10, QUEUES = 0x12, STATUS = 0x14, GENERATION = 0x15, SELECT = 0x16,
       SIZE = 0x18, VECTOR = 0x1a, ENABLE = 0x1c, NOTIFY_OFF = 0x1e, DESC = 0x20, AVAIL = 0x28,
       USED = 0x30, ISR = 0x1000, CONFIG = 0x2000, NOTIFY = 0x3000 };

static struct dev bus, pci;
static struct { u64 addr; u32 data, count; } msi;
static struct virtio_pci_board board = { .bus = &bus, .device = &d, .devfn = PCI_DEVFN(1, 0) };

static err_t fake_rng_read(struct rng *r, void *buf, size_t len)
{
	memset(buf, 0xa5, len);
	return OK;
}

static const struct rng_ops fake_rng_ops = { .read = fake_rng_read };
static struct rng fake_rng = { .ops = &fake_rng_ops, .name = "rng" };

static void msi_sent(void *ctl, u64 addr, u32 data)
{
	msi.addr = addr;
	msi.data = data;
	msi.count++;
}

static const struct pci_board bus_board = { .window = { { WINDOW, MIB(4) } }, .msi = msi_sent };

static u64 cfg(u32 off, u32 len) { return bench_read(&bus, board.devfn << 12 | off, len); }
static void put(u32 off, u32 len, u64 val) { bench_write(&bus, board.devfn << 12 | off, len, val); }

static u64 in(u64 off, u32 len)
{
	return range_mmio_read(space_find(&bench_space, REGS), REGS + off, len);
}

static void out(u64 off, u32 len, u64 val)
{
	range_mmio_write(space_find(&bench_space, REGS), REGS + off, len, val);
}

static void msix(u64 off, u32 val)
{
	range_mmio_write(space_find(&bench_space, MSIX), MSIX + off, 4, val);
}

static int setup(void **state)
{
	bench_open();
	memset(&msi, 0, sizeof(msi));
	bus = bench_dev(&vpci_model, MIB(1));
	bus.port.any = (void *)&bus_board;
	bus.out = bench_out;
	bus.outs = 4;
	d = bench_dev(&vrng_model, 0);
	d.irq = (struct irq_line){ 0 };
	d.port.rng = &fake_rng;
	pci = bench_dev(&vvirtio_pci_model, 0);
	pci.port.any = &board;
	if (dev_create(&bus) || dev_create(&d) || dev_create(&pci))
		return 1;
	put(0x14, 4, MSIX);
	put(0x20, 8, REGS);
	put(4, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return 0;
}

static int teardown(void **state)
{
	dev_destroy(&pci);
	dev_destroy(&d);
	dev_destroy(&bus);
	assert_int_equal(timer_next(), NS_NEVER);
	assert_int_equal(bench_space.count, 1);
	bench_close();
	return 0;
}

static void negotiate(void)
{
	out(STATUS, 1, 0);
	out(STATUS, 1, ACKNOWLEDGE | DRIVER);
	out(DRIVER_SEL, 4, 0);
	out(DRIVER_FEATURES, 4, 0);
	out(DRIVER_SEL, 4, 1);
	out(DRIVER_FEATURES, 4, 1);
	out(STATUS, 1, ACKNOWLEDGE | DRIVER | FEATURES_OK);
	assert_int_equal(in(STATUS, 1), ACKNOWLEDGE | DRIVER | FEATURES_OK);
}

static void start(void)
{
	negotiate();
	memset(ram(DRV_RINGS(0)), 0, 0x10000);
	drv_seen[0] = drv_offered[0] = 0;
	out(SELECT, 2, 0);
	out(SIZE, 2, DRV_SIZE);
	out(DESC, 8, DRV_DESC(0));
	out(AVAIL, 4, (u32)DRV_AVAIL(0));
	out(AVAIL + 4, 4, DRV_AVAIL(0) >> 32);
	out(USED, 8, DRV_USED(0));
	out(ENABLE, 2, 1);
	out(STATUS, 1, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

static void one_request(void)
{
	drv_desc(0, 0, DRV_BUF, 64, WRITE, 0);
	drv_offer(0, 0);
	out(NOTIFY, 2, 0);
	assert_int_equal(drv_collect(0, NULL), 64);
	assert_int_equal(*ram(DRV_BUF + 63), 0xa5);
}

static void identity_and_capabilities(void **state)
{
	u32 seen = 0;

	assert_int_equal(cfg(0, 4), 0x10441af4);
	assert_int_equal(cfg(8, 4), 0xff000001);
	assert_int_equal(cfg(0x2c, 4), 0x11001af4);
	assert_int_equal(cfg(0x3d, 1), 1);
	for (u32 at = (u32)cfg(0x34, 1); at; at = (u32)cfg(at + 1, 1)) {
		assert_in_range(at, 0x40, 0xfc);
		seen |= cfg(at, 1) == 9 ? 1u << cfg(at + 3, 1) : 1;
		if (cfg(at, 1) == 9)
			assert_int_equal(cfg(at + 4, 1), 4);
		if (cfg(at, 1) == 9 && cfg(at + 3, 1) == 2) {
			assert_int_equal(cfg(at + 2, 1), 20);
			assert_int_equal(cfg(at + 8, 4), NOTIFY);
			assert_int_equal(cfg(at + 16, 4), 4);
		}
	}
	assert_int_equal(seen, 0x1f);		/* MSI-X, and four of virtio's */
}

static void negotiation(void **state)
{
	out(DEVICE_SEL, 4, 1);
	assert_int_equal(in(DEVICE_SEL, 4), 1);
	assert_int_equal(in(DEVICE_FEATURES, 4), 1);
	negotiate();
	assert_int_equal(in(DRIVER_FEATURES, 4), 1);
	assert_int_equal(in(DRIVER_SEL, 4), 1);
	assert_int_equal(in(QUEUES, 2), 1);
	assert_int_equal(in(GENERATION, 1), 0);
	assert_int_equal(in(SIZE, 2), 256);
	out(SELECT, 2, 1);
	assert_int_equal(in(SELECT, 2), 1);
	assert_int_equal(in(SIZE, 2), 0);
	out(VECTOR, 2, 0);
	assert_int_equal(in(VECTOR, 2), 0);	/* there is no such queue */
	out(STATUS, 1, 0);
	assert_int_equal(in(STATUS, 1), 0);
}

static void queue_registers_can_be_read(void **state)
{
	start();
	assert_int_equal(in(SIZE, 2), DRV_SIZE);
	assert_int_equal(in(ENABLE, 2), 1);
	assert_int_equal(in(NOTIFY_OFF, 2), 0);
	assert_int_equal(in(DESC, 8), DRV_DESC(0));
	assert_int_equal(in(AVAIL, 4), (u32)DRV_AVAIL(0));
	assert_int_equal(in(USED, 8), DRV_USED(0));
}

static void interrupt_pin(void **state)
{
	start();
	one_request();
	assert_true(bench_level[1 + 1]);
	assert_int_equal(in(ISR, 1), 1);
	assert_false(bench_level[1 + 1]);
	assert_int_equal(in(ISR, 1), 0);
}

static void messages(void **state)
{
	u32 cap = (u32)cfg(0x34, 1);

	while (cfg(cap, 1) != PCI_CAP_MSIX)
		cap = (u32)cfg(cap + 1, 1);
	put(cap + 2, 2, 0x8000);
	msix(0, 0xfee00000);
	msix(8, 0x40);
	msix(12, 0);
	msix(16, 0xfee01000);
	msix(24, 0x41);
	msix(28, 0);
	start();
	assert_int_equal(in(VECTOR, 2), 0xffff);
	out(VECTOR, 2, 2);			/* two vectors there are */
	assert_int_equal(in(VECTOR, 2), 0xffff);
	out(VECTOR, 2, 1);
	assert_int_equal(in(VECTOR, 2), 1);
	out(CONFIG_VECTOR, 2, 0);
	assert_int_equal(in(CONFIG_VECTOR, 2), 0);
	one_request();
	assert_false(bench_level[1 + 1]);
	assert_int_equal(msi.count, 1);
	assert_int_equal(msi.addr, 0xfee01000);
	assert_int_equal(msi.data, 0x41);
	store_le16(ram(DRV_AVAIL(0) + 2), 0x7fff);	/* breaks the queue */
	out(NOTIFY, 2, 0);
	assert_int_equal(msi.data, 0x40);
	assert_true(in(STATUS, 1) & NEEDS_RESET);
	out(STATUS, 1, 0);
	assert_int_equal(in(CONFIG_VECTOR, 2), 0xffff);
	start();
	one_request();				/* no vector: nothing */
	assert_int_equal(msi.data, 0x40);
}

static void reset(void **state)
{
	start();
	one_request();
	dev_reset(&pci);
	assert_false(bench_level[1 + 1]);
	assert_int_equal(cfg(4, 2), 0);
	put(0x20, 8, REGS);
	put(4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(in(STATUS, 1), 0);
}

static void random_accesses(void **state)
{
	u64 r = 9;

	for (u32 i = 0; i < 100000; i++) {
		u32 len, off;

		r = r * 6364136223846793005ull + 1442695040888963407ull;
		len = 1u << (r >> 62);
		off = (u32)(r >> 20) & 0x3000;
		off += (u32)(r >> 40) & (i % 4 ? 0x3f : 0xff8);
		if (i % 3)
			out(off, len, i % 5 ? r & 0xff : r >> 3);
		else
			in(off, len);
		if (i % 512 == 0)
			start();
		if (i % 4096 == 0)
			dev_reset(&pci);
		if (i % 64 == 0)
			put(0x20, 8, REGS);
		if (i % 64 == 1)
			put(4, 2, 7);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(identity_and_capabilities),
		T(negotiation),
		T(queue_registers_can_be_read),
		T(interrupt_pin),
		T(messages),
		T(reset),
		T(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
