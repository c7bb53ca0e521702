package dumpfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// dump is a minidump of some 2 MB, so that spooling it takes several steps.
func dump() []byte {
	noise := make([]byte, 2<<20+100)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	return dumptest.Dump{Memory64: []dumptest.MemoryRange{{Start: 0x10000, Data: noise}}}.Bytes()
}

func small(processID uint32) []byte {
	return dumptest.Dump{MiscInfo: &dumptest.MiscInfo{ProcessID: processID}}.Bytes()
}

func gz(data []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		panic(err)
	}
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func zst(data []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return w.EncodeAll(data, nil)
}

// zipOf makes an archive of name, content, name, content, …
func zipOf(files ...any) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i].(string))
		if err != nil {
			panic(err)
		}
		f.Write(files[i+1].([]byte))
	}
	w.Close()
	return b.Bytes()
}

// write puts files into a new folder and returns it.
func write(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// empty fails the test when anything is left in dir.
func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("%d files are left in the temporary folder, such as %s", len(left), left[0].Name())
	}
}

func contents(t *testing.T, f *File) []byte {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != f.Size() {
		t.Errorf("Size is %d, but there are %d bytes", f.Size(), len(b))
	}
	return b
}

func TestOpen(t *testing.T) {
	t.Parallel()
	d := dump()
	twice := append(gz(d[:1<<20]), gz(d[1<<20:])...)
	skippable := append([]byte{0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3}, zst(d)...)
	several := zipOf("notes.txt", []byte("see below"), "a/one.dmp", small(1), "a/two.dmp", small(2), "b/two.dmp", small(3))
	windows := zipOf(`sub\w3wp.dmp`, d, `sub\other.dmp`, small(1))
	unsupported := zipOf("first.dmp", small(1), "w3wp.dmp", d)
	unsupported[bytes.Index(unsupported, []byte("PK\x01\x02"))+10] = 99 // no such method
	dir := write(t, map[string][]byte{
		"unsupported.zip": unsupported,
		"plain.dmp":       d, "d.gz": gz(d), "d.zst": zst(d), "d.zip": zipOf("w3wp.dmp", d),
		"members.gz": twice, "skippable.zst": skippable, "misnamed.dmp": gz(d), "misnamed.gz": d,
		"mixed.zip": zipOf("readme.txt", []byte("hello"), "empty", []byte{}, "dumps/", []byte{}, "dumps/w3wp.dmp", d),
		"inner.zip": zipOf("readme.txt", []byte("hello"), "w3wp.dmp.gz", gz(d)), "innerzst.zip": zipOf("x", []byte{1}, "w3wp.zst", zst(d)),
		"several.zip": several, "windows.zip": windows, "twice.zst": zst(gz(d)),
		"not a dump.zip": zipOf("hello.txt", []byte("hello")),
		"damaged inside.zip": zipOf("bad.gz", []byte{0x1f, 0x8b, 7}, "cut.gz", []byte{0x1f, 0x8b}, "bad.zst", []byte{0x28, 0xb5, 0x2f, 0xfd, 0xff},
			"short", []byte("MDM"), "short.gz", gz([]byte("MDM")), "w3wp.dmp", d),
	})
	for _, tt := range []struct {
		name string
		want []byte
	}{
		{"plain.dmp", d}, {"d.gz", d}, {"d.zst", d}, {"d.zip", d},
		{"d.zip:w3wp.dmp", d},
		{"members.gz", d}, {"skippable.zst", d}, {"misnamed.dmp", d}, {"misnamed.gz", d},
		{"mixed.zip", d}, {"inner.zip", d}, {"innerzst.zip", d}, {"twice.zst", d},
		{"several.zip:one.dmp", small(1)}, {"several.zip:ONE.dmp", small(1)},
		{"several.zip:a/two.dmp", small(2)}, {`several.zip:b\two.dmp`, small(3)},
		{"several.zip:notes.txt", []byte("see below")},
		{"windows.zip:w3wp.dmp", d}, {"windows.zip:sub/w3wp.dmp", d},
		{"not a dump.zip", []byte("hello")}, {"damaged inside.zip", d}, {"unsupported.zip", d},
	} {
		t.Run(tt.name, func(t *testing.T) {
			temp := t.TempDir()
			name := filepath.Join(dir, tt.name)
			f, err := Open(t.Context(), name, Options{TempDir: temp})
			if err != nil {
				t.Fatal(err)
			}
			if got := contents(t, f); !bytes.Equal(got, tt.want) {
				t.Errorf("%d bytes, want %d others", len(got), len(tt.want))
			}
			if f.Truncated() != nil {
				t.Errorf("Truncated: %v", f.Truncated())
			}
			if f.Name() != name {
				t.Errorf("Name is %s, want %s", f.Name(), name)
			}
			if bytes.HasPrefix(tt.want, []byte("MDMP")) {
				if _, err := f.Dump(); err != nil {
					t.Errorf("Dump: %v", err)
				}
			}
			if err := f.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			empty(t, temp)
		})
	}
}

func TestOpenStdin(t *testing.T) {
	d := dump()
	dir := write(t, map[string][]byte{"plain.dmp": d, "d.gz": gz(d)})
	opened := func(name string, skip int64) io.Reader {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		if _, err := f.Seek(skip, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, tt := range []struct {
		title, name string
		stdin       io.Reader
		want        []byte
	}{
		{"plain", "-", bytes.NewReader(d), d},
		{"gzip", "-", bytes.NewReader(gz(d)), d},
		{"zstd", "-", bytes.NewReader(zst(d)), d},
		{"zip", "-", bytes.NewReader(zipOf("w3wp.dmp", d)), d},
		{"one of a zip", "-:b", bytes.NewReader(zipOf("a", small(1), "b", small(2))), small(2)},
		{"empty", "-", bytes.NewReader(nil), nil},
		{"redirected file", "-", opened("plain.dmp", 0), d},
		{"redirected gzip", "-", opened("d.gz", 0), d},
		{"file read before", "-", opened("plain.dmp", 100), d[100:]},
	} {
		t.Run(tt.title, func(t *testing.T) {
			temp := t.TempDir()
			f, err := Open(t.Context(), tt.name, Options{Stdin: tt.stdin, TempDir: temp})
			if err != nil {
				t.Fatal(err)
			}
			if got := contents(t, f); !bytes.Equal(got, tt.want) {
				t.Errorf("%d bytes, want %d others", len(got), len(tt.want))
			}
			if err := f.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			if file, ok := tt.stdin.(*os.File); ok {
				if _, err := file.Stat(); err != nil {
					t.Errorf("standard input was closed: %v", err)
				}
			}
			empty(t, temp)
		})
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	d := small(1)
	encrypted := zipOf("secret.dmp", d)
	for _, at := range []int{6, bytes.Index(encrypted, []byte("PK\x01\x02")) + 8} {
		encrypted[at] |= 1 // general purpose flag, in both headers
	}
	greedy := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00} // a window of 2 TiB
	nested := d
	for range 9 {
		nested = gz(nested)
	}
	whole := zipOf("w3wp.dmp", d)
	many := []any{}
	for _, n := range "abcdefghijkl" {
		many = append(many, string(n), d)
	}
	dir := write(t, map[string][]byte{
		"d.gz": gz(d), "two.zip": zipOf("readme", []byte("r"), "a.dmp", d, "b.dmp", d),
		"same.zip": zipOf("a/w3wp.dmp", d, "b/w3wp.dmp", d), "many.zip": zipOf(many...), "none.zip": zipOf("a.txt", []byte("a"), "b.txt", []byte("b")), "empty.zip": zipOf(),
		"encrypted.zip": encrypted, "cut.zip": whole[:len(whole)-30], "header.gz": {0x1f, 0x8b, 8}, "greedy.zst": greedy,
		"nested.gz": nested, "plain.dmp": d,
	})
	_, absent := os.Stat(filepath.Join(dir, "absent"))
	absent = bare(absent) // in the words of the system
	for _, tt := range []struct{ name, want string }{
		{"absent.dmp", absent.Error()},
		{"absent.zip:x", absent.Error()},
		{"", "directory"},
		{"two.zip", "holds 2 dumps, choose one as DIR/two.zip:NAME from a.dmp, b.dmp"},
		{"many.zip", "from a, b, c, d, e, f, g, h, i, j and 2 more"},
		{"two.zip:c.dmp", "the archive holds no c.dmp; it holds readme, a.dmp, b.dmp"},
		{"same.zip:w3wp.dmp", "holds several files w3wp.dmp: choose one of a/w3wp.dmp, b/w3wp.dmp"},
		{"none.zip", "holds no minidump; to open another file of it say DIR/none.zip:NAME; it holds a.txt, b.txt"},
		{"empty.zip", "the archive is empty"},
		{"encrypted.zip", "secret.dmp is encrypted"},
		{"cut.zip", "table of contents"},
		{"header.gz", "unexpected EOF"},
		{"greedy.zst", "zstd -d --long=31"},
		{"nested.gz", "more than 8 times"},
		{"d.gz:x", "is no zip archive, so it holds no x"},
		{"plain.dmp:x", "is no zip archive, so it holds no x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			temp := t.TempDir()
			f, err := Open(t.Context(), filepath.Join(dir, tt.name), Options{TempDir: temp})
			if err == nil {
				f.Close()
				t.Fatal("no error")
			}
			if f != nil {
				t.Error("an error and a file")
			}
			text := strings.ReplaceAll(filepath.ToSlash(err.Error()), filepath.ToSlash(dir), "DIR")
			if !strings.Contains(text, tt.want) {
				t.Errorf("the error is %q, want %q in it", text, tt.want)
			}
			var p *fs.PathError
			if !errors.As(err, &p) {
				t.Errorf("the error is a %T", err)
			}
			empty(t, temp)
		})
	}
	var ten []any
	for _, n := range "abcdefghij" {
		ten = append(ten, string(n), d)
	}
	if err := os.WriteFile(filepath.Join(dir, "ten.zip"), zipOf(ten...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), filepath.Join(dir, "ten.zip"), Options{})
	if err == nil || !strings.HasSuffix(err.Error(), "from a, b, c, d, e, f, g, h, i, j") {
		t.Errorf("ten names are all spelled out: %v", err)
	}
	_, err = Open(t.Context(), filepath.Join(dir, "two.zip"), Options{})
	var choice *ChoiceError
	if !errors.As(err, &choice) || !choice.Dumps || cmp.Diff([]string{"a.dmp", "b.dmp"}, choice.Names) != "" {
		t.Errorf("two.zip gives %#v", choice)
	}
}
