/*
 * Interrupts in the process: a host interrupt number is a file descriptor, and it "fires"
 * when the descriptor becomes readable. One thread waits for all of them and calls their
 * handlers, which by contract only raise flags; so it makes no difference to the CPUs
 * whether they are busy or asleep, and there is nothing to mask.
 *
 * Edge triggered: a handler fires once for each arrival of data, not as long as some is
 * there. The thread needs no CPU of its own in cpus[]; cpu_self is NULL on it.
 */
#include "arch/irq.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"

#define IRQ_MAX 128

static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;	/* held while a handler runs */
static struct irq_slot {
	void (*raise)(void *arg);	/* NULL: free */
	void *arg;
	int fd;
} slots[IRQ_MAX];
static int epoll = -1;

static void *irq_thread(void *arg)
{
	struct epoll_event events[16];

	for (;;) {
		int n = epoll_wait(epoll, events, ARRAY_LEN(events), -1);

		pthread_mutex_lock(&slots_lock);
		for (int i = 0; i < n; i++) {
			struct irq_slot *s = &slots[events[i].data.u32];

			if (s->raise)
				s->raise(s->arg);
		}
		pthread_mutex_unlock(&slots_lock);
	}
	return NULL;
}

/* Lock held. The thread takes no signals: they are for those that have a signal stack. */
static err_t irq_thread_start(void)
{
	sigset_t all, old;
	pthread_t thread;
	int e;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return ERRF(E_IO, "epoll_create1: %s", hosted_strerror(errno));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(&thread, NULL, irq_thread, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e)
		return ERRF(E_NOMEM, "interrupt thread: %s", hosted_strerror(e));
	pthread_detach(thread);
	return OK;
}

/* Lock held. */
static err_t irq_bind(int fd, void (*raise)(void *arg), void *arg)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	u32 i = 0;
	err_t e;

	if (epoll < 0 && (e = irq_thread_start()) != OK)
		return e;
	while (i < IRQ_MAX && slots[i].raise)
		i++;
	if (i == IRQ_MAX)
		return ERRF(E_RANGE, "more than %d interrupt sources", IRQ_MAX);
	slots[i] = (struct irq_slot){ raise, arg, fd };
	event.data.u32 = i;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return OK;
	if (errno == EPERM) {		/* a regular file: always readable, so it fires now */
		raise(arg);
		return OK;
	}
	slots[i].raise = NULL;
	return ERRF(E_IO, "cannot wait for descriptor %d: %s", fd, hosted_strerror(errno));
}

err_t arch_irq_bind(irq_t irq, void (*raise)(void *arg), void *arg)
{
	err_t e;

	pthread_mutex_lock(&slots_lock);
	e = irq_bind((int)irq, raise, arg);
	pthread_mutex_unlock(&slots_lock);
	return e;
}

/* After return the handler does not run any more. */
void arch_irq_unbind(irq_t irq)
{
	pthread_mutex_lock(&slots_lock);
	for (u32 i = 0; i < IRQ_MAX; i++) {
		if (slots[i].raise && slots[i].fd == (int)irq) {
			epoll_ctl(epoll, EPOLL_CTL_DEL, (int)irq, NULL);
			slots[i].raise = NULL;
		}
	}
	pthread_mutex_unlock(&slots_lock);
}

void arch_irq_enable(void)
{
}

void arch_irq_disable(void)
{
}
