/*
 * The table of the AArch64 board, and the device tree that is written from it. Unlike RISC-V's,
 * QEMU's tree for this board is flat: devices are children of the root. Timers and the power
 * controller are no devices and have nodes of their own.
 */
#include "drivers/model/arm/irq.h"
#include "engine/front/a64/state.h"
#include "guests/virt_a64.h"

enum { PHANDLE_GIC = 1, PHANDLE_CLOCK, PHANDLE_GPIO };
enum { GIC_SPI = 0, GIC_PPI = 1, GIC_LEVEL = 4 };

#define APB_CLOCK	24000000
#define KEY_POWER	116		/* Linux input-event-codes.h */

/* ---- devices ---------------------------------------------------------------------------- */

static void describe_gic(struct dt *f, const struct vm *vm)
{
	dt_prop_flag(f, "interrupt-controller");
	dt_prop_cells(f, "#interrupt-cells", 3);
	dt_prop_cells(f, "#address-cells", 2);
	dt_prop_cells(f, "#size-cells", 2);
	dt_prop_flag(f, "ranges");
	dt_prop_cells(f, "#redistributor-regions", 1);
	dt_prop_cells(f, "phandle", PHANDLE_GIC);
}

static void describe_clock(struct dt *f, const struct vm *vm)
{
	dt_prop_cells(f, "clocks", PHANDLE_CLOCK);
	dt_prop_text(f, "clock-names", "apb_pclk");
}

static void describe_uart(struct dt *f, const struct vm *vm)
{
	dt_prop_cells(f, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
	dt_prop_begin(f, "clock-names");
	dt_prop_append_text(f, "uartclk");
	dt_prop_append_text(f, "apb_pclk");
	dt_prop_end(f);
}

static void describe_gpio(struct dt *f, const struct vm *vm)
{
	describe_clock(f, vm);
	dt_prop_flag(f, "gpio-controller");
	dt_prop_cells(f, "#gpio-cells", 2);
	dt_prop_cells(f, "phandle", PHANDLE_GPIO);
}

static void describe_virtio(struct dt *f, const struct vm *vm)
{
	dt_prop_flag(f, "dma-coherent");
}

/* Levels, all of them; of virtio QEMU says edge. */
void virt_a64_write_irq(struct dt *f, u32 irq)
{
	dt_prop_cells(f, "interrupts", GIC_SPI, irq - GIC_PRIVATE, GIC_LEVEL);
}

/* The GIC comes first: other devices drive its inputs from their birth on. */
const struct virt_row virt_a64_rows[] = {
	{ &vgic3_model, "gic", "intc", 0x8000000, 0x1000000, 0, { NULL }, describe_gic,
	  { A64_LINE_IRQ, A64_LINE_FIQ },
	  { 0x8000000, 0x10000, 0x8000000 + GIC_REDIST, 0xf60000 } },
	{ &vpl011_model, "uart0", "pl011", 0x9000000, 0x1000, VIRT_A64_IRQ_UART,
	  { "arm,primecell" }, describe_uart },
	{ &vpl031_model, "rtc", "pl031", 0x9010000, 0x1000, VIRT_A64_IRQ_RTC,
	  { "arm,primecell" }, describe_clock },
	{ &vpl061_model, "gpio", "pl061", 0x9030000, 0x1000, VIRT_A64_IRQ_GPIO,
	  { "arm,primecell" }, describe_gpio },
	{ NULL },
};
const struct virt_row virt_a64_virtio = {
	&vblk_model, NULL, "virtio_mmio", 0xa000000, 0x200, VIRT_A64_IRQ_VIRTIO,
	{ NULL }, describe_virtio,
};
_Static_assert(0x8000000 + GIC_REDIST + 0xf60000 == 0x9000000, "as far as the UART");
_Static_assert(GIC_REDIST_LEN * VIRT_CPUS <= 0xf60000, "room for all redistributors");

/* ---- the rest --------------------------------------------------------------------------- */

static void write_cpus(struct dt *f, const struct vm *vm)
{
	dt_node(f, "cpus");
	dt_prop_cells(f, "#address-cells", 1);
	dt_prop_cells(f, "#size-cells", 0);
	for (u32 i = 0; i < vm->vcpus; i++) {
		dt_node_at(f, "cpu", a64_affinity(i));
		dt_prop_text(f, "device_type", "cpu");
		dt_prop_text(f, "compatible", "arm,armv8");
		dt_prop_cells(f, "reg", (u32)a64_affinity(i));
		dt_prop_text(f, "enable-method", "psci");
		dt_end(f);
	}
	dt_end(f);
}

static void write_psci(struct dt *f)
{
	dt_node(f, "psci");
	dt_prop_begin(f, "compatible");
	dt_prop_append_text(f, "arm,psci-1.0");
	dt_prop_append_text(f, "arm,psci-0.2");
	dt_prop_end(f);
	dt_prop_text(f, "method", "hvc");
	dt_end(f);
}

/* Secure, non-secure, virtual, hypervisor: those of EL1 are the middle ones. */
static void write_timer(struct dt *f)
{
	static const u8 ppi[] = { A64_PPI_CNTPS, A64_PPI_CNTP, A64_PPI_CNTV, A64_PPI_CNTHP };

	dt_node(f, "timer");
	dt_prop_begin(f, "compatible");
	dt_prop_append_text(f, "arm,armv8-timer");
	dt_prop_append_text(f, "arm,armv7-timer");
	dt_prop_end(f);
	dt_prop_begin(f, "interrupts");
	for (u32 i = 0; i < ARRAY_LEN(ppi); i++) {
		dt_prop_append_cell(f, GIC_PPI);
		dt_prop_append_cell(f, ppi[i] - 16);
		dt_prop_append_cell(f, GIC_LEVEL);
	}
	dt_prop_end(f);
	dt_prop_flag(f, "always-on");
	dt_end(f);
}

static void write_clock(struct dt *f)
{
	dt_node(f, "apb-pclk");
	dt_prop_text(f, "compatible", "fixed-clock");
	dt_prop_cells(f, "#clock-cells", 0);
	dt_prop_cells(f, "clock-frequency", APB_CLOCK);
	dt_prop_text(f, "clock-output-names", "clk24mhz");
	dt_prop_cells(f, "phandle", PHANDLE_CLOCK);
	dt_end(f);
}

static void write_keys(struct dt *f)
{
	dt_node(f, "gpio-keys");
	dt_prop_text(f, "compatible", "gpio-keys");
	dt_node(f, "poweroff");
	dt_prop_text(f, "label", "GPIO Key Poweroff");
	dt_prop_cells(f, "linux,code", KEY_POWER);
	dt_prop_cells(f, "gpios", PHANDLE_GPIO, VIRT_A64_POWER_KEY, 0);
	dt_end(f);
	dt_end(f);
}

err_t virt_a64_write_fdt(const struct vm *vm, const struct virt_images *images, void *buf,
			 u32 cap, u32 *len)
{
	struct dt f = dt_open(buf, cap);

	dt_prop_cells(&f, "#address-cells", 2);
	dt_prop_cells(&f, "#size-cells", 2);
	dt_prop_text(&f, "compatible", "linux,dummy-virt");
	dt_prop_text(&f, "model", "linux,dummy-virt");
	dt_prop_cells(&f, "interrupt-parent", PHANDLE_GIC);
	virt_write_chosen(&f, vm, images);
	virt_write_memory(&f, vm);
	write_cpus(&f, vm);
	write_psci(&f);
	write_timer(&f);
	write_clock(&f);
	virt_write_devices(&f, vm);
	write_keys(&f);
	dt_node(&f, "aliases");
	dt_prop_text(&f, "serial0", virt_of(vm)->map->stdout_path);
	dt_end(&f);
	return dt_close(&f, len);
}
