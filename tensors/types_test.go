package tensors

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/network"
)

// array returns a .npy stream of that type string, order and shape.
func array(descr string, fortran bool, shape string, values ...any) []byte {
	order := "False"
	if fortran {
		order = "True"
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }\n", descr, order, shape)
	b := append([]byte(npyMagic), 1, 0, byte(len(header)), byte(len(header)>>8))
	b = append(b, header...)
	var byteOrder binary.AppendByteOrder = binary.LittleEndian
	if descr[0] == '>' {
		byteOrder = binary.BigEndian
	}
	for _, v := range values {
		var err error
		if b, err = binary.Append(b, byteOrder.(binary.ByteOrder), v); err != nil {
			panic(err) // of a test's table
		}
	}
	return b
}

// archive writes an NPZ file of .npy streams.
func archive(t testing.TB, arrays map[string][]byte) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range arrays {
		w, err := z.Create(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "in.npz")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTypes: every type that NumPy has for numbers, in either byte order.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		descr, name string
		values      []any
		want        []float64
	}{
		{"|b1", "bool", []any{false, true}, []float64{0, 1}},
		{"|i1", "int8", []any{int8(-128), int8(127)}, []float64{-128, 127}},
		{"|u1", "uint8", []any{uint8(0), uint8(255)}, []float64{0, 255}},
		{"<i2", "int16", []any{int16(-32768), int16(1)}, []float64{-32768, 1}},
		{">i2", "int16", []any{int16(-32768), int16(1)}, []float64{-32768, 1}},
		{"<u2", "uint16", []any{uint16(65535), uint16(1)}, []float64{65535, 1}},
		{"<i4", "int32", []any{int32(-2), int32(1)}, []float64{-2, 1}},
		{">u4", "uint32", []any{uint32(math.MaxUint32), uint32(1)}, []float64{math.MaxUint32, 1}},
		{"<i8", "int64", []any{int64(-2), int64(1 << 53)}, []float64{-2, 1 << 53}},
		{">i8", "int64", []any{int64(-2), int64(1)}, []float64{-2, 1}},
		{"<u8", "uint64", []any{uint64(0), uint64(math.MaxInt64)}, []float64{0, math.MaxInt64}},
		{"<f4", "float32", []any{float32(0.5), float32(-3)}, []float64{0.5, -3}},
		{">f4", "float32", []any{float32(0.5), float32(-3)}, []float64{0.5, -3}},
		{">f8", "float64", []any{0.1, -3.0}, []float64{0.1, -3}},
		// IEEE 754-2008, table 3.5: one, the smallest subnormal, the largest, -2.
		{"<f2", "float16", []any{uint16(0x3c00), uint16(0x0001)}, []float64{1, 0x1p-24}},
		{">f2", "float16", []any{uint16(0x7bff), uint16(0xc000)}, []float64{65504, -2}},
		{"<f2", "float16", []any{uint16(0x0400), uint16(0xfc00)}, []float64{0x1p-14, math.Inf(-1)}},
	} {
		f, err := Open(archive(t, map[string][]byte{"a": array(c.descr, false, "2,", c.values...)}))
		if err != nil {
			t.Fatal(err)
		}
		h, err := f.Header("a")
		if err != nil || h.Type.String() != c.name || h.Len() != 2 {
			t.Errorf("%s: %+v, %v, want %s", c.descr, h, err, c.name)
		}
		var got []float64
		if err := f.Each("a", func(_ int, v Value) error { got = append(got, v.Float()); return nil }); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.descr, diff)
		}
		f.Close()
	}
	for _, descr := range []string{"<c8", "|S4", "<U4", "<M8", "|O", "<f1", "<b4", "<i3", "|i4", "<f16", "|V4"} {
		_, err := readNPY(bytes.NewReader(array(descr, false, "2,")))
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("element type %q; write bool, int8", descr)) {
			t.Errorf("%s: %v", descr, err)
		}
	}
	_, err := readNPY(bytes.NewReader(array("<u8", false, "1,", uint64(math.MaxUint64))))
	if err == nil || !strings.Contains(err.Error(), "value 0 is 18446744073709551615; at most 9223372036854775807 is read") {
		t.Error(err)
	}
}

// TestHalfIsEveryFloat16 against the definition, term by term.
func TestHalfIsEveryFloat16(t *testing.T) {
	for bits := range 1 << 16 {
		sign, exponent, fraction := 1.0, bits>>10&31, float64(bits&1023)/1024
		if bits>>15 == 1 {
			sign = -1
		}
		want := sign * math.Pow(2, float64(exponent-15)) * (1 + fraction)
		switch {
		case exponent == 0:
			want = sign * math.Pow(2, -14) * fraction
		case exponent == 31 && fraction == 0:
			want = math.Inf(int(sign))
		case exponent == 31:
			want = math.NaN()
		}
		if got := half(uint16(bits)); math.Float64bits(got) != math.Float64bits(want) && !(got != got && want != want) {
			t.Fatalf("%#04x is %v, want %v", bits, got, want)
		}
	}
}

// TestFortranOrder: values come with their place in C order.
func TestFortranOrder(t *testing.T) {
	// numpy.asfortranarray([[1, 2, 3], [4, 5, 6]]) is stored 1 4 2 5 3 6.
	tensor, err := readNPY(bytes.NewReader(array("<i2", true, "2, 3", int16(1), int16(4), int16(2), int16(5), int16(3), int16(6))))
	if diff := cmp.Diff(Tensor{Shape: []int{2, 3}, Int64: []int64{1, 2, 3, 4, 5, 6}}, tensor); err != nil || diff != "" {
		t.Error(err, diff)
	}
	// Of [2,2,2], value i of the file has the index with i's bits reversed.
	tensor, err = readNPY(bytes.NewReader(array("|u1", true, "2, 2, 2", [8]uint8{0, 1, 2, 3, 4, 5, 6, 7})))
	if diff := cmp.Diff([]int64{0, 4, 2, 6, 1, 5, 3, 7}, tensor.Int64); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if tensor, err = readNPY(bytes.NewReader(array("|u1", true, "0, 3"))); err != nil || tensor.Len() != 0 {
		t.Error(tensor, err)
	}
}

func framesNet(t testing.TB) (*network.Workload, []network.Block) {
	t.Helper()
	w, err := network.Open("testdata/frames.yaml")
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := w.Net.Blocks(2)
	if err != nil {
		t.Fatal(err)
	}
	return w, blocks
}

// TestBoolFrames are what NumPy makes of a comparison.
func TestBoolFrames(t *testing.T) {
	w, blocks := framesNet(t)
	in, err := ReadInput("testdata/frames-bool.npz", w, blocks)
	if err != nil {
		t.Fatal(err)
	}
	spikes := 0
	for _, v := range in.X {
		if v == 1 {
			spikes++
		}
	}
	if len(in.X) != 4*2*2*4*4 || spikes == 0 || spikes == len(in.X) {
		t.Errorf("%d spikes among %d", spikes, len(in.X))
	}
}

// parts returns the arrays of frames-bool.npz as streams.
func parts(t testing.TB) map[string][]byte {
	t.Helper()
	s, err := ReadFile("testdata/frames-bool.npz")
	if err != nil {
		t.Fatal(err)
	}
	arrays := map[string][]byte{}
	for name, tensor := range s {
		arrays[name] = npy(t, tensor)
	}
	return arrays
}

// TestFramesAndLabelsOfAnyType, and what cannot be is said by its own name.
func TestFramesAndLabelsOfAnyType(t *testing.T) {
	w, blocks := framesNet(t)
	const shape = "4, 2, 2, 4, 4"
	zeros := func(bytes int) []byte { return make([]byte, bytes*256) }
	for _, c := range []struct {
		name string
		text []byte
		want string
	}{
		{"x", array("|u1", false, shape, zeros(1)), ""},
		{"x", array(">i2", true, shape, zeros(2)), ""},
		{"x", array("<f2", false, shape, zeros(2)), ""},
		{"x", array("<u8", false, shape, zeros(8)), ""},
		{"x", array("|u1", false, shape, bytes.Repeat([]byte{2}, 256)), "x: value 0 is 2; event frames hold 0 and 1 only"},
		{"x", array("<i4", false, shape, int32(1<<24+1), make([]byte, 4*255)), "value 0 is 16777217, which float32 has not exactly"},
		{"x", array("|u1", false, "4, 2, 2, 16", zeros(1)), "x has shape [4,2,2,16]; expected [4,2,2,4,4]"},
		{"y", array("|u1", false, "2,", uint8(3), uint8(0)), ""},
		{"y", array(">i4", false, "2,", int32(3), int32(0)), ""},
		{"y", array("<u8", false, "2,", uint64(3), uint64(math.MaxInt64)), "y: label 2147483647 of sample 2 is out of range; there are classes 0 to 3"},
		{"y", array("<i2", false, "2,", int16(-1), int16(0)), "y: label -1 of sample 1"},
		{"y", array("<f2", false, "2,", uint16(0), uint16(0)), "y is of type float16; expected int64, or another type of whole numbers"},
		{"wc1", array("<f2", false, "4, 6", make([]byte, 48)), ""},
		{"wc1", array("<f8", true, "4, 6", make([]byte, 192)), ""},
		{"wc1", array("|b1", false, "4, 6", make([]byte, 24)), "wc1 is of type bool; expected float32, float16 or float64"},
		{"wc1", array("<u2", false, "4, 6", make([]byte, 48)), "wc1 is of type uint16; expected float32, float16 or float64"},
		{"wc1", array("<f2", false, "4, 6", uint16(0x7e00), make([]byte, 46)), "value 0 is NaN; finite numbers are expected"},
	} {
		arrays := parts(t)
		arrays[c.name] = c.text
		_, err := ReadInput(archive(t, arrays), w, blocks)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// huge streams an array of zeros; deflate makes a thousandth of it.
func huge(t *testing.T, w *zip.Writer, name, shape string, bytes int64) {
	t.Helper()
	entry, err := w.Create(name + ".npy")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write(array("<f4", false, shape)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(entry, zeroes{}, bytes); err != nil {
		t.Fatal(err)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestNothingIsDecompressedThatNoOneAskedFor: names and shapes decide first.
func TestNothingIsDecompressedThatNoOneAskedFor(t *testing.T) {
	w, blocks := framesNet(t)
	const size = 64 << 20
	for name, want := range map[string]string{
		"zeros": "zeros is no tensor of this workload: it has x, y, w1, w2, wc1",
		"w1":    "w1 has shape [16777216]; expected [3,2,3,3]",
	} {
		arrays := parts(t)
		delete(arrays, name)
		path := archive(t, arrays)
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(file)
		for name, text := range arrays {
			entry, err := z.Create(name + ".npy")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := entry.Write(text); err != nil {
				t.Fatal(err)
			}
		}
		huge(t, z, name, fmt.Sprintf("%d,", size/4), size)
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		file.Close()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = ReadInput(path, w, blocks)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("%s: %d MiB were allocated", name, used>>20)
		}
	}
}

// TestShapesThatTheFileDoesNotHoldMakeNoRoom.
func TestShapesThatTheFileDoesNotHoldMakeNoRoom(t *testing.T) {
	path := archive(t, map[string][]byte{"a": array("<f8", false, "1000000, 200", 1.0)})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ReadFile(path)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "truncated: shape [1000000,200] of float64 needs 1600000000 bytes, there are ") {
		t.Error(err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d MiB were allocated", used>>20)
	}
}

func TestFilesThatAreNoArchive(t *testing.T) {
	for _, path := range []string{"/dev/zero", t.TempDir()} {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "a regular file is wanted") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
