package tensors

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/network"
)

const vectors = "../testdata/vectors/"

func readVector(t testing.TB, name string) (Set, *network.Workload, []network.Block) {
	t.Helper()
	s, err := ReadFile(vectors + name + ".in.npz")
	if err != nil {
		t.Fatal(err)
	}
	w, err := network.Open(vectors + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := w.Net.Blocks(1)
	if err != nil {
		t.Fatal(err)
	}
	return s, w, blocks
}

func TestInputIsReadFromNumPysFile(t *testing.T) {
	s, w, blocks := readVector(t, "bn-ce")
	in, err := s.Input(w, blocks)
	if err != nil {
		t.Fatal(err)
	}
	if len(in.X) != 6*6*2*8*8 || len(in.Y) != 6 || len(in.Weights) != 3 || len(in.Classifiers) != 3 || len(in.Norms[2].Variance) != 12 {
		t.Errorf("x %d, y %d, weights %d, classifiers %d", len(in.X), len(in.Y), len(in.Weights), len(in.Classifiers))
	}
}

func TestBadTensorsAreNamed(t *testing.T) {
	for _, c := range []struct {
		vector string
		spoil  func(Set)
		want   string
	}{
		{"bn-ce", func(s Set) { delete(s, "w2") }, "w2 is missing; expected [6,4,3,3]"},
		{"bn-ce", func(s Set) { s["w2"] = s["w1"] }, "w2 has shape [4,2,3,3]; expected [6,4,3,3]"},
		{"bn-ce", func(s Set) { s["wc3"] = s["wc1"] }, "wc3 has shape [5,64]; expected [5,12]"},
		{"bn-ce", func(s Set) { s["w1"].Float32[7] = float32(math.NaN()) }, "w1: value 7 is NaN"},
		{"bn-ce", func(s Set) { s["x"].Float32[9] = float32(math.Inf(1)) }, "x: value 9 is +Inf"},
		{"bn-ce", func(s Set) { s["x"].Float32[9] = 0.5 }, "event frames hold 0 and 1 only"},
		{"bn-ce", func(s Set) { s["y"].Int64[3] = 5 }, "y: label 5 of sample 4 is out of range; there are classes 0 to 4"},
		{"bn-ce", func(s Set) { s["y"].Int64[0] = -1 }, "label -1 of sample 1"},
		{"bn-ce", func(s Set) { s["y"] = Floats(make([]float32, 6), 6) }, "y is of type float32; expected int64"},
		{"bn-ce", func(s Set) { s["w1"] = Tensor{Shape: s["w1"].Shape, Int64: make([]int64, 72)} }, "w1 is of type int64; expected float32"},
		{"bn-ce", func(s Set) { s["bn1_var"].Float32[1] = -1 }, "bn1_var: the running variance of channel 2 is -1"},
		{"bn-ce", func(s Set) { s["w9"] = s["w1"] }, "w9 is no tensor of this workload"},
		{"direct-k1", func(s Set) { x := s["x"]; x.Float32[len(x.Float32)-1]++ }, "x: step 4 differs from step 1"},
	} {
		s, w, blocks := readVector(t, c.vector)
		if c.vector == "direct-k1" {
			blocks, _ = w.Net.Blocks(2)
		}
		c.spoil(s)
		if _, err := s.Input(w, blocks); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	s := Set{
		"scalar": Scalar(1.5), "count": Count(-7), "line": Floats([]float32{1, 2, 3}, 3),
		"map":  {Shape: []int{2, 3}, Float64: []float64{1, 2, 3, 4, 5, math.Inf(1)}},
		"ints": {Shape: []int{1, 2}, Int64: []int64{math.MaxInt64, math.MinInt64}},
		"none": Floats([]float32{}, 0, 4),
	}
	path := filepath.Join(t.TempDir(), "out.npz")
	if err := s.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
}

// Spikes are bytes in the file, whole numbers when they are read.
func TestBytesAreWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.npz")
	if err := (Set{"s1": Bytes([]uint8{0, 1, 1, 200}, 2, 2)}).WriteFile(path); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := f.Header("s1")
	if err != nil || h.Type.String() != "uint8" || ShapeString(h.Shape) != "[2,2]" {
		t.Errorf("%v %v %v", h.Type, h.Shape, err)
	}
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{0, 1, 1, 200}, got["s1"].Int64); diff != "" {
		t.Error(diff)
	}
}

// An iteration's tensors may be in several files; without labels nothing is learnt, and
// frames of one row and column may leave these out.
func TestTensorsOfSeveralFiles(t *testing.T) {
	w, err := network.Read([]byte("{input: {channels: 3, height: 1, width: 1, encoding: event}, timesteps: 2, batch: 1, layers: 4FC-2FC}"), "w.yaml")
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := w.Net.Blocks(1)
	if err != nil {
		t.Fatal(err)
	}
	s := Set{
		"x": Floats([]float32{0, 1, 1, 0, 0, 1}, 2, 1, 3, 1, 1), "y": {Shape: []int{1}, Int64: []int64{1}},
		"w1": Floats(make([]float32, 12), 4, 3), "wc1": Floats(make([]float32, 8), 2, 4),
	}
	want, err := s.Input(w, blocks)
	if err != nil {
		t.Fatal(err)
	}
	frames := s["x"]
	frames.Shape = frames.Shape[:3]
	folder := t.TempDir()
	parts := []Set{{"x": frames}, {}}
	for name, tensor := range s {
		if name != "x" && name != "y" {
			parts[1][name] = tensor
		}
	}
	var paths []string
	for i, part := range parts {
		paths = append(paths, filepath.Join(folder, fmt.Sprint(i, ".npz")))
		if err := part.WriteFile(paths[i]); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadInputs(w, blocks, paths...)
	if err != nil {
		t.Fatal(err)
	}
	want.Y = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ReadInputs(w, blocks, paths[0]); err == nil || !strings.Contains(err.Error(), "w1 is missing") {
		t.Error(err)
	}
	if _, err := ReadInputs(w, blocks, paths[0], paths[1], paths[1]); err == nil || !strings.Contains(err.Error(), "is in another of the files, too") {
		t.Error(err)
	}
}

func TestDamagedFilesAreNamedWithTheByte(t *testing.T) {
	whole, err := os.ReadFile(vectors + "fc-bptt.in.npz")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "in.npz")
	for _, n := range []int{0, 1, 100, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%d bytes: error %v", n, err)
		}
	}
	for i := range whole {
		text := bytes.Clone(whole)
		text[i] ^= 0xff
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path); err != nil && !strings.Contains(err.Error(), path) {
			t.Fatalf("byte %d: error %v", i, err)
		}
	}
}

func npy(t testing.TB, tensor Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeNPY(&b, tensor); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readNPY reads one .npy stream.
func readNPY(r io.Reader) (Tensor, error) {
	h, _, err := readHeader(r)
	if err != nil {
		return Tensor{}, err
	}
	return h.readTensor(r)
}

func TestArraysThatCannotBeReadSayWhy(t *testing.T) {
	good := npy(t, Floats([]float32{1, 2, 3, 4}, 2, 2))
	for want, text := range map[string][]byte{
		"truncated":         good[:len(good)-1],
		"bytes beyond":      append(bytes.Clone(good), 1),
		"wrong magic":       append([]byte("PK"), good[2:]...),
		"no .npy header":    good[:3],
		"header has":        good[:40],
		`element type "<c8`: bytes.Replace(good, []byte("<f4"), []byte("<c8"), 1),
		"lacks descr":       bytes.Replace(good, []byte("descr"), []byte("desct"), 1),
		"more than":         bytes.Replace(good, []byte("(2, 2)"), []byte("(9999999,9999999)"), 1),
		"version 9":         append([]byte("\x93NUMPY\x09"), good[7:]...),
	} {
		if _, err := readNPY(bytes.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func FuzzReadNPY(f *testing.F) {
	f.Add(npy(f, Floats([]float32{1, 2, 3, 4}, 2, 2)))
	f.Add(npy(f, Scalar(2)))
	f.Add(npy(f, Count(3)))
	for _, descr := range []string{"|b1", "|u1", "<i2", ">i4", "<u8", "<f2", ">f8"} {
		f.Add(bytes.Replace(npy(f, Floats([]float32{1, 2}, 1, 2)), []byte("'<f4', 'fortran_order': False"), []byte("'"+descr+"', 'fortran_order': True "), 1))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		h, size, err := readHeader(bytes.NewReader(text))
		if err != nil || h.length > 1<<20 { // [Header.fits] refuses what the file does not hold
			return
		}
		tensor, err := h.readTensor(bytes.NewReader(text[size:]))
		if err != nil {
			return
		}
		again, err := readNPY(bytes.NewReader(npy(t, tensor)))
		if err != nil || tensor.Len() != again.Len() {
			t.Errorf("read %v, then %v: %v", tensor.Shape, again.Shape, err)
		}
	})
}
