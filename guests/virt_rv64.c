/*
 * The RISC-V board: QEMU's `virt` as far as a guest can tell, with up to 64 harts. Its table is in
 * virt_rv64_fdt.c, next to what the device tree says of its rows.
 */
#include "guests/virt_rv64.h"

#include "drivers/model/rv/irq.h"
#include "kernel/board.h"

_Static_assert(VIRT_CPUS <= CLINT_HARTS && 2 * VIRT_CPUS <= PLIC_CONTEXTS,
	       "interrupt controllers are too small");

extern const struct isa rv64_isa;

static const struct virt_map virt_rv64_map = {
	.arch = "riscv64",
	.ram = VIRT_RAM,
	.kernel = VIRT_KERNEL,
	.firmware = true,
	.rows = virt_rows,
	.slot = &virt_virtio,
	.uart = &vuart16550_model,
	.stdout_path = "/soc/serial@10000000",
	.input = vplic_input,
	.write_irq = virt_rv64_write_irq,
	.write_fdt = virt_rv64_write_fdt,
	.start = virt_rv64_start,
};

static err_t virt_rv64_build(struct vm *vm)
{
	return virt_build(vm, &virt_rv64_map);
}

const struct board virt_rv64_board = {
	.name = "virt-rv64",
	.arch = "riscv64",
	.isa = &rv64_isa,
	.cpus_max = VIRT_CPUS,
	.memory_min = MIB(16),
	.memory_max = GIB(1024),
	.build = virt_rv64_build,
	.hypercall = sbi_rv64,
};
