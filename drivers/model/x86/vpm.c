/*
 * ACPI fixed hardware as in an ICH9: PM1a event and control blocks, the PM timer, GPE0, and the
 * port through which an operating system takes ACPI over from firmware. ACPI 6.5, section 4.8;
 * ICH9 data sheet, 13.8. The reset register 0xcf9 belongs to the PCI host bridge's model, whose
 * ports surround it.
 *
 * There is no SMM: the "SMI" of PM_ACPI_ENABLE takes effect at once. Of the sleeping states there
 * is S5 only; a request for another one is ignored.
 */
#include "drivers/model/x86/pc.h"

#include "kernel/base/log.h"
#include "kernel/base/str.h"
#include "kernel/base/timer.h"

#define BLOCK		0x80		/* bytes of registers at PM_BASE */
#define HALF		BIT(PM_TIMER_BITS - 1)	/* ticks between changes of the top bit */

enum { SMI_EN = 0x30, APM = 0xb2, APM_LEN = 2 };
enum { PM1_TMR = 1 << 0, PM1_GBL = 1 << 5, PM1_PWRBTN = 1 << 8, PM1_RTC = 1 << 10,
       PM1_WAK = 1 << 15, PM1_STATUS = PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_RTC | PM1_WAK,
       PM1_ENABLE = PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_RTC };
enum { CNT_SCI_EN = 1 << 0, CNT_SLP_TYP = 7 << 10, CNT_SLP_EN = 1 << 13,
       CNT_KEPT = CNT_SCI_EN | 1 << 1 | CNT_SLP_TYP };

struct vpm {
	u16 status, enable, control;
	u64 gpe_status, gpe_enable;
	u32 smi_enable;			/* memory only */
	u8 apm[APM_LEN];
	u64 halves;			/* of the timer's period, until which PM1_TMR is raised */
	/* not saved: follows from the above */
	struct timer timer;
	struct dev *dev;
};

static const struct field vpm_fields[] = {
	FIELD(struct vpm, status),
	FIELD(struct vpm, enable),
	FIELD(struct vpm, control),
	FIELD(struct vpm, gpe_status),
	FIELD(struct vpm, gpe_enable),
	FIELD(struct vpm, smi_enable),
	FIELD_ARRAY(struct vpm, apm),
	FIELD(struct vpm, halves),
	{ NULL },
};

static u64 pm_ticks(const struct dev *d)
{
	ns_t now = gclock_now(d->clock);

	return now / NS_PER_SEC * PM_HZ + now % NS_PER_SEC * PM_HZ / NS_PER_SEC;
}

/* The timer's top bit changes PM1_TMR; somebody who wants to know gets the SCI. */
static void pm_update(struct dev *d)
{
	struct vpm *p = d->state;
	u64 halves = pm_ticks(d) / HALF, next;

	if (halves != p->halves)
		p->status |= PM1_TMR;
	p->halves = halves;
	irq_set(&d->irq, p->control & CNT_SCI_EN &&
		(p->status & p->enable || p->gpe_status & p->gpe_enable));
	if (!(p->enable & ~p->status & PM1_TMR))
		return;
	next = (halves + 1) * HALF;
	gclock_arm(d->clock, &p->timer, next / PM_HZ * NS_PER_SEC +
		   (next % PM_HZ * NS_PER_SEC + PM_HZ - 1) / PM_HZ);
}

static void vpm_fire(struct timer *t)
{
	struct vpm *p = container_of(t, struct vpm, timer);

	lock_take(p->dev->lock);
	pm_update(p->dev);
	lock_drop(p->dev->lock);
}

void vpm_power_button(struct dev *d)
{
	struct vpm *p = d->state;

	lock_take(d->lock);
	p->status |= PM1_PWRBTN;
	pm_update(d);
	lock_drop(d->lock);
}

static u8 pm_get(const struct dev *d, u64 off)
{
	const struct vpm *p = d->state;

	switch (off) {
	case 0 ... 1: return (u8)(p->status >> 8 * off);
	case 2 ... 3: return (u8)(p->enable >> 8 * (off - 2));
	case 4 ... 5: return (u8)(p->control >> 8 * (off - 4));
	case PM_GPE0 ... PM_GPE0 + 7: return (u8)(p->gpe_status >> 8 * (off - PM_GPE0));
	case PM_GPE0 + 8 ... PM_GPE0 + 15:
		return (u8)(p->gpe_enable >> 8 * (off - PM_GPE0 - 8));
	case SMI_EN ... SMI_EN + 3: return (u8)(p->smi_enable >> 8 * (off - SMI_EN));
	case APM ... APM + APM_LEN - 1: return p->apm[off - APM];
	}
	return 0;
}

static u64 replace_byte(u64 old, u64 at, u8 val)
{
	return (old & ~(0xffull << 8 * at)) | (u64)val << 8 * at;
}

static void pm_sleep(struct dev *d)
{
	struct vpm *p = d->state;
	u32 type = BITS(p->control, 12, 10);

	if (type == PM_S5_TYPE)
		d->shutdown(d->vm, SHUTDOWN_POWEROFF, 0);
	else
		log_limited(LOG_DEBUG, "%s: sleep type %u ignored", d->name, type);
}

static void pm_write_apm(struct dev *d, u64 at, u8 val)
{
	struct vpm *p = d->state;

	p->apm[at] = val;
	if (at == 0 && val == PM_ACPI_ENABLE)
		p->control |= CNT_SCI_EN;
	if (at == 0 && val == PM_ACPI_DISABLE)
		p->control &= ~CNT_SCI_EN;
}

/* Status bits are cleared by writing ones. */
static void pm_put(struct dev *d, u64 off, u8 val)
{
	struct vpm *p = d->state;

	switch (off) {
	case 0 ... 1: p->status &= ~(u16)(val << 8 * off); break;
	case 2 ... 3: p->enable = replace_byte(p->enable, off - 2, val) & PM1_ENABLE; break;
	case 4: p->control = replace_byte(p->control, 0, val) & CNT_KEPT; break;
	case 5:
		p->control = replace_byte(p->control, 1, val) & CNT_KEPT;
		if (val & CNT_SLP_EN >> 8)
			pm_sleep(d);
		break;
	case PM_GPE0 ... PM_GPE0 + 7: p->gpe_status &= ~((u64)val << 8 * (off - PM_GPE0)); break;
	case PM_GPE0 + 8 ... PM_GPE0 + 15:
		p->gpe_enable = replace_byte(p->gpe_enable, off - PM_GPE0 - 8, val);
		break;
	case SMI_EN ... SMI_EN + 3:
		p->smi_enable = (u32)replace_byte(p->smi_enable, off - SMI_EN, val);
		break;
	case APM ... APM + APM_LEN - 1: pm_write_apm(d, off - APM, val); break;
	}
}

static u64 vpm_read(struct dev *d, u64 off, u32 len)
{
	u64 val = 0;

	if (off >= PM_TIMER && off < PM_TIMER + 4)
		return (pm_ticks(d) & MASK(PM_TIMER_BITS)) >> 8 * (off - PM_TIMER);
	pm_update(d);
	for (u32 i = 0; i < len; i++)
		val |= (u64)pm_get(d, off + i) << 8 * i;
	return val;
}

static void vpm_write(struct dev *d, u64 off, u32 len, u64 val)
{
	pm_update(d);
	for (u32 i = 0; i < len; i++)
		pm_put(d, off + i, (u8)(val >> 8 * i));
	pm_update(d);
}

static void vpm_reset(struct dev *d)
{
	struct vpm *p = d->state;

	p->status = p->enable = p->control = 0;
	p->gpe_status = p->gpe_enable = 0;
	p->smi_enable = 0;
	memset(p->apm, 0, sizeof(p->apm));
	p->halves = pm_ticks(d) / HALF;
	irq_set(&d->irq, false);
}

static err_t vpm_attach(struct dev *d)
{
	struct vpm *p = d->state;

	p->timer.fire = vpm_fire;
	p->dev = d;
	return d->shutdown ? OK : ERRF(E_INVAL, "%s: the board gave no way to shut down", d->name);
}

static void vpm_detach(struct dev *d)
{
	struct vpm *p = d->state;

	timer_cancel(&p->timer);
}

static const struct dev_pio vpm_pio[] = {
	{ PM_BASE, BLOCK, 0 }, { PM_SMI_PORT, APM_LEN, APM }, { 0 },
};

const struct model vpm_model = {
	.name = "vpm",
	.compatible = "intel,ich9-pm",
	.state_size = sizeof(struct vpm),
	.fields = vpm_fields,
	.pio = vpm_pio,
	.attach = vpm_attach,
	.detach = vpm_detach,
	.reset = vpm_reset,
	.read = vpm_read,
	.write = vpm_write,
};
