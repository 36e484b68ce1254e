/* The instruction sets a guest may have, and the choice of their optional parts. */
#include "engine/isa.h"
#include "kernel/base/str.h"

extern const struct isa rv64_isa, a64_isa, x86_isa;

const struct isa *const isas[] = { &rv64_isa, &a64_isa, &x86_isa, NULL };

const struct isa *isa_find(const char *name)
{
	for (const struct isa *const *i = isas; *i; i++)
		if (str_eq((*i)->name, name))
			return *i;
	return NULL;
}

static const struct isa_feature *feature_find(const struct isa *isa, const char *name)
{
	for (const struct isa_feature *f = isa->feature; f && f->name; f++)
		if (str_eq(f->name, name))
			return f;
	return NULL;
}

static err_t feature_unknown(const struct isa *isa, const char *name)
{
	char list[120];
	struct sink_buf b = sink_buf_init(list, sizeof(list));

	for (const struct isa_feature *f = isa->feature; f && f->name; f++)
		sink_printf(&b.sink, " %s", f->name);
	return ERRF(E_CONFIG, "%s has no feature \"%s\" to switch; there are:%s", isa->name, name,
		    b.len ? list : " none");
}

err_t isa_features(const struct isa *isa, const char *const *item, u32 count, u32 *out)
{
	u32 bits = isa->features;

	for (u32 i = 0; i < count; i++) {
		bool off = item[i][0] == '-';
		const struct isa_feature *f = feature_find(isa, item[i] + off);

		if (!f)
			return feature_unknown(isa, item[i] + off);
		bits = off ? bits & ~f->bit : bits | f->bit;
	}
	*out = bits;
	return OK;
}
