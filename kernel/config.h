/*
 * Configuration: a strict subset of TOML (tables, strings, integers, booleans, arrays of
 * strings; sizes as "512M"). Unknown keys, duplicate keys and wrong types are errors that
 * name file, line and column. Parsing only reads and fills a struct config; vm_create()
 * applies it.
 */
#pragma once

#include "kernel/base/err.h"
#include "kernel/base/fmt.h"

#define VM_MAX		32
#define VM_NAME_MAX	32
#define CONFIG_LIST_MAX	16

struct strlist {
	const char *item[CONFIG_LIST_MAX];
	u32 count;
};

typedef const char *config_STR, *config_ENUM, *config_FILE;
typedef bool config_BOOL;
typedef u64 config_INT, config_SIZE;
typedef struct strlist config_LIST, config_FILES;

struct vm_config {
	char name[VM_NAME_MAX];
#define CONFIG_VM(type, name, def, help) config_##type name;
#include "kernel/config.def"
#undef CONFIG_VM
};

struct host_config {
#define CONFIG_HOST(type, name, def, help) config_##type name;
#include "kernel/config.def"
#undef CONFIG_HOST
};

struct config {
	struct host_config host;
	struct vm_config vm[VM_MAX];
	u32 vms;
	struct config_text *text;	/* owned copies of all strings live here */
};

enum config_type {
	CONFIG_STR,
	CONFIG_FILE,
	CONFIG_ENUM,
	CONFIG_BOOL,
	CONFIG_INT,
	CONFIG_SIZE,
	CONFIG_LIST,
	CONFIG_FILES
};

/* A row of config.def: the key lies at @offset in struct vm_config or struct host_config. */
struct config_key {
	const char *name;
	enum config_type type;
	u32 offset;
	const char *help;
};
extern const struct config_key config_vm_keys[], config_host_keys[];	/* NULL name ends */
const struct config_key *config_key_find(const struct config_key *keys, const char *name);

err_t config_init(struct config *c);		/* defaults, no VMs */
void config_fini(struct config *c);
/*
 * Parse @len bytes of TOML; on failure the message names @file, line and column and *c is as
 * before.
 */
err_t config_parse(struct config *c, const char *file, const char *text, size_t len);
/*
 * Set one key (of the host if @vm is NULL) from its textual form, as the command line does
 * ("memory", "512M"); LIST keys append.
 */
err_t config_set(struct config *c, struct vm_config *vm, const char *key, const char *value);
struct vm_config *config_vm(struct config *c, const char *name); /* find or add; NULL when full */
bool config_name_ok(const char *name);	/* letters, digits, '_', '-', shorter than VM_NAME_MAX */
/* Checks that need more than one key (kernel or firmware present, memory >= 16M ...). */
err_t config_check(const struct config *c);
err_t config_check_vm(const struct vm_config *vm);	/* the part that is about one VM ... */
err_t config_check_shared(const struct config *c);	/* ... and the rest */
void config_dump(const struct config *c, struct sink *to, bool json);
