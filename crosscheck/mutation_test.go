package crosscheck_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
)

// mutant is a program with one of its steps changed.
type mutant struct {
	*schedule.Cursor
	at     int64 // number of the step to change
	change func(*schedule.Step)
	step   int64
}

func (m *mutant) Next(s *schedule.Step) bool {
	if !m.Cursor.Next(s) {
		return false
	}
	if m.step == m.at {
		m.change(s)
	}
	m.step++
	return true
}

// point is a truncation of a small network: T time steps in intervals of k, and
// blocks of n layers.
type point struct{ timesteps, k, n int }

// small is networks with every kind of step, small enough to change each
// single transfer and kernel of an iteration.
var small = []struct {
	what, workload string
	points         []point
}{
	{
		"pooling, direct input, Adam",
		"input: {channels: 1, height: 6, width: 6, encoding: direct}\nlayers: 2C3-2AP2-3C2p0-4FC-3FC\ntimesteps: 1\nbatch: 2\n" +
			"training: {optimizer: adam}\nactivity: {input: 0.7, layers: [0.31, 0.43, 0.57], classifiers: 0.61}\n",
		[]point{{2, 1, 1}, {4, 2, 2}},
	},
	{
		"residual blocks and batch norm",
		"input: {channels: 2, height: 5, width: 5, encoding: event}\nlayers: 2RB-BN-3RB-BN-AdaptiveAP-3FC\ntimesteps: 1\nbatch: 2\n" +
			"training: {loss: ce}\nactivity: 0.37\n",
		[]point{{2, 1, 2}, {2, 2, 5}},
	},
	{
		"random classifiers, plain SGD",
		"input: {channels: 2, height: 4, width: 4, encoding: event}\nlayers: 2C3-2AP2-3FC-3FC-2FC\ntimesteps: 1\nbatch: 3\n" +
			"training: {classifier: random, momentum: 0}\nactivity: 0.41\n",
		[]point{{2, 1, 2}, {3, 3, 1}},
	},
}

func read(t testing.TB, text string) *network.Workload {
	t.Helper()
	w, err := network.Read([]byte(text), "small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// covered tells whether Eqs. 11-17 count the operation.
func covered(op schedule.Op) bool {
	switch op {
	case schedule.SynapticSum, schedule.TemporalError, schedule.BackProject, schedule.Gradient:
		return true
	}
	return false
}

// change is one thing to do to a step.
type change struct {
	what    string
	covered bool
	do      func(*schedule.Step)
}

// changes lists the removal and the doubling of each transfer and kernel.
func changes(s *schedule.Step) []change {
	var list []change
	for _, transfers := range []struct {
		name string
		of   func(*schedule.Step) *[]schedule.Transfer
	}{
		{"read", func(s *schedule.Step) *[]schedule.Transfer { return &s.Reads }},
		{"write", func(s *schedule.Step) *[]schedule.Transfer { return &s.Writes }},
	} {
		for i, x := range *transfers.of(s) {
			what := fmt.Sprintf("%s of %v", transfers.name, x.Tensor)
			in := x.Beyond == schedule.Covered
			list = append(list,
				change{what + " removed", in, func(s *schedule.Step) {
					of := transfers.of(s)
					*of = slices.Delete(slices.Clone(*of), i, i+1)
				}},
				change{what + " doubled", in, func(s *schedule.Step) {
					of := transfers.of(s)
					*of = append(*of, (*of)[i])
				}},
			)
		}
	}
	for i, k := range s.Kernels {
		list = append(list,
			change{fmt.Sprintf("%v removed", k.Op), covered(k.Op), func(s *schedule.Step) { s.Kernels = slices.Delete(slices.Clone(s.Kernels), i, i+1) }},
			change{fmt.Sprintf("%v doubled", k.Op), covered(k.Op), func(s *schedule.Step) { s.Kernels = append(s.Kernels, s.Kernels[i]) }},
		)
	}
	return list
}

// eachChange calls visit for every change of every step of an iteration.
func eachChange(p *schedule.Program, of func(*schedule.Step) []change, visit func(where string, at int64, c change)) {
	var s schedule.Step
	step := int64(0)
	list := make([][]change, 0, p.Steps())
	var where []string
	for c := p.Start(); c.Next(&s); step++ {
		list = append(list, of(&s))
		where = append(where, fmt.Sprintf("step %d, %v at t = %d of block %d layer %d", step, s.Kind, s.Time, s.Block, s.Layer))
	}
	for i, changes := range list {
		for _, c := range changes {
			visit(where[i], int64(i), c)
		}
	}
}

// eachPoint runs every small network at its points, in both modes of traffic,
// without timing and, if asked for, one of them with it.
func eachPoint(t *testing.T, timedToo bool, visit func(t *testing.T, p *schedule.Program, good *sim.Result, o sim.Options)) {
	hw := paperHardware(t)
	hw.DRAM = hw.DRAM.WithRanks(1)
	for net, c := range small {
		for i, point := range c.points {
			for _, traffic := range []schedule.Traffic{schedule.All, schedule.Equations} {
				for _, untimed := range []bool{true, false} {
					if !untimed && !(timedToo && net == 0 && i == 1 && traffic == schedule.All) {
						continue
					}
					name := fmt.Sprintf("%s (%d,%d) only equations %v untimed %v", c.what, point.k, point.n, traffic, untimed)
					t.Run(name, func(t *testing.T) {
						w := read(t, c.workload)
						w.Timesteps = point.timesteps
						p, err := schedule.New(w, point.k, point.n, traffic)
						if err != nil {
							t.Fatal(err)
						}
						o := sim.Options{Untimed: untimed, Energy: energy.Default()}
						good, err := sim.Run(p, hw, o)
						if err != nil {
							t.Fatal(err)
						}
						if list, err := differences(good); err != nil || list != nil {
							t.Fatalf("unchanged: %v, %v", list, err)
						}
						visit(t, p, good, o)
					})
				}
			}
		}
	}
}

// simulate runs a program with one step changed.
func simulate(p *schedule.Program, hw *hardware.Hardware, o sim.Options, at int64, do func(*schedule.Step)) (*sim.Result, error) {
	o.Source = &mutant{Cursor: p.Start(), at: at, change: do}
	return sim.Run(p, hw, o)
}

// TestEverySingleTransferAndOperationIsHeldToAccount removes and doubles one
// transfer or operation at a time. Of what Eqs. 11-17 cover, the cross-check
// must fail or the machine refuse; of the rest, the machine must refuse, or the
// totals or what is never read must change.
func TestEverySingleTransferAndOperationIsHeldToAccount(t *testing.T) {
	tried := map[bool]int{}
	eachPoint(t, true, func(t *testing.T, p *schedule.Program, good *sim.Result, o sim.Options) {
		eachChange(p, changes, func(where string, at int64, c change) {
			tried[c.covered]++
			bad, err := simulate(p, good.Hardware, o, at, c.do)
			if err != nil {
				return // refused
			}
			list, err := differences(bad)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case c.covered && list == nil:
				t.Errorf("%s: %s: the cross-check passes", where, c.what)
			case !c.covered && list != nil:
				t.Errorf("%s: %s: the equations do not cover it, and yet %v", where, c.what, list)
			case !c.covered && bad.Beyond == good.Beyond && bad.Unread == good.Unread:
				t.Errorf("%s: %s: nobody notices", where, c.what)
			}
		})
	})
	t.Logf("%d changes of what the equations cover, %d of what they do not", tried[true], tried[false])
}

// TestMachineRefusesStaleData: a tensor that has one place in DRAM cannot be
// read as of another step than the one that is there.
func TestMachineRefusesStaleData(t *testing.T) {
	eachPoint(t, false, func(t *testing.T, p *schedule.Program, good *sim.Result, o sim.Options) {
		if p.Traffic == schedule.Equations {
			return // parameters are constants then
		}
		alone := map[role.Role]bool{}
		for _, e := range p.Extents() {
			alone[e.Class] = e.Slots == 1 && !e.Constant && e.Class != role.Label
		}
		retarget := func(s *schedule.Step) (list []change) {
			for i, x := range s.Reads {
				for _, by := range []int{-1, 1} {
					if alone[x.Tensor.Class] && x.Tensor.Step+by >= 0 {
						list = append(list, change{what: fmt.Sprintf("read of %v %+d step", x.Tensor, by), do: func(s *schedule.Step) { s.Reads[i].Tensor.Step += by }})
					}
				}
			}
			return list
		}
		eachChange(p, retarget, func(where string, at int64, c change) {
			if _, err := simulate(p, good.Hardware, o, at, c.do); err == nil {
				t.Errorf("%s: %s is not refused", where, c.what)
			}
		})
	})
}

// TestEverythingKeptOnChipIsNeeded: a schedule that drops anything earlier than
// this one does is refused.
func TestEverythingKeptOnChipIsNeeded(t *testing.T) {
	drop := func(p *schedule.Program, s *schedule.Step) []change {
		var list []change
		for i, kept := range s.Keeps {
			if kept.Class == role.SpikeCount && (s.Time-1)%p.K == 0 {
				continue // kept whether made yet or not
			}
			list = append(list, change{what: fmt.Sprintf("%v dropped", kept), do: func(s *schedule.Step) { s.Keeps = slices.Delete(slices.Clone(s.Keeps), i, i+1) }})
		}
		return list
	}
	eachPoint(t, false, func(t *testing.T, p *schedule.Program, good *sim.Result, o sim.Options) {
		eachChange(p, func(s *schedule.Step) []change { return drop(p, s) }, func(where string, at int64, c change) {
			if _, err := simulate(p, good.Hardware, o, at, c.do); err == nil {
				t.Errorf("%s: %s is not refused", where, c.what)
			}
		})
	})
}

// TestMachineRefusesUseOfWhatWasNotMade removes one product at a time.
func TestMachineRefusesUseOfWhatWasNotMade(t *testing.T) {
	unmade := func(s *schedule.Step) []change {
		var list []change
		for i, made := range s.Products {
			stored := slices.ContainsFunc(s.Writes, func(x schedule.Transfer) bool { return x.Tensor == made.Tensor })
			kept := slices.Contains(s.Keeps, made.Tensor)
			if stored || kept {
				list = append(list, change{what: fmt.Sprintf("%v not made", made.Tensor), do: func(s *schedule.Step) { s.Products = slices.Delete(slices.Clone(s.Products), i, i+1) }})
			}
		}
		return list
	}
	eachPoint(t, false, func(t *testing.T, p *schedule.Program, good *sim.Result, o sim.Options) {
		eachChange(p, unmade, func(where string, at int64, c change) {
			if _, err := simulate(p, good.Hardware, o, at, c.do); err == nil {
				t.Errorf("%s: %s is not refused", where, c.what)
			}
		})
	})
}
