// watcher: clients subscribe to folders. Unsubscribing takes the client off the
// list, but its event stays in a vector that only grows.
#include "rt.h"
#include <vector>

namespace {

enum { SUBSCRIBE, SCAN, NOTICE };

tally tallies[] = {
	{"Event", "Subscribe", "std::vector<HANDLE> Hub::wakeups", 0, 0, 0},
	{"File", "ScanFolder", "local variable", 0, 0, 0},
	{"Event", "PostNotice", "struct Notice", 0, 0, 0},
};

struct Client { DWORD id; DWORD folder; bool gone; };
struct Notice { DWORD folder; HANDLE seen; };

struct Hub {
	std::vector<HANDLE> wakeups;
	std::vector<Client> clients;
};

Hub hub;

void Unsubscribe(void *p)
{
	const DWORD id = DWORD(ULONG_PTR(p));

	for (Client &c : hub.clients)
		if (c.id == id)
			c.gone = true;
	tallies[SUBSCRIBE].lost++;
}

void Subscribe()
{
	static DWORD next;

	hub.wakeups.push_back(rt_opened(&tallies[SUBSCRIBE], CreateEventW(nullptr, FALSE, FALSE, nullptr)));
	hub.clients.push_back(Client{++next, rt_random(12), false});
	rt_later(3 + rt_random(40), Unsubscribe, reinterpret_cast<void *>(ULONG_PTR(next)));
}

void ScanFolder()
{
	WIN32_FIND_DATAW found;
	HANDLE h = FindFirstFileW(L"C:\\app\\*", &found);

	if (h == INVALID_HANDLE_VALUE)
		return;
	while (FindNextFileW(h, &found))
		;
	FindClose(h);
}

void NoticeSeen(void *p)
{
	Notice *n = static_cast<Notice *>(p);

	rt_close(&tallies[NOTICE], n->seen);
	delete n;
}

void PostNotice()
{
	Notice *n = new Notice{rt_random(12), rt_opened(&tallies[NOTICE], CreateEventW(nullptr, TRUE, FALSE, nullptr))};

	rt_later(1 + rt_random(15), NoticeSeen, n);
}

void Work()
{
	const DWORD dice = rt_random(100);

	if (dice < 15)
		Subscribe();
	else if (dice < 40)
		ScanFolder();
	else
		PostNotice();
}

const program self = {tallies, ARRAYSIZE(tallies), 3, 8};

}

int main()
{
	rt_start(&self);
	for (int i = 0; i < 5; i++) {
		rt_load(90, 300, Work);
		rt_dump();
	}
	return 0;
}
