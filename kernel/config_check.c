/*
 * What one key alone cannot tell: checks across keys and VMs, and the effective configuration
 * printed, as TOML that would be read back or as JSON. What depends on the machine (boards,
 * number of host CPUs) is checked when a VM starts.
 */
#include "kernel/base/cpu.h"
#include "kernel/base/str.h"
#include "kernel/config.h"
#include "kernel/json.h"

/* ---- check ----------------------------------------------------------------------------- */

/* A disk item is "PATH" or "PATH,ro". */
static size_t disk_path_len(const char *item)
{
	size_t n = str_len(item);

	return n > 3 && str_eq(item + n - 3, ",ro") ? n - 3 : n;
}

static bool disk_same_path(const char *a, const char *b)
{
	size_t n = disk_path_len(a);

	return n == disk_path_len(b) && memcmp(a, b, n) == 0;
}

static bool disk_writable(const char *item)
{
	return disk_path_len(item) == str_len(item);
}

static err_t config_check_disks(const struct vm_config *a, const struct vm_config *b)
{
	for (u32 i = 0; i < a->disk.count; i++) {
		for (u32 j = a == b ? i + 1 : 0; j < b->disk.count; j++) {
			const char *p = a->disk.item[i], *q = b->disk.item[j];

			if (disk_same_path(p, q) && (disk_writable(p) || disk_writable(q)))
				return ERRF(E_CONFIG,
					    "vm.%s: disk %s is also a disk of vm.%s; both must be "
					    "\",ro\"",
					    b->name, q, a->name);
		}
	}
	return OK;
}

static err_t config_check_pins(const struct vm_config *vm)
{
	u64 cpu;

	if (vm->pin.count > vm->cpus)
		return ERRF(E_CONFIG, "vm.%s: %u pins for %llu CPUs", vm->name, vm->pin.count,
			    (unsigned long long)vm->cpus);
	for (u32 i = 0; i < vm->pin.count; i++)
		if (!str_to_u64(vm->pin.item[i], &cpu) || cpu >= CPU_MAX)
			return ERRF(E_CONFIG, "vm.%s: pin \"%s\" is not the number of a host CPU",
				    vm->name, vm->pin.item[i]);
	return OK;
}

err_t config_check_vm(const struct vm_config *vm)
{
	if (!vm->kernel[0] && !vm->firmware[0])
		return ERRF(E_CONFIG,
			    "vm.%s: nothing to run; set kernel = \"FILE\" or firmware = \"FILE\"",
			    vm->name);
	if (vm->initrd[0] && !vm->kernel[0])
		return ERRF(E_CONFIG, "vm.%s: initrd without kernel", vm->name);
	if (vm->memory < MIB(16))
		return ERRF(E_CONFIG, "vm.%s: memory = %llu bytes is too little; at least \"16M\"",
			    vm->name, (unsigned long long)vm->memory);
	if (vm->memory % PAGE_SIZE)
		return ERRF(E_CONFIG, "vm.%s: memory must be a multiple of 4K", vm->name);
	if (vm->cpus < 1 || vm->cpus > CPU_MAX)
		return ERRF(E_CONFIG, "vm.%s: cpus = %llu; there can be 1 to %d", vm->name,
			    (unsigned long long)vm->cpus, CPU_MAX);
	if (vm->trace && !str_eq(vm->clock, "icount"))
		return ERRF(E_CONFIG, "vm.%s: trace needs clock = \"icount\"", vm->name);
	return config_check_pins(vm);
}

static err_t config_check_console(const struct config *c)
{
	for (u32 i = 0; i < c->vms; i++)
		if (str_eq(c->vm[i].name, c->host.console))
			return OK;
	if (!c->host.console[0])
		return OK;
	return ERRF(E_CONFIG, "console = \"%s\": there is no such VM", c->host.console);
}

err_t config_check_shared(const struct config *c)
{
	err_t e = config_check_console(c);

	for (u32 i = 0; e == OK && i < c->vms; i++)
		for (u32 j = 0; e == OK && j <= i; j++)
			e = config_check_disks(&c->vm[j], &c->vm[i]);
	return e;
}

err_t config_check(const struct config *c)
{
	err_t e = OK;

	for (u32 i = 0; e == OK && i < c->vms; i++)
		e = config_check_vm(&c->vm[i]);
	return e == OK ? config_check_shared(c) : e;
}

/* ---- dump ------------------------------------------------------------------------------ */

static void dump_list(struct json *j, const struct strlist *l)
{
	json_open(j, '[');
	for (u32 i = 0; i < l->count; i++)
		json_string(j, l->item[i]);
	json_close(j, ']');
}

/* TOML's strings, numbers, booleans and arrays of strings are written like JSON's. */
static void dump_value(struct json *j, const struct config_key *key, const void *base)
{
	const void *at = (const char *)base + key->offset;

	switch (key->type) {
	case CONFIG_STR:
	case CONFIG_FILE:
	case CONFIG_ENUM:
		json_string(j, *(const char *const *)at);
		break;
	case CONFIG_BOOL:
		json_boolean(j, *(const bool *)at);
		break;
	case CONFIG_INT:
	case CONFIG_SIZE:
		json_number(j, *(const u64 *)at);
		break;
	case CONFIG_LIST:
	case CONFIG_FILES:
		dump_list(j, at);
		break;
	}
}

static void dump_keys_toml(struct sink *to, const struct config_key *keys, const void *base)
{
	for (; keys->name; keys++) {
		struct json j = json_begin(to);

		sink_printf(to, "%-9s = ", keys->name);
		dump_value(&j, keys, base);
		sink_puts(to, "\n");
	}
}

static void dump_keys_json(struct json *j, const struct config_key *keys, const void *base)
{
	for (; keys->name; keys++) {
		json_key(j, keys->name);
		dump_value(j, keys, base);
	}
}

static void config_dump_json(const struct config *c, struct sink *to)
{
	struct json j = json_begin(to);

	json_open(&j, '{');
	dump_keys_json(&j, config_host_keys, &c->host);
	json_key(&j, "vm");
	json_open(&j, '{');
	for (u32 i = 0; i < c->vms; i++) {
		json_key(&j, c->vm[i].name);
		json_open(&j, '{');
		dump_keys_json(&j, config_vm_keys, &c->vm[i]);
		json_close(&j, '}');
	}
	json_close(&j, '}');
	json_close(&j, '}');
	sink_puts(to, "\n");
}

void config_dump(const struct config *c, struct sink *to, bool json)
{
	if (json) {
		config_dump_json(c, to);
		return;
	}
	dump_keys_toml(to, config_host_keys, &c->host);
	for (u32 i = 0; i < c->vms; i++) {
		sink_printf(to, "\n[vm.%s]\n", c->vm[i].name);
		dump_keys_toml(to, config_vm_keys, &c->vm[i]);
	}
}
