package dataset

import (
	"bytes"
	"slices"
	"testing"
)

// Bytes as a DVS128 writes them: polarity in bit 0, 1 for OFF; x in bits 1-7, y
// in bits 8-14; the camera is turned.
func TestAEDAT2Events(t *testing.T) {
	data := []byte(aedat2Header)
	data = append(data,
		0, 0, 0x00, 0x00, 0, 1, 0, 0, // x 0, y 0, ON; the start
		0, 0, 0x7f, 0xfe, 0, 1, 0, 10, // x 127, y 127, ON
		0, 0, 0x02, 0x0b, 0, 1, 3, 231, // x 5, y 2, OFF, 999 us
		0, 0, 0x02, 0x0b, 0, 1, 3, 232, // the same 1000 us after the start
		0, 0, 0x80, 0x00, 0, 1, 3, 232, // an external event
		0x80, 0, 0x00, 0x00, 0, 1, 3, 232, // a special event
		0, 0, 0x00, 0x02, 0, 0, 0, 0, // before the start
	)
	c := dvs(3)
	if err := readAEDAT2("f", bytes.NewReader(data), c); err != nil {
		t.Fatal(err)
	}
	want := [][4]int{{0, 0, 122, 125}, {0, 1, 0, 0}, {0, 1, 127, 127}, {1, 0, 122, 125}}
	if got := c.spikes(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestDamagedAEDAT2IsRefused(t *testing.T) {
	good := aedat2File(event{t: 5, x: 1, y: 2, on: 1}, event{t: 6, x: 3, y: 4})
	header := len(aedat2Header)
	bad := slices.Clone(good)
	bad[header+8+1] = 1
	parse := func(data []byte) error { return readAEDAT2("f", bytes.NewReader(data), dvs(1)) }
	refuse(t, []damage{
		{"empty", nil, `no AEDAT file: it should start with "#!AER-DAT2.0"`, 0},
		{"no header", good[header:], "no AEDAT file", 0},
		{"version 3.1", aedat3File(), `its version line is "#!AER-DAT3.1"; it should be "#!AER-DAT2.0"`, 0},
		{"truncated event", good[:len(good)-3], "ends within an event of 8 bytes", int64(len(good) - 3)},
		{"truncated header", good[:header-1], "ends within the header", int64(header - 1)},
		{"another camera", bad, "address 0x17cf7 is not one of a DVS128 camera", int64(header + 8)},
		{"endless line", append([]byte("#!AER-DAT2.0\r\n#"), bytes.Repeat([]byte{'a'}, 1<<17)...), "a header line of over 65536 bytes", 14},
	}, parse)
	lines := map[int]bool{}
	for i, b := range good[:header] {
		if b == '\n' {
			lines[i+1] = true
		}
	}
	everyPrefix(t, good, func(n int) bool { return lines[n] || n > header && (n-header)%8 == 0 }, parse)
}

func FuzzAEDAT2(f *testing.F) {
	f.Add(aedat2File(event{t: 5, x: 1, y: 2, on: 1}, event{t: 6, x: 127, y: 127}))
	f.Add([]byte("#!AER-DAT2.0\r\n#"))
	f.Add([]byte("#!AER-DAT2.0\r\n\x00\x00\x80\x00\xff\xff\xff\xff"))
	c := dvs(3)
	f.Fuzz(func(_ *testing.T, data []byte) {
		readAEDAT2("f", bytes.NewReader(data), c)
	})
}

func BenchmarkAEDAT2(b *testing.B) {
	data := aedat2File(busy(random(3), 4, 10, 200_000, 128, 128, 0, 1_200_000)...)
	set := open(b, "cifar10-dvs", Options{Height: 32, Width: 32})
	c := newCanvas(100, 5000, set.Shape, 128, 128)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := readAEDAT2("f", bytes.NewReader(data), c); err != nil {
			b.Fatal(err)
		}
	}
}
