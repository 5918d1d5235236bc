package hdf5

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, name string) *Group {
	t.Helper()
	g, err := readBytes(file(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return g
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readBytes(data []byte) (*Group, error) {
	return Read(bytes.NewReader(data), int64(len(data)))
}

// hold holds a dataset to what testdata/kinds.py writes.
func hold(t *testing.T, name string, d *Dataset, shape ...int) {
	t.Helper()
	if d == nil {
		t.Errorf("%s is missing", name)
		return
	}
	if fmt.Sprint(d.Shape) != fmt.Sprint(shape) {
		t.Errorf("%s has shape %v, want %v", name, d.Shape, shape)
	}
	n := 1
	for _, extent := range shape {
		n *= extent
	}
	if d.Len() != n {
		t.Fatalf("%s has %d values, want %d", name, d.Len(), n)
	}
	for i := range d.Len() {
		if d.Class == String {
			if want := fmt.Sprint("s", i); d.Text[i] != want {
				t.Errorf("%s: value %d is %q, want %q", name, i, d.Text[i], want)
			}
			continue
		}
		want := float64(i - 5)
		if d.Class == Integer && !d.Signed {
			want = float64(i)
		}
		if v, exact := d.Float64(i); v != want || !exact {
			t.Fatalf("%s: value %d is %v (%v), want %v", name, i, v, exact, want)
		}
		if v, exact := d.Float32(i); float64(v) != want || !exact {
			t.Fatalf("%s: value %d is %v as float32 (%v), want %v", name, i, v, exact, want)
		}
	}
}

// The files are h5py's.
func TestWhatH5pyWritesIsRead(t *testing.T) {
	for _, name := range []string{"testdata/kinds.h5", "testdata/latest.h5"} {
		g := read(t, name)
		for _, part := range []string{"numbers", "more"} {
			if part := g.Groups[part]; part != nil {
				maps.Copy(g.Datasets, part.Datasets)
			}
		}
		for _, kind := range []string{"li1", "li2", "bi4", "li8", "lu1", "bu2", "lu8", "lf4", "bf4", "lf8", "bf8"} {
			hold(t, "plain"+kind, g.Datasets["plain"+kind], 3, 4)
		}
		hold(t, "scalar", g.Datasets["scalar"])
		hold(t, "fixed", g.Datasets["fixed"], 2, 2)
		hold(t, "variable", g.Datasets["variable"], 3)
	}
	g := read(t, "testdata/kinds.h5")
	hold(t, "gzip", g.Datasets["gzip"], 7, 10, 3)
	hold(t, "shuffle", g.Datasets["shuffle"], 50)
	hold(t, "checked", g.Datasets["checked"], 9, 9)
	hold(t, "chunked", g.Datasets["chunked"], 5, 5)
	if n := len(g.Groups["many"].Datasets); n != 100 {
		t.Errorf("a group of 100 has %d datasets", n)
	}
	for range 10 {
		g = g.Groups["g"]
	}
	hold(t, "end", g.Datasets["end"], 2)
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	for _, name := range []string{"testdata/kinds.h5", "../../testdata/nir/cnn_sinabs.nir", "../../testdata/nir/braille_noDelay_bias_zero_subgraph.nir"} {
		g := read(t, name)
		var b bytes.Buffer
		if err := Write(&b, g); err != nil {
			t.Fatal(err)
		}
		again, err := readBytes(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(g, again); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestManyStringsTakeSeveralHeaps(t *testing.T) {
	g := NewGroup()
	text := make([]string, 10_000)
	for i := range text {
		text[i] = fmt.Sprint("s", i)
	}
	text[7] = ""
	g.Datasets["text"] = Strings(text, 5000, 2)
	var b bytes.Buffer
	if err := Write(&b, g); err != nil {
		t.Fatal(err)
	}
	again, err := readBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g, again); diff != "" {
		t.Error(diff)
	}
}

// A file of any bytes is read or refused, in room proportional to its size.
func TestDamagedFilesAreRefusedWithinBounds(t *testing.T) {
	for _, name := range []string{"../../testdata/nir/lif_norse.nir", "testdata/latest.h5"} {
		whole := file(t, name)
		for _, value := range []byte{0xff, 0x7f, 0x00} {
			for at := 0; at < len(whole); at += 2 + at%3 {
				damaged := bytes.Clone(whole)
				damaged[at] = value
				if got := allocated(damaged); got > 16<<20 {
					t.Fatalf("%s with byte %d = %#x takes %d bytes", name, at, value, got)
				}
			}
		}
	}
}

// allocated reads a file and returns what that allocated.
func allocated(data []byte) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _ = readBytes(data)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestWhatIsNotReadIsNamed(t *testing.T) {
	for _, c := range []struct {
		change func(b []byte) []byte
		want   string
	}{
		{func(b []byte) []byte { return []byte("PK\x03\x04") }, "is no HDF5 file"},
		{func(b []byte) []byte { return b[:20] }, "ends within its superblock"},
		{func(b []byte) []byte { b[8] = 9; return b }, "superblock of version 9"},
		{func(b []byte) []byte { b[13] = 3; return b }, "addresses or lengths of 3 bytes"},
		{func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("GCOL"), []byte("HOLE")) }, "has no heap at"},
		{func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("SNOD"), []byte("NODE")) }, "has no table of symbols"},
		{func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("TREE"), []byte("BUSH")) }, "has no B-tree"},
		{func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("HEAP"), []byte("PILE")) }, "has no heap of names"},
	} {
		_, err := readBytes(c.change(file(t, "../../testdata/nir/lif_norse.nir")))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// A group that is its own member ends.
func TestALoopOfGroupsIsRefused(t *testing.T) {
	g := NewGroup()
	g.Groups["inner"] = NewGroup()
	var b bytes.Buffer
	if err := Write(&b, g); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	at := bytes.Index(data, []byte("inner")) + len("inner")
	copy(data[at:at+8], data[64:72]) // the address of the root
	if _, err := readBytes(data); err == nil || !strings.Contains(err.Error(), "linked twice") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"../../testdata/nir/lif_norse.nir", "testdata/latest.h5"} {
		f.Add(file(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := readBytes(data)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := Write(&b, g); err != nil {
			t.Skip(err)
		}
		again, err := readBytes(b.Bytes())
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if !reflect.DeepEqual(g, again) {
			t.Error("what was written is read as something else")
		}
	})
}

func TestAWrongChecksumIsSeen(t *testing.T) {
	data := file(t, "testdata/kinds.h5")
	// Row 0 of the checked array: int32 -5, -4, ..
	row := []byte{0xfb, 0xff, 0xff, 0xff, 0xfc, 0xff, 0xff, 0xff, 0xfd, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}
	at := bytes.LastIndex(data, row)
	if at < 0 {
		t.Fatal("the file has no such row")
	}
	data[at]++
	if _, err := readBytes(data); err == nil || !strings.Contains(err.Error(), "checked: has a chunk whose checksum is") {
		t.Error(err)
	}
}

// In a file of ours every byte counts: no part of it is read as the whole.
func TestATruncatedFileIsRefused(t *testing.T) {
	g := NewGroup()
	g.Datasets["a"], g.Datasets["b"] = Floats([]float32{1, 2, 3}, 3), Strings([]string{"x", "y"}, 2)
	g.Groups["c"] = NewGroup()
	g.Groups["c"].Datasets["d"] = Integers([]int{1, 2}, 2)
	var b bytes.Buffer
	if err := Write(&b, g); err != nil {
		t.Fatal(err)
	}
	for cut := range b.Len() {
		if _, err := readBytes(b.Bytes()[:cut]); err == nil {
			t.Errorf("the first %d of %d bytes are read", cut, b.Len())
		}
	}
}

// Many datasets that are all the same large heap take no more room than the file.
func TestAHeapThatIsRepeatedIsRefused(t *testing.T) {
	const copies, size = 200, 1 << 16
	g := NewGroup()
	for i := range copies {
		g.Datasets[fmt.Sprint(i)] = Strings([]string{strings.Repeat("x", size)}, 1)
	}
	var b bytes.Buffer
	if err := Write(&b, g); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	// Each collection is as large as all that follow it.
	for at := 0; ; {
		next := bytes.Index(data[at:], []byte("GCOL"))
		if next < 0 {
			break
		}
		at += next
		binary.LittleEndian.PutUint64(data[at+8:], uint64(len(data)-at))
		at++
	}
	if _, err := readBytes(data); err == nil || !strings.Contains(err.Error(), "parts of it are used many times") {
		t.Error(err)
	}
}
