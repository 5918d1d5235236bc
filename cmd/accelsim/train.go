package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/dataset"
	"github.com/accelsim-dev/accelsim/golden"
	"github.com/accelsim-dev/accelsim/internal/interrupt"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// trainFlags say on what and how the golden trainer trains.
type trainFlags struct {
	data, checkpoint, activityOut  string
	tensors, dump                  string
	weights, weightsOut            string
	epochs, samples, heldOut, save int
	testSamples                    int
	seed                           uint64
	resume, bench                  bool
	initScale                      float64
	rate, momentum, dropout        float64
	threshold, width, leak, reset  float64
	optimizer, loss                string
}

func (f *trainFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.data, "data", "", "folder with the dataset's files (mnist is found without)")
	flags.IntVar(&f.epochs, "epochs", 1, "epochs to train")
	flags.IntVar(&f.samples, "samples", 0, "use only the first samples of the training set (default all)")
	flags.IntVar(&f.testSamples, "test-samples", 0, "test on the first samples of the test set only (default all)")
	flags.IntVar(&f.heldOut, "held-out", 0, "training samples to hold out for validation, drawn by the seed")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of weights, order of samples, dropout and held-out samples")
	fileFlag(c, &f.checkpoint, "checkpoint", "file to write after every epoch and when a signal ends the training, or to resume from")
	flags.IntVar(&f.save, "checkpoint-every", 0, "also write it every so many iterations")
	flags.BoolVar(&f.resume, "resume", false, "continue from --checkpoint, with the numbers of an uninterrupted run")
	fileFlag(c, &f.activityOut, "activity-out", "file for the measured densities, to be read by run --activity")
	flags.StringVar(&f.tensors, "tensors", "", "run one iteration on the tensors of this NPZ file instead")
	fileFlag(c, &f.dump, "dump", "NPZ file for the losses, gradients, weights, potentials and counts of --tensors")
	flags.StringVar(&f.weights, "weights", "", "NPZ file of weights to start from: those of --weights-out, --dump or an import")
	fileFlag(c, &f.weightsOut, "weights-out", "NPZ file for the weights that were trained")
	flags.BoolVar(&f.bench, "bench", false, "time the cases of the PyTorch peer instead")
	flags.Float64Var(&f.rate, "learning-rate", 0, "learning rate (default the workload's), halved every 20 epochs")
	flags.Float64Var(&f.momentum, "momentum", 0, "momentum (default the workload's)")
	flags.Float64Var(&f.dropout, "dropout", 0, "fraction of neurons that are silent in an iteration (default the workload's)")
	flags.Float64Var(&f.threshold, "threshold", 0, "threshold u_th (default the workload's)")
	flags.Float64Var(&f.width, "surrogate-width", 0, "surrogate width a (default the workload's)")
	flags.Float64Var(&f.leak, "leak", 0, "leak tau (default the workload's)")
	flags.Float64Var(&f.reset, "reset", 0, "reset theta (default the workload's)")
	flags.Float64Var(&f.initScale, "init-scale", 1, "initial weights are uniform within this over the square root of the fan-in")
	flags.StringVar(&f.optimizer, "optimizer", "", strings.Join(network.Optimizers(), " or ")+" (default the workload's)")
	flags.StringVar(&f.loss, "loss", "", "mse or ce (default the workload's)")
}

// apply overrides what the flags name.
func (f *trainFlags) apply(c *cobra.Command, w *network.Workload) error {
	given := c.Flags().Changed
	for _, v := range []struct {
		flag string
		from float64
		to   *float64
	}{
		{"learning-rate", f.rate, &w.Training.LearningRate},
		{"momentum", f.momentum, &w.Training.Momentum},
		{"dropout", f.dropout, &w.Dropout},
		{"threshold", f.threshold, &w.Neuron.Threshold},
		{"surrogate-width", f.width, &w.Neuron.SurrogateWidth},
		{"leak", f.leak, &w.Neuron.Leak},
		{"reset", f.reset, &w.Neuron.Reset},
	} {
		if given(v.flag) {
			*v.to = v.from
		}
	}
	if given("optimizer") {
		w.Training.Optimizer = f.optimizer
	}
	if given("loss") {
		w.Training.Loss = f.loss
	}
	if !(f.initScale > 0 && f.initScale < 1e6) {
		return usage(fmt.Errorf("--init-scale is %v; it must be above 0 and below 1e+06", f.initScale))
	}
	for _, v := range []struct {
		flag         string
		value, least int
	}{{"epochs", f.epochs, 1}, {"samples", f.samples, 0}, {"test-samples", f.testSamples, 0}, {"held-out", f.heldOut, 0}, {"checkpoint-every", f.save, 0}} {
		if v.value < v.least {
			return usage(fmt.Errorf("--%s is %d; it must be at least %d", v.flag, v.value, v.least))
		}
	}
	return usage(w.Check())
}

func newTrainCommand() *cobra.Command {
	var task taskFlags
	var how trainFlags
	var output outputFlags
	c := &cobra.Command{
		Use:   "train --net NET [--k K] [--n N] [--dataset NAME --data DIR | --tensors IN.npz --dump OUT.npz]",
		Short: "Train in software, on a dataset or on tensors: what the simulated numbers are held to",
		Example: "  accelsim train --net lenet1 --dataset mnist --timesteps 5 --batch 32 --learning-rate 0.05 --threshold 0.4 --surrogate-width 1\n" +
			"  accelsim train --net lenet1 --dataset mnist --epochs 3 --checkpoint lenet.ckpt --activity-out lenet.activity.yaml\n" +
			"  accelsim train --net conv-local1.yaml --k 3 --n 1 --tensors conv-local1.in.npz --dump out.npz",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(); err != nil {
				return err
			}
			if how.bench {
				return trainBench(c, &output)
			}
			w, k, n, err := task.open(c)
			if err != nil {
				return err
			}
			if !c.Flags().Changed("batch") && !w.OwnBatch && w.Dataset != "" && how.tensors == "" {
				d, err := network.LookupDataset(w.Dataset)
				if err != nil {
					return usage(err)
				}
				w.Batch = d.Batch // Table 1's
			}
			if err := how.apply(c, w); err != nil {
				return err
			}
			if how.tensors != "" {
				return trainTensors(c, &how, &output, w, k, n)
			}
			if how.dump != "" {
				return usage(errors.New("--dump is for --tensors; name the NPZ file to read with --tensors IN.npz"))
			}
			return trainDataset(c, &how, &output, w, k, n)
		},
	}
	task.register(c)
	how.register(c)
	output.register(c, plotFiles...)
	return c
}

// trainTensors runs one iteration on the tensors of a file.
func trainTensors(c *cobra.Command, f *trainFlags, output *outputFlags, w *network.Workload, k, n int) error {
	given := c.Flags().Changed
	for _, flag := range []string{"data", "epochs", "samples", "test-samples", "held-out", "checkpoint", "checkpoint-every", "resume", "activity-out", "dropout", "init-scale", "weights", "weights-out"} {
		if given(flag) {
			return usage(fmt.Errorf("--%s is for training on a dataset; with --tensors everything is in the file", flag))
		}
	}
	blocks, err := w.Net.Blocks(n)
	if err != nil {
		return usage(err)
	}
	in, err := tensors.ReadInput(f.tensors, w, blocks)
	if err != nil {
		return usage(fmt.Errorf("--tensors: %w", err))
	}
	if err := w.Training.Rule.Check(k, blocks); err != nil {
		return usage(err)
	}
	warnOfIdleFlags(c)
	t, err := golden.New(w, k, n, golden.Options{NoDropout: true})
	if err != nil {
		return usage(err)
	}
	out, err := t.RunTensors(in)
	if err != nil {
		return err
	}
	r := newTensorsResult(w, k, n, out)
	r.Seed = seedOf(c)
	return output.print(c.OutOrStdout(), r, r.write, nil, toFile("dump", f.dump, out.Write))
}

// trainDataset trains on a dataset.
func trainDataset(c *cobra.Command, f *trainFlags, output *outputFlags, w *network.Workload, k, n int) error {
	if w.Dataset == "" {
		return usage(fmt.Errorf("%s names no dataset; add --dataset NAME, or --tensors FILE", w.Name))
	}
	if f.resume && f.checkpoint == "" {
		return usage(errors.New("--resume needs --checkpoint FILE to continue from"))
	}
	train, err := openSplit(f, w, "train")
	if err != nil {
		return err
	}
	defer train.Close()
	test, err := openSplit(f, w, "test")
	if err != nil {
		return err
	}
	defer test.Close()
	samples, err := part("samples", f.samples, train)
	if err != nil {
		return err
	}
	testSamples, err := part("test-samples", f.testSamples, test)
	if err != nil {
		return err
	}
	if f.heldOut >= samples {
		return usage(fmt.Errorf("--held-out %d of %d samples; at least one must stay for training", f.heldOut, samples))
	}
	if c.Flags().Changed("batch") && w.Batch > train.Len() { // Table 1's may be larger: then a batch is the whole set
		return usage(fmt.Errorf("--batch %d; the train set of %s has %d samples", w.Batch, train.Name, train.Len()))
	}
	t, err := golden.New(w, k, n, golden.Options{Seed: f.seed, InitScale: f.initScale})
	if err != nil {
		return usage(err)
	}
	if err := f.start(t, w); err != nil {
		return err
	}
	t.SetTraining(w.Dataset, samples, f.heldOut)
	if f.resume {
		if err := t.ReadCheckpoint(f.checkpoint); err != nil {
			return usage(fmt.Errorf("--resume: %w", err))
		}
	}
	warnOfIdleFlags(c)
	r := newTrainResult(w, k, t, f, samples-f.heldOut, testSamples)
	options := golden.FitOptions{Epochs: f.epochs, Samples: samples, HeldOut: f.heldOut, Test: test, TestSamples: testSamples, SaveEvery: f.save}
	ctx := c.Context()
	saved := checkpoint{path: f.checkpoint, resumes: f.resume, trainer: t}
	if saved.path != "" {
		options.Save = saved.save
		var stop func()
		ctx, stop = interrupt.Context(ctx)
		defer stop()
	}
	bar := epochProgress{epochs: f.epochs}
	defer bar.finish()
	options.Progress = bar.step
	options.Epoch = func(e golden.Epoch) error {
		bar.finish()
		fmt.Fprintln(os.Stderr, describeEpoch(e))
		return nil
	}
	if err := t.Fit(ctx, train, options); err != nil {
		return saved.explain(err)
	}
	r.Epochs = t.History()
	if r.activity, err = t.Activity(); err != nil {
		return err
	}
	r.Activity = newActivityResult(r.activity)
	return output.print(c.OutOrStdout(), r, r.write, r.plots(), saved.written(), toFile("activity-out", f.activityOut, r.writeActivity),
		toFile("weights-out", f.weightsOut, func(to io.Writer) error { return t.Parameters().Set(w, t.Blocks()).Write(to) }))
}

// start begins with the weights of --weights.
func (f *trainFlags) start(t *golden.Trainer, w *network.Workload) error {
	if f.weights == "" {
		return nil
	}
	p := t.Parameters()
	absent, err := p.ReadParameters(f.weights, w, t.Blocks())
	if err != nil {
		return usage(fmt.Errorf("--weights: %w", err))
	}
	if len(absent) > 0 {
		say("--weights: %s has no %s; --seed draws them", f.weights, strings.Join(absent, ", "))
	}
	return t.StartFrom(p)
}

// part is how many samples of a split to use.
func part(flag string, asked int, of *dataset.Set) (int, error) {
	if asked > of.Len() {
		return 0, usage(fmt.Errorf("--%s %d; the %s set of %s has %d", flag, asked, of.Split, of.Name, of.Len()))
	}
	if asked == 0 {
		return of.Len(), nil
	}
	return asked, nil
}

// epochProgress is a bar per epoch on a terminal, redrawn a few times a second.
type epochProgress struct {
	epochs int
	bar    *progressbar.ProgressBar
	drawn  time.Time
}

func (p *epochProgress) step(at golden.Position, done, total int) {
	const every = 200 * time.Millisecond
	if time.Since(p.drawn) < every || !isTerminal(os.Stderr) {
		return
	}
	p.drawn = time.Now()
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	p.bar.Describe(fmt.Sprintf("epoch %d/%d, loss %.4f", at.Epoch+1, p.epochs, at.Losses[len(at.Losses)-1]/float64(at.Iterations)))
	_ = p.bar.Set(done) // a terminal that cannot be written to is no reason to stop
}

func (p *epochProgress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// openSplit opens one split of the workload's dataset, in the network's size.
func openSplit(f *trainFlags, w *network.Workload, split string) (*dataset.Set, error) {
	input := w.Net.Input
	set, err := dataset.Open(w.Dataset, dataset.Options{
		Dir: f.data, Split: split, Timesteps: w.Timesteps, Height: input.Height, Width: input.Width,
	})
	if err != nil {
		return nil, usage(err)
	}
	if set.Shape != input || set.Encoding != w.Net.Encoding || set.Classes != w.Net.Classes {
		return nil, usage(errors.Join(set.Close(), fmt.Errorf(
			"%s has %v %s input and %d classes; %s takes %v %s input and has %d: add --dataset %s to fit it",
			set.Name, set.Shape, set.Encoding, set.Classes, w.Name, input, w.Net.Encoding, w.Net.Classes, set.Name)))
	}
	return set, nil
}
