package figures

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/crosscheck"
	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// Point is one design point of a figure. It is comparable.
type Point struct {
	Net, Dataset string
	Rule         string // a built-in one; "": the network's own
	Classifier   string
	Density      string // of all spikes; "": the lab's
	Batch        int    // 0: the network's
	K, N         int
	OnChip       units.Bytes // capacity of the layer buffer; 0: the hardware's
}

// workload opens the network as the point wants it.
func (p Point) workload(activity string) (*network.Workload, error) {
	w, err := network.Open(p.Net)
	if err != nil {
		return nil, err
	}
	if p.Dataset != "" && p.Dataset != w.Dataset {
		if err := w.SetDataset(p.Dataset); err != nil {
			return nil, err
		}
	}
	if p.Rule != "" {
		rule, err := network.OpenRule(p.Rule)
		if err != nil {
			return nil, err
		}
		if err := rule.Apply(w); err != nil {
			return nil, err
		}
	}
	if p.Classifier != "" {
		w.Training.Classifier = p.Classifier
	}
	if p.Batch != 0 {
		w.Batch = p.Batch
	}
	if p.Density != "" {
		activity = p.Density
	}
	if activity != "" {
		if err := w.SetActivity(activity); err != nil {
			return nil, err
		}
	}
	return w, w.Check()
}

// Value is what is known of a point: by the equations, and from two simulated
// machines.
type Value struct {
	Equations analytic.Counts
	GPU       units.Words // Eqs. 8-10
	// Ideal is the machine to which nothing exists but the traffic and the
	// operations of Eqs. 11-17, Real the one that moves and executes all.
	Ideal, Real Machine
}

// Machine is what one simulated machine moved, executed and took in one
// iteration.
type Machine struct {
	Covered    sim.Counts  // what Eqs. 11-17 cover
	Words      units.Words // all that crossed the DRAM port
	Refetched  units.Words // of them, fetched again because they did not fit on chip
	Adds, MACs int64       // all that PEs executed
	Footprint  units.Bytes
	Traces     units.Bytes // of it
	RanksAdded int         // DRAM ranks beyond the hardware's, to hold all tensors
	Seconds    float64     // 0 without timing
	Energy     units.Picojoules
}

// Lab simulates points, each once.
type Lab struct {
	Hardware *hardware.Hardware
	Energy   energy.Table // the zero Table is the hardware's
	// Capacities of the layer buffer for the figure about it; nil is [Capacities].
	Capacities []units.Bytes
	// Activity is the density of all spikes, "" for the networks' own.
	Activity string
	// Progress, if not nil, is called with the points done of all.
	Progress func(done, total int64)

	values map[Point]*Value
}

// Mismatch says that the simulator counted something else than the equations.
type Mismatch struct {
	Point    Point
	Quantity string
	Counted  int64
	Equation int64
}

// Error names the point and the counter.
func (e *Mismatch) Error() string {
	return fmt.Sprintf("the cross-check failed: %s on %s at (k, n) = (%d, %d): %s are %d, the equation gives %d",
		e.Point.Net, e.Point.Dataset, e.Point.K, e.Point.N, e.Quantity, e.Counted, e.Equation)
}

func (l *Lab) capacities() []units.Bytes {
	if l.Capacities == nil {
		return Capacities
	}
	return l.Capacities
}

// at returns what [Lab.measure] found.
func (l *Lab) at(p Point) *Value { return l.values[p] }

// measure simulates the points that need it, on all cores. Those of timed are
// simulated with time and energy.
func (l *Lab) measure(points map[Point]bool) error {
	l.values = make(map[Point]*Value, len(points))
	order := make([]Point, 0, len(points))
	for p := range points {
		order = append(order, p)
	}
	// A fixed order makes the first error the same one every time.
	slices.SortFunc(order, func(a, b Point) int { return compare(a, b) })
	values, failures := make([]*Value, len(order)), make([]error, len(order))
	var next, done int
	var mu sync.Mutex
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1
	}
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(order)) {
		workers.Go(func() {
			for i := take(); i < len(order); i = take() {
				values[i], failures[i] = l.evaluate(order[i], points[order[i]])
				mu.Lock()
				done++
				if l.Progress != nil {
					l.Progress(int64(done), int64(len(order)))
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	for i, p := range order {
		if failures[i] != nil {
			return failures[i]
		}
		l.values[p] = values[i]
	}
	return nil
}

func compare(a, b Point) int {
	return slices.Compare(
		[]string{a.Net, a.Dataset, a.Rule, a.Classifier, a.Density, fmt.Sprintf("%9d%9d%9d%18d", a.Batch, a.K, a.N, a.OnChip)},
		[]string{b.Net, b.Dataset, b.Rule, b.Classifier, b.Density, fmt.Sprintf("%9d%9d%9d%18d", b.Batch, b.K, b.N, b.OnChip)})
}

func (l *Lab) evaluate(p Point, timed bool) (*Value, error) {
	w, err := p.workload(l.Activity)
	if err != nil {
		return nil, err
	}
	v := &Value{}
	if v.Equations, err = analytic.Iteration(w, p.K, p.N); err != nil {
		return nil, err
	}
	if v.GPU, err = analytic.MemoryWords(w, p.K, p.N); err != nil {
		return nil, err
	}
	if v.Ideal, err = l.simulate(p, w, schedule.Equations, false); err != nil {
		return nil, err
	}
	v.Real, err = l.simulate(p, w, schedule.All, timed)
	return v, err
}

// maxRanks bounds the memory that a point is given.
const maxRanks = 1 << 12

// simulate runs one iteration. As the BPTT baseline of `run` does, a point
// whose tensors are more than the DRAM holds gets more ranks; the value says so.
func (l *Lab) simulate(p Point, w *network.Workload, traffic schedule.Traffic, timed bool) (Machine, error) {
	program, err := schedule.New(w, p.K, p.N, traffic)
	if err != nil {
		return Machine{}, err
	}
	hw := *l.Hardware
	if p.OnChip != 0 {
		hw.OnChip = p.OnChip
	}
	plan, err := sim.NewPlan(program, &hw, schedule.Sequential, nil)
	if err != nil {
		return Machine{}, err
	}
	if plan, err = plan.WithRanks(maxRanks); err != nil {
		return Machine{}, err
	}
	r, err := plan.Run(sim.Options{Untimed: !timed, Energy: l.Energy})
	if err != nil {
		return Machine{}, err
	}
	check, _, err := crosscheck.Equations(r, false)
	if err != nil {
		return Machine{}, err
	}
	for _, row := range check.Rows {
		if row.Decides && row.Difference != 0 {
			return Machine{}, &Mismatch{p, row.Quantity, row.Simulated, row.Analytic}
		}
	}
	m := Machine{
		Covered: r.Counts, Words: r.Counts.MemoryAccess(), Adds: r.Operations[pe.Add], MACs: r.Operations[pe.MAC],
		Refetched: r.Beyond.Words[schedule.BeyondRefetch],
		Footprint: r.Footprint.Total, RanksAdded: plan.Hardware().DRAM.Ranks - l.Hardware.DRAM.Ranks,
	}
	for _, words := range r.Beyond.Words {
		m.Words += words
	}
	for _, trace := range []role.Role{role.Trace, role.ClassifierTrace} {
		m.Traces += r.Footprint.Class[trace]
	}
	if r.Timing != nil {
		m.Seconds, m.Energy = r.Timing.Seconds, r.Timing.Energy.Total()
	}
	return m, nil
}
