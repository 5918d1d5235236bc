package dram

import (
	"testing"

	"github.com/accelsim-dev/accelsim/units"
)

// published is what DRAMsim3 and Ramulator 2.1 give for one pattern of
// 1,000,000 requests: measured once, see docs/validation.md.
type published struct {
	device, kind string
	low, high    units.Cycles // of the simulators' cycles
	slack        float64      // accepted beyond them
	core         float64      // DRAMsim3's energy in microjoules, without VPP and I/O; 0: not compared
	energySlack  float64
	activates    int64 // 0: not compared
	refreshes    int64
}

var comparison = []published{
	{"ddr4-2400", "seqread", 5_155_091, 5_353_205, 0.05, 7045.77, 0.08, 8_655, 1_101},
	{"ddr4-2400", "seqwrite", 5_128_442, 5_368_953, 0.05, 6639.75, 0.08, 8_637, 1_095},
	{"ddr4-2400", "random", 4_565_121, 6_845_745, 0.05, 10174.06, 0.20, 1_005_387, 975},
	{"ddr4-2400", "randmix", 4_945_550, 7_042_276, 0.05, 10368.78, 0.20, 1_007_718, 1_056},
	{"ddr4-2400", "copy", 6_330_600, 6_476_796, 0.05, 7796.48, 0.08, 20_265, 1_383},
	{"ddr4-2400", "layer", 6_612_823, 6_737_567, 0.05, 8046.29, 0.08, 21_560, 1_439},
	{"hbm2", "seqread", 1_016_582, 1_016_589, 0.08, 1483.38, 0.08, 0, 0},
	{"hbm2", "copy", 1_000_063, 1_000_063, 0.08, 0, 0, 0, 0},
	{"hbm2", "random", 1_038_247, 1_038_247, 0.08, 0, 0, 0, 0},
	{"hbm2", "seqwrite", 1_019_577, 1_019_577, 0.08, 0, 0, 0, 0},
	{"hbm2", "randmix", 1_050_714, 1_050_714, 0.08, 0, 0, 0, 0},
	{"hbm2", "layer", 1_069_232, 1_069_232, 0.08, 0, 0, 0, 0},
	{"lpddr4-2400", "copy", 8_782_184, 8_782_184, 0.08, 10006.49, 0.08, 0, 0},
	{"lpddr4-2400", "seqread", 8_453_126, 8_453_126, 0.08, 0, 0, 0, 0},
	{"lpddr4-2400", "seqwrite", 8_452_751, 8_452_751, 0.08, 0, 0, 0, 0},
	{"lpddr4-2400", "random", 8_110_832, 8_110_832, 0.08, 0, 0, 0, 0},
	{"lpddr4-2400", "randmix", 8_858_874, 8_858_874, 0.08, 0, 0, 0, 0},
	{"lpddr4-2400", "layer", 8_795_748, 8_795_748, 0.08, 0, 0, 0, 0},
}

func TestAgreesWithDRAMsim3AndRamulator(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("eighteen million requests")
	}
	within := func(v, low, high, slack float64) bool { return v >= low*(1-slack) && v <= high*(1+slack) }
	for _, p := range comparison {
		d := device(t, p.device)
		c := run(t, d, Pattern{Kind: p.kind, Requests: 1_000_000, Seed: 1}, Reference)
		s := c.Stats()
		e := d.Energy(s)
		core := float64(e.Activate+e.Read+e.Write+e.Refresh+e.Background) * 1e-6
		t.Logf("| %s | %s | %d | %d | %d | %d | %.2f |", p.device, p.kind, c.Elapsed(), s.Activates, s.Precharges, s.Refreshes, core)
		if !within(float64(c.Elapsed()), float64(p.low), float64(p.high), p.slack) {
			t.Errorf("%s %s takes %d cycles, others %d to %d", p.device, p.kind, c.Elapsed(), p.low, p.high)
		}
		if p.core > 0 && !within(core, p.core, p.core, p.energySlack) {
			t.Errorf("%s %s uses %.2f uJ, DRAMsim3 %.2f", p.device, p.kind, core, p.core)
		}
		if p.activates > 0 && !within(float64(s.Activates), float64(p.activates), float64(p.activates), 0.02) {
			t.Errorf("%s %s has %d ACT, DRAMsim3 %d", p.device, p.kind, s.Activates, p.activates)
		}
		if p.kind == "seqread" && p.refreshes > 0 && !within(s.Refreshes.Float64(), float64(p.refreshes), float64(p.refreshes), 0.02) {
			t.Errorf("%s %s has %d REF, DRAMsim3 %d", p.device, p.kind, s.Refreshes, p.refreshes)
		}
	}
}

// TestEnergyOfTheCountsOfDRAMsim3 prices the counts that DRAMsim3 reports for
// 1,000,000 sequential reads; its own energies are in docs/validation.md.
func TestEnergyOfTheCountsOfDRAMsim3(t *testing.T) {
	d := device(t, "ddr4-2400")
	e := d.Energy(Stats{Reads: 1_000_000, Activates: 8_655, Precharges: 8_645, Refreshes: units.TotalOf[int64](1_101)})
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"activate", float64(e.Activate), 29.86e6},
		{"read", float64(e.Read), 2932.22e6},
		{"write", float64(e.Write), 0},
		{"refresh", float64(e.Refresh), 762.70e6},
	} {
		if c.got < c.want*0.9999-1 || c.got > c.want*1.0001+1 {
			t.Errorf("%s: %.0f pJ, want %.0f", c.name, c.got, c.want)
		}
	}
}
