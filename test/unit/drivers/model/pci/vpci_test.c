/* The PCI bus: both ways to configuration space, BARs, windows, INTx, MSI-X. */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/pci/pci.h"

enum { ECAM = 0x10000000, LOW = 0xc0000000 };
#define HIGH	0x4000000000ull
#define DEVFN	PCI_DEVFN(5, 0)

static struct { u64 addr; u32 data, count; } msi;
static struct { u64 off, val; u32 len, ended; } last;
static struct dev d;
static struct pci_fn fn;

static void msi_sent(void *ctl, u64 addr, u32 data)
{
	msi.addr = addr;
	msi.data = data;
	msi.count++;
}

static void shutdown(void *vm, u32 how, u32 code)
{
	assert_int_equal(how, SHUTDOWN_REBOOT);
	last.ended++;
}

static u64 bar_read(void *ctx, u64 off, u32 len)
{
	assert_false(lock_try(&bench_lock));
	return (uptr)ctx << 32 | off;
}

static void bar_write(void *ctx, u64 off, u32 len, u64 val)
{
	last.off = off;
	last.len = len;
	last.val = val;
}

static const struct mmio_ops bar_ops = { bar_read, bar_write };
static const struct pci_board board = {
	.window = { { LOW, MIB(64) }, { HIGH, MIB(64) } }, .msi = msi_sent, .pm_base = 0x600,
};

static u64 cfg(u32 off, u32 len) { return bench_read(&d, DEVFN << 12 | off, len); }
static void put(u32 off, u32 len, u64 val) { bench_write(&d, DEVFN << 12 | off, len, val); }

static u64 rd(gpa_t gpa, u32 len)
{
	return range_mmio_read(space_find(&bench_space, gpa), gpa, len);
}

static void wr(gpa_t gpa, u32 len, u64 val)
{
	range_mmio_write(space_find(&bench_space, gpa), gpa, len, val);
}

static int setup(void **state)
{
	bench_open();
	memset(&last, 0, sizeof(last));
	memset(&msi, 0, sizeof(msi));
	memset(&fn, 0, sizeof(fn));
	d = bench_dev(&vpci_model, MIB(16));
	d.ports = &bench_ports;
	d.port.any = (void *)&board;
	d.shutdown = shutdown;
	d.out = bench_out;
	d.outs = 4;
	if (dev_create(&d))
		return 1;
	pci_fn_init(&fn, "toy", 0x1234, 0x5678, 0x020304);
	pci_fn_bar(&fn, 0, 0x2000, false, &bar_ops, (void *)1);
	pci_fn_bar(&fn, 2, 0x100000, true, &bar_ops, (void *)2);
	pci_fn_msix(&fn, 4, 3);
	if (pci_attach(&d, &fn, DEVFN))
		return 1;
	pci_fn_reset(&fn);
	return 0;
}

static int teardown(void **state)
{
	pci_detach(&fn);
	dev_destroy(&d);
	assert_int_equal(bench_space.count, 1);
	bench_close();
	return 0;
}

static void configuration_by_ports(void **state)
{
	bench_out_to(0xcf8, 4, 0x80000000 | DEVFN << 8);
	assert_int_equal(bench_in(0xcf8, 4), 0x80000000 | DEVFN << 8);
	assert_int_equal(bench_in(0xcfc, 4), 0x56781234);
	assert_int_equal(bench_in(0xcfe, 2), 0x5678);
	assert_int_equal(bench_in(0xcfd, 1), 0x12);
	bench_out_to(0xcf8, 4, 0x80000008 | DEVFN << 8);
	assert_int_equal(bench_in(0xcfc, 4), 0x02030400);
	bench_out_to(0xcf8, 4, 0x80000000);
	assert_int_equal(bench_in(0xcfc, 4), 0x29c08086);
	bench_out_to(0xcf8, 4, 0x8000f800);
	assert_int_equal(bench_in(0xcfc, 4), 0x29188086);
	bench_out_to(0xcf8, 4, 0x8000f840);
	assert_int_equal(bench_in(0xcfc, 4), 0x601);
	bench_out_to(0xcf8, 4, 0x80003000);	/* nobody */
	assert_int_equal(bench_in(0xcfc, 4), 0xffffffff);
	bench_out_to(0xcf8, 4, 0x80010000);	/* bus 1 */
	assert_int_equal(bench_in(0xcfc, 2), 0xffff);
	bench_out_to(0xcf8, 4, 0);		/* off */
	assert_int_equal(bench_in(0xcfc, 4), 0xffffffff);
}

static void configuration_by_ecam(void **state)
{
	assert_int_equal(cfg(0, 4), 0x56781234);
	assert_int_equal(cfg(0, 8), 0x56781234 | (u64)PCI_STATUS_CAPABILITIES << 48);
	assert_int_equal(cfg(3, 1), 0x56);
	put(0, 4, 0);
	put(4, 4, UINT32_MAX);
	assert_int_equal(cfg(0, 4), 0x56781234);
	assert_int_equal(cfg(4, 2), 0x507);
	assert_int_equal(cfg(0xfff, 1) | cfg(0x100, 4) | cfg(0xffc, 8), 0);
	put(0xfe, 8, ~0ull);
	assert_int_equal(bench_read(&d, 6 << 15, 4), 0xffffffff);
	assert_int_equal(bench_read(&d, MIB(1), 4), 0xffffffff);
	assert_int_equal(bench_read(&d, 0x60, 4), ECAM | 1);
}

static void bars_are_sized_and_moved(void **state)
{
	put(0x10, 4, UINT32_MAX);
	assert_int_equal(cfg(0x10, 4), 0xffffe000);
	put(0x18, 8, ~0ull);
	assert_int_equal(cfg(0x18, 8), 0xfffffffffff0000c);
	put(0x14, 4, UINT32_MAX);
	assert_int_equal(cfg(0x14, 4), 0);
	put(0x10, 4, LOW + 0x4000);
	put(0x18, 8, HIGH + 0x300000);
	assert_int_equal(rd(LOW + 0x4000, 4), UINT32_MAX);	/* not enabled */
	put(4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(rd(LOW + 0x4010, 8), 1ull << 32 | 0x10);
	assert_int_equal(rd(LOW + 0x5fff, 1), 0xff);
	assert_int_equal(rd(LOW + 0x3ff8, 8), ~0ull);
	assert_int_equal(rd(LOW + 0x6000, 8), ~0ull);
	assert_int_equal(rd(LOW + 0x5ffc, 8), ~0ull);		/* beyond its end */
	assert_int_equal(rd(HIGH + 0x3ffff8, 8), 2ull << 32 | 0xffff8);
	wr(HIGH + 0x300004, 2, 0x12345);
	assert_int_equal(last.off, 4);
	assert_int_equal(last.len, 2);
	assert_int_equal(last.val, 0x2345);
	put(0x10, 4, LOW + 0x3f02000);
	assert_int_equal(rd(LOW + 0x4010, 4), UINT32_MAX);
	assert_int_equal(rd(LOW + 0x3f02010, 8), 1ull << 32 | 0x10);
	put(0x10, 4, 0xfee00000);		/* over somebody else: unseen */
	assert_int_equal(rd(LOW + 0x3f02010, 4), UINT32_MAX);
}

static void interrupt_pin(void **state)
{
	struct pci_fn other = { 0 };

	pci_fn_intx(&fn, true);
	assert_true(bench_level[1 + 5 % 4]);
	assert_int_equal(cfg(6, 1), PCI_STATUS_INTX | PCI_STATUS_CAPABILITIES);
	put(4, 2, PCI_COMMAND_NO_INTX);
	assert_false(bench_level[1 + 5 % 4]);
	put(4, 2, 0);
	assert_true(bench_level[1 + 5 % 4]);
	put(fn.msix + 2, 2, 0x8000);
	assert_false(bench_level[1 + 5 % 4]);
	put(fn.msix + 2, 2, 0);
	pci_fn_intx(&fn, false);
	assert_false(bench_level[1 + 5 % 4]);
	pci_fn_init(&other, "other", 1, 2, 3);
	assert_int_equal(pci_attach(&d, &other, PCI_DEVFN(9, 0)), OK);
	pci_fn_intx(&fn, true);			/* they share a line */
	pci_fn_intx(&other, true);
	pci_fn_intx(&fn, false);
	assert_true(bench_level[2]);
	pci_detach(&other);
	assert_false(bench_level[2]);
	put(0x3c, 2, 0xffff);
	assert_int_equal(cfg(0x3c, 2), 0xff);
}

static void msix(void **state)
{
	u64 table = LOW;

	assert_int_equal(cfg(0x34, 1), fn.msix);
	assert_int_equal(cfg(fn.msix, 4), 0x00020011);
	assert_int_equal(cfg(fn.msix + 4, 4), 4);
	assert_int_equal(cfg(fn.msix + 8, 4), 0x804);
	put(0x20, 4, (u32)table);
	put(4, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(rd(table + 12, 4), 1);
	wr(table + 16, 8, 0xfee01000);
	wr(table + 24, 4, 0x4055);
	wr(table + 28, 4, 0xfffffffe);
	assert_int_equal(rd(table + 24, 8), 0x4055);
	pci_fn_message(&fn, 1);			/* not enabled */
	put(fn.msix + 2, 2, 0x8000);
	assert_int_equal(msi.count, 0);
	pci_fn_message(&fn, 1);
	assert_int_equal(msi.count, 1);
	assert_int_equal(msi.addr, 0xfee01000);
	assert_int_equal(msi.data, 0x4055);
	wr(table + 28, 4, 1);
	pci_fn_message(&fn, 1);
	pci_fn_message(&fn, 1);
	pci_fn_message(&fn, 2);
	assert_int_equal(rd(table + 0x800, 8), 6);
	assert_int_equal(msi.count, 1);
	wr(table + 28, 4, 0);
	assert_int_equal(msi.count, 2);
	assert_int_equal(rd(table + 0x800, 4), 4);
	put(fn.msix + 2, 2, 0xc000);		/* all masked */
	pci_fn_message(&fn, 1);
	assert_int_equal(msi.count, 2);
	put(fn.msix + 2, 2, 0x8000);
	assert_int_equal(msi.count, 3);
	put(4, 2, PCI_COMMAND_MEMORY);		/* not the master */
	pci_fn_message(&fn, 1);
	assert_int_equal(msi.count, 3);
	pci_fn_message(&fn, 3);
	pci_fn_message(&fn, UINT32_MAX);
	wr(table, 2, 0xffff);
	wr(table + 2, 4, 0xffff);
	wr(table + 4, 8, ~0ull);
	assert_int_equal(rd(table, 8) | rd(table, 2) | rd(table + 0x30, 8), 0);
}

static void reset_control(void **state)
{
	bench_out_to(0xcf9, 1, 2);
	assert_int_equal(last.ended, 0);
	bench_out_to(0xcf9, 1, 6);
	assert_int_equal(last.ended, 1);
	assert_int_equal(bench_in(0xcf9, 1), 6);
	bench_out_to(0xcf8, 4, 0x80000600);	/* this is an address */
	assert_int_equal(last.ended, 1);
}

static void the_place_is_taken(void **state)
{
	struct pci_fn other = { 0 };

	pci_fn_init(&other, "other", 1, 2, 3);
	assert_int_equal(pci_attach(&d, &other, DEVFN), E_EXIST);
	assert_int_equal(pci_attach(&d, &other, 0), E_EXIST);
	assert_int_equal(pci_attach(&d, &other, 8), OK);
	pci_detach(&other);
}

static void failures_leave_nothing_behind(void **state)
{
	static const struct pci_board clash = {
		.window = { { 0x20000000, MIB(1) }, { BENCH_RAM, MIB(1) } }, .msi = msi_sent,
	};
	struct dev bad = bench_dev(&vpci_model, MIB(1));
	u32 before = bench_space.count;

	bad.base = 0x30000000;
	assert_int_equal(dev_create(&bad), E_INVAL);
	bad.port.any = (void *)&clash;
	assert_int_equal(dev_create(&bad), E_EXIST);
	assert_int_equal(bench_space.count, before);
}

static void random_accesses(void **state)
{
	u64 r = 9;

	for (u32 i = 0; i < 200000; i++) {
		u32 len, off;

		r = r * 6364136223846793005ull + 1442695040888963407ull;
		len = 1u << (r >> 62);
		off = (u32)(r >> 20) & (i % 8 ? 0xfff : 0xffff8);
		switch (i % 5) {
		case 0: put(off & 0xff, len, r >> (r & 31)); break;
		case 1: bench_read(&d, off, len); break;
		case 2: bench_write(&d, off, len, r >> 9); break;
		case 3:
			wr((r >> 61 & 1 ? LOW : HIGH) + off, len, r >> 5);
			rd((r >> 61 & 1 ? HIGH : LOW) + off, len);
			break;
		case 4:
			bench_out_to(0xcf8 + (r >> 50 & 7), MIN(len, 4u), (u32)r);
			bench_in(0xcf8 + (r >> 40 & 7), MIN(len, 4u));
			lock_take(&bench_lock);
			pci_fn_message(&fn, r >> 30 & 3);
			lock_drop(&bench_lock);
		}
		if (i % 64 == 0)
			put(0x10, 4, LOW);
		if (i % 64 == 1)
			put(4, 2, 7);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(configuration_by_ports),
		T(configuration_by_ecam),
		T(bars_are_sized_and_moved),
		T(interrupt_pin),
		T(msix),
		T(reset_control),
		T(the_place_is_taken),
		T(failures_leave_nothing_behind),
		T(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
