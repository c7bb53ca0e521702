// connpool: connections are made when none is idle and kept from then on, up to
// 256 of them; who comes then has to wait. Healthy.
#include "rt.h"
#include <vector>

namespace {

tally tallies[] = {
	{"Event", "Connection::Connection", "class Connection", 0, 0, 0},
	{"Semaphore", "Connection::Connection", "class Connection", 0, 0, 0},
	{"Mutant", "Query", "local variable", 0, 0, 0},
};

}

class Connection {
public:
	Connection()
		: ready(rt_opened(&tallies[0], CreateEventW(nullptr, FALSE, FALSE, nullptr))),
		  window(rt_opened(&tallies[1], CreateSemaphoreW(nullptr, 4, 4, nullptr))) {}
	virtual ~Connection()
	{
		rt_close(&tallies[0], ready);
		rt_close(&tallies[1], window);
	}
	virtual void Send() { queries++; }
private:
	DWORD queries = 0;
	HANDLE ready;
	HANDLE window;
};

class Pool {
public:
	Connection *Take()
	{
		if (!idle.empty()) {
			Connection *c = idle.back();

			idle.pop_back();
			return c;
		}
		if (all.size() == 256)
			return nullptr;
		all.push_back(new Connection);
		return all.back();
	}
	void Give(Connection *c) { idle.push_back(c); }
private:
	std::vector<Connection *> all, idle;
};

namespace {

Pool pool;

void Done(void *p)
{
	pool.Give(static_cast<Connection *>(p));
}

void Query()
{
	Connection *c = pool.Take();
	HANDLE lock = rt_opened(&tallies[2], CreateMutexW(nullptr, FALSE, L"Local\\connpool-statistics"));

	rt_close(&tallies[2], lock);
	if (!c)
		return;
	c->Send();
	rt_later(1 + rt_random(40), Done, c);
}

const program self = {tallies, ARRAYSIZE(tallies), 4, 7};

}

int main()
{
	static const DWORD rate[] = {120, 240, 420, 700, 900, 880};

	rt_start(&self);
	for (DWORD r : rate) {
		rt_load(60, r, Query);
		rt_dump();
	}
	return 0;
}
