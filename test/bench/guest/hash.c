/* A dictionary: strings in an open-addressing table of a few MiB, found by FNV-1a. */
#include "test/bench/guest/bench.h"

#define SLOTS	(1 << 17)		/* a power of two, at most 3/4 full */
#define WORDS	(SLOTS / 2)
#define WORD	16
#define ROUNDS	120

static struct slot {
	u64 hash;			/* 0: empty */
	u32 word;
	u32 count;
} slots[SLOTS];
static char words[WORDS][WORD];
static u32 words_count;

static u64 fnv1a(const char *s)
{
	u64 h = 0xcbf29ce484222325;

	for (; *s; s++)
		h = (h ^ (u8)*s) * 0x100000001b3;
	return h | 1;
}

static struct slot *slot_find(const char *s, u64 hash)
{
	u32 i = (hash ^ hash >> 32) & (SLOTS - 1);

	while (slots[i].hash && (slots[i].hash != hash || strcmp(words[slots[i].word], s)))
		i = (i + 1) & (SLOTS - 1);
	return &slots[i];
}

static void word_make(char *s, u64 n)
{
	int i = 0;

	do {
		s[i++] = 'a' + n % 26;
		n /= 26;
	} while (n);
	s[i] = 0;
}

static void word_count(const char *s)
{
	u64 hash = fnv1a(s);
	struct slot *slot = slot_find(s, hash);

	if (!slot->hash) {
		if (words_count == WORDS)
			return;
		slot->hash = hash;
		slot->word = words_count;
		strcpy(words[words_count++], s);
	}
	slot->count++;
}

u64 bench_hash(void)
{
	u64 seed = 2, sum = 0;
	char s[WORD];

	memset(slots, 0, sizeof(slots));
	words_count = 0;
	for (int i = 0; i < ROUNDS * WORDS; i++) {
		word_make(s, bench_random(&seed) >> 20 & (2 * WORDS - 1));
		word_count(s);
	}
	for (int i = 0; i < SLOTS; i++)
		if (slots[i].hash)
			sum = bench_mix(sum, slots[i].hash + slots[i].count);
	return sum;
}
