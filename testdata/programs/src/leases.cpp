// leases: pools whose memory and whose handle values both go to the next taker:
// who comes last gets what was given back last. It loses nothing. What a value
// meant in one dump, it may no longer mean in the next; held.tsv says which.
#include "rt.h"
#include <stdio.h>

namespace {

enum { LEASES, PROBES, TICKETS, CHANNELS, SESSIONS, KINDS, ROOM = 157 };

tally tallies[KINDS] = {
	{"Event", "Lease::Lease", "class Lease", 0, 0, 0},
	{"Semaphore", "Probe::Probe", "class Probe", 0, 0, 0},
	{"Mutant", "Ticket::Ticket", "class Ticket", 0, 0, 0},
	{"Section", "Channel::Channel", "class Channel", 0, 0, 0},
	{"Timer", "Session::Session", "class Session", 0, 0, 0},
};

DWORD openings, requests, each = 150;

// Memory of one size: the last block that came back is the first to go, or, in
// a fair one, the last.
struct Pool {
	struct Block { Block *next; };
	explicit Pool(bool f) : fair(f) {}
	void *Take(SIZE_T size)
	{
		Block *b = free;

		if (!b || (fair && kept < 40))
			return rt_alloc(size);
		free = b->next;
		kept--;
		return b;
	}
	void Give(void *p)
	{
		Block *b = static_cast<Block *>(p), **at = &free;

		while (fair && *at)
			at = &(*at)->next;
		b->next = *at;
		*at = b;
		kept++;
	}
	Block *free = nullptr;
	DWORD kept = 0;
	bool fair;
};

Pool pools[KINDS] = {Pool(false), Pool(false), Pool(false), Pool(true), Pool(false)};

ULONG64 Now()
{
	return 0x1DA1B8FF117E800ULL + rt_minute() * 600000000ULL + rt_random(600000000);
}

}

// A holder of one handle. A program that reads its own handles has its opening,
// a number that no dump shows: it is kept elsewhere.
class Holder {
public:
	virtual ~Holder() {}
	virtual void Use() {}
	HANDLE handle;
};

// Has what distinguishes one from another: a number, a time and a name.
class Lease : public Holder {
public:
	Lease()
	{
		static DWORD last;

		handle = rt_opened(&tallies[LEASES], CreateEventW(nullptr, TRUE, FALSE, nullptr));
		serial = ++last;
		uses = 0;
		taken = Now();
		name = static_cast<char *>(rt_alloc(24));
		_snprintf(name, 24, "client-%lu.%lu", rt_random(1000), serial * 7);
	}
	~Lease() override
	{
		rt_free(name);
		rt_close(&tallies[LEASES], handle);
	}
	void Use() override { uses++; }
	void *operator new(size_t size) { return pools[LEASES].Take(size); }
	void operator delete(void *p) { pools[LEASES].Give(p); }
	DWORD serial;
	DWORD uses;
	ULONG64 taken;
	char *name;
};

// Has nothing but a counter of its uses.
class Probe : public Holder {
public:
	Probe() : uses(0) { handle = rt_opened(&tallies[PROBES], CreateSemaphoreW(nullptr, 1, 5, nullptr)); }
	~Probe() override { rt_close(&tallies[PROBES], handle); }
	void Use() override { uses++; }
	void *operator new(size_t size) { return pools[PROBES].Take(size); }
	void operator delete(void *p) { pools[PROBES].Give(p); }
	DWORD uses;
};

// Has a place in a row, which the next one at this place has too, and a user who
// is written down only when there is one: until then it is that of the last one.
class Ticket : public Holder {
public:
	Ticket() { handle = rt_opened(&tallies[TICKETS], CreateMutexW(nullptr, FALSE, nullptr)); }
	~Ticket() override { rt_close(&tallies[TICKETS], handle); }
	void Use() override { user = rt_random(0) | 1; }
	void *operator new(size_t size) { return pools[TICKETS].Take(size); }
	void operator delete(void *p) { pools[TICKETS].Give(p); }
	DWORD place;
	DWORD user;
};

// Has nothing, but the next one lies elsewhere.
class Channel : public Holder {
public:
	Channel() { handle = rt_opened(&tallies[CHANNELS], CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, 0x1000, nullptr)); }
	~Channel() override { rt_close(&tallies[CHANNELS], handle); }
	void *operator new(size_t size) { return pools[CHANNELS].Take(size); }
	void operator delete(void *p) { pools[CHANNELS].Give(p); }
	ULONG64 rest[3];
};

// Is never replaced, and never looks the same: its last request is written down.
class Session : public Holder {
public:
	Session() { handle = rt_opened(&tallies[SESSIONS], CreateWaitableTimerW(nullptr, TRUE, nullptr)); Session::Use(); }
	~Session() override { rt_close(&tallies[SESSIONS], handle); }
	void Use() override { request = ++requests; at = Now(); }
	void *operator new(size_t size) { return pools[SESSIONS].Take(size); }
	void operator delete(void *p) { pools[SESSIONS].Give(p); }
	DWORD request;
	ULONG64 at;
};

namespace {

Holder *holders[KINDS][ROOM];
DWORD opening[KINDS][ROOM];

Holder *New(int kind)
{
	switch (kind) {
	case LEASES: return new Lease;
	case PROBES: return new Probe;
	case TICKETS: return new Ticket;
	case CHANNELS: return new Channel;
	}
	return new Session;
}

void Make(int kind, DWORD i)
{
	bool first = !opening[kind][i];

	holders[kind][i] = New(kind);
	opening[kind][i] = ++openings;
	if (kind == TICKETS && first)
		static_cast<Ticket *>(holders[kind][i])->place = i;
}

void Replace(int kind, DWORD i)
{
	DWORD j = rt_random(each);

	delete holders[kind][i];
	if (rt_random(8) == 0 && j != i && holders[kind][j]) {
		delete holders[kind][j];
		Make(kind, j);
	}
	Make(kind, i);
}

// One after another first, so that the pools are full; then by chance.
void Work()
{
	static DWORD filled;
	int kind = rt_random(KINDS);
	DWORD i = rt_random(each);

	if (filled < KINDS * each) {
		kind = filled % KINDS;
		i = filled++ / KINDS;
	}
	if (!holders[kind][i]) {
		Make(kind, i);
		holders[kind][i]->Use();
	} else if (kind != SESSIONS && rt_random(3) == 0) {
		Replace(kind, i);
	} else {
		holders[kind][i]->Use();
	}
}

// What each value means, for the truth.
void WriteDown(void *)
{
	static DWORD dump;
	HANDLE f = CreateFileW(L"held.tsv", FILE_APPEND_DATA, 0, nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
	char line[100];
	DWORD put;

	rt_must(f != INVALID_HANDLE_VALUE, "held.tsv");
	dump++;
	for (int kind = 0; kind < KINDS; kind++)
		for (int i = 0; i < ROOM; i++)
			if (holders[kind][i]) {
				unsigned value = static_cast<unsigned>(reinterpret_cast<ULONG_PTR>(holders[kind][i]->handle));

				_snprintf(line, sizeof line, "%lu\t%s\t%x\t%lu\n", dump, tallies[kind].type, value, opening[kind][i]);
				WriteFile(f, line, lstrlenA(line), &put, nullptr);
			}
	CloseHandle(f);
}

const program self = {tallies, KINDS, 3, 9};

}

int main()
{
	static const DWORD rate[] = {900, 500};

	rt_start(&self);
	for (DWORD r : rate) {
		rt_load(100, r, Work);
		rt_run(WriteDown, nullptr);
		rt_dump();
		each = ROOM;
	}
	return 0;
}
