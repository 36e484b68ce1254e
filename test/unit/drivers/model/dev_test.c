/* The life of a device, with a model made for the test. */
#include "test/unit/drivers/model/bench.h"

struct toy {
	u8 small;
	u64 big, list[3];
};

static u32 resets, detaches;
static err_t attach_result;
static struct { u64 off, val; u32 len; } last;

static const struct field toy_fields[] = {
	FIELD(struct toy, small),
	FIELD(struct toy, big),
	FIELD_ARRAY(struct toy, list),
	{ NULL },
};

static err_t toy_attach(struct dev *d)
{
	struct toy *t = d->state;

	assert_int_equal(t->big, 0);
	return attach_result;
}

static void toy_detach(struct dev *d)
{
	detaches++;
}

static void toy_reset(struct dev *d)
{
	struct toy *t = d->state;

	assert_false(lock_try(d->lock));
	t->small = 7;
	resets++;
}

static u64 toy_read(struct dev *d, u64 off, u32 len)
{
	assert_false(lock_try(d->lock));
	return 0x1122334455667788;
}

static void toy_write(struct dev *d, u64 off, u32 len, u64 val)
{
	last.off = off;
	last.len = len;
	last.val = val;
}

static const struct model toy_model = {
	.name = "toy", .state_size = sizeof(struct toy), .fields = toy_fields, .attach = toy_attach,
	.detach = toy_detach, .reset = toy_reset, .read = toy_read, .write = toy_write,
};

static struct dev d;

static int setup(void **state)
{
	bench_open();
	resets = detaches = 0;
	attach_result = OK;
	d = bench_dev(&toy_model, 0x1000);
	return 0;
}

static int teardown(void **state)
{
	bench_close();
	return 0;
}

static void life(void **state)
{
	u64 before = heap_stats().count;

	assert_int_equal(dev_create(&d), OK);
	assert_int_equal(resets, 1);
	assert_non_null(space_find(&bench_space, d.base));
	dev_reset(&d);
	assert_int_equal(resets, 2);
	dev_destroy(&d);
	assert_int_equal(detaches, 1);
	assert_null(space_find(&bench_space, d.base));
	assert_int_equal(heap_stats().count, before);
	dev_destroy(&d);	/* a second time is harmless */
	assert_int_equal(detaches, 1);
}

static void values_are_cut_to_the_access(void **state)
{
	assert_int_equal(dev_create(&d), OK);
	assert_int_equal(bench_read(&d, 0, 1), 0x88);
	assert_int_equal(bench_read(&d, 0, 2), 0x7788);
	assert_int_equal(bench_read(&d, 0, 4), 0x55667788);
	assert_int_equal(bench_read(&d, 0, 8), 0x1122334455667788);
	bench_write(&d, 3, 2, 0xdeadbeef);
	assert_int_equal(last.off, 3);
	assert_int_equal(last.len, 2);
	assert_int_equal(last.val, 0xbeef);
	dev_destroy(&d);
}

static void failures_leave_nothing_behind(void **state)
{
	u64 before = heap_stats().count;
	struct dev twin;

	attach_result = E_INVAL;
	assert_int_equal(dev_create(&d), E_INVAL);
	assert_int_equal(detaches, 0);
	attach_result = OK;
	assert_int_equal(dev_create(&d), OK);
	twin = bench_dev(&toy_model, 0x1000);
	assert_int_equal(dev_create(&twin), E_EXIST);
	assert_int_equal(detaches, 1);
	assert_null(twin.state);
	dev_destroy(&d);
	heap_fail_after(1);
	assert_int_equal(dev_create(&d), E_NOMEM);
	heap_fail_after(0);
	assert_int_equal(heap_stats().count, before);
}

static void print(void **state)
{
	char text[256];
	struct sink_buf to = sink_buf_init(text, sizeof(text));
	struct toy *t;

	assert_int_equal(dev_create(&d), OK);
	dev_print(&d, &to.sink);
	assert_string_equal(text, "dut toy at 0x10000000\n  small 0x7\n  big 0x0\n  list all 0\n");
	t = d.state;
	t->list[1] = 0xabc;
	to = sink_buf_init(text, sizeof(text));
	dev_print(&d, &to.sink);
	assert_non_null(strstr(text, "  list [1]=0xabc\n"));
	dev_destroy(&d);
}

/* Every model of models.def: complete, and its fields lie inside its state. */
static void models_are_sound(void **state)
{
	static const struct model *const all[] = {
#define MODEL_ROW(sym) &sym##_model,
#include "drivers/model/models.def"
#undef MODEL_ROW
	};

	for (u32 i = 0; i < ARRAY_LEN(all); i++) {
		const struct model *m = all[i];

		assert_true(m->name && m->compatible && m->attach && m->reset && m->read &&
			    m->write);
		for (const struct field *f = m->fields; f->name; f++) {
			assert_true(f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8);
			assert_true(f->offset + f->size * f->count <= m->state_size);
		}
	}
}

static void ports_beside_memory(void **state)
{
	static const struct dev_pio pio[] = { { 0x3f8, 8, 0x100 }, { 0x60, 1, 0 }, { 0 } };
	static const struct dev_pio clash[] = { { 0x80, 1, 0 }, { 0x60, 1, 0 }, { 0 } };
	char text[256];
	struct sink_buf to = sink_buf_init(text, sizeof(text));
	struct ports ports;
	struct dev other;

	ports_init(&ports);
	d.ports = &ports;
	d.pio = pio;
	assert_int_equal(dev_create(&d), OK);
	assert_int_equal(ports_read(&ports, 0x3fc, 2), 0x7788);
	dev_print(&d, &to.sink);
	assert_non_null(strstr(text, "dut toy at 0x10000000 port 0x3f8 port 0x60\n"));
	ports_write(&ports, 0x3fc, 1, 0x1234);
	assert_int_equal(last.off, 0x104);
	assert_int_equal(last.val, 0x34);
	other = bench_dev(&toy_model, 0);
	other.ports = &ports;
	other.pio = clash;
	assert_int_equal(dev_create(&other), E_EXIST);
	assert_int_equal(ports.count, 2);
	dev_destroy(&d);
	assert_int_equal(ports.count, 0);
	assert_int_equal(dev_create(&other), OK);
	assert_int_equal(bench_space.count, 1);
	dev_destroy(&other);
	ports_fini(&ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(life, setup, teardown),
		cmocka_unit_test_setup_teardown(values_are_cut_to_the_access, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_leave_nothing_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(print, setup, teardown),
		cmocka_unit_test_setup_teardown(ports_beside_memory, setup, teardown),
		cmocka_unit_test(models_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
