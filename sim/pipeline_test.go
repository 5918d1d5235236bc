package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// manyBlocks is a program of five blocks of one layer.
func manyBlocks(t testing.TB, k int) *schedule.Program {
	t.Helper()
	w, err := network.Read([]byte("input: {channels: 2, height: 8, width: 8, encoding: event}\n"+
		"layers: 4C3-6C3-6AP2-8C3-16FC-12FC-5FC\ntimesteps: 12\nbatch: 4\n"), "many.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := schedule.New(w, k, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPipelinedIsFaster: groups of a deep network work at once, and the DRAM is
// never asked for more than the sequential schedule asks for.
func TestPipelinedIsFaster(t *testing.T) {
	for _, c := range []struct {
		net   string
		k, n  int
		times float64 // faster, at least
	}{{"alexnet", 10, 1, 2.6}, {"alexnet", 1, 1, 2.9}, {"resnet18", 2, 1, 3.2}, {"lenet1", 10, 1, 1.35}} {
		alone := runOnPaper(t, c.net, c.k, c.n, 128, Options{})
		together := runOnPaper(t, c.net, c.k, c.n, 128, Options{Order: schedule.Pipelined})
		if len(together.Groups) != len(together.Blocks) || len(alone.Groups) != 1 {
			t.Errorf("%s: %d and %d groups for %d blocks", c.net, len(together.Groups), len(alone.Groups), len(alone.Blocks))
		}
		if times := alone.Timing.Cycles.Total.Float64() / together.Timing.Cycles.Total.Float64(); times < c.times {
			t.Errorf("%s (%d, %d): %.2f times faster, want %v", c.net, c.k, c.n, times, c.times)
		}
		if together.Words != alone.Words || together.Counts != alone.Counts {
			t.Errorf("%s (%d, %d): moves %v, alone %v", c.net, c.k, c.n, together.Words, alone.Words)
		}
	}
}

// TestOneBlockIsNotPipelined: BPTT is the same run in either order.
func TestOneBlockIsNotPipelined(t *testing.T) {
	alone := runOnPaper(t, "lenet1", 20, 4, 8, Options{})
	together := runOnPaper(t, "lenet1", 20, 4, 8, Options{Order: schedule.Pipelined})
	if alone.Timing.Seconds != together.Timing.Seconds || alone.Footprint != together.Footprint {
		t.Errorf("%v s and %v, pipelined %v s and %v", alone.Timing.Seconds, alone.Footprint, together.Timing.Seconds, together.Footprint)
	}
}

// TestOneGroupCannotPipeline and says which key makes more of them.
func TestOneGroupCannotPipeline(t *testing.T) {
	hw := paperHardware(t)
	hw.Groups = 1
	_, err := Run(manyBlocks(t, 4), hw, Options{Order: schedule.Pipelined})
	if err == nil || !strings.Contains(err.Error(), "pe.groups") {
		t.Error(err)
	}
}

// TestTheSlowestGroupHasAsLittleAsPossible: no other way to deal out the blocks
// gives the group with most work less of it.
func TestTheSlowestGroupHasAsLittleAsPossible(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		hw := paperHardware(t)
		hw.PE.Rows, hw.PE.Lanes = rapid.IntRange(1, 32).Draw(r, "rows"), rapid.IntRange(1, 64).Draw(r, "lanes")
		hw.Groups = rapid.IntRange(2, 6).Draw(r, "groups")
		p := manyBlocks(t, rapid.SampledFrom([]int{1, 3}).Draw(r, "k"))
		first, err := deal(p, hw, schedule.Pipelined)
		if err != nil {
			r.Fatal(err)
		}
		if len(first) != min(hw.Groups, len(p.Blocks)) {
			r.Fatalf("%d groups of %d for %d blocks", len(first), hw.Groups, len(p.Blocks))
		}
		most := func(first []int) (most units.Cycles) {
			for i := range first {
				last := len(p.Blocks)
				if i+1 < len(first) {
					last = first[i+1] - 1
				}
				work, err := clocks(p.Group(first[i], last), hw)
				if err != nil {
					r.Fatal(err)
				}
				most = max(most, work)
			}
			return most
		}
		dealt := most(first)
		var others func(sofar []int)
		others = func(sofar []int) {
			if len(sofar) == len(first) {
				if other := most(sofar); other < dealt {
					r.Errorf("groups from blocks %v have %d clocks at most, from %v %d", first, dealt, sofar, other)
				}
				return
			}
			for next := sofar[len(sofar)-1] + 1; next <= len(p.Blocks); next++ {
				others(append(append([]int(nil), sofar...), next))
			}
		}
		others([]int{1})
	})
}

// TestTwoEnginesLoadAndStoreAtOnce: one does not; either way the DRAM serves one
// stream at a time.
func TestTwoEnginesLoadAndStoreAtOnce(t *testing.T) {
	for engines := 1; engines <= 3; engines++ {
		for _, order := range []schedule.Order{schedule.Sequential, schedule.Pipelined} {
			hw := paperHardware(t)
			hw.Groups, hw.Engines = 0, engines
			trace := &Trace{Limit: 1 << 20}
			if _, err := Run(manyBlocks(t, 4), hw, Options{Order: order, Trace: trace}); err != nil {
				t.Fatal(err)
			}
			atOnce := 0
			before := map[[2]int]Span{} // by group and engine, and of the port
			for _, s := range trace.Spans {
				switch s.Track {
				case Port:
					if last := before[[2]int{-1, 0}]; s.From.Less(last.To) {
						t.Fatalf("the DRAM serves %v from %d ps, but %v until %d ps", s.Tensor, s.From, last.Tensor, last.To)
					}
					before[[2]int{-1, 0}] = s
				case DMA:
					if last := before[[2]int{s.Group, s.Engine}]; s.From.Less(last.To) {
						t.Fatalf("engine %d of group %d has two transfers at %d ps", s.Engine, s.Group, s.From)
					}
					before[[2]int{s.Group, s.Engine}] = s
					for other := range mostTransfers {
						if o := before[[2]int{s.Group, other}]; other != s.Engine && s.From.Less(o.To) && s.From.Less(s.To) {
							if o.Write == s.Write {
								t.Fatalf("two loads, or two stores, of group %d are under way at %d ps", s.Group, s.From)
							}
							atOnce++
						}
					}
				}
			}
			if (atOnce > 0) != (engines > 1) {
				t.Errorf("%d engines, %v: %d times a load and a store are under way at once", engines, order, atOnce)
			}
		}
	}
}

// TestLoadsThatPEsWaitForTakeTurns: such a load never waits for two streams of
// another group in a row.
func TestLoadsThatPEsWaitForTakeTurns(t *testing.T) {
	hw := paperHardware(t)
	hw.Groups = 2
	trace := &Trace{Limit: 1 << 20}
	if _, err := Run(manyBlocks(t, 4), hw, Options{Order: schedule.Pipelined, Trace: trace}); err != nil {
		t.Fatal(err)
	}
	of := func(track Track, keep func(Span) bool) (list []Span) {
		for _, s := range trace.Spans {
			if s.Track == track && keep(s) {
				list = append(list, s)
			}
		}
		return list
	}
	waiting := 0
	for _, load := range of(DMA, func(s Span) bool { return !s.Write }) {
		within := func(s Span) bool { return s.From.Less(load.To) && load.From.Less(s.To) }
		if len(of(Steps, func(s Span) bool { return s.Group == load.Group && within(s) })) > 0 {
			continue // PEs have something to do
		}
		waiting++
		others := 0
		for i, s := range of(Port, within) {
			switch {
			case s.Group == load.Group:
				others = 0
			case i > 0: // the first was there before
				if others++; others > 1 {
					t.Fatalf("group %d waits for two streams of group %d before %d ps", load.Group+1, s.Group+1, s.To)
				}
			}
		}
	}
	if waiting == 0 {
		t.Error("PEs never wait for a load")
	}
}

// TestASecondEngineDoesNoHarm: what PEs wait for goes first.
func TestASecondEngineDoesNoHarm(t *testing.T) {
	for _, k := range []int{1, 4, 12} {
		var took []units.Total[units.Cycles]
		for engines := 1; engines <= 2; engines++ {
			hw := paperHardware(t)
			hw.Engines = engines
			r, err := Run(manyBlocks(t, k), hw, Options{})
			if err != nil {
				t.Fatal(err)
			}
			took = append(took, r.Timing.Cycles.Total)
		}
		if took[1].Float64() > 1.001*took[0].Float64() { // a refresh more or less
			t.Errorf("k = %d: %d clocks with one engine, %d with two", k, took[0], took[1])
		}
	}
}

// TestSpikesThatOthersReadAreNotOverwritten: the memory refuses what the groups
// wait for.
func TestSpikesThatOthersReadAreNotOverwritten(t *testing.T) {
	p := manyBlocks(t, 2)
	extents := p.Extents()
	p.Share(extents, []int{1, 2})
	l, err := layOut(extents, paperHardware(t).DRAM, units.WordBytes)
	if err != nil {
		t.Fatal(err)
	}
	m := newMemoryMap(&l, paperHardware(t).DRAM, units.WordBytes)
	spikes := func(step int) schedule.Transfer {
		return schedule.Transfer{Tensor: role.Tensor{Class: role.Spikes, Index: 1, Step: step}, Words: p.Words(role.Spikes, 1)}
	}
	const slots = 4 // twice k
	for step := 1; step <= slots; step++ {
		if _, err := m.stream(spikes(step), true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.stream(spikes(slots+1), true); err == nil || !strings.Contains(err.Error(), "written over step 1, which the next group still reads") {
		t.Error(err)
	}
	m.free(spikes(1).Tensor)
	if _, err := m.stream(spikes(slots+1), true); err != nil {
		t.Error(err)
	}
	if _, err := m.stream(spikes(1), false); err == nil || !strings.Contains(err.Error(), "the value of step 5 is there") {
		t.Error(err)
	}
	if !m.isThere(spikes(slots+1).Tensor) || m.isThere(spikes(slots+2).Tensor) {
		t.Error("what is there is not known")
	}
}

// broken changes the first group's steps.
type broken struct {
	*schedule.Cursor
	edit func(*schedule.Step)
}

func (b *broken) Next(s *schedule.Step) bool {
	if !b.Cursor.Next(s) {
		return false
	}
	b.edit(s)
	return true
}

// TestADeadlockNamesWhatEveryGroupWaitsFor with time and without.
func TestADeadlockNamesWhatEveryGroupWaitsFor(t *testing.T) {
	hw := paperHardware(t)
	hw.Groups = 2
	for _, c := range []struct {
		what string
		edit func(*schedule.Step)
		want []string
	}{
		{
			"layer 2 is not handed over at t = 6",
			func(s *schedule.Step) {
				if s.Time == 6 {
					s.Hands = s.Hands[:0]
				}
			},
			[]string{"forward step of layer 3 at t = 6: waits for S^{6,2}, which the group before has not handed over"},
		},
		{
			"layer 2 is not stored at t = 6, nor read by its own classifier",
			func(s *schedule.Step) {
				not := func(x schedule.Transfer) bool {
					return x.Tensor == role.Tensor{Class: role.Spikes, Index: 2, Step: 6}
				}
				s.Reads, s.Writes = slices.DeleteFunc(s.Reads, not), slices.DeleteFunc(s.Writes, not)
			},
			[]string{
				"backward step of layer 3 at t = 6: waits for S^{6,2}, which the group before has not stored",
				"waits for the next group to take spikes",
			},
		},
	} {
		for _, untimed := range []bool{true, false} {
			p := manyBlocks(t, 4)
			first, err := deal(p, hw, schedule.Pipelined)
			if err != nil {
				t.Fatal(err)
			}
			if len(first) != 2 || first[1] != 3 {
				t.Fatalf("groups begin with %v", first)
			}
			_, err = Run(p, hw, Options{Order: schedule.Pipelined, Untimed: untimed, Source: &broken{p.Group(1, 2).Start(), c.edit}})
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s, untimed %v: %v", c.what, untimed, err)
				}
			}
		}
	}
}

// TestTheNumberOfPlacesIsEnough: with two places for spikes the group with most
// to do hardly waits for others, wherever it is in the network.
func TestTheNumberOfPlacesIsEnough(t *testing.T) {
	r := runOnPaper(t, "alexnet", 10, 1, 128, Options{Order: schedule.Pipelined})
	busiest := r.Groups[0]
	for _, g := range r.Groups {
		if busiest.PEBusy.Less(g.PEBusy) {
			busiest = g
		}
	}
	if waits := busiest.StallOther.Float64() / r.Timing.Cycles.Total.Float64(); waits > 0.01 {
		t.Errorf("it waits for %.1f %% of the time", 100*waits)
	}
}

// TestTraceShowsEveryGroup: as much of each.
func TestTraceShowsEveryGroup(t *testing.T) {
	trace := &Trace{Limit: 100}
	r := runOnPaper(t, "lenet1", 5, 1, 4, Options{Order: schedule.Pipelined, Trace: trace})
	steps := map[int]map[int64]bool{}
	for _, s := range trace.Spans {
		if steps[s.Group] == nil {
			steps[s.Group] = map[int64]bool{}
		}
		steps[s.Group][s.Step] = true
	}
	for g := range r.Groups {
		if len(steps[g]) != 25 {
			t.Errorf("%d steps of group %d, want a quarter of 100", len(steps[g]), g+1)
		}
		if len(trace.Fill[g]) == 0 {
			t.Errorf("no fill of group %d's buffer", g+1)
		}
	}
	if cut := trace.First(40); fmt.Sprint(cut.Cut(), len(cut.Fill)) != "true 4" {
		t.Errorf("cut %v, fill of %d", cut.Cut(), len(cut.Fill))
	}
}

// BenchmarkPipelined is AlexNet on a group for every block.
func BenchmarkPipelined(b *testing.B) {
	w, err := network.Open("alexnet")
	if err != nil {
		b.Fatal(err)
	}
	hw, err := hardware.Open("paper")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p, err := schedule.New(w, 10, 1, schedule.All)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Run(p, hw, Options{Order: schedule.Pipelined}); err != nil {
			b.Fatal(err)
		}
	}
}
