/*
 * migrate: 400 queues are guarded by mutexes. While the process runs they go
 * over, one by one, to semaphores: one closed, one opened. Healthy.
 */
#include "rt.h"

enum { OLD, NEW, MESSAGE };

static struct tally tallies[] = {
	[OLD]     = {"Mutant", "OpenQueue", "struct queue", 0, 0, 0},
	[NEW]     = {"Semaphore", "ConvertQueue", "struct queue", 0, 0, 0},
	[MESSAGE] = {"Event", "Send", "struct message", 0, 0, 0},
};

enum { QUEUES = 400 };

struct queue { struct queue *next; HANDLE guard; DWORD length; BOOL converted; };
struct message { struct queue *queue; HANDLE taken; };

static struct queue *queues, *unconverted;

static void OpenQueue(void)
{
	struct queue *q = rt_alloc(sizeof *q);

	q->guard = rt_opened(&tallies[OLD], CreateMutexW(NULL, FALSE, NULL));
	q->next = queues;
	queues = q;
}

static void OpenAll(void *p)
{
	int i;

	(void)p;
	for (i = 0; i < QUEUES; i++)
		OpenQueue();
	unconverted = queues;
}

static void ConvertQueue(void *p)
{
	struct queue *q = unconverted;

	(void)p;
	if (!q)
		return;
	rt_close(&tallies[OLD], q->guard);
	q->guard = rt_opened(&tallies[NEW], CreateSemaphoreW(NULL, 1, 1, NULL));
	q->converted = TRUE;
	unconverted = q->next;
	rt_later(rt_random(3), ConvertQueue, NULL);
}

static void Taken(void *p)
{
	struct message *m = p;

	m->queue->length--;
	rt_close(&tallies[MESSAGE], m->taken);
	rt_free(m);
}

static void Send(void)
{
	struct message *m = rt_alloc(sizeof *m);
	DWORD n = rt_random(QUEUES);

	for (m->queue = queues; n--; m->queue = m->queue->next)
		;
	m->queue->length++;
	m->taken = rt_opened(&tallies[MESSAGE], CreateEventW(NULL, TRUE, FALSE, NULL));
	rt_later(1 + rt_random(20), Taken, m);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 3, 6};
	int i;

	rt_start(&p);
	rt_run(OpenAll, NULL);
	rt_load(60, 180, Send);
	rt_run(ConvertQueue, NULL);
	for (i = 0; i < 5; i++) {
		rt_load(120, 180, Send);
		rt_dump();
	}
	return 0;
}
