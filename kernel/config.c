/*
 * Configuration: the keys of config.def, their defaults, and how a value gets into one, be it
 * from TOML or from the command line. Checks that need more than one key and the dump are in
 * config_check.c.
 *
 * Strings are not copied one by one: the parser decodes them in a copy of the whole file that
 * the config then owns.
 */
#include "kernel/config.h"
#include "kernel/base/heap.h"
#include "kernel/base/str.h"
#include "kernel/toml.h"

#define NOLIST { .count = 0 }

const struct config_key config_vm_keys[] = {
#define CONFIG_VM(type, name, def, help) \
	{ #name, CONFIG_##type, offsetof(struct vm_config, name), help },
#define CONFIG_VM_KEY(type, field, name, def, help) \
	{ name, CONFIG_##type, offsetof(struct vm_config, field), help },
#include "kernel/config.def"
#undef CONFIG_VM
	{ NULL }
};

const struct config_key config_host_keys[] = {
#define CONFIG_HOST(type, name, def, help) \
	{ #name, CONFIG_##type, offsetof(struct host_config, name), help },
#include "kernel/config.def"
#undef CONFIG_HOST
	{ NULL }
};

static const struct vm_config vm_defaults = {
#define CONFIG_VM(type, key, def, help) .key = def,
#include "kernel/config.def"
#undef CONFIG_VM
};

static const struct host_config host_defaults = {
#define CONFIG_HOST(type, key, def, help) .key = def,
#include "kernel/config.def"
#undef CONFIG_HOST
};

/* ---- life ------------------------------------------------------------------------------ */

struct config_text {
	struct config_text *older;
	char text[];
};

err_t config_init(struct config *c)
{
	memset(c, 0, sizeof(*c));
	c->host = host_defaults;
	return OK;
}

static void config_forget(struct config *c, const struct config_text *until)
{
	while (c->text != until) {
		struct config_text *older = c->text->older;

		heap_free(c->text);
		c->text = older;
	}
}

void config_fini(struct config *c)
{
	config_forget(c, NULL);
	memset(c, 0, sizeof(*c));
}

/* Room for @len bytes that live as long as the config, terminated. */
static char *config_room(struct config *c, size_t len)
{
	struct config_text *t = heap_alloc(sizeof(*t) + len + 1);

	if (!t)
		return NULL;
	t->older = c->text;
	c->text = t;
	return t->text;
}

static const char *config_keep(struct config *c, const char *s, size_t len)
{
	char *to = config_room(c, len);

	return to ? memcpy(to, s, len) : NULL;
}

/* ---- lookup ---------------------------------------------------------------------------- */

const struct config_key *config_key_find(const struct config_key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (str_eq(keys->name, name))
			return keys;
	return NULL;
}

bool config_name_ok(const char *name)
{
	size_t n = 0;

	for (; name[n]; n++) {
		char c = name[n], lower = c | 0x20;

		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '_' &&
		    c != '-')
			return false;
	}
	return n > 0 && n < VM_NAME_MAX;
}

struct vm_config *config_vm(struct config *c, const char *name)
{
	struct vm_config *vm;

	for (u32 i = 0; i < c->vms; i++)
		if (str_eq(c->vm[i].name, name))
			return &c->vm[i];
	if (c->vms == VM_MAX || !config_name_ok(name))
		return NULL;
	vm = &c->vm[c->vms++];
	*vm = vm_defaults;
	str_copy(vm->name, sizeof(vm->name), name);
	return vm;
}

/* Edits (insert, delete, replace) that turn @a into @b; both at most 31 characters. */
static u32 edit_distance(const char *a, const char *b)
{
	u8 row[33];
	u32 bl = (u32)str_len(b);

	if (str_len(a) > 31 || bl > 31)
		return 32;
	for (u32 j = 0; j <= bl; j++)
		row[j] = (u8)j;
	for (u32 i = 0; a[i]; i++) {
		u8 diagonal = row[0];

		row[0] = (u8)(i + 1);
		for (u32 j = 1; j <= bl; j++) {
			u8 replace = (u8)(diagonal + (a[i] != b[j - 1]));
			u8 change = (u8)(MIN(row[j], row[j - 1]) + 1);

			diagonal = row[j];
			row[j] = MIN(replace, change);
		}
	}
	return row[bl];
}

/* The key that was probably meant: at most two edits away, and fewer than half its letters. */
static const char *config_nearest(const struct config_key *keys, const char *name)
{
	const char *best = NULL;
	u32 least = 3;

	for (; keys->name; keys++) {
		u32 d = edit_distance(name, keys->name);

		if (d < least && 2 * d < str_len(keys->name)) {
			least = d;
			best = keys->name;
		}
	}
	return best;
}

/* ---- storing a value ------------------------------------------------------------------- */

struct store {
	struct config *config;
	const struct config_key *key;
	void *at;			/* the field */
	const char *dir;	/* directory of the configuration file, with its '/', or "" */
	struct sink_buf why;		/* filled when it fails */
};

static bool store_wrong_type(struct store *s, const char *wanted, const struct toml_value *v)
{
	sink_printf(&s->why.sink, "%s wants %s, not %s", s->key->name, wanted,
		    toml_type_name(v->type));
	return false;
}

static bool store_path(struct store *s, const char **to, const char *path)
{
	size_t dir = str_len(s->dir), len = str_len(path);
	char *full;

	*to = path;
	if (!dir || !len || path[0] == '/')
		return true;
	full = config_room(s->config, dir + len);
	if (!full) {
		sink_puts(&s->why.sink, "out of memory");
		return false;
	}
	memcpy(full, s->dir, dir);
	memcpy(full + dir, path, len);
	*to = full;
	return true;
}

/* The choices are the head of the help text: "a|b|c: what it is". */
static bool store_enum(struct store *s, const char **to, const char *word)
{
	const char *list = s->key->help, *colon = str_chr(list, ':');
	size_t len = str_len(word);

	for (const char *p = list; p < colon;) {
		const char *end = p;

		while (end < colon && *end != '|')
			end++;
		if ((size_t)(end - p) == len && memcmp(p, word, len) == 0) {
			*to = word;
			return true;
		}
		p = end + 1;
	}
	sink_printf(&s->why.sink, "%s cannot be \"%s\"; there are %.*s", s->key->name, word,
		    (int)(colon - list), list);
	return false;
}

static bool store_string(struct store *s, const struct toml_value *v)
{
	if (v->type != TOML_STRING)
		return store_wrong_type(s, "a string", v);
	if (s->key->type == CONFIG_ENUM)
		return store_enum(s, s->at, v->string);
	if (s->key->type == CONFIG_FILE)
		return store_path(s, s->at, v->string);
	*(const char **)s->at = v->string;
	return true;
}

static bool store_size(struct store *s, const struct toml_value *v)
{
	if (v->type == TOML_INTEGER) {
		*(u64 *)s->at = v->integer;
		return true;
	}
	if (v->type != TOML_STRING)
		return store_wrong_type(s, "a size like \"512M\"", v);
	if (str_to_size(v->string, s->at))
		return true;
	sink_printf(&s->why.sink, "%s: \"%s\" is not a size; write bytes or \"512M\", \"2G\"",
		    s->key->name, v->string);
	return false;
}

static bool store_number(struct store *s, const struct toml_value *v)
{
	if (v->type != TOML_INTEGER)
		return store_wrong_type(s, "a number", v);
	*(u64 *)s->at = v->integer;
	return true;
}

static bool store_boolean(struct store *s, const struct toml_value *v)
{
	if (v->type != TOML_BOOLEAN)
		return store_wrong_type(s, "true or false", v);
	*(bool *)s->at = v->boolean;
	return true;
}

static bool store_list(struct store *s, const struct toml_value *v)
{
	struct strlist *to = s->at;

	if (v->type != TOML_ARRAY)
		return store_wrong_type(s, "an array of strings", v);
	*to = v->array;
	for (u32 i = 0; s->key->type == CONFIG_FILES && i < to->count; i++)
		if (!store_path(s, &to->item[i], v->array.item[i]))
			return false;
	return true;
}

static bool store_value(struct store *s, const struct toml_value *v)
{
	switch (s->key->type) {
	case CONFIG_STR:
	case CONFIG_FILE:
	case CONFIG_ENUM:
		return store_string(s, v);
	case CONFIG_SIZE:
		return store_size(s, v);
	case CONFIG_INT:
		return store_number(s, v);
	case CONFIG_BOOL:
		return store_boolean(s, v);
	case CONFIG_LIST:
	case CONFIG_FILES:
		return store_list(s, v);
	}
	return false;
}

/* ---- from TOML ------------------------------------------------------------------------- */

struct reading {
	struct config *config;
	const struct config_key *keys;	/* of the current table */
	char *base;			/* its struct */
	const char *table;		/* its name, for messages */
	u32 line[64];			/* where its keys were set, 0: not yet */
	u32 table_line[VM_MAX];		/* where the VMs' tables began */
	char dir[96];
	char why[128];
};

static err_t reading_table(struct toml *t, struct toml_pos pos, const char *name)
{
	struct reading *r = t->ctx;
	struct vm_config *vm;
	u32 *line;

	if (!str_starts(name, "vm."))
		return toml_error(t, pos, "unknown table [%s]; there is [vm.NAME]", name);
	if (!config_name_ok(name + 3))
		return toml_error(t, pos,
				  "[%s]: a VM's name has 1 to %d letters, digits, '_' or '-'", name,
				  VM_NAME_MAX - 1);
	vm = config_vm(r->config, name + 3);
	if (!vm)
		return toml_error(t, pos, "[%s]: more than %d VMs", name, VM_MAX);
	line = &r->table_line[vm - r->config->vm];
	if (*line)
		return toml_error(t, pos, "[%s] was already defined on line %u", name, *line);
	*line = pos.line;
	memset(r->line, 0, sizeof(r->line));
	r->keys = config_vm_keys;
	r->base = (char *)vm;
	r->table = vm->name;
	return OK;
}

static err_t reading_unknown(struct toml *t, struct toml_pos pos, const char *key)
{
	struct reading *r = t->ctx;
	const char *near = config_nearest(r->keys, key);
	char in[48] = "";

	if (r->table)
		fmt_buf(in, sizeof(in), " in [vm.%s]", r->table);
	if (near)
		return toml_error(t, pos, "unknown key \"%s\"%s (did you mean \"%s\"?)", key, in,
				  near);
	if (!r->table && config_key_find(config_vm_keys, key))
		return toml_error(t, pos, "key \"%s\" belongs under a [vm.NAME] table", key);
	return toml_error(t, pos, "unknown key \"%s\"%s", key, in);
}

static err_t reading_value(struct toml *t, struct toml_pos pos, const char *name,
			   const struct toml_value *v)
{
	struct reading *r = t->ctx;
	const struct config_key *key = config_key_find(r->keys, name);
	struct store s = { .config = r->config,
			   .key = key,
			   .dir = r->dir,
			   .why = sink_buf_init(r->why, sizeof(r->why)) };
	u32 *line;

	if (!key)
		return reading_unknown(t, pos, name);
	line = &r->line[key - r->keys];
	if (*line)
		return toml_error(t, pos, "key \"%s\" was already set on line %u", name, *line);
	*line = pos.line;
	s.at = r->base + key->offset;
	return store_value(&s, v) ? OK : toml_error(t, v->pos, "%s", r->why);
}

_Static_assert(ARRAY_LEN(config_vm_keys) <= 64 && ARRAY_LEN(config_host_keys) <= 64,
	       "struct reading's line[]");

static err_t config_read(struct config *c, const char *file, const char *text, size_t len)
{
	struct reading r = { .config = c, .keys = config_host_keys, .base = (char *)&c->host };
	struct toml t = {
		.file = file, .len = len, .ctx = &r, .table = reading_table, .value = reading_value
	};
	size_t dir = str_len(file);

	while (dir && file[dir - 1] != '/')
		dir--;
	if (dir >= sizeof(r.dir))
		return ERRF(E_CONFIG, "%s: path longer than %zu characters", file,
			    sizeof(r.dir) - 1);
	memcpy(r.dir, file, dir);
	t.text = config_room(c, len);
	if (!t.text)
		return ERRF(E_NOMEM, "%s: no memory to read it", file);
	memcpy(t.text, text, len);
	return toml_parse(&t);
}

err_t config_parse(struct config *c, const char *file, const char *text, size_t len)
{
	struct config *before = heap_alloc(sizeof(*before));
	err_t e;

	if (!before)
		return ERRF(E_NOMEM, "%s: no memory to read it", file);
	*before = *c;
	e = config_read(c, file, text, len);
	if (e != OK) {
		config_forget(c, before->text);
		*c = *before;
	}
	heap_free(before);
	return e;
}

/* ---- from the command line ------------------------------------------------------------- */

/* What the text would be in TOML for a key of that type. */
static bool value_from_text(struct toml_value *v, const struct config_key *key, const char *text)
{
	v->type = TOML_STRING;
	v->string = text;
	switch (key->type) {
	case CONFIG_INT:
		v->type = TOML_INTEGER;
		return str_to_u64(text, &v->integer);
	case CONFIG_BOOL:
		v->type = TOML_BOOLEAN;
		v->boolean = str_eq(text, "true");
		return v->boolean || str_eq(text, "false");
	case CONFIG_LIST:
	case CONFIG_FILES:
		v->type = TOML_ARRAY;
		v->array.item[0] = text;
		v->array.count = 1;
		return true;
	default:
		return true;
	}
}

static err_t config_append(const struct config_key *key, struct strlist *to, const char *text)
{
	if (to->count == CONFIG_LIST_MAX)
		return ERRF(E_CONFIG, "%s: more than %d items", key->name, CONFIG_LIST_MAX);
	to->item[to->count++] = text;
	return OK;
}

err_t config_set(struct config *c, struct vm_config *vm, const char *name, const char *value)
{
	const struct config_key *keys = vm ? config_vm_keys : config_host_keys;
	const struct config_key *key = config_key_find(keys, name);
	const char *near = key ? NULL : config_nearest(keys, name);
	struct toml_value v;
	char why[128];
	struct store s = {
		.config = c, .key = key, .dir = "", .why = sink_buf_init(why, sizeof(why))
	};

	if (!key)
		return ERRF(E_CONFIG,
			    near ? "unknown key \"%s\" (did you mean \"%s\"?)" :
				   "unknown key \"%s\"",
			    name, near);
	value = config_keep(c, value, str_len(value));
	if (!value)
		return ERR(E_NOMEM);
	s.at = (char *)(vm ? (void *)vm : &c->host) + key->offset;
	if (key->type == CONFIG_LIST || key->type == CONFIG_FILES)
		return config_append(key, s.at, value);
	if (!value_from_text(&v, key, value))
		return ERRF(E_CONFIG, "%s wants %s, not \"%s\"", name,
			    key->type == CONFIG_BOOL ? "true or false" : "a number", value);
	return store_value(&s, &v) ? OK : ERRF(E_CONFIG, "%s", why);
}
