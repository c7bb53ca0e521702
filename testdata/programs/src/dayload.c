/* dayload: requests that rise until the afternoon and fall in the evening, as at any office. Healthy. */
#include "rt.h"
#include <stdio.h>

enum { REQUEST, UPLOAD, SESSION, LOOKUP };

static struct tally tallies[] = {
	[REQUEST] = {"Event", "BeginRequest", "struct request", 0, 0, 0},
	[UPLOAD]  = {"File", "BeginUpload", "struct request", 0, 0, 0},
	[SESSION] = {"Mutant", "SignOn", "struct session", 0, 0, 0},
	[LOOKUP]  = {"Key", "FindUser", "local variable", 0, 0, 0},
};

struct request { DWORD user; HANDLE done; HANDLE file; };
struct session { struct session *next; DWORD user; HANDLE lock; };

static struct session *sessions;

static void FindUser(void)
{
	HKEY key;

	rt_must(RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software\\Classes", 0, KEY_READ, &key) == 0, "FindUser");
	tallies[LOOKUP].opened++;
	RegCloseKey(key);
	tallies[LOOKUP].closed++;
}

static void EndRequest(void *p)
{
	struct request *r = p;

	if (r->file)
		rt_close(&tallies[UPLOAD], r->file);
	rt_close(&tallies[REQUEST], r->done);
	rt_free(r);
}

static HANDLE BeginUpload(DWORD user)
{
	WCHAR path[64];

	_snwprintf(path, ARRAYSIZE(path), L"C:\\app\\upload-%02u.tmp", user % 30);
	return rt_opened(&tallies[UPLOAD], CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL));
}

static void BeginRequest(DWORD user)
{
	struct request *r = rt_alloc(sizeof *r);

	FindUser();
	r->user = user;
	r->done = rt_opened(&tallies[REQUEST], CreateEventW(NULL, TRUE, FALSE, NULL));
	if (rt_random(4) == 0)
		r->file = BeginUpload(user);
	rt_later(1 + rt_random(20), EndRequest, r);
}

static void SignOff(void *p)
{
	struct session *s = p, **at = &sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	rt_close(&tallies[SESSION], s->lock);
	rt_free(s);
}

static void SignOn(DWORD user)
{
	struct session *s = rt_alloc(sizeof *s);

	s->user = user;
	s->lock = rt_opened(&tallies[SESSION], CreateMutexW(NULL, FALSE, NULL));
	s->next = sessions;
	sessions = s;
	rt_later(60 + rt_random(180), SignOff, s);
}

static void Work(void)
{
	DWORD user = rt_random(400);

	if (rt_random(12) == 0)
		SignOn(user);
	else
		BeginRequest(user);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 4, 6};
	/* Of every two hours from six in the morning on; dumped at the end of each. */
	static const DWORD rate[] = {60, 300, 520, 700, 330, 70};
	SIZE_T i;

	rt_start(&p);
	for (i = 0; i < ARRAYSIZE(rate); i++) {
		rt_load(120, rate[i], Work);
		rt_dump();
	}
	return 0;
}
