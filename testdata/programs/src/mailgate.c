/*
 * mailgate: takes messages from a spool. A message whose header is bad is
 * refused, and that early return forgets the spool file.
 */
#include "rt.h"
#include <stdio.h>

enum { SPOOL, DEFERRED, SESSION, ROUTES };

static struct tally tallies[] = {
	[SPOOL]    = {"File", "OpenSpool HandleMessage", "nobody", 0, 0, 0},
	[DEFERRED] = {"File", "OpenSpool HandleMessage", "struct deferred", 0, 0, 0},
	[SESSION]  = {"Event", "BeginSession", "struct session", 0, 0, 0},
	[ROUTES]   = {"Key", "ReadRoutes", "local variable", 0, 0, 0},
};

struct session { HANDLE idle; DWORD peer; DWORD messages; };
struct deferred { HANDLE file; DWORD tries; DWORD message; };

static DWORD messages;

static HANDLE OpenSpool(DWORD message)
{
	WCHAR path[64];

	_snwprintf(path, ARRAYSIZE(path), L"C:\\app\\spool-%02u.eml", message % 40);
	return CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
}

static BOOL HeaderIsGood(HANDLE file)
{
	return GetFileType(file) == FILE_TYPE_DISK && rt_random(100) >= 7;
}

static void ReadRoutes(void)
{
	HKEY key;

	if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software\\Classes", 0, KEY_READ, &key) == ERROR_SUCCESS) {
		tallies[ROUTES].opened++;
		RegCloseKey(key);
		tallies[ROUTES].closed++;
	}
}

static void RetryDeferred(void *p)
{
	struct deferred *d = p;

	if (++d->tries < 3 && rt_random(2)) {
		rt_later(10 + rt_random(20), RetryDeferred, d);
		return;
	}
	rt_close(&tallies[DEFERRED], d->file);
	rt_free(d);
}

static void HandleMessage(DWORD message)
{
	HANDLE file = OpenSpool(message);

	rt_opened(&tallies[SPOOL], file);
	if (!HeaderIsGood(file)) {
		tallies[SPOOL].lost++;
		return;
	}
	ReadRoutes();
	if (rt_random(100) < 12) {
		struct deferred *d = rt_alloc(sizeof *d);

		d->file = file;
		d->message = message;
		tallies[SPOOL].opened--; /* the queue has it now */
		tallies[DEFERRED].opened++;
		rt_later(5 + rt_random(25), RetryDeferred, d);
		return;
	}
	rt_close(&tallies[SPOOL], file);
}

static void EndSession(void *p)
{
	struct session *s = p;

	rt_close(&tallies[SESSION], s->idle);
	rt_free(s);
}

static void BeginSession(void)
{
	struct session *s = rt_alloc(sizeof *s);
	DWORD n = 1 + rt_random(3);

	s->idle = rt_opened(&tallies[SESSION], CreateEventW(NULL, TRUE, FALSE, NULL));
	s->peer = 0x0a000000 + rt_random(4096);
	while (n--) {
		HandleMessage(++messages);
		s->messages++;
	}
	rt_later(1 + rt_random(6), EndSession, s);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 4, 6};
	int i;

	rt_start(&p);
	for (i = 0; i < 5; i++) {
		rt_load(70 + 10 * (i % 2), 420, BeginSession);
		rt_dump();
	}
	return 0;
}
