/*
 * Errors carry their birthplace. A function that can fail returns err_t; the place
 * where a failure is *discovered* says so with ERR() or ERRF(), which put file, line
 * and an optional message into a ring (per CPU); everybody above passes the code on.
 *
 *	if (len < sizeof(*h))
 *		return ERRF(E_FORMAT, "%s: truncated header (%zu of %zu bytes)", name, len,
 *			    sizeof(*h));
 *
 * Messages say what, where and what to do, without a final full stop or newline.
 */
#pragma once

#include "kernel/base/types.h"

typedef enum must_check err {
#define ERR_ROW(name, text, status) name,
#include "kernel/base/err.def"
#undef ERR_ROW
	ERR_COUNT
} err_t;

struct err_record {
	err_t code;
	u32 line;
	const char *file;
	ns_t when;
	char text[168];		/* "" when born by ERR() */
};

/* Note a failure and return @code, which must not be OK. */
#define ERR(code)		err_note((code), __FILE__, __LINE__)
#define ERRF(code, ...)		err_notef((code), __FILE__, __LINE__, __VA_ARGS__)

err_t err_note(err_t code, const char *file, u32 line);
err_t err_notef(err_t code, const char *file, u32 line, const char *fmt, ...) printf_like(4, 5);

const char *err_name(err_t code);	/* "E_NOMEM" */
/* The newest message of this CPU if it has this code, else the generic text. */
const char *err_text(err_t code);
int err_status(err_t code);		/* exit status of the hosted program */

/* The @back-th newest record of this CPU (0 = newest), or NULL. */
const struct err_record *err_recent(u32 back);
