// imaging: makes previews and thumbnails, both in shared memory. A preview is
// deleted when its viewer closes; a thumbnail is only taken off the screen.
#include "rt.h"
#include <vector>

namespace {

tally tallies[] = {
	{"Section", "NewPixels Thumbnail::Render", "class Thumbnail", 0, 0, 0},
	{"Section", "NewPixels Preview::Render", "class Preview", 0, 0, 0},
	{"File", "LoadOriginal", "local variable", 0, 0, 0},
	{"Semaphore", "BeginDraw", "class DrawSlot", 0, 0, 0},
};

HANDLE NewPixels(DWORD bytes)
{
	return CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, bytes, nullptr);
}

}

class Picture {
public:
	Picture(DWORD w, DWORD h) : width(w), height(h) {}
	virtual ~Picture() {}
	virtual void Render() = 0;
protected:
	DWORD width, height;
	HANDLE pixels = nullptr;
};

class Thumbnail : public Picture {
public:
	explicit Thumbnail(DWORD n) : Picture(96, 96), number(n) {}
	~Thumbnail() override { rt_close(&tallies[0], pixels); }
	void Render() override { pixels = rt_opened(&tallies[0], NewPixels(width * height * 4)); }
	bool shown = true;
private:
	DWORD number;
};

class Preview : public Picture {
public:
	Preview() : Picture(1024, 768) {}
	~Preview() override { rt_close(&tallies[1], pixels); }
	void Render() override { pixels = rt_opened(&tallies[1], NewPixels(width * height)); }
};

class DrawSlot {
public:
	DrawSlot() : slot(rt_opened(&tallies[3], CreateSemaphoreW(nullptr, 2, 2, nullptr))) {}
	~DrawSlot() { rt_close(&tallies[3], slot); }
private:
	HANDLE slot;
};

namespace {

std::vector<Thumbnail *> wall;

void LoadOriginal()
{
	HANDLE f = CreateFileW(L"C:\\app\\original.raw", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
	                       nullptr, OPEN_ALWAYS, 0, nullptr);

	rt_opened(&tallies[2], f);
	rt_close(&tallies[2], f);
}

void HideThumbnail(void *p)
{
	static_cast<Thumbnail *>(p)->shown = false;
	tallies[0].lost++;
}

void ClosePreview(void *p)
{
	delete static_cast<Preview *>(p);
}

void OpenPicture()
{
	DrawSlot slot;

	LoadOriginal();
	if (rt_random(5) == 0) {
		Thumbnail *t = new Thumbnail(DWORD(wall.size()));

		t->Render();
		wall.push_back(t);
		rt_later(1 + rt_random(20), HideThumbnail, t);
	} else {
		Preview *v = new Preview;

		v->Render();
		rt_later(2 + rt_random(30), ClosePreview, v);
	}
}

const program self = {tallies, ARRAYSIZE(tallies), 4, 9};

}

int main()
{
	rt_start(&self);
	for (int i = 0; i < 4; i++) {
		rt_load(75, 300, OpenPicture);
		rt_dump();
	}
	return 0;
}
