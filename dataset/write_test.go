package dataset

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Writers of the formats, for tests and for testdata.

func idxBytes(data []byte, shape ...int) []byte {
	b := []byte{0, 0, 8, byte(len(shape))}
	for _, n := range shape {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return append(b, data...)
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func cifarFile(labels []byte, image func(i int) []byte) []byte {
	var b []byte
	for i, label := range labels {
		b = append(append(b, label), image(i)...)
	}
	return b
}

const aedat2Header = "#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n" +
	"# Data format is int32 address, int32 timestamp (8 bytes total), repeated for each event\r\n# Timestamps tick is 1 us\r\n"

// aedat2File writes events as a DVS128 seen by CIFAR10-DVS's turned camera.
func aedat2File(events ...event) []byte {
	b := []byte(aedat2Header)
	for _, e := range events {
		x, y := 127-e.y, 127-e.x
		b = binary.BigEndian.AppendUint32(b, uint32(y<<8|x<<1|1-e.on))
		b = binary.BigEndian.AppendUint32(b, uint32(e.t))
	}
	return b
}

const aedat3Head = "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 0: DVS128\r\n#Start-Time: 2016-05-02 12:00:00 (TZ+0000)\r\n#!END-HEADER\r\n"

// aedat3Packet writes a packet of polarity events with room for some more.
func aedat3Packet(room int, events ...event) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16(nil, 1)
	b = le.AppendUint16(b, 0)
	overflow := uint32(0)
	if len(events) > 0 {
		overflow = uint32(events[0].t >> 31)
	}
	for _, v := range []uint32{8, 4, overflow, uint32(len(events) + room), uint32(len(events)), uint32(len(events))} {
		b = le.AppendUint32(b, v)
	}
	for _, e := range events {
		b = le.AppendUint32(b, uint32(e.x<<17|e.y<<2|e.on<<1|1))
		b = le.AppendUint32(b, uint32(e.t&(1<<31-1)))
	}
	return append(b, make([]byte, 8*room)...)
}

func aedat3File(packets ...[]byte) []byte {
	return append([]byte(aedat3Head), slices.Concat(packets...)...)
}

func atisFile(events ...event) []byte {
	var b []byte
	for _, e := range events {
		b = append(b, byte(e.x), byte(e.y), byte(e.on<<7)|byte(e.t>>16), byte(e.t>>8), byte(e.t))
	}
	return b
}

// npyFile writes what numpy writes: a header padded to a multiple of 64.
func npyFile(descr string, fortran bool, shape string, data []byte) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, map[bool]string{false: "False", true: "True"}[fortran], shape)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	return append(append(b, header...), data...)
}

// npyEvents writes rows of three bytes.
func npyEvents(rows ...[3]byte) []byte {
	var data []byte
	for _, r := range rows {
		data = append(data, r[:]...)
	}
	return npyFile("|u1", false, fmt.Sprintf("(%d, 3)", len(rows)), data)
}

func npzFile(members map[string][]byte) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"pos", "neg"} {
		if data, ok := members[name]; ok {
			w, _ := z.CreateHeader(&zip.FileHeader{Name: name + ".npy"}) // stored, as by numpy.savez
			w.Write(data)
		}
	}
	z.Close()
	return b.Bytes()
}

// write writes a file under dir, with its folders.
func write(t testing.TB, data []byte, dir string, path ...string) string {
	t.Helper()
	name := filepath.Join(append([]string{dir}, path...)...)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

var update = flag.Bool("update", false, "write testdata anew")

// TestTestdata holds the files in testdata against their writers. They are for
// this and other packages: a class is a bright bar or a busy region of its own,
// so that a network can learn them.
func TestTestdata(t *testing.T) {
	dir := t.TempDir()
	if *update {
		dir = "testdata"
	}
	writeImages(t, dir)
	writeEvents(t, dir)
	if *update {
		return
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		got, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			return err
		}
		want, err := os.ReadFile(path)
		// Compressors may change with Go; what they hold is tested elsewhere.
		if packed := strings.HasSuffix(name, "z"); err == nil && !packed && !bytes.Equal(got, want) {
			t.Errorf("testdata/%s is not what the writers write; run the test with -update", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(2023, stream)) }

// bar is an image of side x side with a row or column that tells the class.
func bar(r *rand.Rand, class, side int) []byte {
	pixels := make([]byte, side*side)
	for i := range pixels {
		pixels[i] = byte(r.IntN(40))
	}
	at := (2*(class/2) + 1) % side
	for i := range side {
		if class%2 == 0 {
			pixels[at*side+i] = byte(200 + r.IntN(56))
		} else {
			pixels[i*side+at] = byte(200 + r.IntN(56))
		}
	}
	return pixels
}

func writeImages(t *testing.T, dir string) {
	r := random(1)
	for _, f := range []struct {
		path       string
		n, classes int
		transposed bool
	}{
		{"mnist/train", 40, 10, false},
		{"mnist/t10k", 20, 10, false},
		{"emnist/emnist-balanced-train", 94, 47, true},
		{"emnist/emnist-balanced-test", 47, 47, true},
	} {
		var labels, pixels []byte
		for i := range f.n {
			class := i % f.classes
			image := bar(r, class%24, 28)
			if f.transposed {
				upright := slices.Clone(image)
				for p := range image {
					image[p] = upright[p%28*28+p/28]
				}
			}
			labels, pixels = append(labels, byte(class)), append(pixels, image...)
		}
		write(t, gzipped(idxBytes(pixels, f.n, 28, 28)), dir, f.path+"-images-idx3-ubyte.gz")
		write(t, gzipped(idxBytes(labels, f.n)), dir, f.path+"-labels-idx1-ubyte.gz")
	}
	for i, name := range []string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"} {
		labels := []byte{byte(2 * i % 10), byte((2*i + 1) % 10)}
		write(t, cifarFile(labels, func(i int) []byte {
			class := int(labels[i])
			return slices.Concat(bar(r, class, 32), bar(r, class, 32), bar(r, class, 32))
		}), dir, "cifar10", name+".bin")
	}
}

// busy returns n events, most of them in the class's rows.
func busy(r *rand.Rand, class, classes, n, height, width int, start, duration int64) []event {
	events := make([]event, n)
	for i := range events {
		e := &events[i]
		e.t = start + int64(i)*duration/int64(n)
		e.x, e.y, e.on = r.IntN(width), r.IntN(height), r.IntN(2)
		if r.IntN(4) > 0 {
			band := height / classes
			e.y = class*band + r.IntN(band)
		}
	}
	return events
}

func writeEvents(t *testing.T, dir string) {
	r := random(2)
	for class, name := range cifarClasses {
		for i := range 10 {
			write(t, aedat2File(busy(r, class, 10, 40, 128, 128, 1_000_000, 500_000)...),
				dir, "cifar10-dvs", name, fmt.Sprintf("cifar10_%s_%d.aedat", name, i))
		}
	}
	for class, name := range []string{"BACKGROUND_Google", "Faces_easy", "accordion"} {
		for i := range 10 {
			write(t, atisFile(busy(r, class, 3, 60, 180, 240, 0, 300_000)...),
				dir, "n-caltech101", name, fmt.Sprintf("image_%04d.bin", i+1))
		}
	}
	for user, split := range []string{"train", "train", "test"} {
		labels, packets := "class,startTime_usec,endTime_usec\n", [][]byte(nil)
		for class := range 11 {
			start := int64(80_000_000 + 1_300_000*class)
			labels += fmt.Sprintf("%d,%d,%d\n", class+1, start, start+1_250_000)
			for events := range slices.Chunk(busy(r, class, 11, 60, 128, 128, start, 1_200_000), 20) {
				packets = append(packets, aedat3Packet(user, events...))
			}
		}
		name := fmt.Sprintf("user%02d_led", user+1)
		write(t, aedat3File(packets...), dir, "dvsgesture", name+".aedat")
		write(t, []byte(labels), dir, "dvsgesture", name+"_labels.csv")
		if user != 0 { // the list of the first is written with the second
			list := map[string]string{"train": "user01_led.aedat\nuser02_led.aedat\n", "test": "user03_led.aedat\n"}[split]
			write(t, []byte(list), dir, "dvsgesture", "trials_to_"+split+".txt")
		}
	}
	for _, split := range []string{"train", "val"} {
		list := ""
		for i := range 8 {
			label := []int{7, 300, 301, 999}[i%4]
			name := fmt.Sprintf("ILSVRC2012_%s_%08d.npz", split, i+1)
			if split == "train" {
				name = fmt.Sprintf("class%d/n%08d_%d.npz", label, label, i+1)
			}
			height, width := 190, 254
			list += fmt.Sprintf("%s %d %d %d\n", name, label, height, width)
			var rows [2][][3]byte
			for j, e := range busy(r, i%4, 4, 400, height, width, 0, 8) {
				rows[j%2] = append(rows[j%2], [3]byte{byte(e.y), byte(e.x), byte(e.t + 1)})
			}
			write(t, npzFile(map[string][]byte{"pos": npyEvents(rows[0]...), "neg": npyEvents(rows[1]...)}), dir, "tiny-es-imagenet", split, name)
		}
		write(t, []byte(list), dir, "tiny-es-imagenet", split+"label.txt")
	}
}
