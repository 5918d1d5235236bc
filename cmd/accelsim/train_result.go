package main

import (
	"fmt"
	"image/color"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/accelsim-dev/accelsim/golden"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/units"
)

// trainResult is what training on a dataset came to: `train --format json`.
type trainResult struct {
	Schema   string          `json:"schema"`
	Settings trainSettings   `json:"settings"`
	Epochs   []golden.Epoch  `json:"epochs"`
	Activity *activityResult `json:"activity"`

	activity network.Activity
}

// trainSettings are all that the numbers depend on.
type trainSettings struct {
	Network        string          `json:"network"`
	Layers         string          `json:"layers"`
	Dataset        string          `json:"dataset"`
	Timesteps      int             `json:"timesteps"`
	K              int             `json:"k"`
	Blocks         [][]int         `json:"blocks"`
	Batch          int             `json:"batch"`
	Neuron         network.Neuron  `json:"neuron"`
	Loss           string          `json:"loss"`
	Optimizer      string          `json:"optimizer"`
	LearningRate   float64         `json:"learning_rate"`
	Momentum       float64         `json:"momentum"`
	Dropout        float64         `json:"dropout"`
	Classifier     string          `json:"classifier"`
	Initialisation string          `json:"initialisation"`
	Readout        string          `json:"readout,omitempty"`
	ClassifierBias bool            `json:"classifier_bias,omitempty"`
	Rule           string          `json:"rule,omitempty"`
	Seed           uint64          `json:"seed"`
	Samples        trainingSamples `json:"samples"`
}

type trainingSamples struct {
	Training int `json:"training"`
	HeldOut  int `json:"held_out"`
	Test     int `json:"test"`
}

type activityResult struct {
	Input       string   `json:"input"`
	Layers      []string `json:"layers"`
	Classifiers []string `json:"classifiers"`
}

func newTrainResult(w *network.Workload, k int, t *golden.Trainer, f *trainFlags, training, test int) *trainResult {
	s := trainSettings{
		Network: w.Name, Layers: w.Net.Text, Dataset: w.Dataset, Timesteps: w.Timesteps, K: k, Batch: w.Batch,
		Neuron: w.Neuron, Loss: w.Training.Loss, Optimizer: w.Training.Optimizer, LearningRate: w.Training.LearningRate,
		Momentum: w.Training.Momentum, Dropout: w.Dropout, Classifier: w.Training.Classifier,
		Initialisation: f.initialisation(), Seed: f.seed,
		Readout: string(w.Training.Readout), ClassifierBias: w.Training.ClassifierBias, Rule: w.Training.Rule.String(),
		Samples: trainingSamples{training, f.heldOut, test},
	}
	for _, b := range t.Blocks() {
		s.Blocks = append(s.Blocks, b.Layers())
	}
	return &trainResult{Schema: "accelsim.train/1", Settings: s}
}

// initialisation says where weights come from.
func (f *trainFlags) initialisation() string {
	drawn := fmt.Sprintf("uniform within %v/sqrt(fan-in)", f.initScale)
	if f.weights != "" {
		return "of " + f.weights + ", the others " + drawn
	}
	return drawn
}

// announce prints the settings before the work begins.
func (r *trainResult) announce(w io.Writer) {
	s := r.Settings
	fmt.Fprintf(w, "%s on %s: %s\n", s.Network, s.Dataset, s.Layers)
	fmt.Fprintf(w, "T = %d, k = %d, local blocks %v, batch %d, %s classifiers\n", s.Timesteps, s.K, s.Blocks, s.Batch, s.Classifier)
	fmt.Fprintf(w, "leak %v, reset %v, threshold %v, surrogate width %v, dropout %v\n", s.Neuron.Leak, s.Neuron.Reset, s.Neuron.Threshold, s.Neuron.SurrogateWidth, s.Dropout)
	fmt.Fprintf(w, "%s, %s, learning rate %v halved every 20 epochs, momentum %v, weights %s, seed %d\n", s.Loss, s.Optimizer, s.LearningRate, s.Momentum, s.Initialisation, s.Seed)
	if beyond := s.beyond(); len(beyond) > 0 {
		fmt.Fprintln(w, strings.Join(beyond, "; "))
	}
	fmt.Fprintf(w, "%d samples for training, %d held out, %d for testing\n", s.Samples.Training, s.Samples.HeldOut, s.Samples.Test)
}

// beyond lists what is not the paper's.
func (s *trainSettings) beyond() (list []string) {
	if !s.Neuron.IsPaper() {
		list = append(list, fmt.Sprintf("neuron %+v", s.Neuron))
	}
	if s.Readout != "" {
		list = append(list, "readout: "+s.Readout)
	}
	if s.ClassifierBias {
		list = append(list, "classifier_bias: true")
	}
	if s.Rule != "" {
		list = append(list, "rule: {"+s.Rule+"}")
	}
	return list
}

func percentOrNone(v *float64) string {
	if v == nil {
		return "-"
	}
	return report.Percent(100 * *v)
}

// secondsOrNone prints how long an epoch took; that is not known of one that
// another process began.
func secondsOrNone(s float64) string {
	if s == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", s)
}

func describeEpoch(e golden.Epoch) string {
	text := fmt.Sprintf("epoch %d: loss %.5f, training %s", e.Epoch, e.Losses[len(e.Losses)-1], report.Percent(100*e.Train))
	if e.HeldOut != nil {
		text += ", held out " + percentOrNone(e.HeldOut)
	}
	return text + fmt.Sprintf(", test %s, %s s", percentOrNone(e.Test), secondsOrNone(e.Seconds))
}

// write prints the result as tables.
func (r *trainResult) write(w io.Writer) error {
	r.announce(w)
	fmt.Fprintln(w)
	t := report.Table{
		Title:  "Accuracy of the last block's classifier",
		Header: []string{"epoch", "learning rate", "loss", "training", "held out", "test", "seconds"},
	}
	for _, e := range r.Epochs {
		t.Add(strconv.Itoa(e.Epoch), fmt.Sprint(e.LearningRate), fmt.Sprintf("%.5f", e.Losses[len(e.Losses)-1]),
			report.Percent(100*e.Train), percentOrNone(e.HeldOut), percentOrNone(e.Test), secondsOrNone(e.Seconds))
	}
	if err := t.Write(w); err != nil {
		return err
	}
	densities := report.Table{Title: "Measured densities of the last epoch", Header: []string{"of", "density"}}
	densities.Add("input", r.Activity.Input)
	for l, d := range r.Activity.Layers {
		densities.Add(fmt.Sprintf("layer %d", l+1), d)
	}
	return densities.Write(w)
}

func newActivityResult(a network.Activity) *activityResult {
	r := &activityResult{Input: decimal(a.Input)}
	for _, d := range a.Layers {
		r.Layers = append(r.Layers, decimal(d))
	}
	for _, d := range a.Classifiers {
		r.Classifiers = append(r.Classifiers, decimal(d))
	}
	return r
}

// decimal prints a density to eight decimals, as activity files take it.
func decimal(d units.Density) string { return d.Rat().FloatString(8) }

// writeActivity writes the file that `run --activity` reads.
func (r *trainResult) writeActivity(w io.Writer) error {
	s, a := r.Settings, r.Activity
	last := r.Epochs[len(r.Epochs)-1]
	_, err := fmt.Fprintf(w, "# measured by accelsim train: %s on %s, (k, n blocks) = (%d, %d), T = %d, epoch %d, test accuracy %s\ninput: %s\nlayers: [%s]\nclassifiers: [%s]\n",
		s.Network, s.Dataset, s.K, len(s.Blocks), s.Timesteps, last.Epoch, percentOrNone(last.Test),
		a.Input, strings.Join(a.Layers, ", "), strings.Join(a.Classifiers, ", "))
	return err
}

// plotFiles are the plots in a folder of results.
var plotFiles = []string{"accuracy.svg", "accuracy.png"}

// plots are the curve of accuracy by epoch as files.
func (r *trainResult) plots() []output.File {
	var files []output.File
	for _, name := range plotFiles {
		format := strings.TrimPrefix(path.Ext(name), ".")
		files = append(files, output.File{Name: name, Write: func(w io.Writer) error { return r.plot(w, format) }})
	}
	return files
}

// plot draws accuracy by epoch.
func (r *trainResult) plot(w io.Writer, format string) error {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%s on %s, (k, blocks) = (%d, %d)", r.Settings.Network, r.Settings.Dataset, r.Settings.K, len(r.Settings.Blocks))
	p.X.Label.Text, p.Y.Label.Text = "epoch", "accuracy (%)"
	p.X.Tick.Marker = wholeTicks{}
	p.Legend.Top, p.Legend.Left = false, false
	p.Add(plotter.NewGrid())
	for _, curve := range []struct {
		name  string
		color color.Color
		of    func(e golden.Epoch) *float64
	}{
		{"training", color.RGBA{R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}, func(e golden.Epoch) *float64 { return &e.Train }},
		{"held out", color.RGBA{R: 0xff, G: 0x7f, B: 0x0e, A: 0xff}, func(e golden.Epoch) *float64 { return e.HeldOut }},
		{"test", color.RGBA{R: 0x2c, G: 0xa0, B: 0x2c, A: 0xff}, func(e golden.Epoch) *float64 { return e.Test }},
	} {
		var points plotter.XYs
		for _, e := range r.Epochs {
			if v := curve.of(e); v != nil {
				points = append(points, plotter.XY{X: float64(e.Epoch), Y: 100 * *v})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return fmt.Errorf("accuracy curve: %w", err)
		}
		line.Color, dots.Color = curve.color, curve.color
		p.Add(line, dots)
		p.Legend.Add(curve.name, line, dots)
	}
	image, err := p.WriterTo(6*vg.Inch, 4*vg.Inch, format)
	if err != nil {
		return fmt.Errorf("accuracy curve: %w", err)
	}
	_, err = image.WriteTo(w)
	return err
}

// wholeTicks labels whole epochs only.
type wholeTicks struct{}

// Ticks returns the default ticks that are whole numbers.
func (wholeTicks) Ticks(least, greatest float64) []plot.Tick {
	var whole []plot.Tick
	for _, t := range (plot.DefaultTicks{}).Ticks(least, greatest) {
		if t.Value == float64(int(t.Value)) {
			whole = append(whole, t)
		}
	}
	return whole
}

// tensorsResult is what one iteration on tensors came to.
type tensorsResult struct {
	Schema  string             `json:"schema"`
	Network string             `json:"network"`
	K       int                `json:"k"`
	N       int                `json:"n"`
	Seed    *uint64            `json:"seed,omitempty"` // if one was given, though nothing is drawn
	Losses  map[string]float64 `json:"losses"`
	Counts  map[string]int64   `json:"counts"`
	names   []string
}

func newTensorsResult(w *network.Workload, k, n int, out tensors.Set) *tensorsResult {
	r := &tensorsResult{
		Schema: "accelsim.train-tensors/1", Network: w.Name, K: k, N: n,
		Losses: map[string]float64{}, Counts: map[string]int64{}, names: out.Names(),
	}
	for name, t := range out {
		switch {
		case strings.HasPrefix(name, "loss"):
			r.Losses[name] = t.At(0)
		case t.Int64 != nil:
			r.Counts[name] = t.Int64[0]
		}
	}
	return r
}

func (r *tensorsResult) write(w io.Writer) error {
	t := report.Table{
		Title:  fmt.Sprintf("%s, one iteration at (k, n) = (%d, %d)", r.Network, r.K, r.N),
		Header: []string{"tensor", "value"},
	}
	for _, name := range r.names {
		if loss, ok := r.Losses[name]; ok {
			t.Add(name, fmt.Sprintf("%.7g", loss))
		} else if n, ok := r.Counts[name]; ok {
			t.Add(name, report.Integer(n))
		}
	}
	return t.Write(w)
}

// benchResult is `train --bench`.
type benchResult struct {
	Schema string      `json:"schema"`
	Cases  []benchCase `json:"cases"`
}

type benchCase struct {
	Name      string  `json:"name"`
	Timesteps int     `json:"timesteps"`
	Batch     int     `json:"batch"`
	Seconds   float64 `json:"seconds_per_iteration"`
}

// trainBench times the cases of the PyTorch peer.
func trainBench(c *cobra.Command, results *outputFlags) error {
	warnOfIdleFlags(c)
	r := &benchResult{Schema: "accelsim.train-bench/1"}
	for _, b := range golden.BenchCases() {
		fmt.Fprintf(os.Stderr, "timing %s\n", b.Name)
		took, err := b.Run()
		if err != nil {
			return err
		}
		r.Cases = append(r.Cases, benchCase{b.Name, b.Timesteps, b.BatchSize, took.Seconds()})
	}
	return results.print(c.OutOrStdout(), r, r.write, nil)
}

func (r *benchResult) write(w io.Writer) error {
	t := report.Table{
		Title:  "Seconds per training iteration, the best of several",
		Header: []string{"case (net-k-n)", "T", "batch", "seconds"},
	}
	for _, c := range r.Cases {
		t.Add(c.Name, strconv.Itoa(c.Timesteps), strconv.Itoa(c.Batch), fmt.Sprintf("%.3f", c.Seconds))
	}
	return t.Write(w)
}
