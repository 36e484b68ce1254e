/*
 * The AArch64 board: VMs are made (there is a runner for this test that never runs them) and looked
 * at: device tree against expectations and against QEMU's own, start registers, wires, refusals.
 */
#include "test/unit/guests/machine.h"

#include "drivers/model/arm/irq.h"
#include "engine/front/a64/state.h"
#include "engine/runner.h"
#include "guests/virt_a64.h"

/* ---- a host that can run it, unlike this one: replaces arch/hosted/runners.c ---- */

static bool still_probe(const struct isa *isa, const char **why) { return true; }
static err_t still_init(struct gcpu *g) { return OK; }
static void still_fini(struct gcpu *g) { }

static void still_run(struct gcpu *g, struct exit *x)
{
	x->why = EXIT_HALT;
	g->halted = true;
}

static const struct runner still = {
	.name = "still", .probe = still_probe, .init = still_init, .run = still_run,
	.fini = still_fini,
};
const struct runner *const runners[] = { &still, NULL };

/* An arm64 Image of 8 KiB that occupies @size. */
static const char *kernel_file(u64 size)
{
	u8 image[8192];

	memset(image, 0x55, sizeof(image));
	memset(image, 0, 64);
	store_le64(image + 16, size);
	memcpy(image + 56, "ARM\x64", 4);
	return temp_file(image, sizeof(image));
}

static struct a64_state *cpu(u32 i)
{
	return vm->vcpu[i].g.st;
}
#define START_A64(...) START("arch=aarch64", __VA_ARGS__)

/* ---- tests ---- */

static void test_direct(void **s)
{
	const char *initrd = temp_file("the initial RAM disk", 20);
	const char *kernel = kernel_file(20000);
	u32 len;
	u64 from, to;

	assert_int_equal(START_A64("memory=32M", "cpus=3", "cmdline=console=ttyAMA0 quiet",
				   pair("kernel", kernel), pair("initrd", initrd)),
			 OK);
	assert_int_equal(cpu(0)->pc, VIRT_A64_RAM + MIB(2));
	assert_int_equal(cpu(0)->pstate, 0x3c5);
	assert_true(vm->vcpu[0].power);
	assert_false(vm->vcpu[1].power || vm->vcpu[2].power);
	assert_int_equal(vm->ram[MIB(2) + 64], 0x55);
	open_tree(cpu(0)->x[0]);
	go("/chosen");
	expect_text("bootargs", "console=ttyAMA0 quiet");
	expect_text("stdout-path", "/pl011@9000000");
	assert_non_null(fdt_prop(&at, "rng-seed", &len));
	from = load_be64(fdt_prop(&at, "linux,initrd-start", &len));
	to = load_be64(fdt_prop(&at, "linux,initrd-end", &len));
	assert_int_equal(from % PAGE_SIZE, 0);
	assert_int_equal(to - from, 20);
	assert_memory_equal(vm->ram + (from - VIRT_A64_RAM), "the initial RAM disk", 20);
	assert_true(to <= cpu(0)->x[0]);
	stop();
	unlink(initrd);
	unlink(kernel);
}

static void test_tree(void **s)
{
	const char *kernel = kernel_file(20000);
	static const u32 ppi[] = { 13, 14, 11, 10 };
	const u8 *cells;
	hpa_t base;
	u64 size;
	u32 len, n;

	assert_int_equal(START_A64("memory=64M", "cpus=18", pair("kernel", kernel)), OK);
	open_tree(cpu(0)->x[0]);
	go("/memory@40000000");
	assert_true(fdt_reg(&at, 0, &base, &size));
	assert_int_equal(base, VIRT_A64_RAM);
	assert_int_equal(size, MIB(64));
	go("/cpus/cpu@101");			/* the 18th */
	assert_int_equal(fdt_u32(&at, "reg", 0), 0x101);
	expect_text("enable-method", "psci");
	assert_false(fdt_find(&at, &tree, "/cpus/cpu@102"));
	go("/psci");
	expect_text("method", "hvc");
	assert_true(fdt_compatible(&at, "arm,psci-1.0"));
	go("/timer");
	cells = fdt_prop(&at, "interrupts", &len);
	assert_int_equal(len, 4 * 12);
	for (u32 i = 0; i < 4; i++) {
		assert_int_equal(load_be32(cells + 12 * i), 1);
		assert_int_equal(load_be32(cells + 12 * i + 4), ppi[i]);
		assert_int_equal(load_be32(cells + 12 * i + 8), 4);
	}
	go("/intc@8000000");
	assert_true(fdt_compatible(&at, "arm,gic-v3"));
	assert_true(fdt_reg(&at, 1, &base, &size));
	assert_int_equal(base, 0x80a0000);
	assert_int_equal(size, 0xf60000);
	len = fdt_u32(&at, "phandle", 0);
	go("/");
	assert_int_equal(fdt_u32(&at, "interrupt-parent", 99), len);
	go("/apb-pclk");
	assert_int_equal(fdt_u32(&at, "clock-frequency", 0), 24000000);
	len = fdt_u32(&at, "phandle", 0);
	go("/pl011@9000000");
	assert_int_equal(fdt_u32(&at, "clocks", 99), len);
	go("/pl061@9030000");
	len = fdt_u32(&at, "phandle", 0);
	go("/gpio-keys/poweroff");
	cells = fdt_prop(&at, "gpios", &n);
	assert_int_equal(load_be32(cells), len);
	assert_int_equal(load_be32(cells + 4), VIRT_A64_POWER_KEY);
	go("/virtio_mmio@a000000");		/* the entropy source */
	assert_false(fdt_find(&at, &tree, "/virtio_mmio@a000200"));
	stop();
	unlink(kernel);
}

static void expect_same_reg(struct fdt_walk *theirs, u32 n)
{
	hpa_t base, their_base;
	u64 size, their_size;

	assert_true(fdt_reg(theirs, n, &their_base, &their_size));
	assert_true(fdt_reg(&at, n, &base, &size));
	assert_int_equal(base, their_base);
	assert_int_equal(size, their_size);
}

/* Registers, interrupts and kinds of the devices are those of QEMU's virt. */
static void test_tree_like_qemus(void **s)
{
	static u8 blob[MIB(2)];
	const char *dtb = temp_file("", 0), *kernel = kernel_file(20000);
	struct virt_row slot = virt_a64_virtio;
	char cmd[256], path[64];
	struct fdt_walk their_node;
	const u8 *ours, *irq;
	struct fdt theirs;
	size_t size;
	u32 len;
	FILE *f;

	snprintf(cmd, sizeof(cmd),
		 "timeout 20 qemu-system-aarch64 -M virt,gic-version=3,dumpdtb=%s >/dev/null 2>&1",
		 dtb);
	assert_int_equal(system(cmd), 0);
	f = fopen(dtb, "rb");
	size = fread(blob, 1, sizeof(blob), f);
	fclose(f);
	assert_int_equal(fdt_open(&theirs, blob, size), OK);
	assert_int_equal(START_A64(pair("kernel", kernel)), OK);
	open_tree(cpu(0)->x[0]);
	for (const struct virt_row *r = virt_a64_rows; r->model; r++) {
		snprintf(path, sizeof(path), "/%s@%llx", r->node, (unsigned long long)r->base);
		if (!fdt_find(&their_node, &theirs, path))
			fail_msg("QEMU has no %s", path);
		go(path);
		assert_true(fdt_compatible(&their_node, r->model->compatible));
		expect_same_reg(&their_node, 0);
		if (r->reg[3])
			expect_same_reg(&their_node, 1);
		irq = fdt_prop(&their_node, "interrupts", &len);
		if (!r->irq)
			continue;
		ours = fdt_prop(&at, "interrupts", &len);
		assert_memory_equal(ours, irq, 12);
		assert_int_equal(load_be32(irq + 4), r->irq - 32);
	}
	for (u32 i = 0; i < VIRT_SLOTS; i++, slot.base += slot.len, slot.irq++) {
		snprintf(path, sizeof(path), "/virtio_mmio@%llx", (unsigned long long)slot.base);
		assert_true(fdt_find(&at, &theirs, path));
		irq = fdt_prop(&at, "interrupts", &len);
		assert_int_equal(load_be32(irq + 4), slot.irq - 32);
	}
	assert_true(fdt_find(&their_node, &theirs, "/timer"));
	irq = fdt_prop(&their_node, "interrupts", &len);
	go("/timer");
	ours = fdt_prop(&at, "interrupts", &len);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(load_be32(ours + 12 * i + 4), load_be32(irq + 12 * i + 4));
	stop();
	unlink(dtb);
	unlink(kernel);
}

static void poke(gpa_t gpa, u32 val)
{
	const struct range *r = space_find(&vm->space, gpa);

	range_mmio_write(r, gpa, 4, val);
}

/* From a device through the GIC to the line of a CPU, and what a runner makes of it. */
static void test_wires(void **s)
{
	const char *kernel = kernel_file(20000);
	const struct a64_intc *intc;
	u32 ich[A64_ICH_COUNT];
	struct gcpu *g;
	u64 lr[4];

	assert_int_equal(START_A64("cpus=2", pair("kernel", kernel)), OK);
	g = &vm->vcpu[1].g;
	intc = g->intc;
	assert_ptr_equal(g->intc_ctl, &vm->dev[0]);
	poke(0x8000000, 2);
	poke(0x8000084, 2);				/* SPI 1, the UART: group 1, */
	poke(0x8000104, 2);				/* enabled, */
	poke(0x8006000 + 8 * 33, 1);			/* for CPU 1, */
	poke(0x80a0000 + 0x20000 + 0x14, 0);		/* which is awake */
	poke(0x9000038, 0x20);				/* UART: transmit interrupt, */
	poke(0x9000000, 'x');				/* and cause for one */
	assert_int_equal(atomic_load(&g->lines), 0);	/* its interface masks it */
	assert_false(intc->load(g->intc_ctl, 1, lr, 4, ich));
	assert_int_equal((u32)lr[0], 33);
	assert_int_equal(lr[1], 0);
	ich[A64_ICH_VMCR] = 0xf8000002;			/* the guest opens it, takes nothing */
	intc->store(g->intc_ctl, 1, lr, 4, ich);
	assert_int_equal(atomic_load(&g->lines), BIT(A64_LINE_IRQ));
	a64_start(g, 0, 0);
	assert_int_equal(atomic_load(&g->lines), 0);
	cpu(1)->cntv_ctl = A64_TIMER_ENABLE;
	a64_timers(g);
	assert_int_equal(range_mmio_read(space_find(&vm->space, 0x80d0200), 0x80d0200, 4),
			 BIT(A64_PPI_CNTV));
	stop();
	unlink(kernel);
}

static u32 peek(gpa_t gpa)
{
	return (u32)range_mmio_read(space_find(&vm->space, gpa), gpa, 4);
}

static void test_power_key(void **s)
{
	const char *kernel = kernel_file(20000);

	assert_int_equal(START_A64(pair("kernel", kernel)), OK);
	assert_string_equal(vm->dev[VIRT_A64_GPIO].name, "gpio");
	assert_int_equal(vm_press(vm), OK);
	assert_int_equal(peek(0x9030000 + 0x3fc), 1 << VIRT_A64_POWER_KEY);
	assert_int_equal(vm_pause(vm), OK);
	assert_int_equal(vm_press(vm), E_STATE);
	stop();
	assert_int_equal(vm_press(vm), E_STATE);
	unlink(kernel);
}

static void test_disks_and_console(void **s)
{
	u8 sectors[1024] = { 0 };
	const char *kernel = kernel_file(20000), *a = temp_file(sectors, 1024);

	assert_int_equal(START_A64("tty=virtio", pair("kernel", kernel), pair("disk", a)), OK);
	assert_int_equal(vm->devs, 4 + 3);
	assert_string_equal(vm->dev[4].name, "disk0");
	assert_int_equal(vm->dev[4].base, 0xa000000);
	assert_int_equal(vm->dev[4].irq.input, 48);
	assert_string_equal(vm->dev[5].name, "hvc0");
	assert_int_equal(vm->dev[5].base, 0xa000200);
	assert_int_equal(vm->dev[5].irq.input, 49);
	assert_null(vm->dev[1].port.chr);		/* the UART is there and silent */
	assert_int_equal(range_mmio_read(space_find(&vm->space, 0xa000200), 0xa000200, 4),
			 0x74726976);
	stop();
	unlink(a);
	unlink(kernel);
}

static void test_refusals(void **s)
{
	const char *kernel = kernel_file(MIB(20)), *riscv = temp_file("", 0);
	u8 image[64] = { 0 };

	unlink(riscv);
	memcpy(image + 48, "RISCV\0\0\0RSC\5", 12);
	riscv = temp_file(image, sizeof(image));
	assert_int_equal(START_A64("memory=16M", pair("kernel", kernel)), E_RANGE);
	assert_non_null(strstr(vm->problem, "memory = \"16M\" is too small"));
	stop();
	assert_int_equal(START_A64(pair("kernel", riscv)), E_FORMAT);
	assert_non_null(strstr(vm->problem, "it is for riscv64, the VM is aarch64"));
	stop();
	assert_int_equal(START_A64(pair("kernel", kernel), pair("firmware", kernel)), E_CONFIG);
	assert_non_null(strstr(vm->problem, "there is no place for one on virt-a64"));
	stop();
	unlink(kernel);
	unlink(riscv);
}

/* Whatever allocation fails: an error, and nothing left behind. */
static void test_out_of_memory(void **s)
{
	const char *kernel = kernel_file(20000);
	struct heap_stats before;
	bool failed = true;

	assert_int_equal(START_A64("memory=16M", "cpus=2", pair("kernel", kernel)), OK);
	assert_int_equal(vm_stop(vm), OK);
	before = heap_stats();
	for (u64 nth = 1; failed && nth < 200; nth++) {
		heap_fail_after(nth);
		failed = vm_start(vm) == E_NOMEM;
		heap_fail_after(0);
		if (!failed)
			assert_int_equal(vm_stop(vm), OK);
		assert_int_equal(heap_stats().used, before.used);
	}
	stop();
	assert_false(failed);
	unlink(kernel);
}

static void test_biggest(void **s)
{
	const char *kernel = kernel_file(20000);

	assert_int_equal(START_A64("memory=64M", "cpus=64", pair("kernel", kernel)), OK);
	open_tree(cpu(0)->x[0]);
	go("/cpus/cpu@30f");
	stop();
	unlink(kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_biggest),
		cmocka_unit_test(test_tree_like_qemus),
		cmocka_unit_test(test_wires),
		cmocka_unit_test(test_power_key),
		cmocka_unit_test(test_disks_and_console),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_out_of_memory),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
