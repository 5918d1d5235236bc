package sim_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// separate gives a machine four buffers.
func separate(hw *hardware.Hardware, buffers [role.Buffers]hardware.Buffer) {
	hw.Separate, hw.Buffers, hw.OnChip = true, buffers, 0
	for _, b := range buffers {
		hw.OnChip += b.Capacity
	}
}

// each is four equal buffers.
func each(b hardware.Buffer) (list [role.Buffers]hardware.Buffer) {
	for i := range list {
		list[i] = b
	}
	return list
}

// TestRoomySeparateBuffersChangeNothingButWhereAccessesGo.
func TestRoomySeparateBuffersChangeNothingButWhereAccessesGo(t *testing.T) {
	w := workload(t, "4C3-BN-4AP2-2RB-6FC-5FC", 4, 3)
	hw := paper(t)
	hw.OnChip = 4 * units.MiB
	shared := simulate(t, w, 2, 1, schedule.All, hw, sim.Options{})
	separate(hw, each(hardware.Buffer{Capacity: units.MiB, Bank: 32 * units.KiB}))
	split := simulate(t, w, 2, 1, schedule.All, hw, sim.Options{})
	if split.Counts != shared.Counts || split.Beyond != shared.Beyond || split.Words != shared.Words || split.Timing.Cycles != shared.Timing.Cycles {
		t.Error("four buffers with room enough move or execute something else than one")
	}
	if split.OnChip.Reads != shared.OnChip.Reads || split.OnChip.Writes != shared.OnChip.Writes || split.OnChip.Peak != shared.OnChip.Peak {
		t.Errorf("%+v, one buffer %+v", split.OnChip, shared.OnChip)
	}
	var sum sim.Traffic
	for kind, m := range split.OnChip.Memories {
		if m.Reads == 0 || m.Writes == 0 || m.Peak == 0 || m.Energy <= 0 {
			t.Errorf("the %v buffer is not used: %+v", role.Buffer(kind), m)
		}
		sum.Reads += m.Reads
		sum.Writes += m.Writes
	}
	if want := (sim.Traffic{Reads: shared.OnChip.Reads, Writes: shared.OnChip.Writes}); sum != want {
		t.Errorf("accesses of the buffers add up to %+v, want %+v", sum, want)
	}
	// The banks are alike, so the energy is, too, but for the order of additions.
	if a, b := split.Timing.Energy.OnChip, shared.Timing.Energy.OnChip; a/b > 1+1e-12 || b/a > 1+1e-12 {
		t.Errorf("%v pJ on chip, one buffer %v", a, b)
	}
}

// TestNoBufferHoldsMoreThanFits whatever its capacity, and one that is too small
// is named.
func TestNoBufferHoldsMoreThanFits(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := workload(t, rapid.SampledFrom([]string{"3FC-4FC-5FC", "4C3-4AP2-8C3-5FC", "2RB-BN-4RB-5FC"}).Draw(r, "layers"), 4, rapid.IntRange(1, 5).Draw(r, "batch"))
		hw := paper(t)
		var buffers [role.Buffers]hardware.Buffer
		for i := range buffers {
			buffers[i] = hardware.Buffer{
				Capacity: units.Bytes(rapid.IntRange(64, 20000).Draw(r, "capacity")),
				Bank:     4 * units.KiB, Ports: rapid.IntRange(0, 2).Draw(r, "ports"),
			}
		}
		separate(hw, buffers)
		hw.PE.Precision = pe.Precision(rapid.IntRange(0, pe.NumPrecisions-1).Draw(r, "precision"))
		p, err := schedule.New(w, 2, rapid.IntRange(1, w.Net.N()).Draw(r, "n"), schedule.All)
		if err != nil {
			r.Fatal(err)
		}
		result, err := sim.Run(p, hw, sim.Options{Untimed: rapid.Bool().Draw(r, "untimed")})
		if errors.As(err, new(*tiling.TooSmall)) {
			return // tiling's tests are about that
		}
		if err != nil {
			r.Fatal(err)
		}
		for kind, m := range result.OnChip.Memories {
			if m.Peak > m.Capacity || m.Capacity != buffers[kind].Capacity {
				r.Errorf("the %v buffer of %d bytes held %d", role.Buffer(kind), m.Capacity, m.Peak)
			}
		}
	})
}

// TestFewPortsMakePEsWait: one port serves one word a clock, so that PEs wait;
// with twice as many they wait no longer, and with enough not at all.
func TestFewPortsMakePEsWait(t *testing.T) {
	w := workload(t, "4C3-4AP2-8C3-5FC", 4, 3)
	hw := paper(t)
	hw.OnChip, hw.Bank = units.MiB, units.MiB
	free := simulate(t, w, 2, 1, schedule.All, hw, sim.Options{})
	if free.Timing.Cycles.StallPorts.Sign() != 0 || free.OnChip.Limited() {
		t.Errorf("without a limit PEs wait %d clocks", free.Timing.Cycles.StallPorts)
	}
	before := free.Timing.Cycles.Total.Times(1000)
	for hw.Ports = 1; hw.Ports <= 4096; hw.Ports *= 2 {
		r := simulate(t, w, 2, 1, schedule.All, hw, sim.Options{})
		c := r.Timing.Cycles
		if before.Less(c.Total) {
			t.Errorf("%d ports: %d clocks, with half of them %d", hw.Ports, c.Total, before)
		}
		before = c.Total
		if c.PEBusy != free.Timing.Cycles.PEBusy || r.Counts != free.Counts || r.OnChip.Reads != free.OnChip.Reads {
			t.Errorf("%d ports: the PEs do something else", hw.Ports)
		}
		sum := units.Sum(c.PEBusy, c.StallPorts, c.StallLoad, c.StallStore, c.StallOther)
		if off, _ := sum.Minus(c.Total).One(); off < -3 || off > 3 {
			t.Errorf("%d ports: PE busy and stalls are %d clocks of %d", hw.Ports, sum, c.Total)
		}
		var ports, stall units.Total[units.Cycles]
		for i, s := range r.Shares {
			ports.AddTotal(s.Ports)
			stall.AddTotal(s.Stall)
			if waited := r.Timing.Shares[i].WaitPorts; waited != units.As[units.Picoseconds](s.Stall).Times(int64(hw.PE.Clock.Period())) || r.Timing.Shares[i].Busy.Sign() < 0 {
				t.Errorf("%d ports: layer %d waits %d ps for %d clocks", hw.Ports, s.Layer, waited, s.Stall)
			}
		}
		var busy units.Time
		for _, s := range r.Timing.Shares {
			busy.AddTotal(s.Busy)
		}
		if want := units.As[units.Picoseconds](c.PEBusy).Times(int64(hw.PE.Clock.Period())); busy != want {
			t.Errorf("%d ports: shares are busy for %d ps, the PEs for %d", hw.Ports, busy, want)
		}
		if stall != c.StallPorts {
			t.Errorf("%d ports: shares wait %d clocks, all %d", hw.Ports, stall, c.StallPorts)
		}
		if hw.Ports == 1 && (c.StallPorts.Sign() == 0 || !c.PEBusy.Less(ports)) {
			t.Errorf("one port: no wait, %d clocks of ports", ports)
		}
	}
	if before != free.Timing.Cycles.Total {
		t.Errorf("%d clocks with ports enough, %d without a limit", before, free.Timing.Cycles.Total)
	}
}

// TestHalfTheWidthMovesHalfTheBytes: words, operations and clocks of the PEs
// stay; values take half the room, packed spikes as much as before.
func TestHalfTheWidthMovesHalfTheBytes(t *testing.T) {
	w := workload(t, "8C3-8AP2-8C3-5FC", 4, 4)
	full := simulate(t, w, 2, 1, schedule.All, paper(t), sim.Options{})
	hw := paper(t)
	hw.PE.Precision = pe.FP16
	half := simulate(t, w, 2, 1, schedule.All, hw, sim.Options{})
	if half.Counts != full.Counts || half.Operations != full.Operations || half.Timing.Cycles.PEBusy != full.Timing.Cycles.PEBusy {
		t.Error("the width of words changes what is counted")
	}
	for c, bytes := range full.Footprint.Class {
		want := bytes / 2
		if class := role.Role(c); class == role.Spikes || class == role.Input {
			want = bytes
		}
		if half.Footprint.Class[c] != want {
			t.Errorf("%v: %d bytes, want %d", role.Role(c), half.Footprint.Class[c], want)
		}
	}
	if a, b := half.Timing.DRAM.Reads, full.Timing.DRAM.Reads; a > b*6/10 || a < b/2 {
		t.Errorf("%d bursts read, with whole words %d", a, b)
	}
	if a, b := half.OnChip.Peak, full.OnChip.Peak; a > b*6/10 {
		t.Errorf("%d bytes on chip, with whole words %d", a, b)
	}
	for part, energies := range map[string][2]units.Picojoules{
		"DRAM":    {half.Timing.Energy.DRAM, full.Timing.Energy.DRAM},
		"on chip": {half.Timing.Energy.OnChip, full.Timing.Energy.OnChip},
		"PEs":     {half.Timing.Energy.PE, full.Timing.Energy.PE},
	} {
		if energies[0] >= energies[1] {
			t.Errorf("%s: %v pJ, with whole words %v", part, energies[0], energies[1])
		}
	}
}
