// Package design evaluates one design point: a workload at (k, n) on some
// hardware, simulated, held against the equations, compared with standard BPTT
// on the same hardware, and projected to a whole training.
package design

import (
	"errors"
	"fmt"
	"slices"

	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/crosscheck"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// Point is what to evaluate.
type Point struct {
	Workload *network.Workload
	Hardware *hardware.Hardware
	K, N     int
	Traffic  schedule.Traffic
	// Residency holds for the baseline, too, and for what would help.
	Residency sim.Residency
	Options   sim.Options
	// NoBaseline leaves out the BPTT run.
	NoBaseline bool
	// Memo, if not nil, remembers tilings from point to point.
	Memo *tiling.Memo
	// Baseline, if not nil, is what [BPTT] returned for the same workload,
	// hardware, traffic and options: it is then not simulated again.
	Baseline *Baseline
	// Help also simulates the run on hardware that has more of something. A
	// functional or untimed run has no help.
	Help bool
	// Progress, if not nil, is called now and then with the steps done of all
	// that the run, its baseline and its helps have; never twice at a time.
	Progress func(done, total int64)
}

// Baseline is standard BPTT, (k, n) = (T, N), simulated on the same hardware.
type Baseline struct {
	*sim.Result
	RanksAdded int // DRAM ranks it needed beyond the hardware's
}

// Evaluation is everything that is known of a design point.
type Evaluation struct {
	Run         *sim.Result
	Check       crosscheck.Check
	Analytic    analytic.Counts
	MemoryWords units.Words // Eqs. 8-10
	Traffic     schedule.Traffic
	Residency   sim.Residency
	Baseline    *Baseline // nil if left out
	// BaselineMemoryWords is the baseline's memory by Eqs. 8-10.
	BaselineMemoryWords units.Words
	Projection          *Projection // nil without a dataset or timing
	Helps               []Help
	Warnings            []string
}

// epochs is the training length of section 3.1.
const epochs = 100

// Projection is what training on the whole dataset takes.
type Projection struct {
	Samples         int
	Iterations      int64 // in an epoch
	Epochs          int
	SecondsPerEpoch float64
	JoulesPerEpoch  float64
}

// TooLarge says that a workload does not fit in the DRAM.
type TooLarge struct {
	Name     string
	Batch    int
	K, N     int
	NotFit   *sim.NotFit
	Largest  int // batch that fits; 0 if none
	Hardware string
}

// Error says what would fit.
func (e *TooLarge) Error() string {
	fits := fmt.Sprintf("the largest batch that fits is %d", e.Largest)
	if e.Largest == 0 {
		fits = "no batch fits; choose hardware with more DRAM"
		if e.K > 1 {
			fits += ", or a smaller k"
		}
	}
	return fmt.Sprintf("%s at batch %d, k = %d, n = %d needs %.3f GB of DRAM, %s has %.3f GB; %s",
		e.Name, e.Batch, e.K, e.N, float64(e.NotFit.Footprint)/1e9, e.Hardware, float64(e.NotFit.Capacity)/1e9, fits)
}

// Unwrap returns the sizes.
func (e *TooLarge) Unwrap() error { return e.NotFit }

// Evaluate simulates the point and what it is compared with, at the same time
// where there are CPUs for it.
func Evaluate(p Point) (*Evaluation, error) {
	if err := p.Workload.Check(); err != nil {
		return nil, err
	}
	if p.Memo == nil { // the run, its baseline and what would help share one
		p.Memo = new(tiling.Memo)
	}
	plan, _, err := p.Plan()
	if err != nil {
		return nil, err
	}
	program := plan.Program()
	e := &Evaluation{Traffic: p.Traffic, Residency: p.Residency}
	if !p.Workload.Activity.ClassifiersFit(len(program.Blocks)) {
		e.Warnings = append(e.Warnings, fmt.Sprintf(
			"%d classifier densities for %d local blocks: ignored, each classifier takes its block's last density",
			len(p.Workload.Activity.Classifiers), len(program.Blocks)))
	}
	if p.Options.Tensors != nil {
		p.NoBaseline = true // the baseline would need tensors of its own
	}
	functional := p.Options.Tensors != nil
	if p.Options.Untimed || functional {
		p.Help = false
	}
	var sims simulations
	sims.add(program.Steps(), func(o sim.Options) (err error) {
		e.Run, err = plan.Run(o)
		return err
	})
	switch {
	case p.NoBaseline:
	case p.Baseline != nil:
		e.Baseline = p.Baseline
	default:
		bptt, err := p.bptt()
		if err != nil {
			return nil, err
		}
		sims.add(bptt.Steps(), func(o sim.Options) (err error) {
			e.Baseline, err = p.baseline(bptt, o)
			return err
		})
	}
	if p.Help {
		doubling := always
		if p.Hardware.OnChip != 0 {
			doubling = append(slices.Clone(doubling), whenFinite...)
		}
		if e.Helps, err = p.helps(plan, &sims, doubling); err != nil {
			return nil, err
		}
	}
	if err := sims.check(); err != nil {
		return nil, err
	}
	if err := sims.run(p); err != nil {
		return nil, err
	}
	if p.Help && e.Run.Timing.Cycles.StallPorts.Sign() > 0 {
		var more simulations
		helps, err := p.helps(plan, &more, whenWaiting)
		if err != nil {
			return nil, err
		}
		p.Progress = nil // has come to its end
		if err := more.run(p); err != nil {
			return nil, err
		}
		e.Helps = append(e.Helps, helps...)
	}
	if e.Check, e.Analytic, err = crosscheck.Equations(e.Run, functional); err != nil {
		return nil, err
	}
	if e.MemoryWords, err = analytic.MemoryWords(p.Workload, p.K, p.N); err != nil {
		return nil, err
	}
	if e.Baseline != nil {
		if e.BaselineMemoryWords, err = analytic.MemoryWords(e.Baseline.Workload, e.Baseline.K, e.Baseline.N); err != nil {
			return nil, err
		}
	}
	e.Projection = project(e.Run)
	return e, nil
}

// Plan fits the point's program onto its hardware and returns what its tensors
// take in DRAM.
func (p Point) Plan() (*sim.Plan, sim.Footprint, error) {
	program, err := schedule.New(p.Workload, p.K, p.N, p.Traffic)
	if err != nil {
		return nil, sim.Footprint{}, err
	}
	plan, err := p.fit(program, p.Hardware)
	if err != nil {
		return nil, sim.Footprint{}, err
	}
	footprint, err := plan.Footprint()
	if err != nil {
		return nil, footprint, p.explain(err)
	}
	return plan, footprint, nil
}

// fit plans a program with what the point's policy keeps on chip.
func (p Point) fit(program *schedule.Program, hw *hardware.Hardware) (*sim.Plan, error) {
	return p.Residency.Plan(program, hw, p.Options.Order, p.Memo)
}

// explain adds to a refusal what would fit.
func (p Point) explain(err error) error {
	var notFit *sim.NotFit
	if !errors.As(err, &notFit) {
		return err
	}
	return &TooLarge{
		Name: p.Workload.Name, Batch: p.Workload.Batch, K: p.K, N: p.N, NotFit: notFit,
		Largest: p.largestBatch(), Hardware: p.Hardware.Name,
	}
}

// largestBatch returns the largest batch whose tensors fit, 0 if none does.
func (p Point) largestBatch() int {
	fits := func(batch int) bool {
		w := *p.Workload
		w.Batch = batch
		p.Memo = nil // batches have no tilings in common
		program, err := schedule.New(&w, p.K, p.N, p.Traffic)
		if err != nil || p.isTooLarge(program) {
			return false
		}
		plan, err := p.fit(program, p.Hardware)
		if err != nil {
			return false
		}
		_, err = plan.Footprint()
		return err == nil
	}
	low, high := 0, p.Workload.Batch // low fits (or is 0), high does not
	for high-low > 1 {
		if middle := low + (high-low)/2; fits(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// isTooLarge tells, without a plan, whether a program's tensors do not fit: those
// that move whatever its layer buffer's size. What is resident may have no place in
// DRAM, and only a plan says what is.
func (p Point) isTooLarge(program *schedule.Program) bool {
	if p.Residency.Resident {
		return false
	}
	program, err := program.WithWord(p.Hardware.PE.Precision.Word()).With(schedule.Policy{SkipUnread: p.Residency.SkipUnread})
	if err != nil {
		return false
	}
	_, err = sim.Addresses(program, p.Hardware.DRAM)
	return errors.As(err, new(*sim.NotFit))
}

// BPTT simulates the baseline alone. Points that differ only in k and n share
// it: see [Point.Baseline].
func BPTT(p Point) (*Baseline, error) {
	if err := p.Workload.Check(); err != nil {
		return nil, err
	}
	program, err := p.bptt()
	if err != nil {
		return nil, err
	}
	var b *Baseline
	var sims simulations
	sims.add(program.Steps(), func(o sim.Options) (err error) {
		b, err = p.baseline(program, o)
		return err
	})
	if err := sims.run(p); err != nil {
		return nil, err
	}
	return b, nil
}

// bptt is the program of standard BPTT: one interval, one block, the paper's rule.
func (p Point) bptt() (*schedule.Program, error) {
	w := *p.Workload
	w.Training.Rule, w.Training.RuleName = network.Rule{}, ""
	return schedule.New(&w, w.Timesteps, w.Net.N(), p.Traffic)
}

// totals are a run's options for what it is compared with, of which only totals are
// told.
func totals(o sim.Options) sim.Options {
	o.Source, o.Trace, o.Requests, o.Totals = nil, nil, nil, true
	return o
}

// maxBaselineRanks bounds the memory that a baseline is given.
const maxBaselineRanks = 1 << 12

// baseline simulates (k, n) = (T, N). Where the tensors are more than the
// hardware's DRAM holds, ranks are added, doubling their number: the comparison
// is wanted all the same, and the result says so.
func (p Point) baseline(program *schedule.Program, o sim.Options) (*Baseline, error) {
	plan, err := p.fit(program, p.Hardware)
	if err == nil {
		plan, err = plan.WithRanks(maxBaselineRanks)
	}
	if err != nil {
		return nil, fmt.Errorf("the BPTT baseline: %w", err)
	}
	r, err := plan.Run(totals(o))
	if err != nil {
		return nil, fmt.Errorf("the BPTT baseline: %w", err)
	}
	return &Baseline{r, plan.Hardware().DRAM.Ranks - p.Hardware.DRAM.Ranks}, nil
}

// project scales an iteration to an epoch and to the whole training.
func project(r *sim.Result) *Projection {
	w := r.Workload
	if w.Samples == 0 || r.Timing == nil {
		return nil
	}
	iterations := units.CeilDiv(int64(w.Samples), int64(w.Batch))
	return &Projection{
		Samples: w.Samples, Iterations: iterations, Epochs: epochs,
		SecondsPerEpoch: float64(iterations) * r.Timing.Seconds,
		JoulesPerEpoch:  float64(iterations) * r.Timing.Energy.Total().Joules(),
	}
}
