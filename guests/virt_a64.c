/*
 * The AArch64 board: how it starts, what it gives to runners. CPU 0 enters the kernel at EL1 with
 * x0 = the device tree (Linux Documentation/arch/arm64/booting.rst); the other CPUs are off until
 * PSCI's CPU_ON, which FVP itself answers. There is no firmware: nothing above EL1 is emulated.
 */
#include "guests/virt_a64.h"

#include "drivers/model/arm/gpio.h"
#include "drivers/model/arm/irq.h"
#include "engine/front/a64/state.h"
#include "kernel/board.h"

_Static_assert(VIRT_CPUS <= GIC_CPUS, "the interrupt controller is too small");
/* A model knows no CPU, so each side has its own names. */
_Static_assert((int)A64_ICH_VMCR == GIC_ICH_VMCR && (int)A64_ICH_AP0R == GIC_ICH_AP0R &&
	       (int)A64_ICH_AP1R == GIC_ICH_AP1R && (int)A64_ICH_EOICOUNT == GIC_ICH_EOICOUNT &&
	       (int)A64_ICH_COUNT == GIC_ICH_COUNT && A64_LR_MAX == GIC_LR_MAX,
	       "the same array of registers");

extern const struct isa a64_isa;

static const struct a64_intc virt_a64_intc = {
	.load = vgic3_load,
	.store = vgic3_store,
	.ppi = vgic3_ppi,
	.sgi = vgic3_sgi,
	.reset = vgic3_reset_cpu,
	.sysreg = vgic3_sysreg,
};

static err_t virt_a64_start(struct virt_start *s)
{
	struct vcpu *first = &s->vm->vcpu[0];

	a64_start(&first->g, s->next, s->fdt);
	return vcpu_power_on(first);
}

static const struct virt_map virt_a64_map = {
	.arch = "aarch64",
	.ram = VIRT_A64_RAM,
	.kernel = VIRT_A64_RAM + MIB(2),
	.rows = virt_a64_rows,
	.slot = &virt_a64_virtio,
	.uart = &vpl011_model,
	.stdout_path = "/pl011@9000000",
	.input = vgic3_input,
	.intc = &virt_a64_intc,
	.write_irq = virt_a64_write_irq,
	.write_fdt = virt_a64_write_fdt,
	.start = virt_a64_start,
};

static err_t virt_a64_build(struct vm *vm)
{
	return virt_build(vm, &virt_a64_map);
}

static void virt_a64_press(struct vm *vm)
{
	vpl061_press(&vm->dev[VIRT_A64_GPIO], VIRT_A64_POWER_KEY);
}

const struct board virt_a64_board = {
	.name = "virt-a64",
	.arch = "aarch64",
	.isa = &a64_isa,
	.cpus_max = VIRT_CPUS,
	.memory_min = MIB(16),
	.memory_max = GIB(255),
	.build = virt_a64_build,
	.hypercall = psci,
	.press = virt_a64_press,
};
