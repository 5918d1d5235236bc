package main

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tensors"
)

// datapathFlags select fixed point for a functional run.
type datapathFlags struct{ formats string }

func (f *datapathFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.formats, "datapath", "", "fixed-point format qm.n for all words, or w=qm.n,u=..,e=..,g=.. (with --tensors; default float32)")
}

// open returns the datapath; nil for float32.
func (f *datapathFlags) open(w *network.Workload, k int, in *tensors.Input) (*fixed.Datapath, error) {
	if f.formats == "" {
		return nil, nil
	}
	if in == nil {
		return nil, usage(errors.New("--datapath needs --tensors: without values there is nothing to round"))
	}
	formats, err := fixed.ParseFormats(f.formats)
	if err != nil {
		return nil, usage(fmt.Errorf("--datapath: %w", err))
	}
	d, err := fixed.New(w, k, formats)
	if err == nil {
		err = op.CheckFixed(w)
	}
	if err != nil {
		return nil, usage(fmt.Errorf("--datapath: %w", err))
	}
	return d, nil
}

// tensorAccuracy is how far a tensor of a run in fixed point is from the same in
// float32.
type tensorAccuracy struct {
	Tensor   string  `json:"tensor"`
	Values   int     `json:"values"`
	Largest  float64 `json:"largest"`    // magnitude in float32
	Worst    float64 `json:"worst"`      // difference
	RMS      float64 `json:"rms"`        // of the differences
	Relative float64 `json:"of_largest"` // Worst / Largest
}

// accuracyReport is accuracy.json.
type accuracyReport struct {
	Schema   string           `json:"schema"`
	Datapath string           `json:"datapath"`
	Tensors  []tensorAccuracy `json:"tensors"`
}

// compareFloat32 runs the same tensors in float32 and compares.
func compareFloat32(w *network.Workload, hw *hardware.Hardware, k, n int, in *tensors.Input, m machine, d *fixed.Datapath, run *sim.Result) (*accuracyReport, error) {
	program, err := schedule.New(w, k, n, schedule.All)
	if err != nil {
		return nil, err
	}
	exact := *hw
	exact.PE.Precision = pe.FP32
	reference, err := sim.Run(program, &exact, sim.Options{Untimed: true, Engine: m.engine, Energy: m.energy, Tensors: in})
	if err != nil {
		return nil, err
	}
	r := &accuracyReport{Schema: "accelsim.accuracy/1", Datapath: d.Given.String()}
	for _, name := range reference.Tensors.Names() {
		want, got := reference.Tensors[name], run.Tensors[name]
		a := tensorAccuracy{Tensor: name, Values: want.Len()}
		for i := range want.Len() {
			difference := math.Abs(got.At(i) - want.At(i))
			a.Largest, a.Worst = max(a.Largest, math.Abs(want.At(i))), max(a.Worst, difference)
			a.RMS += difference * difference / float64(want.Len())
		}
		a.RMS = math.Sqrt(a.RMS)
		if a.Largest > 0 {
			a.Relative = a.Worst / a.Largest
		}
		r.Tensors = append(r.Tensors, a)
	}
	return r, nil
}

// accuracyFile is the report's file in a folder of results.
const accuracyFile = "accuracy.json"

// file is the report as a file.
func (r *accuracyReport) file() output.File {
	return output.File{Name: accuracyFile, Write: func(w io.Writer) error { return report.WriteJSON(w, r) }}
}

// write prints the report.
func (r *accuracyReport) write(w io.Writer) {
	fmt.Fprintf(w, "\n%s against float32\n%-16s %8s %11s %11s %11s %9s\n", r.Datapath, "tensor", "values", "largest", "worst", "rms", "worst %")
	for _, a := range r.Tensors {
		fmt.Fprintf(w, "%-16s %8d %11.4g %11.3g %11.3g %9.3f\n", a.Tensor, a.Values, a.Largest, a.Worst, a.RMS, 100*a.Relative)
	}
}
