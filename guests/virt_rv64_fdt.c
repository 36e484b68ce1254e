/*
 * The device tree of the RISC-V board, written from the table that also makes its devices, and
 * the table's properties that only the tree needs. Bindings: Linux
 * Documentation/devicetree/bindings; the shape of nodes follows QEMU's, so that guests find
 * what they know.
 */
#include "arch/io.h"
#include "drivers/model/rv/irq.h"
#include "engine/front/rv64/state.h"
#include "guests/virt_rv64.h"
#include "kernel/base/str.h"

enum {	/* phandles; a hart's interrupt controller is PHANDLE_HART + its number */
	PHANDLE_HART = 1,
	PHANDLE_PLIC = PHANDLE_HART + VIRT_HARTS,
	PHANDLE_TEST,
};

#define TEST_POWEROFF	0x5555
#define TEST_REBOOT	0x7777
#define UART_CLOCK	3686400

static void prop_reg(struct fdt *f, u64 base, u64 len)
{
	fdt_prop_cells(f, "reg", (u32)(base >> 32), (u32)base, (u32)(len >> 32), (u32)len);
}

/* One <hart interrupt> pair for each of two interrupts of each hart, in the order of the controller's outputs. */
static void prop_to_harts(struct fdt *f, const struct vm *vm, u32 even, u32 odd)
{
	fdt_prop_begin(f, "interrupts-extended");
	for (u32 i = 0; i < vm->vcpus; i++) {
		fdt_prop_append_cell(f, PHANDLE_HART + i);
		fdt_prop_append_cell(f, even);
		fdt_prop_append_cell(f, PHANDLE_HART + i);
		fdt_prop_append_cell(f, odd);
	}
	fdt_prop_end(f);
}

static void describe_plic(struct fdt *f, const struct vm *vm)
{
	fdt_prop_flag(f, "interrupt-controller");
	fdt_prop_cells(f, "#interrupt-cells", 1);
	fdt_prop_cells(f, "#address-cells", 0);
	fdt_prop_cells(f, "riscv,ndev", PLIC_SOURCES - 1);
	fdt_prop_cells(f, "phandle", PHANDLE_PLIC);
	prop_to_harts(f, vm, IRQ_MEI, IRQ_SEI);
}

static void describe_clint(struct fdt *f, const struct vm *vm)
{
	prop_to_harts(f, vm, IRQ_MSI, IRQ_MTI);
}

static void describe_uart(struct fdt *f, const struct vm *vm)
{
	fdt_prop_cells(f, "clock-frequency", UART_CLOCK);
}

static void describe_test(struct fdt *f, const struct vm *vm)
{
	fdt_prop_cells(f, "phandle", PHANDLE_TEST);
}

/* The PLIC comes first: other devices drive its inputs from their birth on. */
const struct virt_row virt_rows[] = {
	{ &vplic_model, "plic", "plic", 0xc000000, 0x600000, 0, { "riscv,plic0" }, describe_plic },
	{ &vclint_model, "clint", "clint", 0x2000000, 0x10000, 0, { "riscv,clint0" }, describe_clint },
	{ &vsifive_test_model, "test", "test", 0x100000, 0x1000, 0, { "sifive,test0", "syscon" }, describe_test },
	{ &vgoldfish_rtc_model, "rtc", "rtc", 0x101000, 0x1000, VIRT_IRQ_RTC },
	{ &vuart16550_model, "uart0", "serial", 0x10000000, 0x100, VIRT_IRQ_UART, { NULL }, describe_uart },
	{ NULL },
};
const struct virt_row virt_virtio = {
	&vblk_model, NULL, "virtio_mmio", 0x10001000, 0x1000, VIRT_IRQ_VIRTIO,
};

static void write_device(struct fdt *f, const struct vm *vm, const struct virt_row *r)
{
	fdt_node_at(f, r->node, r->base);
	fdt_prop_begin(f, "compatible");
	fdt_prop_append_text(f, r->model->compatible);
	for (u32 i = 0; i < ARRAY_LEN(r->also) && r->also[i]; i++)
		fdt_prop_append_text(f, r->also[i]);
	fdt_prop_end(f);
	prop_reg(f, r->base, r->len);
	if (r->irq) {
		fdt_prop_cells(f, "interrupts", r->irq);
		fdt_prop_cells(f, "interrupt-parent", PHANDLE_PLIC);
	}
	if (r->describe)
		r->describe(f, vm);
	fdt_end(f);
}

static void write_soc(struct fdt *f, const struct vm *vm)
{
	const struct virt *b = vm->board_data;
	struct virt_row slot = virt_virtio;

	fdt_node(f, "soc");
	fdt_prop_text(f, "compatible", "simple-bus");
	fdt_prop_cells(f, "#address-cells", 2);
	fdt_prop_cells(f, "#size-cells", 2);
	fdt_prop_flag(f, "ranges");
	for (const struct virt_row *r = virt_rows; r->model; r++)
		write_device(f, vm, r);
	for (u32 i = 0; i < b->slots; i++, slot.base += slot.len, slot.irq++)
		write_device(f, vm, &slot);
	fdt_end(f);
}

static void write_isa(struct fdt *f, u32 features)
{
	char text[256];
	struct sink_buf b = sink_buf_init(text, sizeof(text));
	const char *ext;
	u32 at = 0;

	rv64_isa_string(features, &b.sink);
	fdt_prop_text(f, "riscv,isa", text);
	fdt_prop_text(f, "riscv,isa-base", "rv64i");
	fdt_prop_begin(f, "riscv,isa-extensions");
	while ((ext = rv64_ext_next(features, &at)))
		fdt_prop_append_text(f, ext);
	fdt_prop_end(f);
	if (features & RV64_ZICBOM)
		fdt_prop_cells(f, "riscv,cbom-block-size", RV64_CBO_BLOCK);
	if (features & RV64_ZICBOZ)
		fdt_prop_cells(f, "riscv,cboz-block-size", RV64_CBO_BLOCK);
}

static void write_hart(struct fdt *f, const struct gcpu *g)
{
	fdt_node_at(f, "cpu", g->index);
	fdt_prop_text(f, "device_type", "cpu");
	fdt_prop_cells(f, "reg", g->index);
	fdt_prop_text(f, "status", "okay");
	fdt_prop_text(f, "compatible", "riscv");
	fdt_prop_text(f, "mmu-type", "riscv,sv57");
	write_isa(f, g->features);
	fdt_node(f, "interrupt-controller");
	fdt_prop_text(f, "compatible", "riscv,cpu-intc");
	fdt_prop_flag(f, "interrupt-controller");
	fdt_prop_cells(f, "#interrupt-cells", 1);
	fdt_prop_cells(f, "phandle", PHANDLE_HART + g->index);
	fdt_end(f);
	fdt_end(f);
}

static void write_harts(struct fdt *f, const struct vm *vm)
{
	fdt_node(f, "cpus");
	fdt_prop_cells(f, "#address-cells", 1);
	fdt_prop_cells(f, "#size-cells", 0);
	fdt_prop_cells(f, "timebase-frequency", RV64_TIMEBASE);
	for (u32 i = 0; i < vm->vcpus; i++)
		write_hart(f, &vm->vcpu[i].g);
	fdt_end(f);
}

static void write_chosen(struct fdt *f, const struct vm *vm, const struct virt_images *images)
{
	u8 seed[32];

	fdt_node(f, "chosen");
	fdt_prop_text(f, "bootargs", vm->config.cmdline);
	fdt_prop_text(f, "stdout-path", "/soc/serial@10000000");
	if (images->initrd_end > images->initrd) {
		fdt_prop_u64(f, "linux,initrd-start", images->initrd);
		fdt_prop_u64(f, "linux,initrd-end", images->initrd_end);
	}
	if (arch_rng() && rng_read(arch_rng(), seed, sizeof(seed)) == OK)
		fdt_prop(f, "rng-seed", seed, sizeof(seed));
	fdt_end(f);
}

/* Power off and reboot: a value written to the test device. */
static void write_syscon(struct fdt *f, const char *name, const char *compatible, u32 value)
{
	fdt_node(f, name);
	fdt_prop_text(f, "compatible", compatible);
	fdt_prop_cells(f, "regmap", PHANDLE_TEST);
	fdt_prop_cells(f, "offset", 0);
	fdt_prop_cells(f, "value", value);
	fdt_end(f);
}

static void write_memory(struct fdt *f, const struct vm *vm)
{
	fdt_node_at(f, "memory", VIRT_RAM);
	fdt_prop_text(f, "device_type", "memory");
	prop_reg(f, VIRT_RAM, vm->ram_len);
	fdt_end(f);
}

err_t virt_write_fdt(const struct vm *vm, const struct virt_images *images, void *buf, u32 cap, u32 *len)
{
	struct fdt f = fdt_open(buf, cap);

	fdt_prop_cells(&f, "#address-cells", 2);
	fdt_prop_cells(&f, "#size-cells", 2);
	fdt_prop_text(&f, "compatible", "riscv-virtio");
	fdt_prop_text(&f, "model", "riscv-virtio,fvp");
	write_chosen(&f, vm, images);
	write_memory(&f, vm);
	write_harts(&f, vm);
	write_soc(&f, vm);
	write_syscon(&f, "poweroff", "syscon-poweroff", TEST_POWEROFF);
	write_syscon(&f, "reboot", "syscon-reboot", TEST_REBOOT);
	fdt_node(&f, "aliases");
	fdt_prop_text(&f, "serial0", "/soc/serial@10000000");
	fdt_end(&f);
	return fdt_close(&f, len);
}
