package hardware_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"accelsim/hardware"
	"accelsim/units"
)

func TestPaperIsTheMachineOfSection42(t *testing.T) {
	h, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	if h.PE.Rows != 32 || h.PE.Columns != 32 || h.PE.Clock != 200*units.MHz {
		t.Errorf("%+v", h.PE)
	}
	if h.OnChip != 0 {
		t.Errorf("%d bytes on chip, want as much as the workload needs", h.OnChip)
	}
	if !strings.Contains(h.Note, "section 4.2") {
		t.Errorf("the note does not say whose assumption it is: %s", h.Note)
	}
	d := h.DRAM
	if d.Channels != 1 || d.BusWidth != 64 || d.Ranks != 4 || d.DeviceWidth != 8 || d.Capacity() != 32*units.GiB {
		t.Errorf("%d channels of %d bits, %d ranks of x%d devices, %d bytes", d.Channels, d.BusWidth, d.Ranks, d.DeviceWidth, d.Capacity())
	}
	// 2400 MT/s of 8 bytes, to a clock of 0.83 ns.
	if rate := d.PeakBandwidth(); rate < 19.2e9 || rate > 19.3e9 {
		t.Errorf("%v B/s", rate)
	}
}

func TestEveryPresetIsSound(t *testing.T) {
	names := hardware.Names()
	if len(names) == 0 {
		t.Fatal("no presets")
	}
	for _, name := range names {
		h, err := hardware.Open(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if h.Name != name || h.Note == "" || h.Bank <= 0 {
			t.Errorf("%s: %+v", name, h)
		}
		if err := h.DRAM.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const valid = `name: mine
pe: {rows: 8, columns: 4, lanes: 16, pipeline: 2, clock: 150MHz}
onchip: {capacity: 2MiB, bank: 8KiB}
dram: {device: ddr4-2400, channels: 2, ranks: 1}
`

func TestHardwareFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(valid), 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := hardware.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if h.Name != "mine" || h.PE.Rows != 8 || h.PE.Columns != 4 || h.PE.PEs() != 32 || h.PE.Lanes != 16 || h.PE.Pipeline != 2 || h.PE.Clock != 150*units.MHz {
		t.Errorf("%+v", h)
	}
	if h.OnChip != 2*units.MiB || h.Bank != 8*units.KiB || h.DRAM.Channels != 2 || h.DRAM.Ranks != 1 {
		t.Errorf("%+v", h)
	}
}

func TestBankIsTheLargestWithACitedAccessUnlessGiven(t *testing.T) {
	h, err := hardware.Read([]byte(strings.Replace(valid, ", bank: 8KiB", "", 1)), "mine.yaml")
	if err != nil || h.Bank != 32*units.KiB {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]units.Bytes{
		"1KiB": 1024, "3MiB": 3 << 20, "1GiB": 1 << 30, "2048B": 2048, "1.5 KiB": 1536, `"4KiB"`: 4096, "workload": 0,
	} {
		h, err := hardware.Read([]byte(strings.Replace(valid, "2MiB", text, 1)), "mine.yaml")
		if err != nil || h.OnChip != want {
			t.Errorf("%s: %v, %v, want %d", text, h, err, want)
		}
	}
	for text, want := range map[string]units.Hertz{"1GHz": 1e9, "0.5GHz": 5e8, "20kHz": 20_000, "7Hz": 7} {
		h, err := hardware.Read([]byte(strings.Replace(valid, "150MHz", text, 1)), "mine.yaml")
		if err != nil || h.PE.Clock != want {
			t.Errorf("%s: %v, %v, want %d", text, h, err, want)
		}
	}
}

// TestRefusals: each says what would be accepted.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"rows: 8", "rows: 0", "mine.yaml: pe.rows is 0; it must be between 1 and 65536"},
		{"rows: 8", "rows: 65537", "mine.yaml: pe.rows is 65537; it must be between 1 and 65536"},
		{"columns: 4", "columns: -4", "mine.yaml: pe.columns is -4; it must be between 1 and 65536"},
		{"lanes: 16, ", "", "mine.yaml: pe.lanes is 0; it must be between 1 and 65536"},
		{"pipeline: 2", "pipeline: -1", "mine.yaml: pe.pipeline is -1; it must be between 0 and 65536"},
		{"150MHz", "150", `"150" has no unit; write for example 200MHz`},
		{"150MHz", "-1MHz", `"-1MHz" is not a size above 0; write for example 200MHz`},
		{"150MHz", "11GHz", "mine.yaml: pe.clock is above 10GHz"},
		{"2MiB", "2", `"2" has no unit; write for example 2MiB or workload`},
		{"2MiB", "1B", "1 bytes hold nothing; write at least 1KiB"},
		{"8KiB", "manyKiB", `"manyKiB" is not a size above 0; write for example 32KiB`},
		{"ddr4-2400", "ddr4", "dram.device"},
		{"channels: 2", "channels: 3", "must be a power of two"},
		{"channels: 2", "channels: 0", "mine.yaml: dram.channels is 0; it must be between 1 and 65536"},
		{"ranks: 1", "rank: 1", "mine.yaml:4: "},
	} {
		text := strings.Replace(valid, c.old, c.new, 1)
		if text == valid {
			t.Fatalf("%s is not in the file", c.old)
		}
		h, err := hardware.Read([]byte(text), "mine.yaml")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "mine.yaml") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v, want %s", c.new, h, err, c.want)
		}
	}
	if _, err := hardware.Open("papre"); err == nil || !strings.Contains(err.Error(), `no hardware "papre" (did you mean "paper"?); there is`) {
		t.Error(err)
	}
	if _, err := hardware.Open("no/such.yaml"); err == nil || err.Error() != "hardware file: open no/such.yaml: no such file or directory" {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(valid)
	f.Add("")
	f.Add("pe: [")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := hardware.Read([]byte(text), "fuzz.yaml")
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of two lines: %q", err)
			}
			return
		}
		if h.PE.Rows < 1 || h.PE.Columns < 1 || h.PE.Lanes < 1 || h.PE.Clock < 1 || h.OnChip < 0 || h.DRAM.Capacity() <= 0 {
			t.Errorf("accepted: %+v", h)
		}
	})
}
