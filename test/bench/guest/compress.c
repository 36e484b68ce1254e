/*
 * A compressor in the manner of LZMA, in miniature: matches found through hash chains, flags,
 * literals, lengths and distances coded bit by bit with adaptive probabilities by a carryless range
 * coder. It compresses generated text, decompresses it and compares.
 */
#include "test/bench/guest/bench.h"

#define SIZE		(1 << 18)
#define HASH_BITS	14
#define CHAIN		12		/* candidates looked at */
#define MATCH_MIN	4
#define MATCH_MAX	(MATCH_MIN + 255)
#define ROUNDS		10

static u8 text[SIZE], packed[SIZE * 2], unpacked[SIZE];
static int head[1 << HASH_BITS], previous[SIZE];

/* ---- range coder: 12-bit probabilities that the next bit is 1 ---- */

static struct coder {
	u32 low, high, code;
	u8 *at;
} coder;

static struct model {
	uint16_t match[2], literal[256][256], length[256], far[256], near[256][256];
} model;

static void model_init(void)
{
	uint16_t *p = (uint16_t *)&model;

	for (size_t i = 0; i < sizeof(model) / sizeof(*p); i++)
		p[i] = 2048;
}

static u32 coder_split(const uint16_t *p)
{
	return coder.low + ((coder.high - coder.low) >> 12) * *p;
}

static void coder_narrow(uint16_t *p, u32 split, int bit)
{
	if (bit) {
		coder.high = split;
		*p += (4096 - *p) >> 5;
	} else {
		coder.low = split + 1;
		*p -= *p >> 5;
	}
}

static void bit_encode(uint16_t *p, int bit)
{
	coder_narrow(p, coder_split(p), bit);
	while (!((coder.low ^ coder.high) >> 24)) {
		*coder.at++ = coder.high >> 24;
		coder.low <<= 8;
		coder.high = coder.high << 8 | 255;
	}
}

static int bit_decode(uint16_t *p)
{
	u32 split = coder_split(p);
	int bit = coder.code <= split;

	coder_narrow(p, split, bit);
	while (!((coder.low ^ coder.high) >> 24)) {
		coder.low <<= 8;
		coder.high = coder.high << 8 | 255;
		coder.code = coder.code << 8 | *coder.at++;
	}
	return bit;
}

static void byte_encode(uint16_t *tree, u8 value)
{
	for (int i = 7, node = 1; i >= 0; i--) {
		int bit = value >> i & 1;

		bit_encode(&tree[node], bit);
		node = node * 2 + bit;
	}
}

static u8 byte_decode(uint16_t *tree)
{
	int node = 1;

	while (node < 256)
		node = node * 2 + bit_decode(&tree[node]);
	return node;
}

/* ---- matches ---- */

static u32 hash_at(const u8 *s)
{
	u32 word;

	memcpy(&word, s, sizeof(word));
	return word * 2654435761u >> (32 - HASH_BITS);
}

static void chain_add(int at)
{
	if (at + MATCH_MIN <= SIZE) {
		u32 h = hash_at(text + at);

		previous[at] = head[h];
		head[h] = at;
	}
}

static int match_length(int a, int b)
{
	int n = 0;

	while (n < MATCH_MAX && b + n < SIZE && text[a + n] == text[b + n])
		n++;
	return n;
}

/* The longest match for what is at @at, 0 if there is none; where it is in *from. */
static int match_find(int at, int *from)
{
	int best = MATCH_MIN - 1;

	if (at + MATCH_MIN > SIZE)
		return 0;
	for (int n = 0, c = head[hash_at(text + at)]; n < CHAIN && c >= 0; n++, c = previous[c]) {
		int length = at - c < 65536 ? match_length(c, at) : 0;

		if (length > best) {
			best = length;
			*from = c;
		}
	}
	return best < MATCH_MIN ? 0 : best;
}

static long text_pack(void)
{
	int from = 0, length;

	memset(head, -1, sizeof(head));
	model_init();
	coder = (struct coder){ .high = 0xffffffff, .at = packed };
	for (int at = 0; at < SIZE; at += length) {
		length = match_find(at, &from);
		bit_encode(&model.match[0], length != 0);
		if (length) {
			byte_encode(model.length, length - MATCH_MIN);
			byte_encode(model.far, (at - from) >> 8);
			byte_encode(model.near[(at - from) >> 8], at - from);
		} else {
			byte_encode(model.literal[at ? text[at - 1] : 0], text[at]);
			length = 1;
		}
		for (int i = 0; i < length; i++)
			chain_add(at + i);
	}
	for (int i = 0; i < 4; i++, coder.low <<= 8)
		*coder.at++ = coder.low >> 24;
	return coder.at - packed;
}

static void text_unpack(void)
{
	int at = 0;

	model_init();
	coder = (struct coder){ .high = 0xffffffff, .at = packed };
	for (int i = 0; i < 4; i++)
		coder.code = coder.code << 8 | *coder.at++;
	while (at < SIZE) {
		if (bit_decode(&model.match[0])) {
			int length = byte_decode(model.length) + MATCH_MIN;
			int distance = byte_decode(model.far) << 8;

			distance |= byte_decode(model.near[distance >> 8]);
			for (; length; length--, at++)
				unpacked[at] = unpacked[at - distance];
		} else {
			unpacked[at] = byte_decode(model.literal[at ? unpacked[at - 1] : 0]);
			at++;
		}
	}
}

/* Words of a small language: short ones are frequent. */
static void text_make(u64 *seed)
{
	for (int at = 0; at < SIZE;) {
		u64 r = bench_random(seed), word = (r & 0x3ff) * (r >> 10 & 0x3ff) >> 10;
		u64 letters = word * 0x9e3779b97f4a7c15;

		for (u64 n = 2 + word % 8; n && at < SIZE; n--, letters >>= 5)
			text[at++] = 'a' + letters % 32 % 26;
		if (at < SIZE)
			text[at++] = ' ';
	}
}

u64 bench_compress(void)
{
	u64 seed = 3, sum = 0;

	for (int round = 0; round < ROUNDS; round++) {
		long length;

		text_make(&seed);
		length = text_pack();
		sum = bench_mix(sum, length);
		for (long i = 0; i < length; i++)
			sum = bench_mix(sum, packed[i]);
		text_unpack();
		if (memcmp(text, unpacked, SIZE))
			bench_die("compress: the text has changed");
	}
	return sum;
}
