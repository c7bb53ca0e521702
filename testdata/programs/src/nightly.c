/*
 * nightly: every night a job opens a key for each of some thousand accounts,
 * compares them all, and closes them all. Two of the dumps are from within the
 * job. Healthy.
 */
#include "rt.h"

enum { ACCOUNT, REPORT, PING };

static struct tally tallies[] = {
	[ACCOUNT] = {"Key", "OpenAccount", "heap array accounts", 0, 0, 0},
	[REPORT]  = {"File", "WriteReport", "local variable", 0, 0, 0},
	[PING]    = {"Event", "Ping", "struct ping", 0, 0, 0},
};

struct ping { HANDLE pong; DWORD n; };

static HKEY *accounts;
static DWORD account_count, account_max;

static void OpenAccount(void)
{
	HKEY key;

	rt_must(RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software\\Classes", 0, KEY_READ, &key) == 0, "OpenAccount");
	accounts[account_count++] = rt_opened(&tallies[ACCOUNT], key);
}

static void OpenSome(void *p)
{
	DWORD n = (DWORD)(ULONG_PTR)p;

	while (n-- && account_count < account_max)
		OpenAccount();
}

static void BeginNight(DWORD n)
{
	accounts = rt_alloc(n * sizeof *accounts);
	account_max = n;
}

static void WriteReport(void *p)
{
	HANDLE f = CreateFileW(L"C:\\app\\report.txt", GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);

	(void)p;
	rt_opened(&tallies[REPORT], f);
	while (account_count) {
		RegCloseKey(accounts[--account_count]);
		tallies[ACCOUNT].closed++;
	}
	rt_close(&tallies[REPORT], f);
	rt_free(accounts);
	accounts = NULL;
}

static void Pong(void *p)
{
	struct ping *ping = p;

	rt_close(&tallies[PING], ping->pong);
	rt_free(ping);
}

static void Ping(void)
{
	struct ping *ping = rt_alloc(sizeof *ping);

	ping->pong = rt_opened(&tallies[PING], CreateEventW(NULL, TRUE, FALSE, NULL));
	ping->n = tallies[PING].opened;
	rt_later(1 + rt_random(30), Pong, ping);
}

/* One night, with a dump after so many accounts; 0 for none. */
static void Night(DWORD n, DWORD dump_after)
{
	BeginNight(n);
	if (dump_after) {
		rt_run(OpenSome, (void *)(ULONG_PTR)dump_after);
		rt_load(5, 100, Ping);
		rt_dump();
	}
	rt_run(OpenSome, (void *)(ULONG_PTR)n);
	rt_load(10, 100, Ping);
	rt_run(WriteReport, NULL);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 3, 12};

	rt_start(&p);
	rt_load(600, 100, Ping);
	rt_dump();
	Night(2600, 500);
	rt_load(1400, 100, Ping);
	Night(3100, 0);
	rt_load(1400, 100, Ping);
	rt_dump();
	Night(2900, 1300);
	rt_load(700, 100, Ping);
	rt_dump();
	return 0;
}
