package dataset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// readAll returns a file's events.
func readAll(data []byte) (all []event, err error) {
	a := aedat3{path: "f", r: bufio.NewReader(bytes.NewReader(data)), end: int64(len(data))}
	if a.offset, err = aedatHeader("f", a.r, "#!AER-DAT3.1", "#!END-HEADER"); err != nil {
		return nil, err
	}
	for {
		e, err := a.next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
}

// other writes a packet that is not of polarity events.
func other(kind uint16, size, count int) []byte {
	b := aedat3Packet(0)
	binary.LittleEndian.PutUint16(b, kind)
	for at, v := range map[int]int{4: size, 8: 4, 16: count, 20: count, 24: count} {
		binary.LittleEndian.PutUint32(b[at:], uint32(v))
	}
	return append(b, bytes.Repeat([]byte{0xff}, size*count)...)
}

func TestAEDAT3Events(t *testing.T) {
	packet := []byte{
		1, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, // overflow 2; room for 4, 3 there, 2 valid
		0x2b, 0, 6, 0, 9, 0, 0, 0, // x 3, y 10, ON, valid
		0x2a, 0, 6, 0, 9, 0, 0, 0, // not valid
		0xfd, 1, 0xfe, 0, 1, 0, 0, 0, // x 127, y 127, OFF, valid
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // unused
	}
	data := aedat3File(other(0, 8, 1), packet, aedat3Packet(0), other(2, 36, 5), aedat3Packet(1, event{t: 3, x: 1}))
	got, err := readAll(data)
	if err != nil {
		t.Fatal(err)
	}
	want := []event{{t: 2<<31 | 9, x: 3, y: 10, on: 1}, {t: 2<<31 | 1, x: 127, y: 127}, {t: 3, x: 1}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestDamagedAEDAT3IsRefused(t *testing.T) {
	good := aedat3File(aedat3Packet(1, event{t: 5, x: 1, y: 2, on: 1}, event{t: 6, x: 3, y: 4}))
	head := int64(len(aedat3Head))
	// with writes a little-endian number into the first packet.
	with := func(at int, v uint32) []byte {
		b := slices.Clone(good)
		binary.LittleEndian.PutUint32(b[int(head)+at:], v)
		return b
	}
	const negative = 1<<32 - 1
	parse := func(data []byte) error {
		_, err := indexAEDAT3("f", bytes.NewReader(data), int64(len(data)))
		return err
	}
	refuse(t, []damage{
		{"empty", nil, "no AEDAT file", 0},
		{"version 2", aedat2File(), `its version line is "#!AER-DAT2.0"; it should be "#!AER-DAT3.1"`, 0},
		{"no end of header", []byte("#!AER-DAT3.1\r\n#Format: RAW\r\n"), "ends within the header", 28},
		{"header without '#'", []byte("#!AER-DAT3.1\r\nFormat\r\n"), `the header ends without "#!END-HEADER"`, 14},
		{"truncated header", good[:head+27], "ends within a packet's header", head + 27},
		{"truncated packet", good[:len(good)-1], "ends within the packet that starts at byte", int64(len(good) - 1)},
		{"negative type", with(0, 0xffff), "packet type -1", head},
		{"events of 0 bytes", with(4, 0), "events of 0 bytes", head + 4},
		{"events of 12 bytes", with(4, 12), "polarity events of 12 bytes with their time at 4; they should have 8, and 4", head + 4},
		{"overflow", with(12, negative), "a time overflow of -1", head + 12},
		{"room for 16 GB", with(16, 1<<31-1), "ends within the packet", int64(len(good))},
		{"negative room", with(16, negative), "room for -1 events", head + 16},
		{"more than room", with(20, 4), "room for 3 events, 4 there, 2 valid", head + 16},
		{"more valid than there", with(24, 3), "room for 3 events, 2 there, 3 valid", head + 16},
		{"outside the camera", with(28, 128<<17|1), "an event at x 128, y 0; the camera has 128 x 128 pixels", head + 28},
		{"negative time", with(32, negative), "a negative time", head + 32},
	}, parse)
	everyPrefix(t, good, func(n int) bool { return n == int(head) }, parse)
}

// Only the blocks with something of a gesture are read, whatever their order.
func TestBlocksHaveAllEvents(t *testing.T) {
	r := random(4)
	var packets [][]byte
	var want []event
	for start := range int64(400) {
		events := busy(r, 0, 1, 50+r.IntN(100), 128, 128, start*1000, 3000) // packets overlap in time
		want = append(want, events...)
		packets = append(packets, aedat3Packet(r.IntN(3), events...))
		if start%50 == 0 {
			packets = append(packets, other(3, 12, 20), aedat3Packet(0))
		}
	}
	data := aedat3File(packets...)
	blocks, err := indexAEDAT3("f", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) < 4 {
		t.Errorf("%d blocks of %d bytes", len(blocks), len(data))
	}
	for _, g := range []span{{start: 0, end: 403_000}, {start: 17_000, end: 18_500}, {start: 200_000, end: 390_000}, {start: 402_999, end: 500_000}} {
		g.trial = &trial{path: "f", blocks: blocks}
		got, all := dvs(100), dvs(100)
		if err := g.draw(bytes.NewReader(data), got); err != nil {
			t.Fatal(err)
		}
		for _, e := range want {
			if e.t >= g.start && e.t < g.end {
				all.event(e.t-g.start, e.y, e.x, e.on)
			}
		}
		if !slices.Equal(got.x, all.x) {
			t.Errorf("%d to %d: %d spikes, want %d", g.start, g.end, len(got.spikes()), len(all.spikes()))
		}
	}
}

func TestGestureStartsAndEndsWithItsLabel(t *testing.T) {
	dir := t.TempDir()
	write(t, []byte("\nuser01_lab.aedat\r\n"), dir, "DvsGesture", "trials_to_train.txt")
	write(t, []byte("class,startTime_usec,endTime_usec\r\n1,1000,21500\r\n11,50000,2000000\r\n"), dir, "DvsGesture", "user01_lab_labels.csv")
	write(t, aedat3File(aedat3Packet(0,
		event{t: 999, x: 1}, event{t: 1000, x: 2}, event{t: 21_000, x: 3}, event{t: 21_499, x: 4}, event{t: 21_500, x: 5},
		event{t: 50_000, x: 6, on: 1}, event{t: 50_000 + 1_199_999, x: 7}, event{t: 50_000 + 1_200_000, x: 8},
	)), dir, "DvsGesture", "user01_lab.aedat")
	set := open(t, "dvsgesture", Options{Dir: dir})
	for i, want := range []struct {
		label  int
		spikes [][4]int
	}{
		{0, [][4]int{{0, 0, 0, 2}, {1, 0, 0, 3}, {1, 0, 0, 4}}},
		{10, [][4]int{{0, 1, 0, 6}, {59, 0, 0, 7}}},
	} {
		var s Sample
		if err := set.Read(i, &s); err != nil {
			t.Fatal(err)
		}
		c := canvas{x: s.X, shape: set.Shape}
		if got := c.spikes(); s.Label != want.label || !slices.Equal(got, want.spikes) {
			t.Errorf("sample %d: label %d, %v; want %v", i, s.Label, got, want)
		}
	}
}

func TestGestureLabelsAreChecked(t *testing.T) {
	const head = "class,startTime_usec,endTime_usec\n"
	for _, test := range []struct{ text, want string }{
		{head + "1,10,20\n12,30,40\n", "f:3: class 12; the classes are 1 to 11"},
		{head + "0,10,20\n", "f:2: class 0"},
		{head + "1,20,20\n", "f:2: a gesture from 20 to 20"},
		{head + "1,-5,20\n", "f:2: a gesture from -5 to 20"},
		{head + "1,x,20\n", `f:2: "x" is no number`},
		{head + "1,1e9,20\n", `f:2: "1e9" is no number`},
		{head + "1,99999999999999999999,20\n", "is no number"},
		{head + "1,20\n", "f:2: wrong number of fields; a line should be class,startTime_usec,endTime_usec"},
		{head + "\"1,20\n", `f:2: extraneous or missing " in quoted-field`},
	} {
		_, err := readGestureLabels("f", strings.NewReader(test.text), 11)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.text, err, test.want)
		}
	}
}

func TestDamagedGesturesAreRefused(t *testing.T) {
	for _, test := range []struct{ name, file, text, want string }{
		{"a path out", "trials_to_train.txt", "user01_led.aedat\n../x.aedat\n", `trials_to_train.txt:2: "../x.aedat" is no recording's name`},
		{"another file", "trials_to_train.txt", "readme\n", `trials_to_train.txt:1: "readme" is no recording's name`},
		{"no recordings", "trials_to_train.txt", "\n", "no samples to train with"},
		{"a truncated recording", "user01_led.aedat", aedat3Head + "\x01", "user01_led.aedat: byte 106: the file ends within a packet's header"},
		{
			"a recording that stops early", "user01_led.aedat", string(aedat3File(aedat3Packet(0, event{t: 70_000_000}))),
			"user01_led_labels.csv:2: a gesture from 80000000 microseconds on, but the last event of",
		},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS("testdata/dvsgesture")); err != nil {
			t.Fatal(err)
		}
		write(t, []byte(test.text), dir, test.file)
		set, err := Open("dvsgesture", Options{Dir: dir})
		if err == nil {
			err = set.Read(0, &Sample{})
			if again := set.Read(1, &Sample{}); again == nil {
				t.Errorf("%s: the second gesture is accepted", test.name)
			}
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s in %s", test.name, err, test.want, filepath.Base(dir))
		}
	}
}

func FuzzAEDAT3(f *testing.F) {
	f.Add(aedat3File(aedat3Packet(2, event{t: 5, x: 1, y: 2, on: 1}, event{t: 6, x: 127, y: 127}), other(2, 12, 2)))
	f.Add(aedat3File(other(1, 1<<16, 0)))
	f.Add([]byte(aedat3Head))
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks, err := indexAEDAT3("f", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		// What the index accepted, the blocks can give.
		g := span{trial: &trial{path: "f", blocks: blocks}, start: 0, end: 1 << 62}
		if err := g.draw(bytes.NewReader(data), dvs(2)); err != nil {
			t.Error(err)
		}
	})
}

func FuzzGestureLabels(f *testing.F) {
	f.Add("class,startTime_usec,endTime_usec\n1,80048239,85092709\n11,89431170,95231007\n")
	f.Add("1,2")
	f.Fuzz(func(t *testing.T, text string) {
		spans, err := readGestureLabels("f", strings.NewReader(text), 11)
		for _, s := range spans {
			if err == nil && (s.label < 0 || s.label > 10 || s.start < 0 || s.end <= s.start) {
				t.Errorf("accepted %+v", s)
			}
		}
	})
}
