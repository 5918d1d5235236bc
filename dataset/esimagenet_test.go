package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"accelsim/network"

	"github.com/sbinet/npyio/npz"
	"gonum.org/v1/gonum/mat"
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

// What another writer of these files wrote.
func TestNpyioFilesAreRead(t *testing.T) {
	var b bytes.Buffer
	w := npz.NewWriter(&b)
	for _, name := range []string{"pos.npy", "neg.npy"} {
		if err := w.Write(name, mat.NewDense(2, 3, []float64{10, 20, 3, 11, 21, 4})); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c := esCanvas()
	if err := draw(wide(), b.Bytes(), c); err != nil {
		t.Fatal(err)
	}
	if got, want := c.spikes(), [][4]int{{2, 0, 26, 4}, {2, 1, 26, 4}, {3, 0, 27, 5}, {3, 1, 27, 5}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestNPYValues(t *testing.T) {
	le := binary.LittleEndian
	for descr, data := range map[string][]byte{
		"|u1": {200}, "|i1": {0x9c}, "<u2": le.AppendUint16(nil, 40000), "<i2": le.AppendUint16(nil, 0xff9c),
		"<u4": le.AppendUint32(nil, 1e9), "<i4": le.AppendUint32(nil, 1<<32-100), "<u8": le.AppendUint64(nil, 7), "<i8": le.AppendUint64(nil, 1<<64-100),
		"<f4": le.AppendUint32(nil, math.Float32bits(254)), "<f8": le.AppendUint64(nil, math.Float64bits(-3)),
	} {
		want := map[string]int{"|u1": 200, "<u2": 40000, "<u4": 1e9, "<u8": 7, "<f4": 254, "<f8": -3}[descr]
		if descr[1] == 'i' {
			want = -100
		}
		a, err := parseNPY("f", npyFile(descr, false, "(1,)", data))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.whole(0); got != want || err != nil {
			t.Errorf("%s: %d (%v), want %d", descr, got, err, want)
		}
	}
}

func TestDamagedNPYIsRefused(t *testing.T) {
	good := npyEvents([3]byte{1, 2, 3}, [3]byte{4, 5, 6}) // a header of 128 bytes, 6 of values
	with := func(at int, v byte) []byte {
		b := slices.Clone(good)
		b[at] = v
		return b
	}
	parse := func(data []byte) error {
		a, err := parseNPY("f", data)
		if err == nil {
			_, err = a.whole(0)
		}
		return err
	}
	refuse(t, []damage{
		{"empty", nil, "ends within the header of a .npy file", 0},
		{"magic", with(1, 'n'), "no .npy file", 0},
		{"version 4", with(6, 4), "version 4 of the .npy format", 6},
		{"long header", with(9, 9), "ends within the header", int64(len(good))},
		{"a header of 4 GB", append([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), good...), "ends within the header", int64(len(good) + 12)},
		{"damaged header", with(12, '!'), `the header "{'!`, 10},
		{"objects", npyFile("|O", false, "(1,)", nil), "the header", 10},
		{"float16", npyFile("<f2", false, "(1,)", []byte{0, 0}), "values of type f2", 10},
		{"big-endian", npyFile(">i4", false, "(1,)", make([]byte, 4)), "the header", 10},
		{"2^60 values", npyFile("|u1", false, "(1073741824, 1073741824)", nil), "the shape (1073741824, 1073741824), which makes over 67108864 bytes", 10},
		{"a shape beyond integers", npyFile("|u1", false, "(99999999999999999999,)", nil), "which makes over", 10},
		{"truncated", good[:len(good)-1], "5 bytes of values; a shape of (2, 3) has 6", int64(len(good) - 1)},
		{"longer", append(slices.Clone(good), 0), "7 bytes of values", int64(len(good) + 1)},
		{"NaN", npyFile("<f8", false, "(1,)", binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.NaN()))), "NaN; it should be a small whole number", 128},
		{"1.5", npyFile("<f4", false, "(1,)", binary.LittleEndian.AppendUint32(nil, math.Float32bits(1.5))), "1.5; it should be a small whole number", 128},
	}, parse)
	everyPrefix(t, good, func(int) bool { return false }, parse)
}

func TestDamagedESImageNetIsRefused(t *testing.T) {
	members := func(pos, neg []byte) []byte { return npzFile(map[string][]byte{"pos": pos, "neg": neg}) }
	event := npyEvents([3]byte{1, 2, 3})
	good := members(event, event)
	broken := slices.Clone(good)
	broken[bytes.Index(broken, []byte("NUMPY"))]++
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "f.npz: byte 0: no .npz file"},
		{"truncated", good[:len(good)-1], "no .npz file"},
		{"without pos", npzFile(map[string][]byte{"neg": event}), `f.npz: no array "pos" in it`},
		{"checksum", broken, "checksum error"},
		{"two columns", members(event, npyFile("|u1", false, "(3, 2)", make([]byte, 6))), "f.npz: neg.npy: byte 0: an array of shape [3 2]; events have three columns"},
		{"step 0", members(npyEvents([3]byte{1, 2, 3}, [3]byte{1, 2, 0}), event), "f.npz: pos.npy: byte 131: an event at row 1, column 2, step 0; an image of 190 x 254 has no such one"},
		{"step 9", members(npyEvents([3]byte{1, 2, 9}), event), "step 9"},
		{"row 224", members(npyEvents([3]byte{224, 2, 1}), event), "an event at row 224"},
		{"row -33", members(npyFile("|i1", false, "(1, 3)", []byte{0xdf, 2, 1}), event), "an event at row -33"},
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
	large := npzFile(map[string][]byte{"neg": make([]byte, maxNPY+1)})
	if err := draw(wide(), large, esCanvas()); err == nil || !strings.Contains(err.Error(), "an array of over 67108864 bytes") {
		t.Errorf("a large array: %v", err)
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

func FuzzNPY(f *testing.F) {
	f.Add(npyEvents([3]byte{1, 2, 3}, [3]byte{4, 5, 6}))
	f.Add(npyFile("<f8", true, "(1, 1)", make([]byte, 8)))
	f.Add([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		a, err := parseNPY("f", data)
		if err != nil {
			return
		}
		rows, err := a.rows3()
		for i := 0; err == nil && i < rows; i++ {
			_, err = a.row(i, rows)
		}
	})
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
