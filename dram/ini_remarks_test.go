package dram

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/units"
)

// changed is ddr4-2400's file with one text replaced by another.
func changed(t testing.TB, old, new string) string {
	t.Helper()
	text := deviceText(t, "ddr4-2400")
	if !strings.Contains(text, old) {
		t.Fatalf("no %q in the file", old)
	}
	return strings.Replace(text, old, new, 1)
}

// lineIn is the line of a text at which a key or a section stands.
func lineIn(t testing.TB, text, start string) int {
	t.Helper()
	for i, line := range strings.Split(text, "\n") {
		if line == start || strings.HasPrefix(line, start+" ") {
			return i + 1
		}
	}
	t.Fatalf("no line starts with %q", start)
	return 0
}

// testdata is the text of a file in testdata.
func testdata(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestNoClassOfEnergyIsNegative: each operation draws at least what the standby
// does that it comes on top of, or the device is refused at the current's line.
func TestNoClassOfEnergyIsNegative(t *testing.T) {
	const perBank = "refresh_policy = BANK_LEVEL_STAGGERED\n"
	staggered := changed(t, "refresh_policy = RANK_LEVEL_STAGGERED\n", perBank)
	for _, c := range []struct{ text, at, want string }{
		{testdata(t, "idd0-40.ini"), "IDD0", "IDD0 x tRC (40 mA x 56 clocks = 2240) is below IDD3N x tRAS + IDD2N x tRP (43 x 39 + 34 x 17 = 2255): activate energy would be negative; IDD0 must be at least 40.27"},
		{changed(t, "IDD0 = 48", "IDD0 = 40.2"), "IDD0", "activate energy would be negative; IDD0 must be at least 40.27"},
		{changed(t, "tRP = 17", "tRP = 1\n;"), "IDD0", ""},
		{changed(t, "IDD0 = 48\n", ""), "", ""}, // the default, 48, will do
		{changed(t, "IDD2N = 34\nIDD3P = 37\nIDD3N = 43", "IDD2N = 48\nIDD3N = 49"), "IDD0", "activate energy"},
		{changed(t, "IDD0 = 48\nIDD2P = 25\nIDD2N = 34\nIDD3P = 37\nIDD3N = 43", "IDD3N = 80"), "IDD3N", "(IDD0 is not given; this is its default)"},
		{changed(t, "IDD4R = 135", "IDD4R = 42.9"), "IDD4R", "IDD4R (42.9 mA) is below IDD3N (43 mA), the standby that it comes on top of: read energy would be negative; IDD4R must be at least 43"},
		{changed(t, "IDD4W = 123", "IDD4W = 1"), "IDD4W", "write energy would be negative; IDD4W must be at least 43"},
		{changed(t, "IDD5AB = 250", "IDD5AB = 40"), "IDD5AB", "refresh energy would be negative; IDD5AB must be at least 43"},
		{strings.Replace(staggered, "tREFI = 9360", "tREFI = 9360\ntRFCb = 200\ntREFIb = 585", 1), "IDD3N", "IDD5PB (5 mA) is below IDD3N (43 mA), the standby that it comes on top of: refresh energy would be negative; IDD5PB must be at least 43 (IDD5PB is not given; this is its default)"},
		{strings.Replace(strings.Replace(staggered, "tREFI = 9360", "tREFI = 9360\ntRFCb = 200\ntREFIb = 585", 1), "IDD0 = 48", "IDD0 = 48\nIDD5PB = 42", 1), "IDD5PB", "IDD5PB must be at least 43"},
		{strings.Replace(strings.Replace(staggered, "tREFI = 9360", "tREFI = 9360\ntRFCb = 200\ntREFIb = 585", 1), "IDD0 = 48", "IDD0 = 48\nIDD5PB = 43", 1), "", ""},
		{changed(t, "IDD0 = 48", "IDD0 = 48\nIDD5PB = 5"), "", ""}, // no bank is refreshed alone
		{changed(t, "IPP0 = 3.0", "IPP0 = 2.9"), "IPP0", "vpp energy would be negative; IPP0 must be at least 3"},
		{changed(t, "IPP5 = 3.0\n", ""), "IPP3N", "IPP5 (0 mA) is below IPP3N (3 mA)"},
		{changed(t, "VPP = 2.5\nIPP0 = 3.0", "IPP0 = 2.9"), "", ""}, // no such supply
		{changed(t, "io_read = 4.6", "io_read = -4.6"), "io_read", "must not be negative"},
		{changed(t, "VDD = 1.2", "VDD = 1e300"), "VDD", "VDD = 1e+300 must be in 0..1e+06"},
		{changed(t, "IDD3N = 43", "IDD3N = 33"), "IDD2N", "IDD2N (34 mA) contradicts IDD3N (33 mA)"},
	} {
		d, _, err := ReadINI(strings.NewReader(c.text), "dev.ini")
		if c.want != "" {
			if at := fmt.Sprintf("dev.ini:%d: ", lineIn(t, c.text, c.at)); err == nil || !strings.HasPrefix(err.Error(), at) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s%s", err, at, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v; want it accepted", err)
			continue
		}
		e := d.Energy(Stats{Reads: 3, Writes: 5, Activates: 7, Precharges: 7, Refreshes: units.TotalOf[int64](2), Active: units.TotalOf[units.Cycles](1000), Precharged: units.TotalOf[units.Cycles](1000)})
		for class, pj := range map[string]float64{
			"activate": float64(e.Activate), "read": float64(e.Read), "write": float64(e.Write), "refresh": float64(e.Refresh),
			"background": float64(e.Background), "VPP": float64(e.VPP), "I/O": float64(e.IO),
		} {
			if pj < 0 {
				t.Errorf("%s takes %v pJ", class, pj)
			}
		}
	}
}

// TestRanksComeFromTheChannelSize: what is wrong with their number is wrong with
// channel_size.
func TestRanksComeFromTheChannelSize(t *testing.T) {
	size := func(s string) string { return changed(t, "channel_size = 16384", "channel_size = "+s) }
	for _, c := range []struct{ text, want string }{
		{testdata(t, "channel-24g.ini"), "channel_size = 24576 MB holds 3 ranks of 8192 MB; a channel has a power of two of them, at most 4 of 16 banks each: write channel_size = 16384 or 32768"},
		{size("40960"), "holds 5 ranks of 8192 MB; a channel has a power of two of them, at most 4 of 16 banks each: write channel_size = 32768"},
		{size("524288"), "holds 64 ranks of 8192 MB; a channel has a power of two of them, at most 4 of 16 banks each: write channel_size = 32768"},
		{size("1048576"), "holds 128 ranks"},
		{size("-8192"), "must not be negative"},
		{size("2147483647"), "holds 262143 ranks"},
	} {
		_, _, err := ReadINI(strings.NewReader(c.text), "dev.ini")
		if at := fmt.Sprintf("dev.ini:%d: channel_size = ", lineIn(t, c.text, "channel_size")); err == nil || !strings.HasPrefix(err.Error(), at) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got  %v\nwant %s%s", err, at, c.want)
		}
	}
	for text, ranks := range map[string]int{size("8192"): 1, size("32768"): 4, size("10000"): 1, size("100"): 1, size("17000"): 2} {
		d, remarks, err := ReadINI(strings.NewReader(text), "dev.ini")
		if err != nil || d.Ranks != ranks {
			t.Errorf("%d ranks, %v; want %d", d.Ranks, err, ranks)
		}
		if whole := strings.Contains(text, "8192") || strings.Contains(text, "32768"); whole != (len(remarks.Notes) == 0) {
			t.Errorf("%d ranks: %v", ranks, remarks.Notes)
		}
	}
}

// TestWhatIsNotModelledIsSaid: once, with file and line; nothing is said of what
// is off.
func TestWhatIsNotModelledIsSaid(t *testing.T) {
	system := func(line string) string { return changed(t, "[system]", "[system]\n"+line) }
	hbm := func(line string) string {
		return strings.Replace(deviceText(t, "hbm2"), "[dram_structure]", "[dram_structure]\n"+line, 1)
	}
	for _, c := range []struct {
		text, at, want string
	}{
		{testdata(t, "self-refresh.ini"), "enable_self_refresh", "enable_self_refresh = true is not modelled: a rank without work stays in standby, and is refreshed by commands"},
		{system("enable_self_refresh = false"), "", ""},
		{system("enable_self_refresh = ON"), "enable_self_refresh", "enable_self_refresh = true is not modelled"},
		{system("sref_threshold = 500"), "", ""}, // asks for nothing by itself
		{system("aggressive_precharging_enabled = true"), "aggressive_precharging_enabled", "aggressive_precharging_enabled = true is not modelled"},
		{system("aggressive_precharging_enabled = no"), "", ""},
		{system("unified_queue = True"), "unified_queue", "unified_queue = true is not modelled"},
		{system("queue_structure = PER_RANK"), "queue_structure", "queue_structure = PER_RANK is not modelled: each bank has a queue"},
		{system("queue_structure = PER_BANK"), "", ""},
		{hbm("hbm_dual_cmd = false"), "hbm_dual_cmd", "hbm_dual_cmd = false is not modelled: a row and a column command may go out in one clock"},
		{hbm("hbm_dual_cmd = true"), "", ""},
		{changed(t, "[timing]", "hbm_dual_cmd = false\n[timing]"), "", ""}, // DDR4 has one command bus anyway
		{changed(t, "VPP = 2.5\n", ""), "IPP0", "IPP0 costs nothing without VPP"},
		{system("adress_mapping = rochrababgco"), "adress_mapping", `"adress_mapping" is not a key of [system] (did you mean "address_mapping"?); it is ignored`},
		{changed(t, "tREFI = 9360", "tREFI = 9360\nREFI = 7800"), "REFI", `"REFI" is not a key of [timing] (did you mean "tREFI"?)`},
		{changed(t, "[power]", "[power]\ntXS = 100"), "tXS", "tXS belongs in [timing], not in [power]"},
		{changed(t, "[power]", "[powr]\nIDD7 = 200\n[power]"), "IDD7", `section [powr] is not known (did you mean "power"?); "IDD7" is ignored`},
		{"voltage = 3\n" + deviceText(t, "ddr4-2400"), "voltage", `"voltage" stands before any section`},
		{changed(t, "[power]", "tXP = 8\ntCKE = 6\ntXS = 432\ntRPRE = 1\ntWPRE = 1\ntRFC2 = 3\n[thermal]\nchip_dim_x = 3\n[other]\nanything = 1\n[power]"), "", ""},
	} {
		d, remarks, err := ReadINI(strings.NewReader(c.text), "dev.ini")
		if err != nil || d.Validate() != nil {
			t.Errorf("%v", err)
			continue
		}
		var want []string
		if c.want != "" {
			want = []string{fmt.Sprintf("dev.ini:%d: %s", lineIn(t, c.text, c.at), c.want)}
		}
		got := remarks.Notes
		if len(got) == len(want) && (len(got) == 0 || strings.HasPrefix(got[0], want[0])) {
			continue
		}
		t.Error(cmp.Diff(want, got))
	}
}

func TestMisspeltMappingTakesANamedDefault(t *testing.T) {
	d, remarks, err := ReadINI(strings.NewReader(testdata(t, "misspelt-mapping.ini")), "dev.ini")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"address_mapping = chrobabgraco"}, remarks.Defaults); diff != "" || d.Mapping != "chrobabgraco" {
		t.Error(d.Mapping, diff)
	}
}

// TestManyUnknownKeysAreCounted: ten are named.
func TestManyUnknownKeysAreCounted(t *testing.T) {
	var text strings.Builder
	text.WriteString(deviceText(t, "ddr4-2400"))
	for i := range 5000 {
		fmt.Fprintf(&text, "x%d%s = 1\n", i, strings.Repeat("y", 1000))
	}
	_, remarks, err := ReadINI(strings.NewReader(text.String()), "dev.ini")
	if err != nil || len(remarks.Notes) != 11 {
		t.Fatalf("%v, %d notes", err, len(remarks.Notes))
	}
	if last := remarks.Notes[10]; !strings.HasSuffix(last, "and 4990 more keys that are not known") {
		t.Error(last)
	}
	for i, note := range remarks.Notes[:10] {
		if len(note) > 200 || !strings.Contains(note, fmt.Sprintf(`"x%dyyy`, i)) {
			t.Errorf("%d letters: %.100s", len(note), note)
		}
	}
}

// TestCountsDoNotOverflow: of a burst, a row, a bank group.
func TestCountsDoNotOverflow(t *testing.T) {
	for _, text := range []string{
		changed(t, "BL = 8", "BL = 1073741824"),
		changed(t, "columns = 1024", "columns = 1073741824"),
		changed(t, "bankgroups = 4", "bankgroups = 1073741824\nbankgroup_enable = false"),
		changed(t, "bus_width = 64", "bus_width = 1073741824"),
		strings.Replace(deviceText(t, "gddr6"), "columns = ", "columns = 1073741824 ;", 1),
	} {
		if d, _, err := ReadINI(strings.NewReader(text), "dev.ini"); err == nil || !strings.HasPrefix(err.Error(), "dev.ini:") {
			t.Errorf("%v: %+v", err, d)
		}
	}
}

// TestEveryKeyThatIsReadIsKnown: a key of a built-in device, or of what it takes
// from DRAMsim3, is no unknown one.
func TestEveryKeyThatIsReadIsKnown(t *testing.T) {
	d := Device{}
	for _, n := range d.Timing.named() {
		if sectionOf(n.key) != "timing" {
			t.Errorf("%s is in no section", n.key)
		}
	}
	for _, n := range d.Power.named() {
		if sectionOf(n.key) != "power" {
			t.Errorf("%s is in no section", n.key)
		}
	}
}
