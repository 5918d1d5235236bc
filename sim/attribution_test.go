package sim

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// runOnPaper runs a built-in network at (k, n) on the paper's machine.
func runOnPaper(t *testing.T, net string, k, n, batch int, o Options) *Result {
	t.Helper()
	return runOn(t, "paper", net, k, n, batch, o)
}

func runOn(t *testing.T, machine, net string, k, n, batch int, o Options) *Result {
	t.Helper()
	w, err := network.Open(net)
	if err != nil {
		t.Fatal(err)
	}
	w.Batch = batch
	hw, err := hardware.Open(machine)
	if err != nil {
		t.Fatal(err)
	}
	p, err := schedule.New(w, k, n, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	o.Energy = energy.Default()
	r, err := Run(p, hw, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSharesAddUpToTheWhole(t *testing.T) {
	for _, c := range []struct {
		net         string
		k, n, batch int
		untimed     bool
	}{
		{"lenet1", 20, 4, 128, false},
		{"lenet1", 1, 2, 3, false},
		{"lenet2", 10, 1, 7, false},
		{"alexnet", 10, 1, 128, false},
		{"resnet18", 1, 1, 5, false},
		{"vgg11", 12, 3, 2, true},
	} {
		checkShares(t, fmt.Sprintf("%s (%d, %d)", c.net, c.k, c.n), runOnPaper(t, c.net, c.k, c.n, c.batch, Options{Untimed: c.untimed}))
	}
}

func TestSharesOfATiledRunAddUp(t *testing.T) {
	for _, machine := range []string{"zcu102", "edge-lpddr4", "asic-28nm"} {
		checkShares(t, machine, runOn(t, machine, "lenet2", 10, 2, 8, Options{}))
		checkShares(t, machine, runOn(t, machine, "resnet18", 8, 3, 2, Options{}))
	}
}

func TestSharesOfAFunctionalRunAddUp(t *testing.T) {
	for _, name := range vectorNames(t) {
		checkShares(t, name, readVector(t, name).run(t, Options{Energy: testEnergy(t)}))
	}
}

// checkShares holds the sum of all shares to the whole.
func checkShares(t *testing.T, name string, r *Result) {
	t.Helper()
	var words [role.InMemory]Traffic
	var operations [pe.NumOps]int64
	var onChip Traffic
	var phases [3]units.Total[units.Cycles]
	var kernels units.Total[units.Cycles]
	var commands dram.Stats
	var time, moving, loads, stores units.Time
	var joules float64
	for _, s := range r.Shares {
		for class, w := range s.Words {
			words[class].Reads += w.Reads
			words[class].Writes += w.Writes
		}
		for op, n := range s.Operations {
			if n < 0 {
				t.Errorf("%s: a share of %d operations", name, n)
			}
			operations[op] += n
		}
		onChip.Reads += s.OnChip.Reads
		onChip.Writes += s.OnChip.Writes
		phases[s.Phase].AddTotal(s.PE)
		for _, cycles := range s.Kernels {
			kernels.AddTotal(cycles)
		}
	}
	check := func(what string, got, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s of all shares (-whole +shares):\n%s", name, what, diff)
		}
	}
	check("words", words, r.Words)
	check("operations", operations, r.Operations)
	check("accesses", onChip, Traffic{Reads: r.OnChip.Reads, Writes: r.OnChip.Writes})
	if r.Timing == nil {
		return
	}
	timing := r.Timing
	for _, s := range timing.Shares {
		at, stats := s.DRAM()
		moving.AddTotal(at)
		commands.Add(stats, 1)
		time.AddTotal(s.Time())
		loads.AddTotal(s.WaitLoad)
		stores.AddTotal(s.WaitStore)
		joules += s.Energy.Total().Joules()
	}
	check("shares", len(timing.Shares), len(r.Shares))
	check("PE clocks", phases, timing.Cycles.Phase)
	check("clocks of kernels", kernels, timing.Cycles.PEBusy)
	check("DRAM commands", commands, timing.DRAM)
	check("time", units.Seconds(time), timing.Seconds)
	period := r.Hardware.PE.Clock.Period()
	if len(r.Groups) == 1 {
		check("waits for loads", units.Clocks(loads, period), timing.Cycles.StallLoad)
		check("waits for stores", units.Clocks(stores, period), timing.Cycles.StallStore)
	}
	check("DRAM time", units.Clocks(moving, period), timing.Cycles.DRAM)
	if whole := timing.Energy.Total().Joules(); math.Abs(joules-whole) > 1e-9*whole {
		t.Errorf("%s: shares cost %g J, the whole %g J", name, joules, whole)
	}
}

func TestSharesDoNotDependOnTheDRAMEngine(t *testing.T) {
	fast := runOnPaper(t, "lenet1", 5, 2, 4, Options{})
	slow := runOnPaper(t, "lenet1", 5, 2, 4, Options{Engine: dram.Reference})
	if diff := cmp.Diff(slow.Timing.Shares, fast.Timing.Shares); diff != "" {
		t.Errorf("-reference +stream:\n%s", diff)
	}
}

func TestTraceShowsWhatTheStatisticsCount(t *testing.T) {
	trace := &Trace{Limit: math.MaxInt64}
	r := runOnPaper(t, "lenet1", 10, 2, 16, Options{Trace: trace})
	period := r.Hardware.PE.Clock.Period()
	var words Traffic
	var busy [NumTracks]units.Time
	var last [NumTracks]units.Time
	for _, s := range trace.Spans {
		if s.To.Less(s.From) || s.From.Less(last[s.Track]) {
			t.Fatalf("%v span of step %d from %d to %d begins before its predecessor ends at %d", s.Track, s.Step, s.From, s.To, last[s.Track])
		}
		last[s.Track] = s.To
		busy[s.Track].AddTotal(s.To.Minus(s.From))
		if s.Track == Port && s.Write {
			words.Writes += s.Words
		} else if s.Track == Port {
			words.Reads += s.Words
		}
	}
	var want Traffic
	for _, c := range r.Words {
		want.Reads += c.Reads
		want.Writes += c.Writes
	}
	if words != want {
		t.Errorf("spans move %v, the machine %v", words, want)
	}
	pes := units.As[units.Picoseconds](r.Timing.Cycles.PEBusy).Times(int64(period))
	if busy[Steps] != pes || busy[Array].PlusTotal(busy[Lanes]) != pes {
		t.Errorf("PEs are busy for %d ps; steps take %d, kernels %d", pes, busy[Steps], busy[Array].PlusTotal(busy[Lanes]))
	}
	if busy[DMA] != busy[Port] {
		t.Errorf("the DMA is busy for %d ps, the DRAM port for %d", busy[DMA], busy[Port])
	}
	peak := units.Bytes(0)
	for i, level := range trace.Fill[0] {
		if i > 0 && !trace.Fill[0][i-1].At.Less(level.At) {
			t.Fatalf("levels at %d and %d ps", trace.Fill[0][i-1].At, level.At)
		}
		peak = max(peak, level.Occupied)
	}
	if peak == 0 || peak > r.OnChip.Peak {
		t.Errorf("the trace fills the buffer up to %d bytes, the machine up to %d", peak, r.OnChip.Peak)
	}
	if trace.Cut() || trace.Total != r.Steps {
		t.Errorf("the trace has %d of %d steps", trace.Total, r.Steps)
	}
}

func TestTraceIsCutAtItsLimit(t *testing.T) {
	trace := &Trace{Limit: 10}
	runOnPaper(t, "lenet1", 10, 2, 1, Options{Trace: trace})
	seen := map[int64]bool{}
	for _, s := range trace.Spans {
		seen[s.Step] = true
	}
	if len(seen) != 10 || !trace.Cut() {
		t.Errorf("a trace of 10 steps shows %d, cut: %v", len(seen), trace.Cut())
	}
}

// TestTotalsAreThoseOfShares: a simulation that leaves out shares has the same
// totals, of one PE group and several, with time and without.
func TestTotalsAreThoseOfShares(t *testing.T) {
	for _, order := range []schedule.Order{schedule.Sequential, schedule.Pipelined} {
		for _, untimed := range []bool{false, true} {
			hw := paperHardware(t)
			hw.Groups, hw.OnChip, hw.Ports = 2, 16*units.KiB, 1
			plan, err := NewPlan(manyBlocks(t, 2), hw, order, nil)
			if err != nil {
				t.Fatal(err)
			}
			want, err := plan.Run(Options{Untimed: untimed})
			if err != nil {
				t.Fatal(err)
			}
			got, err := plan.Run(Options{Untimed: untimed, Totals: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(want.Shares) == 0 || len(got.Shares) != 0 {
				t.Errorf("%d shares, and %d where they are left out", len(want.Shares), len(got.Shares))
			}
			want.Shares = nil
			if !untimed {
				if want.Timing.Cycles.StallPorts.Sign() == 0 {
					t.Error("nothing waits for ports")
				}
				want.Timing.Shares = nil
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%v, untimed %v: other totals without shares", order, untimed)
			}
		}
	}
}
