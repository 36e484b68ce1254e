/*
 * Code watch: what the rings tell, what becomes data, and the order of events between threads: who
 * learns that a page is watched must also learn of the entry by which others are to have followed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "arch/hosted/hosted.h"
#include "kernel/base/cpu.h"
#include "kernel/base/page.h"
#include "mmu/space.h"
#include "mmu/tuning.h"

#define RAM	0x80000000ull
#define PAGES	8
#define AT(n)	(RAM + (n) * PAGE_SIZE)

static u8 memory[PAGES * PAGE_SIZE] aligned_to(4096);
static u8 heap_memory[MIB(8)] aligned_to(4096);
static struct space s;
static const struct range *r;

static int open_space(void **state)
{
	(void)state;
	assert_int_equal(space_init(&s), OK);
	assert_int_equal(space_map_ram(&s, RAM, sizeof(memory), memory, "ram"), OK);
	r = space_find(&s, RAM);
	return 0;
}

static int close_space(void **state)
{
	(void)state;
	space_fini(&s);
	return 0;
}

static u64 watch(u32 n)
{
	u64 since;

	assert_true(watch_begin(&s, AT(n) + 123, &since));
	return since;
}

static void rings_tell_each_event_once(void **state)
{
	gpa_t page;

	(void)state;
	assert_int_equal(watch(1), 1);
	assert_int_equal(watch(1), 1);			/* it is watched already */
	assert_true(watch_entry(&s.watch, false, 0, &page));
	assert_int_equal(page, AT(1) | 1);		/* for the first time */
	range_mark_dirty(r, AT(1) + 5);
	range_mark_dirty(r, AT(1) + 6);			/* nobody watches any more */
	range_mark_dirty(r, AT(2));
	assert_int_equal(s.watch.written, 1);
	assert_true(watch_entry(&s.watch, true, 0, &page));
	assert_int_equal(page, AT(1));
	assert_int_equal(watch(1), 2);
	assert_true(watch_entry(&s.watch, false, 1, &page));
	assert_int_equal(page, AT(1));			/* not the first time */
}

static void rings_overflow(void **state)
{
	gpa_t page;

	(void)state;
	for (u32 i = 0; i <= mmu_tuning.watch_ring; i++) {
		watch(i % PAGES);
		range_mark_dirty(r, AT(i % PAGES));
	}
	assert_false(watch_entry(&s.watch, false, 0, &page));
	assert_false(watch_entry(&s.watch, true, 0, &page));
	assert_true(watch_entry(&s.watch, false, 1, &page));
	assert_int_equal(page & PAGE_MASK, AT(1));
}

static void writers_of_code_and_of_data(void **state)
{
	(void)state;
	assert_false(watch_grant(r, AT(1)));		/* never held code */
	watch(1);
	assert_true(watch_grant(r, AT(1)));
	assert_int_equal(s.watch.written, 1);
	assert_false(watch_grant(r, AT(1)));		/* written twice: data */
	assert_int_equal(range_watch_state(r, AT(1)), 0);
	watch(1);
	assert_true(s.watch.watched_page[1 % mmu_tuning.watch_ring] & 1);	/* look for all */
}

static void no_ram_no_watch(void **state)
{
	static u8 rom[PAGE_SIZE] aligned_to(4096);
	u64 since;

	(void)state;
	assert_int_equal(space_map_rom(&s, 0, PAGE_SIZE, rom, "rom"), OK);
	r = space_find(&s, RAM);
	assert_false(watch_begin(&s, 0, &since));
	assert_false(watch_begin(&s, 0x5000, &since));
	assert_false(watch_begin(&s, AT(PAGES), &since));
}

static void who_must_have_followed(void **state)
{
	_Atomic bool in[2] = { true, true };
	struct watch_member m[2] = { 0 };
	u64 since;

	(void)state;
	watch_join(&s, &m[0], &in[0]);
	watch_join(&s, &m[1], &in[1]);
	since = watch(3);
	assert_false(watch_settled(&s, &m[0], since));
	atomic_store(&m[1].seen, since);
	assert_true(watch_settled(&s, &m[0], since));
	assert_false(watch_settled(&s, &m[1], since));
	in[0] = false;
	assert_true(watch_settled(&s, &m[1], since));
	watch_part(&s, &m[0]);
	in[0] = true;
	assert_true(watch_settled(&s, &m[1], since));
	watch_part(&s, &m[1]);
}

/* ---- between threads ---- */

static _Atomic bool stop;

static void *watch_and_write(void *arg)
{
	u64 since;

	hosted_cpu_attach(1);
	while (!atomic_load(&stop)) {
		watch_begin(&s, AT(1), &since);
		range_mark_dirty(r, AT(1));
	}
	return arg;
}

/*
 * Entries for page 1 and their ends alternate. Between the answer to watch_begin() and the number
 * of ends a moment later: each watch that was on then has an entry below @since.
 */
static void an_answer_covers_the_entry(void **state)
{
	pthread_t thread;

	(void)state;
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, watch_and_write, NULL), 0);
	for (u32 i = 0; i < 300000; i++) {
		u64 ended = atomic_load(&s.watch.written), since;

		/* @ended watches have ended, so the one that is on now is at least the next */
		assert_true(watch_begin(&s, AT(1), &since));
		assert_true(since > ended);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
}

static int setup(void **state)
{
	(void)state;
	page_add_range(heap_memory, sizeof(heap_memory), 0);
	cpu_count = 2;
	hosted_cpu_attach(0);
	return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_space, close_space)
	const struct CMUnitTest tests[] = {
		T(rings_tell_each_event_once), T(rings_overflow), T(writers_of_code_and_of_data),
		T(no_ram_no_watch), T(who_must_have_followed), T(an_answer_covers_the_entry),
	};

	return cmocka_run_group_tests_name("mmu/watch", tests, setup, NULL);
}
