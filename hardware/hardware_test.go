package hardware_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/units"
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

// TestNumbersAreYAML12 as in every other file.
func TestNumbersAreYAML12(t *testing.T) {
	for text, want := range map[string]int{"010": 10, "0o10": 8, "0x10": 16, "!!int 10": 10} {
		h, err := hardware.Read([]byte(strings.Replace(valid, "rows: 8", "rows: "+text, 1)), "mine.yaml")
		if err != nil || h.PE.Rows != want {
			t.Errorf("%s: %v, %v, want %d rows", text, h, err, want)
		}
	}
}

// TestAnchors stand for what they name.
func TestAnchors(t *testing.T) {
	text := strings.Replace(valid, "pe: {rows: 8, columns: 4,", "pe: &p {rows: &r 8, columns: *r,", 1)
	h, err := hardware.Read([]byte("\ufeff"+text), "mine.yaml")
	if err != nil || h.PE.Rows != 8 || h.PE.Columns != 8 {
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

// TestSeparateBuffers: one for each kind of tensor, with banks of its own; what
// is left out is a default, and no limit.
func TestSeparateBuffers(t *testing.T) {
	h, err := hardware.Read([]byte(strings.Replace(valid, "{capacity: 2MiB, bank: 8KiB}", `
  weights: {capacity: 512KiB, banks: 16, ports: 2}
  states: {capacity: 1MiB, bank: 64KiB, ports: 1}
  gradients: {capacity: 256KiB, banks: 4}
  spikes: {capacity: 40KiB}
`, 1)), "mine.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := [role.Buffers]hardware.Buffer{
		role.WeightBuffer:   {512 * units.KiB, 32 * units.KiB, 2},
		role.StateBuffer:    {units.MiB, 64 * units.KiB, 1},
		role.GradientBuffer: {256 * units.KiB, 64 * units.KiB, 1},
		role.SpikeBuffer:    {40 * units.KiB, 32 * units.KiB, 0},
	}
	if !h.Separate || h.Buffers != want || h.OnChip != (512+1024+256+40)*units.KiB {
		t.Errorf("%v %+v, %d bytes", h.Separate, h.Buffers, h.OnChip)
	}
	for b, accesses := range []units.Words{32, 16, 4, 0} {
		if got := h.Buffers[b].Accesses(); got != accesses {
			t.Errorf("%v buffer: %d accesses a clock, want %d", role.Buffer(b), got, accesses)
		}
	}
	if h.Buffers[role.SpikeBuffer].Banks() != 2 {
		t.Error("the second bank is partly used")
	}
}

func TestSharedBufferHasPortsIfTheFileSaysSo(t *testing.T) {
	for text, want := range map[string]hardware.Buffer{
		"bank: 8KiB":           {2 * units.MiB, 8 * units.KiB, 0},
		"bank: 8KiB, ports: 2": {2 * units.MiB, 8 * units.KiB, 2},
		"banks: 16":            {2 * units.MiB, 128 * units.KiB, 1},
		"banks: 16, ports: 3":  {2 * units.MiB, 128 * units.KiB, 3},
	} {
		h, err := hardware.Read([]byte(strings.Replace(valid, "bank: 8KiB", text, 1)), "mine.yaml")
		if err != nil || len(h.Memories()) != 1 || h.Memories()[0] != want {
			t.Errorf("%s: %+v, %v", text, h, err)
		}
	}
}

func TestEnginesGroupsAndPrecision(t *testing.T) {
	h, err := hardware.Read([]byte(valid), "mine.yaml")
	if err != nil || h.Engines != 1 || h.Groups != 1 || h.PE.Precision != pe.FP32 {
		t.Errorf("%+v, %v", h, err)
	}
	text := strings.Replace(valid, "clock: 150MHz", "clock: 150MHz, groups: block, precision: fixed16", 1) + "dma: {engines: 3}\n"
	h, err = hardware.Read([]byte(text), "mine.yaml")
	if err != nil || h.Engines != 3 || h.Groups != 0 || h.PE.Precision != pe.Fixed16 || h.PE.Precision.Word() != 2 {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestRatePicksTheDeviceOfAStandard, or confirms the device that is named.
func TestRatePicksTheDeviceOfAStandard(t *testing.T) {
	for text, want := range map[string]string{
		"ddr4-2400, rate: 2400MT/s":     "ddr4-2400",
		"ddr4-2400-x16, rate: 2400MT/s": "ddr4-2400-x16",
		"ddr4, rate: 3200MT/s":          "ddr4-3200",
		"ddr5, rate: 4.8GT/s":           "ddr5-4800",
		"lpddr4-3200, rate: 3200MT/s":   "lpddr4-3200",
		"lpddr5-6400, rate: 6400MT/s":   "lpddr5-6400",
		"hbm2, rate: 2000MT/s":          "hbm2",
	} {
		h, err := hardware.Read([]byte(strings.Replace(valid, "ddr4-2400", text, 1)), "mine.yaml")
		if err != nil || h.DRAM.Name != want {
			t.Errorf("%s: %v, %v", text, h, err)
		}
	}
}

// TestEnergyTableIsFoundBesideTheFile wherever the program runs.
func TestEnergyTableIsFoundBesideTheFile(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"mine.yaml": valid + "energy: table.yaml\n", "table.yaml": "pe: {add_fp32: 7 pJ}\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h, err := hardware.Open(filepath.Join(folder, "mine.yaml"))
	if err != nil || h.Energy.PE(pe.FP32, pe.Add) != 7 {
		t.Errorf("%v", err)
	}
	h, err = hardware.Read([]byte(valid+"energy: 45nm"), "mine.yaml")
	if err != nil || h.Energy.PE(pe.FP32, pe.Add) != 0.9 {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "table.yaml"), []byte("pe:\n  add_fp32: 7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = hardware.Open(filepath.Join(folder, "mine.yaml"))
	if err == nil || !strings.Contains(err.Error(), "mine.yaml:5: energy: ") || !strings.Contains(err.Error(), "table.yaml:2: pe.add_fp32: ") {
		t.Error(err)
	}
}

func TestJSONIsAccepted(t *testing.T) {
	h, err := hardware.Read([]byte(`{"pe": {"rows": 8, "columns": 4, "lanes": 16, "clock": "150MHz"},
	"onchip": {"capacity": "2MiB"}, "dram": {"device": "ddr4-2400", "channels": 1, "ranks": 1}}`), "mine.json")
	if err != nil || h.Name != "mine" || h.PE.Rows != 8 || h.OnChip != 2*units.MiB {
		t.Errorf("%+v, %v", h, err)
	}
	_, err = hardware.Read([]byte("{\n\"pe\": {\"rows\": 0}}"), "mine.json")
	if err == nil || err.Error() != "mine.json:2: pe.rows: 0 is out of range; write 1 to 65536" {
		t.Error(err)
	}
}

// TestRefusals: each says what would be accepted.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"rows: 8", "rows: 0", "mine.yaml:2: pe.rows: 0 is out of range; write 1 to 65536"},
		{"rows: 8", "rows: 65537", "mine.yaml:2: pe.rows: 65537 is out of range; write 1 to 65536"},
		{"rows: 8", "rows: 99999999999999999999", "mine.yaml:2: pe.rows: 99999999999999999999 is out of range; write 1 to 65536"},
		{"rows: 8", "rows: 1.5", `mine.yaml:2: pe.rows: "1.5" is not a whole number; write 1 to 65536`},
		{"rows: 8", "rows: [8]", "mine.yaml:2: pe.rows: is not a single value; write for example 16"},
		{"rows: 8", "rows: ", "mine.yaml:2: pe.rows: has no value; write for example 16"},
		{"rows: 8", "row: 8", `mine.yaml:2: pe.row: is not a key (did you mean "rows"?); there are rows, columns, lanes, pipeline, clock, dataflow, precision, groups`},
		{"columns: 4", "columns: -4", "mine.yaml:2: pe.columns: -4 is out of range; write 1 to 65536"},
		{"lanes: 16, ", "", "mine.yaml:2: pe.lanes: is missing; write for example lanes: 64"},
		{"lanes: 16", "rows: 8", "mine.yaml:2: "},
		{"pipeline: 2", "pipeline: -1", "mine.yaml:2: pe.pipeline: -1 is out of range; write 0 to 65536"},
		{"150MHz", "200", `mine.yaml:2: pe.clock: "200" has no unit; write for example 200MHz`},
		{"150MHz", "-1MHz", `mine.yaml:2: pe.clock: "-1MHz" is out of range; write 1Hz to 10GHz, for example 200MHz`},
		{"150MHz", "NaNHz", `mine.yaml:2: pe.clock: "NaNHz" is not a number with a unit; write for example 200MHz`},
		{"150MHz", "1MB", `mine.yaml:2: pe.clock: "1MB" is in MB; write it in Hz, kHz, MHz, GHz, for example 200MHz`},
		{"150MHz", "11GHz", `mine.yaml:2: pe.clock: "11GHz" is out of range; write 1Hz to 10GHz, for example 200MHz`},
		{"150MHz", "150MHz, dataflow: systolic", `mine.yaml:2: pe.dataflow: "systolic" is not a dataflow; write one of gated, weight-stationary, output-stationary, event-driven`},
		{"150MHz", "150MHz, precision: bf16", `mine.yaml:2: pe.precision: "bf16" is not a number format; write one of fp32, fp16, fixed32, fixed16`},
		{"150MHz", "150MHz, groups: 0", "mine.yaml:2: pe.groups: 0 is out of range; write 1 to 65536, or block for one for every local block"},
		{"2MiB", "2", `mine.yaml:3: onchip.capacity: "2" has no unit; write for example 2MiB or workload`},
		{"2MiB", "2MB", `mine.yaml:3: onchip.capacity: "2MB" is in MB (did you mean "MiB"?); write it in B, KiB, MiB, GiB, for example 2MiB or workload`},
		{"2MiB", "1B", `mine.yaml:3: onchip.capacity: "1B" is out of range; write 1KiB to 524288GiB, for example 2MiB or workload`},
		{"capacity: 2MiB, ", "", "mine.yaml:3: onchip.capacity: is missing; write one shared buffer, for example capacity: 2MiB, or one for each kind of tensor: weights, states, gradients, spikes"},
		{"8KiB", "0.5B", `mine.yaml:3: onchip.bank: "0.5B" is out of range; write 1B to 524288GiB, for example 32KiB`},
		{"8KiB", "manyKiB", `mine.yaml:3: onchip.bank: "manyKiB" is not a number with a unit; write for example 32KiB`},
		{"bank: 8KiB", "banks: 7", "mine.yaml:3: onchip.banks: 7 banks do not divide 2MiB; write for example 4"},
		{"bank: 8KiB", "bank: 8KiB, banks: 16", "mine.yaml:3: onchip.banks: 16 banks of 8KiB are not 2MiB; leave out banks or bank"},
		{"2MiB, bank: 8KiB", "1KiB, banks: 512", "mine.yaml:3: onchip.banks: 512 banks of 1KiB are smaller than a word; write at most 256"},
		{"2MiB, bank: 8KiB", "workload, banks: 16", "mine.yaml:3: onchip.banks: as large a buffer as the workload asks for has as many banks as that takes; write the size of one, for example bank: 32KiB"},
		{"bank: 8KiB", "weights: {capacity: 1MiB}", "mine.yaml:3: onchip.capacity: belongs to one shared buffer, but there is onchip.weights; write one shared buffer, for example capacity: 2MiB, or one for each kind of tensor: weights, states, gradients, spikes"},
		{"capacity: 2MiB, bank: 8KiB", "weights: {capacity: 1MiB}", "mine.yaml:3: onchip.states: is missing; where one kind of tensor has a buffer, each has: weights, states, gradients, spikes"},
		{"capacity: 2MiB, bank: 8KiB", "weights: {banks: 1}", "mine.yaml:3: onchip.weights.capacity: is missing; write for example capacity: 512KiB"},
		{"capacity: 2MiB, bank: 8KiB", "weights: 1MiB", "mine.yaml:3: onchip.weights: is not a mapping of keys to values; there are capacity, bank, banks, ports"},
		{"ddr4-2400", "ddr4", "mine.yaml:4: dram.device: unknown memory device"},
		{"ddr4-2400", "ddr4-2400, rate: 3200MT/s", "mine.yaml:4: dram.rate: ddr4-2400 makes 2409 million transfers a second, not 3200MT/s; leave the key out, or take another device: "},
		{"ddr4-2400", "ddr4-2400, rate: 2400", `mine.yaml:4: dram.rate: "2400" has no unit; write for example 2400MT/s`},
		{"channels: 2", "channels: 3", "mine.yaml:4: dram.channels: device ddr4-2400: channels = 3 must be a power of two"},
		{"channels: 2", "channels: 0", "mine.yaml:4: dram.channels: 0 is out of range; write 1 to 65536"},
		{"ranks: 1", "ranks: 5", "mine.yaml:4: dram.ranks: device ddr4-2400: ranks = 5 must be a power of two"},
		{"ranks: 1", "ranks: 1, mapping: ro", "mine.yaml:4: dram.mapping: "},
		{"ranks: 1", "rank: 1", `mine.yaml:4: dram.rank: is not a key (did you mean "ranks"?); there are device, rate, channels, ranks, mapping`},
		{"ranks: 1}", "ranks: 1}\nenergy: no.yaml", "mine.yaml:5: energy: open no.yaml: no such file or directory; write 45nm, or name a file like it"},
		{"ranks: 1}", "ranks: 1}\ndma: {engines: 0}", "mine.yaml:5: dma.engines: 0 is out of range; write 1 to 65536"},
		{"dram: {device: ddr4-2400, channels: 2, ranks: 1}", "", "mine.yaml:1: dram: is missing; it has the keys device, rate, channels, ranks, mapping"},
		{"name: mine", "name: mine\nnam: mine", `mine.yaml:2: nam: is not a key (did you mean "name"?); there are name, note, pe, onchip, dma, dram, energy`},
		{"ranks: 1}", "ranks: 1}\n2024: my note", "mine.yaml:5: 2024: is not a key; there are name, note, pe, onchip, dma, dram, energy"},
		{"ranks: 1}", "ranks: 1}\n? [a]\n: b", "mine.yaml:6: "},
		{"ranks: 1}", "ranks: 1}\n~: b", "mine.yaml:5: ~: is not a key"},
		{"rows: 8", "rows: *r", "mine.yaml:2: pe.rows: *r names nothing; write &r before a value above it"},
		{"ranks: 1}", "ranks: 1}\n---\nname: other", "mine.yaml:6: a second document; a hardware file is one"},
		{valid, "- 1", "mine.yaml:1: is not a mapping of keys to values; there are name, note, pe, onchip, dma, dram, energy"},
		{valid, "# nothing", "mine.yaml: is empty"},
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
	f.Add(strings.Replace(valid, "{capacity: 2MiB, bank: 8KiB}", "{weights: {capacity: 1MiB, banks: 4}, states: {capacity: 1KiB}, gradients: {capacity: 1KiB}, spikes: {capacity: 3KiB, banks: 3, ports: 2}}", 1))
	f.Add(`{"pe": {"rows": 8, "columns": 4, "lanes": 16, "clock": "150MHz", "precision": "fixed16", "groups": "block"}, "dma": {"engines": 2}}`)
	f.Add("pe: &a {rows: *a}\n? [x]\n: |\n  y\n")
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
		for _, m := range h.Memories() {
			if m.Bank < 1 || m.Ports < 0 || m.Banks() < 0 {
				t.Errorf("accepted: %+v", m)
			}
		}
	})
}
