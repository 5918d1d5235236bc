package dataset

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
)

// esCanvas is a canvas of ES-ImageNet's own size.
func esCanvas() *canvas {
	return newCanvas(esSteps, 0, network.Shape{Channels: 2, Height: esCropped, Width: esCropped}, esCropped, esCropped)
}

// wide is a sample of the published size: (254-190)/2 = 32 rows above it, and
// 16 are cut off all round.
func wide() *esSample { return &esSample{height: 190, width: 254} }

func draw(s *esSample, data []byte, c *canvas) error {
	return s.draw("f.npz", bytes.NewReader(data), int64(len(data)), c)
}

func TestESImageNetEvents(t *testing.T) {
	c := esCanvas()
	err := draw(wide(), npzFile(map[string][]byte{
		"pos": npyEvents([3]byte{0, 16, 1}, [3]byte{189, 239, 8}, [3]byte{5, 15, 1}, [3]byte{5, 240, 1}), // two are cut off
		"neg": npyEvents([3]byte{1, 17, 2}),
	}), c)
	if err != nil {
		t.Fatal(err)
	}
	want := [][4]int{{0, 1, 16, 0}, {1, 0, 17, 1}, {7, 1, 205, 223}}
	if got := c.spikes(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Samples that are 64 x 64 already have no margin.
func TestSmallESImageNetFillsTheFrame(t *testing.T) {
	c := newCanvas(2, 0, network.Shape{Channels: 2, Height: 64, Width: 64}, esCropped, esCropped)
	err := draw(&esSample{height: 64, width: 32}, npzFile(map[string][]byte{
		"pos": npyEvents([3]byte{0, 0, 1}, [3]byte{63, 31, 2}, [3]byte{9, 9, 3}), // the third step is not asked for
		"neg": npyEvents(),
	}), c)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.spikes(), [][4]int{{0, 1, 0, 16}, {1, 1, 63, 47}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// What numpy wrote: int16 in Fortran order and uint8; float64, compressed, and
// no events.
func TestNumpyFilesAreRead(t *testing.T) {
	pos := [][4]int{{0, 1, 16, 0}, {2, 1, 116, 34}, {7, 1, 205, 223}}
	for file, want := range map[string][][4]int{
		"testdata/numpy.npz":            slices.Insert(slices.Clone(pos), 1, [4]int{1, 0, 23, 12}),
		"testdata/numpy_compressed.npz": pos,
	} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := esCanvas()
		if err := draw(wide(), data, c); err != nil {
			t.Fatal(err)
		}
		if got := c.spikes(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", file, got, want)
		}
	}
}

func TestDamagedESImageNetIsRefused(t *testing.T) {
	members := func(pos, neg []byte) []byte { return npzFile(map[string][]byte{"pos": pos, "neg": neg}) }
	event := npyEvents([3]byte{1, 2, 3})
	good := members(event, event)
	broken := slices.Clone(good)
	broken[bytes.Index(broken, []byte("NUMPY"))-1+128]++ // the first value
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "f.npz: byte 0: no .npz file"},
		{"truncated", good[:len(good)-1], "no .npz file"},
		{"without pos", npzFile(map[string][]byte{"neg": event}), `f.npz: no array "pos" in it`},
		{"checksum", broken, "checksum error"},
		{"two columns", members(event, npyFile("|u1", false, "(3, 2)", make([]byte, 6))), "f.npz: neg: an array of shape [3 2]; events have three columns"},
		{"step 0", members(npyEvents([3]byte{1, 2, 3}, [3]byte{1, 2, 0}), event), "f.npz: pos: event 1 is at row 1, column 2, step 0; an image of 190 x 254 has no such one"},
		{"step 9", members(npyEvents([3]byte{1, 2, 9}), event), "step 9"},
		{"row 224", members(npyEvents([3]byte{224, 2, 1}), event), "event 0 is at row 224"},
		{"1.5", members(npyFile(">f4", false, "(1, 3)", []byte{0x3f, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), event), "value 0 is 1.5; it should be a small whole number"},
		{"NaN", members(npyFile("<f2", false, "(1, 3)", []byte{0, 0x7e, 0, 0, 0, 0}), event), "pos: value 0 is NaN; it should be a small whole number"},
		{"more than the file holds", members(npyFile("|u1", false, "(99999999, 3)", nil), event), "needs 299999997 bytes"},
		{"too many", members(npyFile("|u1", false, "(16777217, 3)", make([]byte, 3*16777217)), event), "pos: 16777217 events; at most 16777216 are read"},
		{"row -33", members(npyFile("|i1", false, "(1, 3)", []byte{0xdf, 2, 1}), event), "event 0 is at row -33"},
	} {
		if err := draw(wide(), test.data, esCanvas()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	c := esCanvas()
	for n := range good {
		if err := draw(wide(), good[:n], c); err == nil {
			t.Errorf("the first %d bytes are accepted", n)
		}
	}
}

// The 200 lowest labels, 500 training samples each; the test samples of these.
func TestTinyESImageNetIsAPartOfTheWhole(t *testing.T) {
	dir := t.TempDir()
	var train, val strings.Builder
	for i := range 300 {
		for n := range 502 {
			fmt.Fprintf(&train, "class%d/%d.npz %d 254 190\n", 3*i, n, 3*i)
		}
		fmt.Fprintf(&val, "%d.npy %d 254 190\n", i, 3*i)
	}
	write(t, []byte(train.String()), dir, "ES-imagenet-0.18", "trainlabel.txt")
	write(t, []byte(val.String()), dir, "ES-imagenet-0.18", "vallabel.txt")
	set, test := open(t, "tiny-es-imagenet", Options{Dir: dir}), open(t, "tiny-es-imagenet", Options{Dir: dir, Split: "test"})
	if set.Len() != 100_000 || test.Len() != 200 {
		t.Errorf("%d samples to train with and %d to test; want 100000 and 200", set.Len(), test.Len())
	}
	if last := set.samples.(*esImageNet).samples[99_999]; last != (esSample{"class597/499.npz", 199, 254, 190}) {
		t.Errorf("the last is %+v", last)
	}
	if first := test.samples.(*esImageNet).samples[1]; first != (esSample{"1.npz", 1, 254, 190}) {
		t.Errorf("the second test sample is %+v", first)
	}
	if err := set.Read(0, &Sample{}); err == nil || !strings.Contains(err.Error(), "class0/0.npz: no such file") {
		t.Error(err)
	}
}

func TestESImageNetLabelsAreChecked(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a.npz 3 254 190\n\na.npz 3 254\n", "f:3: 3 fields; a line should be FILE LABEL HEIGHT WIDTH"},
		{"a.npz 1000 254 190\n", `f:1: label "1000"; accepted are 0 to 999`},
		{"a.npz -1 254 190\n", `f:1: label "-1"`},
		{"a.npz 3 0 190\n", `f:1: height "0"; accepted are 1 to 254`},
		{"a.npz 3 254 255\n", `f:1: width "255"; accepted are 1 to 254`},
		{"../a.npz 3 254 190\n", `f:1: the file "../a.npz" is not inside the dataset`},
		{strings.Repeat("a", 1<<17), "f:1: a line of more than 65536 bytes"},
	} {
		err := parseESLabels("f", strings.NewReader(test.text), func(esSample) {})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.40q: %v, want %s", test.text, err, test.want)
		}
	}
}

func FuzzESImageNet(f *testing.F) {
	event := npyEvents([3]byte{1, 2, 3})
	f.Add(npzFile(map[string][]byte{"pos": event, "neg": event}))
	f.Add(event)
	f.Add(npyFile("<i8", true, "(1, 3)", make([]byte, 24)))
	c := esCanvas()
	f.Fuzz(func(_ *testing.T, data []byte) {
		// As the whole file, and as the arrays in a sound one.
		for _, file := range [][]byte{data, npzFile(map[string][]byte{"pos": data, "neg": data})} {
			c.rows, c.cols = newAxis(esCropped, esCropped), newAxis(esCropped, esCropped)
			draw(wide(), file, c)
			draw(&esSample{height: 20, width: 64}, file, c)
		}
	})
}

func FuzzESLabels(f *testing.F) {
	f.Add("class0/n01440764_1.npz 0 190 254\n")
	f.Add("a b c d")
	f.Fuzz(func(t *testing.T, text string) {
		parseESLabels("f", strings.NewReader(text), func(s esSample) {
			if s.label < 0 || s.label >= esLabels || s.height < 1 || s.width < 1 || max(s.height, s.width) > esSide {
				t.Errorf("accepted %+v", s)
			}
		})
	})
}
