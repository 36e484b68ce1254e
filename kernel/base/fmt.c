/*
 * The formatter behind sink_printf() and fmt_buf(). One pass over the format; a conversion
 * is first parsed into a struct spec, then its digits are made, then it is padded.
 * C17 7.21.6.1 for the subset that fmt.h names; an unknown conversion prints itself.
 */
#include "kernel/base/fmt.h"

#include "kernel/base/str.h"

struct spec {
	bool left, zero, plus, alt;
	bool has_precision;
	u32 width, precision;
	enum { LEN_CHAR, LEN_SHORT, LEN_INT, LEN_LONG } len;
};

void sink_write(struct sink *s, const char *text, size_t len)
{
	if (len)
		s->write(s, text, len);
}

void sink_puts(struct sink *s, const char *text)
{
	sink_write(s, text, str_len(text));
}

static void sink_repeat(struct sink *s, char c, u32 count)
{
	char chunk[32];

	memset(chunk, c, sizeof(chunk));
	for (u32 n; count; count -= n) {
		n = MIN(count, (u32)sizeof(chunk));
		s->write(s, chunk, n);
	}
}

/* Sign or base prefix, zeros, body: padded to the width on the side that the flags say. */
static void sink_padded(struct sink *s, const struct spec *f, const char *prefix, u32 zeros,
			const char *body, size_t len)
{
	size_t used = str_len(prefix) + zeros + len;
	u32 pad = f->width > used ? f->width - (u32)used : 0;

	if (!f->left)
		sink_repeat(s, ' ', pad);
	sink_puts(s, prefix);
	sink_repeat(s, '0', zeros);
	sink_write(s, body, len);
	if (f->left)
		sink_repeat(s, ' ', pad);
}

static void sink_number(struct sink *s, const struct spec *f, const char *prefix, u64 v, u32 base,
			const char *digits)
{
	char buf[24];
	u32 len = 0, zeros = 0, used;

	for (; v; v /= base)
		buf[sizeof(buf) - ++len] = digits[v % base];
	if (!f->has_precision && len == 0)
		buf[sizeof(buf) - ++len] = '0';
	if (f->has_precision)
		zeros = f->precision > len ? f->precision - len : 0;
	used = (u32)str_len(prefix) + len;
	if (f->zero && !f->left && !f->has_precision && f->width > used)
		zeros = f->width - used;
	sink_padded(s, f, prefix, zeros, buf + sizeof(buf) - len, len);
}

static void sink_string(struct sink *s, const struct spec *f, const char *text)
{
	size_t len = 0, max = f->has_precision ? f->precision : SIZE_MAX;

	if (!text)
		text = "(null)";
	while (len < max && text[len])
		len++;
	sink_padded(s, f, "", 0, text, len);
}

static u32 parse_decimal(const char **p)
{
	u32 v = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		v = MIN(v * 10 + (u32)(**p - '0'), 100000u);
	return v;
}

/* va_list by pointer: it must advance in the caller as well. */
struct args {
	va_list ap;
};

static void parse_width(struct spec *f, const char **p, struct args *a)
{
	if (**p != '*') {
		f->width = parse_decimal(p);
		return;
	}
	int w = va_arg(a->ap, int);

	f->left |= w < 0;
	f->width = w < 0 ? -(u32)w : (u32)w;
	++*p;
}

static void parse_precision(struct spec *f, const char **p, struct args *a)
{
	if (**p != '.')
		return;
	f->has_precision = true;
	if (*++*p != '*') {
		f->precision = parse_decimal(p);
		return;
	}
	int n = va_arg(a->ap, int);

	f->has_precision = n >= 0;	/* a negative one counts as none */
	f->precision = n >= 0 ? (u32)n : 0;
	++*p;
}

static void parse_spec(struct spec *f, const char **p, struct args *a)
{
	for (;; ++*p) {
		if (**p == '-')
			f->left = true;
		else if (**p == '0')
			f->zero = true;
		else if (**p == '+')
			f->plus = true;
		else if (**p == '#')
			f->alt = true;
		else
			break;
	}
	parse_width(f, p, a);
	parse_precision(f, p, a);
	f->len = LEN_INT;
	for (;; ++*p) {
		if (**p == 'h')
			f->len = f->len == LEN_SHORT ? LEN_CHAR : LEN_SHORT;
		else if (**p == 'l' || **p == 'z')
			f->len = LEN_LONG;
		else
			break;
	}
}

static s64 arg_signed(const struct spec *f, struct args *a)
{
	switch (f->len) {
	case LEN_CHAR:	return (signed char)va_arg(a->ap, int);
	case LEN_SHORT:	return (short)va_arg(a->ap, int);
	case LEN_INT:	return va_arg(a->ap, int);
	case LEN_LONG:	return va_arg(a->ap, long);
	}
	return 0;
}

static u64 arg_unsigned(const struct spec *f, struct args *a)
{
	switch (f->len) {
	case LEN_CHAR:	return (unsigned char)va_arg(a->ap, unsigned);
	case LEN_SHORT:	return (unsigned short)va_arg(a->ap, unsigned);
	case LEN_INT:	return va_arg(a->ap, unsigned);
	case LEN_LONG:	return va_arg(a->ap, unsigned long);
	}
	return 0;
}

static void sink_conversion(struct sink *s, struct spec *f, char conv, struct args *a)
{
	const char *lower = "0123456789abcdef", *upper = "0123456789ABCDEF";
	s64 v;
	u64 u;
	char c;

	switch (conv) {
	case 'd':
	case 'i':
		v = arg_signed(f, a);
		sink_number(s, f, v < 0 ? "-" : f->plus ? "+" : "", v < 0 ? -(u64)v : (u64)v, 10,
			    lower);
		break;
	case 'u':
		sink_number(s, f, "", arg_unsigned(f, a), 10, lower);
		break;
	case 'x':
	case 'X':
		u = arg_unsigned(f, a);
		sink_number(s, f, !f->alt || !u ? "" : conv == 'x' ? "0x" : "0X", u, 16,
			    conv == 'x' ? lower : upper);
		break;
	case 'p':
		sink_number(s, f, "0x", (uptr)va_arg(a->ap, void *), 16, lower);
		break;
	case 'c':
		c = (char)va_arg(a->ap, int);
		sink_padded(s, f, "", 0, &c, 1);
		break;
	case 's':
		sink_string(s, f, va_arg(a->ap, const char *));
		break;
	default:
		sink_write(s, "%", 1);
		if (conv != '%')
			sink_write(s, &conv, conv != '\0');
	}
}

void sink_vprintf(struct sink *s, const char *fmt, va_list ap)
{
	struct args a;

	va_copy(a.ap, ap);
	while (*fmt) {
		const char *p = fmt;
		struct spec f = { 0 };

		while (*p && *p != '%')
			p++;
		sink_write(s, fmt, (size_t)(p - fmt));
		if (*p == '\0')
			break;
		p++;
		parse_spec(&f, &p, &a);
		sink_conversion(s, &f, *p, &a);
		fmt = *p ? p + 1 : p;
	}
	va_end(a.ap);
}

void sink_printf(struct sink *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sink_vprintf(s, fmt, ap);
	va_end(ap);
}

static void buf_write(struct sink *s, const char *text, size_t len)
{
	struct sink_buf *b = container_of(s, struct sink_buf, sink);

	if (b->len + 1 < b->cap) {
		size_t n = MIN(len, b->cap - 1 - b->len);

		memcpy(b->buf + b->len, text, n);
		b->buf[b->len + n] = '\0';
	}
	b->len += len;
}

struct sink_buf sink_buf_init(char *buf, size_t cap)
{
	if (cap)
		buf[0] = '\0';
	return (struct sink_buf){ .sink = { buf_write }, .buf = buf, .cap = cap };
}

size_t fmt_buf(char *buf, size_t cap, const char *fmt, ...)
{
	struct sink_buf b = sink_buf_init(buf, cap);
	va_list ap;

	va_start(ap, fmt);
	sink_vprintf(&b.sink, fmt, ap);
	va_end(ap);
	return b.len;
}
