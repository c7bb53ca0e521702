package peimage_test

import (
	"bytes"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/clrmeta/clrmetatest"
	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
)

func TestMetadata(t *testing.T) {
	t.Parallel()
	for _, ptr := range []int{8, 4} {
		for _, flat := range []bool{false, true} {
			b := clrmetatest.Image([]byte("metadata"), ptr, 0x100, flat)
			open := peimage.NewMapped
			if flat {
				open = peimage.NewFile
			}
			img, err := open(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			rva, size, ok, err := img.Metadata()
			if rva != 0x2100 || size != 8 || !ok || err != nil {
				t.Errorf("pointers of %d bytes, flat %v: 0x%x, %d, %v, %v", ptr, flat, rva, size, ok, err)
			}
		}
	}
}

func TestNoMetadata(t *testing.T) {
	t.Parallel()
	native := testImage{forward: -1}.build(false)
	img, err := peimage.NewFile(bytes.NewReader(native), int64(len(native)))
	if err != nil {
		t.Fatal(err)
	}
	if rva, size, ok, err := img.Metadata(); rva != 0 || size != 0 || ok || err != nil {
		t.Errorf("an image of other code: 0x%x, %d, %v, %v", rva, size, ok, err)
	}
	cut := clrmetatest.Image(nil, 8, 0, false)[:0x2008] // in the middle of the CLI header
	img, err = peimage.NewMapped(bytes.NewReader(cut), int64(len(cut)))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok, err := img.Metadata(); ok || err == nil {
		t.Errorf("an image that is cut off: %v, %v", ok, err)
	}
}
