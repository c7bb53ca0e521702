/*
 * rotator: 300 clients, each with one event and one timer. Both are replaced
 * every half hour or so, the new one opened before the old one is closed.
 * Healthy.
 */
#include "rt.h"

enum { TICKET, TIMER, AUDIT };

static struct tally tallies[] = {
	[TICKET] = {"Event", "NewTicket", "struct client", 0, 0, 0},
	[TIMER]  = {"Timer", "NewTicket", "struct client", 0, 0, 0},
	[AUDIT]  = {"File", "Audit", "local variable", 0, 0, 0},
};

enum { CLIENTS = 300 };

struct client { DWORD number; DWORD renewed; HANDLE ticket; HANDLE timer; };

static struct client *clients[CLIENTS];

static void NewTicket(HANDLE *ticket, HANDLE *timer)
{
	*ticket = rt_opened(&tallies[TICKET], CreateEventW(NULL, TRUE, FALSE, NULL));
	*timer = rt_opened(&tallies[TIMER], CreateWaitableTimerW(NULL, TRUE, NULL));
}

static void Renew(void *p)
{
	struct client *c = p;
	HANDLE ticket, timer;

	NewTicket(&ticket, &timer);
	if (c->ticket) {
		rt_close(&tallies[TICKET], c->ticket);
		rt_close(&tallies[TIMER], c->timer);
	}
	c->ticket = ticket;
	c->timer = timer;
	c->renewed = rt_minute();
	rt_later(15 + rt_random(30), Renew, c);
}

static void Admit(void *p)
{
	DWORD i;

	(void)p;
	for (i = 0; i < CLIENTS; i++) {
		clients[i] = rt_alloc(sizeof *clients[i]);
		clients[i]->number = i;
		Renew(clients[i]);
	}
}

static void Audit(void)
{
	HANDLE f = CreateFileW(L"C:\\app\\audit.log", GENERIC_WRITE, FILE_SHARE_READ, NULL, OPEN_ALWAYS, 0, NULL);

	rt_opened(&tallies[AUDIT], f);
	rt_close(&tallies[AUDIT], f);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 3, 3};
	int i;

	rt_start(&p);
	rt_run(Admit, NULL);
	for (i = 0; i < 4; i++) {
		rt_load(60, 120, Audit);
		rt_dump();
	}
	return 0;
}
