package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/crosscheck"
	"github.com/accelsim-dev/accelsim/dataset"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/units"
)

// verifyFlags say on which tensors machine and trainer are compared.
type verifyFlags struct {
	tensors, data       string
	weights             string
	dumpGolden, dumpSim string
	seed                uint64
}

func (f *verifyFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.tensors, "tensors", "", "NPZ file with the tensors (default a batch of --dataset, else random ones)")
	weightsFlag(c, &f.weights)
	flags.StringVar(&f.data, "data", "", "folder with the files of --dataset (mnist is found without)")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of weights, random input and which samples are taken")
	fileFlag(c, &f.dumpGolden, "dump-golden", "NPZ file for the golden trainer's tensors")
	fileFlag(c, &f.dumpSim, "dump-sim", "NPZ file for the simulated accelerator's tensors")
}

func newVerifyCommand() *cobra.Command {
	var task taskFlags
	var on machineFlags
	var how verifyFlags
	var output outputFlags
	c := &cobra.Command{
		Use:   "verify --net NET [--k K] [--n N] [--tensors FILE | --dataset NAME [--data DIR]]",
		Short: "Compare the simulated accelerator with the golden trainer, value by value",
		Example: "  accelsim verify --net lenet1 --dataset mnist --batch 16 --k 5 --n 1\n" +
			"  accelsim verify --net alexnet --batch 2 --timesteps 4 --k 2 --n 1\n" +
			"  accelsim verify --net conv-local1.yaml --k 3 --n 1 --tensors conv-local1.in.npz",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(); err != nil {
				return err
			}
			w, k, n, err := task.open(c)
			if err != nil {
				return err
			}
			m, err := on.open()
			if err != nil {
				return err
			}
			if m.traffic != schedule.All {
				return usage(errors.New("--traffic equations moves no spikes; verify needs --traffic all"))
			}
			var in *tensors.Input
			var source string
			if how.tensors != "" { // it says whether there is anything to learn
				if in, source, err = how.open(c, w, n); err != nil {
					return err
				}
			}
			program, err := schedule.New(w, k, n, m.traffic)
			if err != nil {
				return usage(err)
			}
			plan, err := m.residency.Plan(program, m.hardware, m.order, nil)
			if misfit(err) {
				return usage(err)
			}
			if err != nil {
				return err
			}
			// Before tensors are made that the simulated memory cannot hold.
			footprint, err := plan.Footprint()
			if errors.As(err, new(*sim.NotFit)) || misfit(err) {
				return usage(err)
			}
			if err != nil {
				return err
			}
			if err := checkHostMemory(w, footprint.Total, freeMemory(thisComputer)); err != nil {
				return usage(err)
			}
			if in == nil {
				if in, source, err = how.open(c, w, n); err != nil {
					return err
				}
			}
			warnOfIdleFlags(c)
			progress := newProgress(os.Stderr, "verifying")
			defer progress.finish()
			v, err := crosscheck.Verify(plan, in, sim.Options{
				Untimed: m.untimed, Engine: m.engine, Energy: m.energy,
				Progress: func(done int64) { progress.step(done, program.Steps()) },
			})
			if errors.As(err, new(*sim.NotFit)) || misfit(err) {
				return usage(err)
			}
			if err != nil {
				return err
			}
			progress.finish()
			r, err := newVerifyResult(w, v, source, how.seed)
			if err != nil {
				return err
			}
			return join(output.print(c.OutOrStdout(), r, r.write, nil, how.written(v)...), r.err())
		},
	}
	task.register(c)
	on.register(c)
	how.register(c)
	output.register(c)
	return c
}

// open returns the tensors to verify on, and where they are from.
func (f *verifyFlags) open(c *cobra.Command, w *network.Workload, n int) (*tensors.Input, string, error) {
	blocks, err := w.Net.Blocks(n)
	if err != nil {
		return nil, "", usage(err)
	}
	given := c.Flags().Changed
	if given("data") && (given("tensors") || !given("dataset")) {
		return nil, "", usage(errors.New("--data is the folder of a --dataset; name one, without --tensors"))
	}
	if given("weights") && !given("tensors") {
		return nil, "", usage(errors.New("--weights needs --tensors, the file with the inputs"))
	}
	switch {
	case given("tensors"):
		in, err := openTensors(w, blocks, f.tensors, f.weights)
		return in, f.tensors, err
	case given("dataset"):
		set, err := dataset.Open(w.Dataset, dataset.Options{
			Dir: f.data, Timesteps: w.Timesteps, Height: w.Net.Input.Height, Width: w.Net.Input.Width,
		})
		if err != nil {
			return nil, "", usage(err)
		}
		defer set.Close()
		in, err := crosscheck.DatasetInput(w, blocks, set, f.seed)
		if err != nil {
			return nil, "", usage(err)
		}
		return in, fmt.Sprintf("%d samples of %s, random weights, seed %d", w.Batch, w.Dataset, f.seed), nil
	}
	return crosscheck.RandomInput(w, blocks, f.seed), fmt.Sprintf("random input and weights, seed %d", f.seed), nil
}

// written are the files of the tensors of both sides.
func (f *verifyFlags) written(v *crosscheck.Verification) []written {
	return []written{
		toFile("dump-golden", f.dumpGolden, v.Golden.Write),
		toFile("dump-sim", f.dumpSim, v.Sim.Tensors.Write),
	}
}

// verifyResult is a verification as it is printed.
type verifyResult struct {
	Schema    string           `json:"schema"`
	Workload  string           `json:"workload"`
	Timesteps int              `json:"timesteps"`
	K         int              `json:"k"`
	N         int              `json:"n"`
	Batch     int              `json:"batch"`
	Source    string           `json:"source"`
	Seed      uint64           `json:"seed"`
	Pass      bool             `json:"pass"`
	Values    int64            `json:"values"`
	Differing int64            `json:"differing"`
	Tensors   []verifiedTensor `json:"tensors"`
	// FirstSpike names the first spike that differs.
	FirstSpike *differingSpike `json:"first_differing_spike,omitempty"`
	// WordsAndMACs tells whether words and MACs equal Eqs. 11-14 and 17. Words need
	// not where more stays on chip: those are saved.
	WordsAndMACs bool        `json:"words_and_macs_equal"`
	Saved        units.Words `json:"words_saved"`
}

type verifiedTensor struct {
	Name       string  `json:"name"`
	Values     int64   `json:"values"`
	Differing  int64   `json:"differing"`
	Difference float64 `json:"largest_difference"`
	Magnitude  float64 `json:"largest_magnitude"`
	count      bool
}

type differingSpike struct {
	Step   int     `json:"step"`
	Sample int     `json:"sample"`
	Neuron string  `json:"neuron"`
	Golden float64 `json:"u_golden"`
	Sim    float64 `json:"u_simulated"`
	Margin float64 `json:"distance_to_threshold"`
	text   string
}

func newVerifyResult(w *network.Workload, v *crosscheck.Verification, source string, seed uint64) (*verifyResult, error) {
	check, _, err := crosscheck.Equations(v.Sim, true)
	if err != nil {
		return nil, err
	}
	r := &verifyResult{
		Schema: "accelsim.verify/1", Workload: w.Name, Timesteps: w.Timesteps, K: v.Sim.K, N: v.Sim.N, Batch: w.Batch,
		Source: source, Seed: seed, Pass: v.Pass && check.Pass, Values: v.Values, WordsAndMACs: check.Pass, Saved: v.Sim.Saved.Words(),
	}
	for _, saved := range v.Sim.Saved.Covered {
		r.WordsAndMACs = r.WordsAndMACs && saved == sim.Traffic{}
	}
	for _, row := range v.Rows {
		r.Differing += row.Differing
		r.Tensors = append(r.Tensors, verifiedTensor{row.Tensor, row.Values, row.Differing, row.Difference, row.Magnitude, row.Count})
	}
	if s := v.FirstSpike; s != nil {
		r.FirstSpike = &differingSpike{s.Step, s.Sample, s.Neuron, s.Golden, s.Sim, s.Margin, s.String()}
	}
	return r, nil
}

func (r *verifyResult) write(w io.Writer) error {
	verdict := "equal in every value"
	if r.Differing > 0 {
		verdict = fmt.Sprintf("%s of %s values differ", report.Integer(r.Differing), report.Integer(r.Values))
	}
	t := &report.Table{
		Title: fmt.Sprintf("%s, T = %d, (k, n) = (%d, %d), batch %d; %s", r.Workload, r.Timesteps, r.K, r.N, r.Batch, r.Source),
		Header: []string{
			"tensor", "values compared", "differing", "largest difference", "largest magnitude",
		},
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, row := range r.Tensors {
		magnitude := number(row.Magnitude)
		if row.count {
			magnitude = report.Integer(int64(row.Magnitude))
		}
		t.Add(row.Name, report.Integer(row.Values), report.Integer(row.Differing), number(row.Difference), magnitude)
	}
	t.Notes = []string{
		fmt.Sprintf("Golden trainer and simulated accelerator: %s (%s compared).", verdict, report.Integer(r.Values)),
		"u, up, uc, s: potentials of layers, pooling and classifiers, and layers' outputs, at every step; spikes, nonzero_in: totals.",
	}
	switch {
	case r.Saved > 0:
		t.Notes = append(t.Notes, fmt.Sprintf("Residency leaves out %s words of those that Eqs. 11-14 and what is beyond them have.", report.Integer(r.Saved)))
	case !r.WordsAndMACs:
		t.Notes = append(t.Notes, "Words or MACs differ from Eqs. 11-14 and 17.")
	}
	if r.FirstSpike != nil {
		t.Notes = append(t.Notes, "First differing spike: "+r.FirstSpike.text)
	}
	return t.Write(w)
}

// err fails when anything differs.
func (r *verifyResult) err() error {
	switch {
	case r.Pass:
		return nil
	case r.FirstSpike != nil:
		return fmt.Errorf("verification failed: %d of %d values differ; first differing spike: %s", r.Differing, r.Values, r.FirstSpike.text)
	case r.Differing > 0:
		return fmt.Errorf("verification failed: %d of %d values differ", r.Differing, r.Values)
	}
	return errors.New("verification failed: words or MACs differ from Eqs. 11-14 and 17")
}
