// dbgate: a busy pool of connections, each with an event. Beside it, and of the
// same type, a cancellation that comes too late keeps its event for ever.
#include "rt.h"

namespace {

tally tallies[] = {
	{"Event", "Connection::Open", "class Connection", 0, 0, 0},
	{"Event", "Cancellation::Cancellation Query", "class Cancellation", 0, 0, 0},
	{"Event", "Cancellation::Cancellation Query", "class Cancellation, too late", 0, 0, 0},
	{"Section", "Query", "local variable", 0, 0, 0},
};

}

class Connection {
public:
	virtual ~Connection() { rt_close(&tallies[0], ready); }
	virtual void Open() { ready = rt_opened(&tallies[0], CreateEventW(nullptr, TRUE, FALSE, nullptr)); }
	Connection *next = nullptr;
private:
	HANDLE ready = nullptr;
};

class Cancellation {
public:
	explicit Cancellation(Cancellation *n) : next(n), raised(CreateEventW(nullptr, TRUE, FALSE, nullptr)) {}
	virtual ~Cancellation() {}
	virtual bool Expired() const { return rt_random(100) < 2; }
	Cancellation *next;
	HANDLE raised;
};

namespace {

Connection *idle;
Cancellation *late;
DWORD idle_count;

void Release(void *p)
{
	Connection *c = static_cast<Connection *>(p);

	if (idle_count < 60 && rt_random(10)) {
		c->next = idle;
		idle = c;
		idle_count++;
		return;
	}
	delete c;
}

Connection *Acquire()
{
	Connection *c = idle;

	if (c) {
		idle = c->next;
		idle_count--;
		return c;
	}
	c = new Connection;
	c->Open();
	return c;
}

void Query()
{
	Connection *c = Acquire();
	Cancellation *cancel = new Cancellation(late);
	HANDLE rows = rt_opened(&tallies[3], CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, 0x4000, nullptr));

	rt_opened(&tallies[1], cancel->raised);
	if (cancel->Expired()) {
		late = cancel;
		tallies[1].opened--; // it belongs to the late ones now
		tallies[2].opened++;
		tallies[2].lost++;
	} else {
		rt_close(&tallies[1], cancel->raised);
		delete cancel;
	}
	rt_close(&tallies[3], rows);
	rt_later(1 + rt_random(60), Release, c);
}

const program self = {tallies, ARRAYSIZE(tallies), 4, 8};

}

int main()
{
	static const DWORD rate[] = {400, 520, 250, 480, 560, 300};

	rt_start(&self);
	for (DWORD r : rate) {
		rt_load(90, r, Query);
		rt_dump();
	}
	return 0;
}
