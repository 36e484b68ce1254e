/*
 * The RISC-V board: VMs are started (their CPUs never run) and looked at: device tree against
 * expectations and against QEMU's own, memory contents, start registers, refusals.
 */
#include "test/unit/guests/machine.h"

#include "engine/front/rv64/state.h"
#include "guests/virt_rv64.h"

/* A RISC-V Image of 8 KiB that occupies @size. */
static const char *kernel_file(u64 size)
{
	u8 image[8192];

	memset(image, 0x55, sizeof(image));
	memset(image, 0, 64);
	store_le64(image + 8, MIB(2));
	store_le64(image + 16, size);
	memcpy(image + 48, "RISCV\0\0\0RSC\5", 12);
	return temp_file(image, sizeof(image));
}

static struct rv64_state *hart(u32 i)
{
	return vm->vcpu[i].g.st;
}

/* ---- tests ---- */

static void test_direct(void **s)
{
	const char *initrd = temp_file("the initial RAM disk", 20);
	const char *kernel = kernel_file(20000);
	u32 len;
	u64 from, to;

	assert_int_equal(START("memory=32M", "cpus=3", "cmdline=console=ttyS0 quiet",
			       pair("kernel", kernel), pair("initrd", initrd)),
			 OK);
	assert_int_equal(hart(0)->pc, VIRT_RAM + MIB(2));
	assert_int_equal(hart(0)->x[10], 0);
	assert_int_equal(hart(0)->priv, PRIV_S);
	assert_true(vm->vcpu[0].power);
	assert_false(vm->vcpu[1].power || vm->vcpu[2].power);
	assert_int_equal(vm->ram[MIB(2) + 64], 0x55);
	open_tree(hart(0)->x[11]);
	go("/chosen");
	expect_text("bootargs", "console=ttyS0 quiet");
	expect_text("stdout-path", "/soc/serial@10000000");
	assert_non_null(fdt_prop(&at, "rng-seed", &len));
	assert_int_equal(len, 32);
	from = load_be64(fdt_prop(&at, "linux,initrd-start", &len));
	to = load_be64(fdt_prop(&at, "linux,initrd-end", &len));
	assert_int_equal(from % PAGE_SIZE, 0);
	assert_int_equal(to - from, 20);
	assert_memory_equal(vm->ram + (from - VIRT_RAM), "the initial RAM disk", 20);
	assert_true(to <= hart(0)->x[11]);
	stop();
	unlink(initrd);
	unlink(kernel);
}

static void test_tree(void **s)
{
	const char *kernel = kernel_file(20000);
	hpa_t base;
	u64 size;
	u32 len;
	const u8 *cells;

	assert_int_equal(START("memory=64M", "cpus=2", "isa=-zbb", pair("kernel", kernel)), OK);
	open_tree(hart(0)->x[11]);
	go("/memory@80000000");
	assert_true(fdt_reg(&at, 0, &base, &size));
	assert_int_equal(base, VIRT_RAM);
	assert_int_equal(size, MIB(64));
	go("/cpus");
	assert_int_equal(fdt_u32(&at, "timebase-frequency", 0), 10000000);
	go("/cpus/cpu@1");
	assert_int_equal(fdt_u32(&at, "reg", 99), 1);
	expect_text("mmu-type", "riscv,sv57");
	expect_text("riscv,isa-base", "rv64i");
	assert_int_equal(fdt_u32(&at, "riscv,cbom-block-size", 0), 64);
	assert_int_equal(fdt_u32(&at, "riscv,cboz-block-size", 0), 64);
	assert_memory_equal(fdt_string(&at, "riscv,isa"), "rv64imafdc_", 11);
	assert_non_null(strstr(fdt_string(&at, "riscv,isa"), "_zba_zbs"));	/* zbb is off */
	assert_false(fdt_find(&at, &tree, "/cpus/cpu@2"));
	go("/soc/plic@c000000");
	assert_int_equal(fdt_u32(&at, "riscv,ndev", 0), 95);
	cells = fdt_prop(&at, "interrupts-extended", &len);
	assert_int_equal(len, 2 * 2 * 8);
	assert_int_equal(load_be32(cells + 4), IRQ_MEI);
	assert_int_equal(load_be32(cells + 12), IRQ_SEI);
	assert_int_equal(load_be32(cells + 16), load_be32(cells) + 1);
	go("/soc/clint@2000000");
	cells = fdt_prop(&at, "interrupts-extended", &len);
	assert_int_equal(load_be32(cells + 4), IRQ_MSI);
	assert_int_equal(load_be32(cells + 12), IRQ_MTI);
	go("/poweroff");
	assert_true(fdt_compatible(&at, "syscon-poweroff"));
	assert_int_equal(fdt_u32(&at, "value", 0), 0x5555);
	len = fdt_u32(&at, "regmap", 0);
	go("/soc/test@100000");
	assert_int_equal(fdt_u32(&at, "phandle", 1), len);
	assert_true(fdt_compatible(&at, "syscon"));
	go("/soc/virtio_mmio@10001000");	/* the entropy source */
	assert_false(fdt_find(&at, &tree, "/soc/virtio_mmio@10002000"));
	stop();
	unlink(kernel);
}

/* Registers, interrupts and kinds of the devices are those of QEMU's virt. */
static void test_tree_like_qemus(void **s)
{
	static u8 blob[MIB(2)];
	const char *dtb = temp_file("", 0), *kernel = kernel_file(20000);
	char cmd[256], path[64];
	struct virt_row slot = virt_virtio;
	struct fdt theirs;
	hpa_t base;
	u64 size;
	FILE *f;

	snprintf(cmd, sizeof(cmd),
		 "timeout 20 qemu-system-riscv64 -M virt,dumpdtb=%s -bios none >/dev/null 2>&1",
		 dtb);
	assert_int_equal(system(cmd), 0);
	f = fopen(dtb, "rb");
	size = fread(blob, 1, sizeof(blob), f);
	fclose(f);
	assert_int_equal(fdt_open(&theirs, blob, size), OK);
	assert_int_equal(START(pair("kernel", kernel)), OK);
	open_tree(hart(0)->x[11]);
	for (const struct virt_row *r = virt_rows; r->model; r++) {
		snprintf(path, sizeof(path), "/soc/%s@%llx", r->node, (unsigned long long)r->base);
		if (!fdt_find(&at, &theirs, path))
			fail_msg("QEMU has no %s", path);
		assert_true(fdt_reg(&at, 0, &base, &size));
		assert_int_equal(base, r->base);
		assert_int_equal(size, r->len);
		assert_int_equal(fdt_u32(&at, "interrupts", 0), r->irq);
		assert_true(fdt_compatible(&at, r->model->compatible));
		go(path);
		assert_true(fdt_reg(&at, 0, &base, &size));
		assert_int_equal(size, r->len);
		assert_int_equal(fdt_u32(&at, "interrupts", 0), r->irq);
	}
	for (u32 i = 0; i < VIRT_SLOTS; i++, slot.base += slot.len, slot.irq++) {
		snprintf(path, sizeof(path), "/soc/virtio_mmio@%llx",
			 (unsigned long long)slot.base);
		assert_true(fdt_find(&at, &theirs, path));
		assert_int_equal(fdt_u32(&at, "interrupts", 0), slot.irq);
	}
	stop();
	unlink(dtb);
	unlink(kernel);
}

static void test_firmware(void **s)
{
	const char *firmware = temp_file("\x13\0\0\0", 4), *kernel = temp_file("\x6f\0\0\0", 4);
	u64 data[8];

	assert_int_equal(START("cpus=2", pair("firmware", firmware), pair("kernel", kernel)), OK);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(hart(i)->pc, VIRT_ROM);
		assert_int_equal(hart(i)->priv, PRIV_M);
		assert_true(vm->vcpu[i].power);
	}
	assert_int_equal(vm->ram[0], 0x13);
	assert_int_equal(vm->ram[MIB(2)], 0x6f);
	assert_int_equal(space_read(&vm->space, VIRT_ROM + 0x18, data, sizeof(data)), OK);
	assert_int_equal(data[0], VIRT_RAM);
	assert_int_equal(data[2], 0x4942534f);
	assert_int_equal(data[3], 2);
	assert_int_equal(data[4], VIRT_KERNEL);
	assert_int_equal(data[5], PRIV_S);
	open_tree(data[1]);
	assert_null(space_ptr(&vm->space, VIRT_ROM, 4, true));	/* a guest cannot write it */
	stop();
	assert_int_equal(START(pair("firmware", firmware)), OK);	/* and nothing after it */
	assert_int_equal(space_read(&vm->space, VIRT_ROM + 0x18, data, sizeof(data)), OK);
	assert_int_equal(data[4], 0);
	stop();
	unlink(firmware);
	unlink(kernel);
}

static void test_disks_and_console(void **s)
{
	const char *kernel = kernel_file(20000), *a = temp_file(kernel, 1), *b;
	u8 sectors[1024] = { 0 };
	char many[8][96];
	const char *keys[11] = { 0 };
	u32 n = 0;

	unlink(a);
	a = temp_file(sectors, 1024);
	b = temp_file(sectors, 512);
	assert_int_equal(
		START("tty=virtio", pair("kernel", kernel), pair("disk", a), pair("disk", b)), OK);
	assert_int_equal(vm->devs, 5 + 4);
	assert_string_equal(vm->dev[5].name, "disk0");
	assert_int_equal(vm->dev[5].base, 0x10001000);
	assert_int_equal(vm->dev[5].port.blk->sectors, 2);
	assert_int_equal(vm->dev[6].irq.input, 2);
	assert_string_equal(vm->dev[7].name, "hvc0");
	assert_ptr_equal(vm->dev[7].port.chr, console_chan_port(vm->console));
	assert_null(vm->dev[4].port.chr);		/* the UART is there and silent */
	stop();
	keys[n++] = pair("kernel", kernel);
	keys[n++] = "tty=virtio";
	for (u32 i = 0; i < 8; i++) {
		snprintf(many[i], sizeof(many[i]), "disk=%s,ro", a);
		keys[n++] = many[i];
	}
	assert_int_equal(start(keys), E_CONFIG);
	assert_non_null(strstr(vm->problem, "more than 8 virtio devices; use fewer disks"));
	stop();
	unlink(a);
	unlink(b);
	unlink(kernel);
}

static void test_refusals(void **s)
{
	const char *kernel = kernel_file(MIB(20)), *big = kernel_file(20000), *initrd,
		   *empty = temp_file("", 0);
	u8 *zeroes = calloc(1, MIB(15));

	initrd = temp_file(zeroes, MIB(15));
	free(zeroes);
	assert_int_equal(START("memory=16M", pair("kernel", kernel)), E_RANGE);
	assert_non_null(strstr(vm->problem, "memory = \"16M\" is too small"));
	assert_non_null(strstr(vm->problem, kernel));
	stop();
	assert_int_equal(START("memory=16M", pair("kernel", big), pair("initrd", initrd)), E_RANGE);
	assert_non_null(strstr(vm->problem, "need \"18M\""));
	stop();
	assert_int_equal(START("memory=18M", pair("kernel", big), pair("initrd", initrd)), OK);
	stop();
	assert_int_equal(START(pair("kernel", "/nonexistent/file")), E_NOENT);
	assert_non_null(strstr(vm->problem, "/nonexistent/file"));
	stop();
	assert_int_equal(START(pair("kernel", empty)), E_FORMAT);
	assert_non_null(strstr(vm->problem, "empty file"));
	stop();
	assert_int_equal(START(pair("kernel", big), pair("initrd", empty)), E_FORMAT);
	stop();
	assert_int_equal(START(pair("firmware", big), pair("kernel", big)), E_RANGE);
	assert_non_null(strstr(vm->problem, "want the same memory"));
	stop();
	unlink(kernel);
	unlink(big);
	unlink(initrd);
	unlink(empty);
}

/* Whatever allocation fails: an error, and nothing left behind. */
static void test_out_of_memory(void **s)
{
	const char *kernel = kernel_file(20000);
	struct heap_stats before;
	bool failed = true;

	assert_int_equal(START("memory=16M", "cpus=2", pair("kernel", kernel)), OK);
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

/* Harts are what makes a tree long. */
static void test_biggest(void **s)
{
	const char *kernel = kernel_file(20000);

	assert_int_equal(START("memory=64M", "cpus=64", pair("kernel", kernel)), OK);
	open_tree(hart(0)->x[11]);
	go("/cpus/cpu@3f");
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
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_disks_and_console),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_out_of_memory),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
