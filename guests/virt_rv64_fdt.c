/*
 * The device tree of the RISC-V board, written from the table that also makes its devices, and
 * the table's properties that only the tree needs. Bindings: Linux
 * Documentation/devicetree/bindings; the shape of nodes follows QEMU's, so that guests find
 * what they know.
 */
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

/* A <hart interrupt> pair for each output of a controller that has two for each hart. */
static void prop_to_harts(struct dt *f, const struct vm *vm, u32 even, u32 odd)
{
	dt_prop_begin(f, "interrupts-extended");
	for (u32 i = 0; i < vm->vcpus; i++) {
		dt_prop_append_cell(f, PHANDLE_HART + i);
		dt_prop_append_cell(f, even);
		dt_prop_append_cell(f, PHANDLE_HART + i);
		dt_prop_append_cell(f, odd);
	}
	dt_prop_end(f);
}

static void describe_plic(struct dt *f, const struct vm *vm)
{
	dt_prop_flag(f, "interrupt-controller");
	dt_prop_cells(f, "#interrupt-cells", 1);
	dt_prop_cells(f, "#address-cells", 0);
	dt_prop_cells(f, "riscv,ndev", PLIC_SOURCES - 1);
	dt_prop_cells(f, "phandle", PHANDLE_PLIC);
	prop_to_harts(f, vm, IRQ_MEI, IRQ_SEI);
}

static void describe_clint(struct dt *f, const struct vm *vm)
{
	prop_to_harts(f, vm, IRQ_MSI, IRQ_MTI);
}

static void describe_uart(struct dt *f, const struct vm *vm)
{
	dt_prop_cells(f, "clock-frequency", UART_CLOCK);
}

static void describe_test(struct dt *f, const struct vm *vm)
{
	dt_prop_cells(f, "phandle", PHANDLE_TEST);
}

/* The PLIC comes first: other devices drive its inputs from their birth on. */
const struct virt_row virt_rows[] = {
	{ &vplic_model, "plic", "plic", 0xc000000, 0x600000, 0,
	  { "riscv,plic0" }, describe_plic, { IRQ_MEI, IRQ_SEI } },
	{ &vclint_model, "clint", "clint", 0x2000000, 0x10000, 0,
	  { "riscv,clint0" }, describe_clint, { IRQ_MSI, IRQ_MTI } },
	{ &vsifive_test_model, "test", "test", 0x100000, 0x1000, 0,
	  { "sifive,test0", "syscon" }, describe_test },
	{ &vgoldfish_rtc_model, "rtc", "rtc", 0x101000, 0x1000, VIRT_IRQ_RTC },
	{ &vuart16550_model, "uart0", "serial", 0x10000000, 0x100, VIRT_IRQ_UART,
	  { NULL }, describe_uart },
	{ NULL },
};
const struct virt_row virt_virtio = {
	&vblk_model, NULL, "virtio_mmio", 0x10001000, 0x1000, VIRT_IRQ_VIRTIO,
};

void virt_rv64_write_irq(struct dt *f, u32 irq)
{
	dt_prop_cells(f, "interrupts", irq);
	dt_prop_cells(f, "interrupt-parent", PHANDLE_PLIC);
}

static void write_soc(struct dt *f, const struct vm *vm)
{
	dt_node(f, "soc");
	dt_prop_text(f, "compatible", "simple-bus");
	dt_prop_cells(f, "#address-cells", 2);
	dt_prop_cells(f, "#size-cells", 2);
	dt_prop_flag(f, "ranges");
	virt_write_devices(f, vm);
	dt_end(f);
}

static void write_isa(struct dt *f, u32 features)
{
	char text[256];
	struct sink_buf b = sink_buf_init(text, sizeof(text));
	const char *ext;
	u32 at = 0;

	rv64_isa_string(features, &b.sink);
	dt_prop_text(f, "riscv,isa", text);
	dt_prop_text(f, "riscv,isa-base", "rv64i");
	dt_prop_begin(f, "riscv,isa-extensions");
	while ((ext = rv64_ext_next(features, &at)))
		dt_prop_append_text(f, ext);
	dt_prop_end(f);
	if (features & RV64_ZICBOM)
		dt_prop_cells(f, "riscv,cbom-block-size", RV64_CBO_BLOCK);
	if (features & RV64_ZICBOZ)
		dt_prop_cells(f, "riscv,cboz-block-size", RV64_CBO_BLOCK);
}

static void write_hart(struct dt *f, const struct gcpu *g)
{
	dt_node_at(f, "cpu", g->index);
	dt_prop_text(f, "device_type", "cpu");
	dt_prop_cells(f, "reg", g->index);
	dt_prop_text(f, "status", "okay");
	dt_prop_text(f, "compatible", "riscv");
	dt_prop_text(f, "mmu-type", g->features & RV64_SV57 ? "riscv,sv57" :
				    g->features & RV64_SV48 ? "riscv,sv48" : "riscv,sv39");
	write_isa(f, g->features);
	dt_node(f, "interrupt-controller");
	dt_prop_text(f, "compatible", "riscv,cpu-intc");
	dt_prop_flag(f, "interrupt-controller");
	dt_prop_cells(f, "#interrupt-cells", 1);
	dt_prop_cells(f, "phandle", PHANDLE_HART + g->index);
	dt_end(f);
	dt_end(f);
}

static void write_harts(struct dt *f, const struct vm *vm)
{
	dt_node(f, "cpus");
	dt_prop_cells(f, "#address-cells", 1);
	dt_prop_cells(f, "#size-cells", 0);
	dt_prop_cells(f, "timebase-frequency", RV64_TIMEBASE);
	for (u32 i = 0; i < vm->vcpus; i++)
		write_hart(f, &vm->vcpu[i].g);
	dt_end(f);
}

/* Power off and reboot: a value written to the test device. */
static void write_syscon(struct dt *f, const char *name, const char *compatible, u32 value)
{
	dt_node(f, name);
	dt_prop_text(f, "compatible", compatible);
	dt_prop_cells(f, "regmap", PHANDLE_TEST);
	dt_prop_cells(f, "offset", 0);
	dt_prop_cells(f, "value", value);
	dt_end(f);
}

err_t virt_rv64_write_fdt(const struct vm *vm, const struct virt_images *images, void *buf,
			  u32 cap, u32 *len)
{
	struct dt f = dt_open(buf, cap);

	dt_prop_cells(&f, "#address-cells", 2);
	dt_prop_cells(&f, "#size-cells", 2);
	dt_prop_text(&f, "compatible", "riscv-virtio");
	dt_prop_text(&f, "model", "riscv-virtio,fvp");
	virt_write_chosen(&f, vm, images);
	virt_write_memory(&f, vm);
	write_harts(&f, vm);
	write_soc(&f, vm);
	write_syscon(&f, "poweroff", "syscon-poweroff", TEST_POWEROFF);
	write_syscon(&f, "reboot", "syscon-reboot", TEST_REBOOT);
	dt_node(&f, "aliases");
	dt_prop_text(&f, "serial0", "/soc/serial@10000000");
	dt_end(&f);
	return dt_close(&f, len);
}
