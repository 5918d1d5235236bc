package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
)

// open opens a dataset of testdata.
func open(t testing.TB, name string, o Options) *Set {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join("testdata", name)
	}
	s, err := Open(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestEveryDatasetOpens(t *testing.T) {
	type facts struct {
		train, test int
		shape       string
		words       int // of a sample
	}
	want := map[string]facts{
		"mnist":            {40, 20, "1x28x28", 784},
		"emnist":           {94, 47, "1x28x28", 784},
		"cifar10":          {10, 2, "3x32x32", 3072},
		"dvsgesture":       {22, 11, "2x32x32", 60 * 2 * 32 * 32},
		"cifar10-dvs":      {90, 10, "2x32x32", 100 * 2 * 32 * 32},
		"n-caltech101":     {27, 3, "2x64x64", 60 * 2 * 64 * 64},
		"tiny-es-imagenet": {8, 8, "2x64x64", 8 * 2 * 64 * 64},
	}
	for _, name := range network.Datasets() {
		t.Run(name, func(t *testing.T) {
			o := Options{}
			switch name {
			case "dvsgesture", "cifar10-dvs":
				o.Height, o.Width = 32, 32
			case "n-caltech101":
				o.Height, o.Width = 64, 64
			}
			train := open(t, name, o)
			o.Split = "test"
			test := open(t, name, o)
			var sample Sample
			for _, set := range []*Set{train, test} {
				labels := map[int]bool{}
				for i := range set.Len() {
					if err := set.Read(i, &sample); err != nil {
						t.Fatal(err)
					}
					labels[sample.Label] = true
					on := 0
					for _, v := range sample.X {
						if v < 0 || v > 1 || set.Encoding == network.Event && v != 0 && v != 1 {
							t.Fatalf("sample %d has a value %v", i, v)
						}
						if v > 0 {
							on++
						}
					}
					if on == 0 || on == len(sample.X) {
						t.Errorf("sample %d: %d of %d values are not zero", i, on, len(sample.X))
					}
				}
				for label := range labels {
					if label < 0 || label >= set.Classes {
						t.Errorf("label %d of %d classes", label, set.Classes)
					}
				}
			}
			got := facts{train.Len(), test.Len(), train.Shape.String(), len(sample.X)}
			if got != want[name] {
				t.Errorf("%+v, want %+v", got, want[name])
			}
		})
	}
}

// A batch is its samples, step by step for events.
func TestBatchIsItsSamples(t *testing.T) {
	for _, name := range []string{"emnist", "cifar10", "dvsgesture", "tiny-es-imagenet"} {
		set := open(t, name, Options{Height: 16, Width: 20, Timesteps: 5})
		indices := []int{3, 1, 7}
		batch := Batch{X: []float32{9, 9, 9}}
		if err := set.ReadBatch(indices, &batch); err != nil {
			t.Fatal(err)
		}
		var sample Sample
		size := set.Shape.Size()
		for b, i := range indices {
			if err := set.Read(i, &sample); err != nil {
				t.Fatal(err)
			}
			if batch.Labels[b] != sample.Label {
				t.Errorf("%s: label %d in the batch, %d alone", name, batch.Labels[b], sample.Label)
			}
			for step := range len(sample.X) / size {
				if !slices.Equal(batch.X[(step*len(indices)+b)*size:][:size], sample.X[step*size:][:size]) {
					t.Errorf("%s: sample %d at step %d differs in the batch", name, i, step)
				}
			}
		}
		if len(batch.X) != len(indices)*len(sample.X) {
			t.Errorf("%s: a batch of %d values for %d samples of %d", name, len(batch.X), len(indices), len(sample.X))
		}
	}
}

func TestSamplesDoNotDependOnOrderOrGoroutines(t *testing.T) {
	for _, name := range []string{"emnist", "cifar10", "dvsgesture", "cifar10-dvs", "n-caltech101", "tiny-es-imagenet"} {
		first := open(t, name, Options{Height: 16, Width: 16})
		want := make([]Sample, first.Len())
		for i := range want {
			if err := first.Read(i, &want[i]); err != nil {
				t.Fatal(err)
			}
		}
		set := open(t, name, Options{Height: 16, Width: 16})
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				var got Sample
				for i := len(want) - 1 - worker; i >= 0; i -= 2 {
					if err := set.Read(i, &got); err != nil {
						t.Error(err)
						return
					}
					if got.Label != want[i].Label || !slices.Equal(got.X, want[i].X) {
						t.Errorf("%s: sample %d differs", name, i)
					}
				}
			})
		}
		group.Wait()
	}
}

func TestReadReusesItsRoom(t *testing.T) {
	set := open(t, "cifar10-dvs", Options{Height: 32, Width: 32})
	sample := Sample{X: make([]float32, 0, 100*2*32*32)}
	for i := range sample.X[:cap(sample.X)] {
		sample.X[:cap(sample.X)][i] = 7
	}
	room := &sample.X[:1][0]
	if err := set.Read(0, &sample); err != nil {
		t.Fatal(err)
	}
	if &sample.X[0] != room {
		t.Error("a sample with room was given new room")
	}
	if slices.Contains(sample.X, 7) {
		t.Error("old values shine through")
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, test := range []struct {
		name    string
		options Options
		want    string
	}{
		{"mnits", Options{}, `did you mean "mnist"?`},
		{"emnist", Options{}, "Give --data DIR, the folder that has emnist-balanced-train-images-idx3-ubyte.gz in it"},
		{"emnist", Options{Dir: "no such folder"}, "no such folder: no such file or directory"},
		{"emnist", Options{Dir: "testdata"}, "--data testdata: no emnist-balanced-train-images-idx3-ubyte.gz there, nor in gzip, raw, EMNIST/raw"},
		{"mnist", Options{Dir: "testdata/mnist", Split: "validation"}, `no split "validation"; there are train and test`},
		{"mnist", Options{Dir: "testdata/mnist", Timesteps: -1}, "timesteps is -1; accepted are 1 to 65536"},
		{"mnist", Options{Dir: "testdata/mnist", Height: 1 << 20}, "height is 1048576; accepted are 1 to 65536"},
		{"cifar10-dvs", Options{Dir: "testdata/cifar10-dvs", Height: 1 << 16, Width: 1 << 16}, "has over 1073741824 values"},
		{"cifar10", Options{Dir: "testdata"}, "no data_batch_1.bin there, nor in cifar-10-batches-bin"},
		{"dvsgesture", Options{Dir: "testdata", Split: "test"}, "no trials_to_test.txt there, nor in DvsGesture"},
		{"cifar10-dvs", Options{Dir: "testdata/mnist"}, "no airplane there"},
		{"n-caltech101", Options{}, "the folder that has the classes' folders in it"},
		{"n-caltech101", Options{Dir: "testdata"}, "no .bin file there"},
		{"n-caltech101", Options{Dir: "testdata/mnist"}, "0 folders there; a class has one each, and there are 101"},
		{"tiny-es-imagenet", Options{Dir: "testdata"}, "no trainlabel.txt there"},
		{"tiny-es-imagenet", Options{Dir: "testdata/tiny-es-imagenet", Timesteps: 9}, "9 timesteps; its samples have 8"},
	} {
		_, err := Open(test.name, test.options)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %+v: %v, want %s", test.name, test.options, err, test.want)
		}
	}
	set := open(t, "mnist", Options{})
	for _, i := range []int{-1, 40} {
		if err := set.Read(i, &Sample{}); err == nil || !strings.Contains(err.Error(), "among 40") {
			t.Errorf("sample %d: %v", i, err)
		}
	}
	if err := set.ReadBatch([]int{0, 40}, &Batch{}); err == nil {
		t.Error("a batch with a sample that is not there")
	}
}

// Each class has its first nine recordings of ten in train.
func TestSplitIsNineToOnePerClass(t *testing.T) {
	dir := t.TempDir()
	for _, class := range []string{"ant", "crab"} {
		for i := range 20 {
			write(t, atisFile(event{x: i}), dir, class, fmt.Sprintf("image_%d.bin", i))
		}
		write(t, nil, dir, class, "readme.txt")
	}
	test := open(t, "n-caltech101", Options{Dir: dir, Split: "test", Timesteps: 1, Height: 180, Width: 240})
	train := open(t, "n-caltech101", Options{Dir: dir, Timesteps: 1, Height: 180, Width: 240})
	if train.Len() != 36 || test.Len() != 4 {
		t.Errorf("%d to train and %d to test of 40", train.Len(), test.Len())
	}
	for i, want := range [][2]int{{0, 9}, {0, 19}, {1, 9}, {1, 19}} {
		var s Sample
		if err := test.Read(i, &s); err != nil {
			t.Fatal(err)
		}
		if s.Label != want[0] || s.X[want[1]] != 1 {
			t.Errorf("test sample %d is not number %d of class %d", i, want[1], want[0])
		}
	}
}

// damage is a file that a parser should refuse, and how.
type damage struct {
	name string
	data []byte
	want string // part of the error
	at   int64  // the byte it names; -1 for a line
}

// refuse checks that the parser does.
func refuse(t *testing.T, tests []damage, parse func(data []byte) error) {
	t.Helper()
	for _, test := range tests {
		err := parse(test.data)
		var where *FileError
		switch {
		case err == nil:
			t.Errorf("%s: accepted", test.name)
		case !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		case !errors.As(err, &where):
			t.Errorf("%s: %v names no byte", test.name, err)
		case where.Path == "" || where.Offset != test.at:
			t.Errorf("%s: %v names byte %d, want %d", test.name, err, where.Offset, test.at)
		}
	}
}

// Every prefix of a file of one of these formats is refused, or holds whole
// events only.
func everyPrefix(t *testing.T, data []byte, whole func(n int) bool, parse func(data []byte) error) {
	t.Helper()
	for n := range data {
		err := parse(data[:n])
		var where *FileError
		switch {
		case whole(n) && err != nil:
			t.Errorf("the first %d bytes: %v", n, err)
		case !whole(n) && (!errors.As(err, &where) || where.Offset > int64(n)):
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

func TestMissingFilesAreNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, file string }{
		{"mnist", "train-labels-idx1-ubyte.gz"},
		{"cifar10", "data_batch_4.bin"},
		{"dvsgesture", "user02_led.aedat"},
		{"dvsgesture", "user01_led_labels.csv"},
		{"cifar10-dvs", "horse"},
	} {
		if err := os.RemoveAll(filepath.Join(dir, test.name, test.file)); err != nil {
			t.Fatal(err)
		}
		_, err := Open(test.name, Options{Dir: filepath.Join(dir, test.name)})
		if err == nil || !strings.Contains(err.Error(), test.file) {
			t.Errorf("%s without %s: %v", test.name, test.file, err)
		}
	}
}
