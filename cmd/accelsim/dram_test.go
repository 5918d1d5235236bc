package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestDRAMReportHasEveryKeyOfTheContract(t *testing.T) {
	tree := decodeJSON(t, "dram", "--device", "ddr4-2400", "--pattern", "copy", "--requests", "20000")
	for key := range strings.FieldsSeq(`cycles reads writes activates precharges refreshes row_hit_rate
		bandwidth_utilisation energy_pj.total energy_pj.activate energy_pj.read energy_pj.write energy_pj.refresh
		energy_pj.background energy_pj.vpp energy_pj.io wall_seconds requests_per_second`) {
		if valueAt(tree, key) == nil {
			t.Errorf("no %s", key)
		}
	}
	if reads, writes := valueAt(tree, "reads"), valueAt(tree, "writes"); reads != json.Number("10016") || writes != json.Number("9984") {
		t.Errorf("%v reads and %v writes of 20000 requests", reads, writes)
	}
}

func TestDRAMEnginesPrintTheSame(t *testing.T) {
	for _, pattern := range []string{"seqread", "seqwrite", "random", "randmix", "copy", "layer"} {
		var texts [2]string
		for i, engine := range []string{"stream", "reference"} {
			texts[i] = withoutWallTime(succeed(t, "dram", "--device", "hbm2", "--pattern", pattern, "--requests", "50000", "--dram-engine", engine))
		}
		if texts[0] != texts[1] {
			t.Errorf("%s: stream prints\n%s\nreference\n%s", pattern, texts[0], texts[1])
		}
	}
}

// withoutWallTime drops the line that differs from run to run.
func withoutWallTime(table string) string {
	var kept []string
	for line := range strings.Lines(table) {
		if !strings.Contains(line, "simulated") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func TestDRAMTable(t *testing.T) {
	holdToFile(t, "dram.txt", withoutWallTime(succeed(t, "dram", "--device", "ddr4-2400", "--pattern", "seqread", "--requests", "1000000")))
}

func TestDRAMReadsConfigAndTrace(t *testing.T) {
	dir := t.TempDir()
	config, trace := filepath.Join(dir, "part.ini"), filepath.Join(dir, "requests.trace")
	for name, text := range map[string]string{
		config: "[dram_structure]\nprotocol = HBM\nrows = 32768\ncolumns = 64\ndevice_width = 128\nBL = 4\n[timing]\ntCK = 1\nCL = 14\ntRP = 14\ntRAS = 34\n[system]\nbus_width = 128\n",
		trace:  "0x0 READ 0\n0x40 WRITE 1\n0x80 READ 2\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	status, stdout, stderr := commandLine(t, "dram", "--config", config, "--trace", trace, "--format", "csv")
	if status != exitDone || !strings.Contains(stdout, "\nreads,2\n") || !strings.Contains(stdout, "\nwrites,1\n") {
		t.Errorf("exit %d\n%s%s", status, stdout, stderr)
	}
	if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "tRTP = 5") || !strings.Contains(stderr, "tRTRS = 2") {
		t.Errorf("defaults are not named once: %s", stderr)
	}
}

// TestDRAMSaysWhatIsNotModelled: on stderr, and once.
func TestDRAMSaysWhatIsNotModelled(t *testing.T) {
	for name, want := range map[string][]string{
		"self-refresh": {"self-refresh.ini:51: enable_self_refresh = true is not modelled"},
		"misspelt-mapping": {
			"misspelt-mapping.ini does not give these, so DRAMsim3's defaults hold: address_mapping = chrobabgraco",
			"misspelt-mapping.ini:51: enable_self_refresh = true is not modelled",
			`misspelt-mapping.ini:45: "adress_mapping" is not a key of [system] (did you mean "address_mapping"?)`,
		},
	} {
		status, stdout, stderr := commandLine(t, "dram", "--config", "../../dram/testdata/"+name+".ini", "--pattern", "random", "--requests", "1000")
		if status != exitDone || stdout == "" || strings.Count(stderr, "\n") != len(want) {
			t.Errorf("%s: exit %d\n%s", name, status, stderr)
		}
		for _, warning := range want {
			if !strings.Contains(stderr, "accelsim: warning: ../../dram/testdata/"+warning) {
				t.Errorf("%s: no %q in\n%s", name, warning, stderr)
			}
		}
	}
}

// TestDRAMTimeHasNoEnd: 2^48 clocks of 100 ns are 326 days.
func TestDRAMTimeHasNoEnd(t *testing.T) {
	status, stdout, stderr := commandLine(t, "dram", "--config", "../../dram/testdata/slowck.ini", "--trace", "../../dram/testdata/far2.trc", "--format", "json")
	if status != exitDone {
		t.Fatalf("exit %d, %s", status, stderr)
	}
	tree := decodeText(t, stdout)
	cycles, err := valueAt(tree, "cycles").(json.Number).Int64()
	if err != nil || cycles < 281474976710000 || cycles > 281474976710100 {
		t.Fatalf("%d cycles, %v", cycles, err)
	}
	if got, want := valueAt(tree, "seconds"), json.Number(strconv.FormatFloat(float64(cycles)/1e7, 'f', -1, 64)); got != want {
		t.Errorf("%v seconds, want %v", got, want)
	}
	for _, key := range []string{"refreshes", "bytes_per_second", "energy_pj.total", "energy_pj.background", "energy_pj.refresh"} {
		if v, err := valueAt(tree, key).(json.Number).Float64(); err != nil || v <= 0 {
			t.Errorf("%s: %v, %v", key, v, err)
		}
	}
	trace := tempFile(t, "far.trc", "0x0 READ 0\n0x40 READ 9223372036854775807\n")
	status, stdout, stderr = commandLine(t, "dram", "--config", "../../dram/testdata/slowck.ini", "--trace", trace)
	if want := trace + `:2: cycle "9223372036854775807" is not a whole number in 0..2305843009213693952`; status != exitBadInput || stdout != "" || !strings.Contains(stderr, want) {
		t.Errorf("exit %d, %s", status, stderr)
	}
}

func TestDRAMRefusesBadInput(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--device", "ddr4-2401", "--pattern", "copy"}, "did you mean ddr4-2400?"},
		{[]string{"--pattern", "copy"}, "give either --config FILE.ini or --device"},
		{[]string{"--device", "hbm2", "--config", "x.ini", "--pattern", "copy"}, "give either --config FILE.ini or --device"},
		{[]string{"--device", "hbm2"}, "give either --trace FILE or --pattern"},
		{[]string{"--device", "hbm2", "--pattern", "zigzag"}, `unknown pattern "zigzag"; have seqread`},
		{[]string{"--device", "hbm2", "--pattern", "copy", "--requests", "0"}, "ask for 1 to"},
		{[]string{"--device", "hbm2", "--pattern", "copy", "--requests", "-4"}, "ask for 1 to"},
		{[]string{"--device", "hbm2", "--pattern", "copy", "--step", "-64"}, "--step -64; write at least 1 byte"},
		{[]string{"--device", "hbm2", "--pattern", "copy", "--dram-engine", "fast"}, "write stream or reference"},
		{[]string{"--device", "hbm2", "--pattern", "copy", "--mapping", "rorabgba"}, "12 letters"},
		{[]string{"--device", "hbm2", "--pattern", "copy", "--format", "xml"}, `--format "xml"`},
		{[]string{"--device", "hbm2", "--trace", filepath.Join(dir, "none")}, "no such file"},
		{[]string{"--config", filepath.Join(dir, "none"), "--pattern", "copy"}, "no such file"},
		{[]string{"--device", "hbm2", "--trace", file("a", "0x0 READ 0\n0x1 FETCH 2\n")}, "a:2: \"FETCH\" is neither READ nor WRITE"},
		{[]string{"--device", "hbm2", "--trace", file("b", "0x0 READ 9\n0x1 READ 2\n")}, "b:2: cycle 2 goes back behind 9"},
		{[]string{"--device", "hbm2", "--trace", file("c", "0x200000000 READ 9\n")}, "c:1: address 0x200000000 is beyond"},
		{[]string{"--config", file("d.ini", "[dram_structure]\nprotocol = HMC\n"), "--pattern", "copy"}, `d.ini:1: [dram_structure] must give rows`},
		{[]string{"--config", file("e.ini", "[dram_structure]\nprotocol = DDR4\nrows = 0\n"), "--pattern", "copy"}, "e.ini:3: rows = 0 must be a power of two"},
		{[]string{"--config", "../../dram/testdata/idd0-40.ini", "--pattern", "random"}, "idd0-40.ini:34: IDD0 x tRC"},
		{[]string{"--config", "../../dram/testdata/channel-24g.ini", "--pattern", "random"}, "channel-24g.ini:42: channel_size = 24576 MB"},
	} {
		status, stdout, stderr := commandLine(t, append([]string{"dram"}, c.args...)...)
		if status != exitBadInput || stdout != "" || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d, %s; want 2, %s", c.args, status, stderr, c.want)
		}
	}
}
