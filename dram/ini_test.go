package dram

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/units"
)

// deviceText is a built-in device's file.
func deviceText(t testing.TB, name string) string {
	t.Helper()
	text, err := deviceFiles.ReadFile("devices/" + name + ".ini")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestBuiltInDevicesAreWhole(t *testing.T) {
	for _, name := range []string{"ddr3-1600", "ddr4-2400", "ddr4-3200", "ddr5-4800", "lpddr4-2400", "lpddr4-3200", "lpddr5-6400", "gddr6", "hbm2"} {
		if !slices.Contains(Names(), name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range Names() {
		text := deviceText(t, name)
		d, remarks, err := ReadINI(strings.NewReader(text), name+".ini")
		if err != nil || len(remarks.Defaults)+len(remarks.Notes) > 0 {
			t.Errorf("%s: %v, %v", name, err, remarks)
		}
		if d.Name != name {
			t.Errorf("%s calls itself %q", name, d.Name)
		}
		header, _, _ := strings.Cut(text, "\n[")
		if !slices.ContainsFunc([]string{"JESD", "DRAMsim3", "hbm2.ini"}, func(source string) bool { return strings.Contains(header, source) }) {
			t.Errorf("%s names no source", name)
		}
	}
}

func TestUnknownDeviceIsAnsweredWithTheNearest(t *testing.T) {
	_, err := Lookup("DDR4-2400")
	if err == nil || !strings.Contains(err.Error(), "did you mean ddr4-2400?") || !strings.Contains(err.Error(), "hbm2") {
		t.Error(err)
	}
}

func TestINIFormatIsForgivingAboutLayout(t *testing.T) {
	want := device(t, "ddr4-2400")
	text := deviceText(t, "ddr4-2400")
	for _, variant := range []string{
		strings.ReplaceAll(text, "\n", "\r\n"),
		strings.ReplaceAll(text, " = ", "="),
		strings.ReplaceAll(text, "tCK = 0.83", "TCK : 0.83 ; (1 / 1.2) ns"),
		"\ufeff" + text + "\n[thermal]\nloc_mapping = 33,33,32-31\nchip_dim_x = 0.008; m\n[other]\nepoch_period = 1\noutput_prefix =\n",
	} {
		got, _, err := ReadINI(strings.NewReader(variant), "ddr4-2400.ini")
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAbsentKeysTakeTheDefaultsOfDRAMsim3(t *testing.T) {
	const least = `[dram_structure]
protocol = HBM
rows = 32768
columns = 64
device_width = 128
[timing]
tCK = 1
CL = 14
tRP = 14
tRAS = 34
tREFI = 3900
[power]
[system]
bus_width = 128
`
	d, remarks, err := ReadINI(strings.NewReader(least), "least.ini")
	defaults := remarks.Defaults
	if err != nil {
		t.Fatal(err)
	}
	if d.Timing.RTP != 5 || d.Timing.RTRS != 2 || d.Timing.RCDRD != 24 || d.Power.IDD4R != 135 || d.CommandQueue != 16 || d.Mapping != "chrobabgraco" || d.BankGroups != 2 || d.BurstLength != 8 {
		t.Errorf("%+v", d)
	}
	for _, want := range []string{"tRTP = 5", "tRTRS = 2", "tRCDRD = 24", "tRCDWR = 20", "IDD4R = 135", "VDD = 1.2"} {
		if !slices.Contains(defaults, want) {
			t.Errorf("%q is not among the defaults %v", want, defaults)
		}
	}
	if slices.ContainsFunc(defaults, func(s string) bool { return strings.HasPrefix(s, "tPPD") || strings.HasPrefix(s, "tRCD ") }) {
		t.Errorf("a default that HBM does not use: %v", defaults)
	}
}

func TestBadDeviceFilesAreRefusedWithFileAndLine(t *testing.T) {
	text := deviceText(t, "ddr4-2400")
	lineOf := func(key string) int {
		return 1 + strings.Count(text[:strings.Index(text, "\n"+key)+1], "\n")
	}
	section := func(name string) int { return lineOf("[" + name + "]") }
	for _, c := range []struct {
		old, new string
		line     int
		says     string
	}{
		{"protocol = DDR4\n", "", section("dram_structure"), "must give protocol"},
		{"protocol = DDR4", "protocol = HMC", lineOf("protocol"), `protocol "HMC" is not built in; have DDR3`},
		{"\nrows = 65536", "", section("dram_structure"), "must give rows"},
		{"\ncolumns = 1024", "", section("dram_structure"), "must give columns"},
		{"\ndevice_width = 8", "", section("dram_structure"), "must give device_width"},
		{"\ntCK = 0.83", "", section("timing"), "must give tCK"},
		{"\nCL = 17", "", section("timing"), "must give CL"},
		{"\ntRP = 17", "", section("timing"), "must give tRP"},
		{"\ntRAS = 39", "", section("timing"), "must give tRAS"},
		{"tRAS = 39", "tRAS = 12", lineOf("tRCD"), "tRCD (17 clocks) contradicts tRAS (12)"},
		{"tRAS = 39", "tRAS = -39", lineOf("tRAS"), "must not be negative"},
		{"tRAS = 39", "tRAS = 39.5", lineOf("tRAS"), "whole number"},
		{"tRAS = 39", "tRAS = fast", lineOf("tRAS"), "is not a number"},
		{"tRAS = 39", "tRAS = 1e99", lineOf("tRAS"), "whole number"},
		{"tRAS = 39", "tRAS = NaN", lineOf("tRAS"), "is not a number"},
		{"tRP = 17", "tRP = 0", lineOf("tRP"), "at least 1"},
		{"tCK = 0.83", "tCK = 0", lineOf("tCK"), "tCK"},
		{"bankgroups = 4", "bankgroups = 0", lineOf("bankgroups"), "power of two"},
		{"banks_per_group = 4", "banks_per_group = 0", lineOf("banks_per_group"), "power of two"},
		{"rows = 65536", "rows = 65535", lineOf("rows"), "power of two"},
		{"columns = 1024", "columns = 4", lineOf("columns"), "shorter than a burst"},
		{"channels = 1", "channels = 3", lineOf("channels"), "power of two"},
		{"rochrababgco", "rochrababg", lineOf("address_mapping"), "12 letters"},
		{"rochrababgco", "rochrabababco", lineOf("address_mapping"), "12 letters"},
		{"rochrababgco", "rochrabababa", lineOf("address_mapping"), `"ba" twice`},
		{"rochrababgco", "rochrabaxxco", lineOf("address_mapping"), `unknown field "xx"`},
		{"cmd_queue_size = 8", "cmd_queue_size = 0", lineOf("cmd_queue_size"), "must be in 1..64"},
		{"trans_queue_size = 32", "trans_queue_size = 1000", lineOf("trans_queue_size"), "must be in 1..64"},
		{"tREFI = 9360", "tREFI = 400", lineOf("tREFI"), "leaves no time"},
		{"IDD4R = 135", "IDD4R = 5", lineOf("IDD4R"), "IDD4R (5 mA) is below IDD3N (43 mA), the standby that it comes on top of: read energy would be negative; IDD4R must be at least 43"},
		{"IDD4R = 135", "IDD4R = -5", lineOf("IDD4R"), "must not be negative"},
		{"[timing]", "[timing", lineOf("[timing]"), "not closed"},
		{"BL = 8", "BL 8", lineOf("BL"), "neither a [section] nor key = value"},
		{"tRP = 17", "tRP = 17\ntRP = 18", lineOf("tRP") + 1, "already set"},
	} {
		if !strings.Contains(text, c.old) {
			t.Fatalf("no %q in the file", c.old)
		}
		_, _, err := ReadINI(strings.NewReader(strings.Replace(text, c.old, c.new, 1)), "dev.ini")
		if err == nil {
			t.Errorf("%q accepted", c.new)
			continue
		}
		where, what, _ := strings.Cut(err.Error(), ": ")
		if where != "dev.ini:"+itoa(c.line) || !strings.Contains(what, c.says) {
			t.Errorf("%q -> %q: %v; want line %d, %q", c.old, c.new, err, c.line, c.says)
		}
	}
}

func itoa(n int) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

func FuzzReadINI(f *testing.F) {
	for _, name := range Names() {
		f.Add([]byte(deviceText(f, name)))
	}
	f.Add([]byte("[dram_structure]\nprotocol = DDR4\nrows = 99999999999999\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, _, err := ReadINI(bytes.NewReader(text), "fuzz.ini")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz.ini:") {
				t.Errorf("no file and line in %q", err)
			}
			return
		}
		// What is accepted can be used, unless it has more ranks than the
		// controller schedules.
		if d.Ranks*d.Banks() > maxBanks {
			return
		}
		c, err := NewPattern(d, Pattern{Kind: "copy", Requests: 50}, Reference)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestBadTracesAreRefusedWithFileAndLine(t *testing.T) {
	d := device(t, "ddr4-2400")
	for _, c := range []struct{ text, want string }{
		{"0x0 READ 0\n0x40 READ\n", `t.trace:2: "0x40 READ" is not a request`},
		{"0x0 READ 0\n\n0xfoo READ 1\n", `t.trace:3: address "0xfoo" is not`},
		{"0x400000000 READ 0\n", "t.trace:1: address 0x400000000 is beyond the device's 17179869184 bytes"},
		{"-0x40 READ 0\n", "t.trace:1: address"},
		{"0x10000000000000000 READ 0\n", "t.trace:1: address"},
		{"0x0 LOAD 0\n", `t.trace:1: "LOAD" is neither READ nor WRITE`},
		{"0x0 READ 5\n0x0 WRITE 4\n", "t.trace:2: cycle 4 goes back behind 5"},
		{"0x0 READ -5\n", `t.trace:1: cycle "-5" is not`},
		{"0x0 READ soon\n", `t.trace:1: cycle "soon" is not`},
		{"0x0 READ 9223372036854775807\n", "t.trace:1: cycle"},
		{strings.Repeat("x", 1<<17), "t.trace:1: "},
	} {
		tr, err := NewTrace(d, strings.NewReader(c.text), "t.trace")
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Run(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.40q: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestTraceIsServedNoEarlierThanItsCycles(t *testing.T) {
	d := device(t, "ddr4-2400")
	c, err := NewTrace(d, strings.NewReader("0x0 READ 0\n0x40 WRITE 1000\n0x80 READ 20000"), "t.trace")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if s := c.Stats(); s.Reads != 2 || s.Writes != 1 || c.Elapsed() < 20000 || c.Elapsed() > 20100 {
		t.Errorf("%+v until %d", s, c.Elapsed())
	}
}

// TestLongPausesArePassedExactly compares with a run that logs its commands,
// which issues every refresh.
func TestLongPausesArePassedExactly(t *testing.T) {
	for policy := range BankStaggered + 1 {
		d := device(t, "lpddr4-3200")
		d.Refresh = policy
		text := "0x0 READ 0\n0x40 WRITE 3\n0x4080 READ 3\n0x123440 READ 5000123\n0x40 WRITE 5000200\n0x0 READ 20000000\n"
		var ends [2]units.Cycles
		var stats [2]Stats
		for i := range ends {
			c, err := NewTrace(d, strings.NewReader(text), "t.trace")
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				c.Record(new([]Issued))
			}
			if err := c.Run(); err != nil {
				t.Fatal(err)
			}
			ends[i], stats[i] = c.Elapsed(), c.Stats()
		}
		if ends[0] != ends[1] || stats[0] != stats[1] {
			t.Errorf("policy %d: until %d %+v\nall issued: %d %+v", policy, ends[0], stats[0], ends[1], stats[1])
		}
	}
	d := device(t, "ddr4-2400")
	c, err := NewTrace(d, strings.NewReader("0x0 READ 200000000000000\n"), "t.trace")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if s := c.Stats(); s.Refreshes != units.TotalOf[int64](200000000000000/4680) {
		t.Errorf("%+v", s)
	}
}

func TestRequestsToOneAddressStayInOrder(t *testing.T) {
	d := device(t, "ddr4-2400")
	var text strings.Builder
	for range 50 {
		text.WriteString("0x1000 WRITE 0\n0x1000 READ 0\n")
	}
	c, err := NewTrace(d, strings.NewReader(text.String()), "t.trace")
	if err != nil {
		t.Fatal(err)
	}
	var log []Issued
	c.Record(&log)
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	want := WR
	for _, i := range log {
		if i.Command != RD && i.Command != WR {
			continue
		}
		if i.Command != want {
			t.Fatalf("%v at %d, want %v", i.Command, i.At, want)
		}
		want = RD + WR - want
	}
}

func TestWrittenTracesAreReadBack(t *testing.T) {
	d := device(t, "ddr4-2400")
	var text bytes.Buffer
	n, err := WriteTrace(&text, d, 7, []Stream{{Addr: 0x1000, Bursts: 2}, {Addr: 0x40, Bursts: 5, Write: true}}, 4)
	if err != nil || n != 4 {
		t.Fatal(n, err)
	}
	if got, want := text.String(), "0x1000 READ 7\n0x1040 READ 7\n0x40 WRITE 7\n0x80 WRITE 7\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	c, err := NewTrace(d, &text, "t.trace")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if s := c.Stats(); s.Reads != 2 || s.Writes != 2 {
		t.Errorf("%+v", s)
	}
}

// TestTracesAreText: a byte order mark is no request's, and a line has an end.
func TestTracesAreText(t *testing.T) {
	d := device(t, "ddr4-2400")
	for text, want := range map[string]string{
		"\ufeff0x0 READ 0\r\n0x40 WRITE 3":            "",
		"\ufeff\n\n0x0 READ 0\n":                      "",
		"0x0 READ 0\n\ufeff0x40 WRITE 3":              `t:2: address "\ufeff0x40"`,
		"0x0 READ 0\n0x" + strings.Repeat("0", 1<<17): "t:2: a line of more than 65536 bytes",
		strings.Repeat("\x00", 1<<17):                 "t:1: a line of more than 65536 bytes",
	} {
		c, err := NewTrace(d, strings.NewReader(text), "t")
		if err == nil {
			err = c.Run()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}

func FuzzTrace(f *testing.F) {
	f.Add([]byte("0x0 READ 0\n0x40 WRITE 3\n"))
	f.Add([]byte("0x40 WRITE 3\n0x40 READ 3\n0x40 WRITE 3\n"))
	d := device(f, "ddr4-2400")
	f.Fuzz(func(t *testing.T, text []byte) {
		reader := newTraceReader(bytes.NewReader(text), "fuzz.trace", d)
		batch := make([]request, 64)
		var all []request
		for {
			n, err := reader.fill(batch)
			if err != nil {
				if !strings.HasPrefix(err.Error(), "fuzz.trace:") {
					t.Errorf("no file and line in %q", err)
				}
				return
			}
			if n == 0 {
				break
			}
			all = append(all, batch[:n]...)
		}
		c, err := NewTrace(d, bytes.NewReader(text), "fuzz.trace")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		if s := c.Stats(); s.Reads+s.Writes != int64(len(all)) {
			t.Errorf("%d of %d requests served", s.Reads+s.Writes, len(all))
		}
	})
}
