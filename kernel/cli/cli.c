/*
 * The command line of build/fvp: run, config check|dump, doctor, help, version. Every key of
 * config.def is an option of `run`. What a command answers goes to standard output, everything
 * else to standard error; a wrong command line is one line there and status 64.
 *
 * Only the hosted program has this folder.
 */
#include "arch/io.h"
#include "arch/smp.h"
#include "kernel/base/str.h"
#include "kernel/doctor.h"
#include "kernel/main.h"
#include "kernel/sched.h"

#define OPTIONS_MAX	64
#define DEFAULT_VM	"vm0"

struct options {
	const char *file, *vm;
	const char *key[OPTIONS_MAX], *value[OPTIONS_MAX];	/* configuration keys, in order */
	u32 keys;
	const char *word[4];					/* arguments that are no options */
	u32 words;
	u64 timeout;
	bool no_reboot, stats, monitor, json, help;
};

static struct config config;

static void out_write(struct sink *s, const char *text, size_t len)
{
	arch_stdout_write(text, len);
}

static void err_write(struct sink *s, const char *text, size_t len)
{
	arch_early_write(text, len);
}

static struct sink out = { out_write }, diagnostics = { err_write };

static int cli_fail(err_t e)
{
	sink_printf(&diagnostics, "fvp: %s\n", err_text(e));
	return err_status(e);
}

/* ---- help -------------------------------------------------------------------------------- */

static void help_keys(const struct config_key *keys)
{
	static const char *const wants[] = { "TEXT", "FILE", "WORD", "BOOL",
					     "N",    "SIZE", "TEXT", "FILE" };

	for (; keys->name; keys++)
		sink_printf(
			&out, "  --%-10s %-5s %s%s\n", keys->name, wants[keys->type], keys->help,
			keys->type == CONFIG_LIST || keys->type == CONFIG_FILES ? " (repeatable)" :
										  "");
}

static void cli_help(void)
{
	sink_puts(&out,
		"fvp run [-c FILE.toml] [--vm NAME] [options]   run virtual machines\n"
		"fvp config check|dump FILE.toml [--json]       check or print a configuration\n"
		"fvp doctor [-c FILE.toml] [--json]             what this machine supports\n"
		"fvp help | version\n"
		"\nOptions of run; with -c they change the VM chosen by --vm, or the only one:\n");
	help_keys(config_vm_keys);
	help_keys(config_host_keys);
	sink_puts(&out,
		  "  --timeout    N     end with status 5 after N seconds\n"
		  "  --no-reboot        end when the guest reboots, with status 1\n"
		  "  --stats            print instructions, exits and TLB figures at the end\n"
		  "  --monitor          begin in the monitor and stay when no VM runs\n"
		  "\nCtrl-A x leaves, Ctrl-A c toggles the monitor, Ctrl-A h lists the rest.\n"
		  "Exit status: 0 powered off, 1 rebooted, 2 halted or out of budget, 3 crashed, 4 "
		  "hypervisor\n"
		  "error, 5 timeout, 64 usage, 65 bad configuration, 66 file missing or "
		  "unreadable, 69 the host\n"
		  "lacks a feature, 70 internal error.\n");
}

/* ---- options ----------------------------------------------------------------------------- */

/* Options that are no configuration keys; a flag takes no value. */
static bool option_flag(struct options *o, const char *name)
{
	static const struct {
		const char *name;
		u32 offset;
	} flags[] = {
		{ "no-reboot", offsetof(struct options, no_reboot) },
		{ "stats", offsetof(struct options, stats) },
		{ "monitor", offsetof(struct options, monitor) },
		{ "json", offsetof(struct options, json) },
		{ "help", offsetof(struct options, help) },
	};

	for (u32 i = 0; i < ARRAY_LEN(flags); i++) {
		if (!str_eq(name, flags[i].name))
			continue;
		*(bool *)((char *)o + flags[i].offset) = true;
		return true;
	}
	return false;
}

static err_t option_value(struct options *o, const char *name, const char *value)
{
	if (!value)
		return ERRF(E_USAGE, "%s%s needs a value", name[1] ? "--" : "-", name);
	if (str_eq(name, "c") || str_eq(name, "config")) {
		o->file = value;
	} else if (str_eq(name, "vm")) {
		o->vm = value;
	} else if (str_eq(name, "timeout")) {
		if (!str_to_u64(value, &o->timeout) || !o->timeout || o->timeout > UINT32_MAX)
			return ERRF(E_USAGE, "--timeout wants a number of seconds, not \"%s\"",
				    value);
	} else {
		if (o->keys == OPTIONS_MAX)
			return ERRF(E_USAGE, "more than %d options", OPTIONS_MAX);
		o->key[o->keys] = name;
		o->value[o->keys++] = value;
	}
	return OK;
}

/* One argument, perhaps with the next one as its value; *i moves past what was used. */
static err_t option_parse(struct options *o, char **argv, int argc, int *i)
{
	char *arg = argv[(*i)++], *equals = arg;

	if (arg[0] != '-' || !arg[1]) {
		if (o->words == ARRAY_LEN(o->word))
			return ERRF(E_USAGE, "unexpected argument \"%s\"", arg);
		o->word[o->words++] = arg;
		return OK;
	}
	if (str_eq(arg, "-c"))
		return option_value(o, "c", *i < argc ? argv[(*i)++] : NULL);
	if (!str_starts(arg, "--"))
		return ERRF(E_USAGE, "unknown option %s; `fvp help` lists them", arg);
	while (*equals && *equals != '=')
		equals++;
	if (*equals) {
		*equals = '\0';
		return option_value(o, arg + 2, equals + 1);
	}
	if (option_flag(o, arg + 2))
		return OK;
	return option_value(o, arg + 2, *i < argc ? argv[(*i)++] : NULL);
}

static err_t options_parse(struct options *o, int argc, char **argv)
{
	err_t e = OK;

	for (int i = 0; i < argc && e == OK;)
		e = option_parse(o, argv, argc, &i);
	return e;
}

/* ---- configuration ----------------------------------------------------------------------- */

static err_t cli_load(const char *path)
{
	struct file f;
	err_t e = arch_file_open(path, &f);

	if (e != OK)
		return e;
	e = config_parse(&config, path, (const char *)f.data, f.len);
	arch_file_close(&f);
	return e;
}

/* The VM that options are about: NAME, or the only one, or a new one if there is no file. */
static err_t cli_pick_vm(const struct options *o, struct vm_config **vm)
{
	if (!o->file) {
		*vm = config_vm(&config, o->vm ? o->vm : DEFAULT_VM);
		return *vm ? OK : ERRF(E_USAGE, "--vm %s: not a VM's name", o->vm);
	}
	*vm = NULL;
	for (u32 i = 0; i < config.vms; i++)
		if (o->vm ? str_eq(config.vm[i].name, o->vm) : config.vms == 1)
			*vm = &config.vm[i];
	if (o->vm && !*vm)
		return ERRF(E_USAGE, "--vm %s: there is no [vm.%s] in %s", o->vm, o->vm, o->file);
	return OK;
}

static err_t cli_apply(const struct options *o, u32 i, struct vm_config *vm)
{
	bool of_host = config_key_find(config_host_keys, o->key[i]) != NULL;
	err_t e;

	if (!of_host && !vm && config_key_find(config_vm_keys, o->key[i]))
		return ERRF(E_USAGE, "--%s: for which VM? Say --vm NAME", o->key[i]);
	e = config_set(&config,
		       of_host ? NULL :
		       vm      ? vm :
				 config_vm(&config, DEFAULT_VM),
		       o->key[i], o->value[i]);
	if (e == OK)
		return OK;
	/* Bad values in a file are status 65, on the command line 64. */
	char text[128];

	str_copy(text, sizeof(text), err_text(e));
	return ERRF(E_USAGE, "--%s: %s", o->key[i], text);
}

static err_t cli_configure(const struct options *o)
{
	struct vm_config *vm;
	err_t e = config_init(&config);

	if (e == OK && o->file)
		e = cli_load(o->file);
	if (e == OK)
		e = cli_pick_vm(o, &vm);
	for (u32 i = 0; e == OK && i < o->keys; i++)
		e = cli_apply(o, i, vm);
	for (u32 i = 0; o->no_reboot && i < config.vms; i++)
		config.vm[i].restart = "never";
	return e;
}

/* ---- commands ---------------------------------------------------------------------------- */

static err_t no_words(const struct options *o)
{
	return o->words ? ERRF(E_USAGE, "unexpected argument \"%s\"", o->word[0]) : OK;
}

static int cli_run(const struct options *o)
{
	struct launch l = {
		.config = &config, .only = o->file ? o->vm : NULL, .process = true,
		.monitor = o->monitor, .stats = o->stats, .timeout = o->timeout * NS_PER_SEC,
	};
	err_t e = no_words(o);

	if (e == OK && !o->file && !o->keys && !o->monitor)
		e = ERRF(E_USAGE, "run what? Give -c FILE.toml, --kernel FILE or --firmware FILE");
	if (e == OK)
		e = cli_configure(o);
	if (e == OK && (o->file || o->keys))
		e = config_check(&config);
	if (e != OK)
		return cli_fail(e);
	if (!o->file && !o->keys)
		config.vms = 0;		/* only the monitor */
	kernel_launch(&l);
}

static int cli_config(const struct options *o)
{
	bool check = o->words == 2 && str_eq(o->word[0], "check");
	bool dump = o->words == 2 && str_eq(o->word[0], "dump");
	struct options load = { .file = check || dump ? o->word[1] : NULL };
	err_t e;

	if (!check && !dump)
		return cli_fail(ERRF(E_USAGE, "usage: fvp config check|dump FILE.toml [--json]"));
	e = cli_configure(&load);
	if (e == OK && check)
		e = config_check(&config);
	if (e != OK)
		return cli_fail(e);
	if (dump)
		config_dump(&config, &out, o->json);
	else
		sink_printf(&out, o->json ? "{\"config\":\"good\"}\n" : "%s: good\n", load.file);
	return 0;
}

static int cli_doctor(const struct options *o)
{
	struct options load = { .file = o->file };
	struct report r;
	err_t e = no_words(o);

	if (e == OK)
		e = cli_configure(&load);
	if (e == OK)
		e = arch_smp_start(sched_loop);	/* to know how many there are */
	if (e != OK)
		return cli_fail(e);
	if (!o->file)
		config.vms = 0;
	report_begin(&r, &out, o->json);
	doctor_report(&r, &config);
	report_end(&r);
	return 0;
}

static int cli_version(const struct options *o)
{
	sink_puts(&out, "FVP " FVP_VERSION "\n");
	return 0;
}

static int cli_help_command(const struct options *o)
{
	cli_help();
	return 0;
}

int cli_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct options *o);
	} commands[] = {
		{ "run", cli_run },
		{ "config", cli_config },
		{ "doctor", cli_doctor },
		{ "help", cli_help_command },
		{ "--help", cli_help_command },
		{ "-h", cli_help_command },
		{ "version", cli_version },
		{ "--version", cli_version },
	};
	static struct options o;
	err_t e;

	if (argc < 2)
		return cli_fail(ERRF(E_USAGE, "no command; `fvp help` lists them"));
	for (u32 i = 0; i < ARRAY_LEN(commands); i++) {
		if (!str_eq(argv[1], commands[i].name))
			continue;
		e = options_parse(&o, argc - 2, argv + 2);
		if (e != OK)
			return cli_fail(e);
		return o.help ? cli_help_command(&o) : commands[i].run(&o);
	}
	return cli_fail(ERRF(E_USAGE, "unknown command \"%s\"; `fvp help` lists them", argv[1]));
}
