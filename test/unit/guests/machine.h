/*
 * What the tests of boards share: VMs are made of "key=value" pairs and started (their CPUs never
 * run); files for them; a look into their device trees.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/fdt.h"
#include "guests/virt.h"
#include "kernel/base/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/base/str.h"
#include "kernel/console.h"

static struct config config;
static struct vm *vm;
static struct fdt tree;
static struct fdt_walk at;

/* ---- files ---- */

static inline const char *temp_file(const void *data, size_t len)
{
	static char path[8][64];
	static u32 n;
	char *p = path[n++ % 8];
	int fd;

	strcpy(p, "/tmp/virt_test.XXXXXX");
	fd = mkstemp(p);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
	return p;
}

/* ---- VMs ---- */

static inline int setup(void **s)
{
	cpu_self = &cpus[0];
	cpu_count = 1;
	return console_init(NULL, false) != OK;
}

/* "key=value" pairs up to NULL make the VM; its start's result. */
static inline err_t start(const char *const *keys)
{
	static u32 n;
	char name[16];
	struct vm_config *c;

	snprintf(name, sizeof(name), "t%u", n++);
	assert_int_equal(config_init(&config), OK);
	c = config_vm(&config, name);
	for (; *keys; keys++) {
		char key[32];
		const char *eq = strchr(*keys, '=');

		snprintf(key, sizeof(key), "%.*s", (int)(eq - *keys), *keys);
		assert_int_equal(config_set(&config, c, key, eq + 1), OK);
	}
	assert_int_equal(vm_create(c, &vm), OK);
	return vm_start(vm);
}
#define START(...) start((const char *const[]){ __VA_ARGS__, NULL })

static inline const char *pair(const char *key, const char *value)
{
	static char text[4][96];
	static u32 n;

	snprintf(text[n % 4], sizeof(text[0]), "%s=%s", key, value);
	return text[n++ % 4];
}

static inline void stop(void)
{
	if (vm->state != VM_STOPPED)
		assert_int_equal(vm_stop(vm), OK);
	assert_int_equal(vm->state, VM_STOPPED);
	assert_null(vm->ram);
	assert_null(vm->dev);
	config_fini(&config);
}

/* Open the VM's device tree, which a register of its first CPU points to. */
static inline void open_tree(gpa_t fdt)
{
	gpa_t ram = virt_of(vm)->map->ram;

	assert_int_equal(fdt % 8, 0);
	assert_int_equal(fdt_open(&tree, vm->ram + (fdt - ram), VIRT_FDT_CAP), OK);
}

static inline void go(const char *path)
{
	if (!fdt_find(&at, &tree, path))
		fail_msg("no %s in the device tree", path);
}

static inline void expect_text(const char *name, const char *text)
{
	assert_non_null(fdt_string(&at, name));
	assert_string_equal(fdt_string(&at, name), text);
}
