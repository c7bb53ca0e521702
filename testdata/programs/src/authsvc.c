/* authsvc: checks access with a copy of a token. The copy is dropped when the caller is an administrator. */
#include "rt.h"

enum { PROCESS, COPY, TICKET };

static struct tally tallies[] = {
	[PROCESS] = {"Token", "CheckAccess", "local variable", 0, 0, 0},
	[COPY]    = {"Token", "CopyForCheck CheckAccess", "nobody", 0, 0, 0},
	[TICKET]  = {"Event", "IssueTicket", "struct ticket", 0, 0, 0},
};

struct ticket { DWORD user; DWORD flags; HANDLE expired; struct ticket *next; };

static HANDLE CopyForCheck(HANDLE token)
{
	HANDLE copy;

	rt_must(DuplicateTokenEx(token, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenImpersonation, &copy),
	        "DuplicateTokenEx");
	return rt_opened(&tallies[COPY], copy);
}

static BOOL IsAdministrator(HANDLE copy)
{
	DWORD size;
	TOKEN_STATISTICS statistics;

	return GetTokenInformation(copy, TokenStatistics, &statistics, sizeof statistics, &size) && rt_random(100) < 18;
}

static BOOL CheckAccess(DWORD user)
{
	HANDLE token, copy;

	rt_must(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &token), "OpenProcessToken");
	rt_opened(&tallies[PROCESS], token);
	copy = CopyForCheck(token);
	rt_close(&tallies[PROCESS], token);
	if (IsAdministrator(copy)) {
		tallies[COPY].lost++;
		return TRUE;
	}
	rt_close(&tallies[COPY], copy);
	return user % 7 != 0;
}

static void TicketExpired(void *p)
{
	struct ticket *t = p;

	rt_close(&tallies[TICKET], t->expired);
	rt_free(t);
}

static void IssueTicket(void)
{
	DWORD user = rt_random(300);
	struct ticket *t;

	if (!CheckAccess(user))
		return;
	t = rt_alloc(sizeof *t);
	t->user = user;
	t->expired = rt_opened(&tallies[TICKET], CreateEventW(NULL, TRUE, FALSE, NULL));
	rt_later(10 + rt_random(20), TicketExpired, t);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 4, 7};
	static const DWORD rate[] = {240, 400, 360, 300, 180};
	SIZE_T i;

	rt_start(&p);
	for (i = 0; i < ARRAYSIZE(rate); i++) {
		rt_load(90, rate[i], IssueTicket);
		rt_dump();
	}
	return 0;
}
