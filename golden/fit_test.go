package golden

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/accelsim-dev/accelsim/dataset"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// blobs is a toy dataset: a bright square in one of four corners, in noise.
type blobs struct {
	n     int
	shape network.Shape
}

func (s blobs) Len() int { return s.n }

func (s blobs) ReadBatch(indices []int, to *dataset.Batch) error {
	to.X, to.Labels = to.X[:0], to.Labels[:0]
	for _, i := range indices {
		random := rand.New(rand.NewPCG(uint64(i), 3))
		label := i % 4
		to.Labels = append(to.Labels, label)
		for range s.shape.Channels {
			for y := range s.shape.Height {
				for x := range s.shape.Width {
					v := 0.4 * random.Float32()
					if y*2/s.shape.Height == label/2 && x*2/s.shape.Width == label%2 {
						v += 0.6
					}
					to.X = append(to.X, v)
				}
			}
		}
	}
	return nil
}

func blobWorkload(t testing.TB, layers string) (*network.Workload, blobs) {
	t.Helper()
	shape := network.Shape{Channels: 1, Height: 8, Width: 8}
	net, err := network.Parse(layers, shape, network.Direct)
	if err != nil {
		t.Fatal(err)
	}
	w := &network.Workload{
		Name: "blobs", Net: net, Timesteps: 4, Batch: 16,
		Neuron: network.Neuron{Leak: 0.9, Reset: 0.3, Threshold: 0.4, SurrogateWidth: 1},
		Training: network.Training{
			Loss: network.MSE, Optimizer: network.SGD, LearningRate: 0.1, Momentum: 0.9,
			Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Classifier: network.Trainable,
		},
	}
	return w, blobs{200, shape}
}

func newTrainerOrFail(t testing.TB, w *network.Workload, k, n int, o Options) *Trainer {
	t.Helper()
	trainer, err := New(w, k, n, o)
	if err != nil {
		t.Fatal(err)
	}
	return trainer
}

const blobLayers = "6C3-BN-6AP2-20FC-4FC"

func TestTrainingLearns(t *testing.T) {
	for _, c := range []struct {
		optimizer, loss string
		rate, dropout   float64
		k, n            int
	}{
		{network.SGD, network.MSE, 0.1, 0, 4, 2},
		{network.SGD, network.MSE, 0.05, 0.1, 2, 1},
		{network.Adam, network.CrossEntropy, 0.01, 0.1, 4, 1},
	} {
		w, data := blobWorkload(t, blobLayers)
		w.Training.Optimizer, w.Training.Loss, w.Training.LearningRate, w.Dropout = c.optimizer, c.loss, c.rate, c.dropout
		trainer := newTrainerOrFail(t, w, c.k, c.n, Options{Seed: 5})
		if err := trainer.Fit(t.Context(), data, FitOptions{Epochs: 12, HeldOut: 40, Test: data}); err != nil {
			t.Fatal(err)
		}
		last := trainer.History()[11]
		if *last.Test < 0.85 || *last.HeldOut < 0.8 {
			t.Errorf("%v: test accuracy %.2f, held out %.2f after 12 epochs", c, *last.Test, *last.HeldOut)
		}
	}
}

func TestActivityCountsNonZeroValues(t *testing.T) {
	w, data := blobWorkload(t, blobLayers)
	trainer := newTrainerOrFail(t, w, 4, 1, Options{})
	if err := trainer.Fit(t.Context(), data, FitOptions{Epochs: 1}); err != nil {
		t.Fatal(err)
	}
	a, err := trainer.Activity()
	if err != nil {
		t.Fatal(err)
	}
	if a.Input.Float() < 0.9 || len(a.Layers) != 2 || len(a.Classifiers) != 2 {
		t.Fatalf("activity %v", a)
	}
	for l, d := range a.Layers {
		if d.Float() <= 0 || d.Float() >= 1 || a.Classifiers[l] != d {
			t.Errorf("layer %d has density %v, its classifier %v", l+1, d, a.Classifiers[l])
		}
	}
}

func TestTheLearningRateIsHalvedEvery20Epochs(t *testing.T) {
	w, data := blobWorkload(t, "4FC-4FC")
	w.Batch = 200
	trainer := newTrainerOrFail(t, w, 4, 1, Options{})
	if err := trainer.Fit(t.Context(), data, FitOptions{Epochs: 41}); err != nil {
		t.Fatal(err)
	}
	for epoch, want := range map[int]float64{1: 0.1, 20: 0.1, 21: 0.05, 40: 0.05, 41: 0.025} {
		if got := trainer.History()[epoch-1].LearningRate; got != want {
			t.Errorf("epoch %d has learning rate %g, want %g", epoch, got, want)
		}
	}
}

// parametersOf prints all parameters exactly.
func parametersOf(t *testing.T, trainer *Trainer) string {
	text, err := json.Marshal(trainer.Parameters())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// saveCheckpoint writes a checkpoint to a file.
func saveCheckpoint(trainer *Trainer, path string) error {
	var text bytes.Buffer
	return errors.Join(trainer.WriteCheckpoint(&text), os.WriteFile(path, text.Bytes(), 0o600))
}

// The same training writes the same checkpoint, whether it took long or not.
func TestACheckpointHoldsNoTime(t *testing.T) {
	w, data := blobWorkload(t, blobLayers)
	w.Batch = 24
	var texts [2]bytes.Buffer
	for i := range texts {
		trainer := newTrainerOrFail(t, w, 2, 1, Options{Seed: 9})
		options := FitOptions{Epochs: 2, SaveEvery: 5}
		options.Save = func() error { return trainer.WriteCheckpoint(&texts[i]) }
		options.Progress = func(Position, int, int) { time.Sleep(time.Duration(i) * time.Millisecond) }
		if err := trainer.Fit(t.Context(), data, options); err != nil {
			t.Fatal(err)
		}
		if trainer.History()[1].Seconds == 0 {
			t.Error("the trainer itself has to know what an epoch took")
		}
	}
	if !bytes.Equal(texts[0].Bytes(), texts[1].Bytes()) {
		t.Error("the checkpoints of two equal runs differ")
	}
}

// Training that is told to stop saves what it has, wherever that is, and goes on
// from there with the numbers of an uninterrupted run.
func TestTrainingThatIsStoppedIsSaved(t *testing.T) {
	w, data := blobWorkload(t, blobLayers)
	w.Batch, w.Dropout = 24, 0.2
	straight := newTrainerOrFail(t, w, 2, 1, Options{Seed: 9})
	options := FitOptions{Epochs: 2, HeldOut: 20, Test: data}
	if err := straight.Fit(t.Context(), data, options); err != nil {
		t.Fatal(err)
	}
	asked := errors.New("asked to")
	batches := straight.iterations / 2 // of an epoch
	for _, at := range []int{1, batches - 1, batches, batches + 1, 2 * batches} {
		path := filepath.Join(t.TempDir(), "run.ckpt")
		trainer := newTrainerOrFail(t, w, 2, 1, Options{Seed: 9})
		ctx, cancel := context.WithCancelCause(t.Context())
		stopped := options
		stopped.Progress = func(Position, int, int) {
			if trainer.iterations == at {
				cancel(asked)
			}
		}
		saves := 0
		stopped.Save = func() error { saves++; return saveCheckpoint(trainer, path) }
		err := trainer.Fit(ctx, data, stopped)
		var interrupted *Interrupted
		if !errors.As(err, &interrupted) || !errors.Is(err, asked) || trainer.iterations != at || saves == 0 {
			t.Fatalf("batch %d: error %v after %d batches, saved %d times", at, err, trainer.iterations, saves)
		}
		resumed := newTrainerOrFail(t, w, 2, 1, Options{Seed: 9})
		if err := errors.Join(resumed.ReadCheckpoint(path), resumed.Fit(t.Context(), data, options)); err != nil {
			t.Fatal(err)
		}
		if parametersOf(t, resumed) != parametersOf(t, straight) {
			t.Errorf("batch %d: parameters differ after resuming", at)
		}
		for i, e := range straight.History() {
			if r := resumed.History()[i]; e.Train != r.Train || *e.HeldOut != *r.HeldOut || *e.Test != *r.Test {
				t.Errorf("batch %d: epoch %d is %+v, want %+v", at, i+1, r, e)
			}
		}
	}
}

func TestResumingContinuesWithTheSameNumbers(t *testing.T) {
	for _, optimizer := range []string{network.SGD, network.Adam} {
		w, data := blobWorkload(t, blobLayers)
		w.Training.Optimizer, w.Dropout, w.Batch = optimizer, 0.2, 24
		options := FitOptions{Epochs: 3, HeldOut: 20, Test: data}
		straight := newTrainerOrFail(t, w, 2, 1, Options{Seed: 9})
		if err := straight.Fit(t.Context(), data, options); err != nil {
			t.Fatal(err)
		}
		// Stopped in the middle of the second epoch, then at its end.
		path := filepath.Join(t.TempDir(), "run.ckpt")
		killed := errors.New("killed")
		for _, at := range []int{12, 16, 1000} {
			trainer := newTrainerOrFail(t, w, 2, 1, Options{Seed: 9})
			if at > 12 {
				if err := trainer.ReadCheckpoint(path); err != nil {
					t.Fatal(err)
				}
			}
			options.SaveEvery = 3
			options.Save = func() error {
				if err := saveCheckpoint(trainer, path); err != nil {
					return err
				}
				if trainer.iterations >= at {
					return killed
				}
				return nil
			}
			err := trainer.Fit(t.Context(), data, options)
			if at == 1000 {
				if err != nil {
					t.Fatal(err)
				}
				if parametersOf(t, trainer) != parametersOf(t, straight) {
					t.Errorf("%s: parameters differ after resuming", optimizer)
				}
				for i, e := range straight.History() {
					r := trainer.History()[i]
					if e.Train != r.Train || *e.HeldOut != *r.HeldOut || *e.Test != *r.Test || !slices.Equal(e.Losses, r.Losses) {
						t.Errorf("%s: epoch %d is %+v, want %+v", optimizer, i+1, r, e)
					}
				}
				a, _ := straight.Activity()
				b, err := trainer.Activity()
				if err != nil || a.Layers[0] != b.Layers[0] {
					t.Errorf("activity %v (%v), want %v", b, err, a)
				}
			} else if !errors.Is(err, killed) {
				t.Fatalf("not killed: %v", err)
			}
		}
	}
}

// generalBlobs is a network of many parts on the toy dataset.
func generalBlobs(t testing.TB, training string) (*network.Workload, blobs) {
	t.Helper()
	w, err := network.Read([]byte(`
input: {channels: 1, height: 8, width: 8, encoding: direct}
timesteps: 4
batch: 16
layers:
  - {name: a, conv: {out: 6, kernel: 3, bias: true}, pool: {kind: average, window: 2}}
  - {inputs: [{conv: {out: 6, kernel: 3, groups: 2}}, {from: a, identity: true}, {from: self, delay: 1, conv: {kernel: 3}}], norm: batch, neuron: {hard_reset: 0}}
  - {fc: {out: 20}, neuron: {synapse_leak: 0.3, adaptation: {decay: 0.9, strength: 0.1}}}
  - fc: {out: 4}
neuron: {leak: 0.9, reset: 0.3, threshold: 0.4, surrogate: fast-sigmoid, surrogate_width: 1}
training: `+training), "general.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w, blobs{200, w.Net.Input}
}

// Networks and rules of all kinds learn, with and without dropout, and go on from a
// checkpoint as if they had not been stopped.
func TestAnyNetworkLearnsAndResumes(t *testing.T) {
	for _, c := range []struct {
		training string
		dropout  float64
		k, n     int
	}{
		{"{loss: ce, optimizer: adam, learning_rate: 0.01, readout: potential, classifier_bias: true}", 0.1, 4, 3},
		{"{loss: mse, optimizer: sgd, learning_rate: 0.02, rule: {update: iteration, trace: leak}}", 0, 1, 3},
		{"{loss: ce, optimizer: adam, learning_rate: 0.01, readout: current, rule: {feedback: direct-all, backward_steps: 1}}", 0, 2, 2},
	} {
		w, data := generalBlobs(t, c.training)
		w.Dropout = c.dropout
		options := FitOptions{Epochs: 15, HeldOut: 40, Test: data}
		straight := newTrainerOrFail(t, w, c.k, c.n, Options{Seed: 5, InitScale: 2})
		if err := straight.Fit(t.Context(), data, options); err != nil {
			t.Fatal(err)
		}
		if last := straight.History()[14]; *last.Test < 0.85 || *last.HeldOut < 0.8 {
			t.Errorf("%s: test accuracy %.2f, held out %.2f after 15 epochs", c.training, *last.Test, *last.HeldOut)
		}
		path := filepath.Join(t.TempDir(), "run.ckpt")
		stopped := newTrainerOrFail(t, w, c.k, c.n, Options{Seed: 5, InitScale: 2})
		half := options
		half.Epochs = 7
		if err := errors.Join(stopped.Fit(t.Context(), data, half), saveCheckpoint(stopped, path)); err != nil {
			t.Fatal(err)
		}
		resumed := newTrainerOrFail(t, w, c.k, c.n, Options{Seed: 5, InitScale: 2})
		if err := errors.Join(resumed.ReadCheckpoint(path), resumed.Fit(t.Context(), data, options)); err != nil {
			t.Fatal(err)
		}
		if parametersOf(t, resumed) != parametersOf(t, straight) {
			t.Errorf("%s: parameters differ after resuming", c.training)
		}
	}
}

// A checkpoint tells networks apart that their text does not.
func TestCheckpointsOfOtherPartsAreRefused(t *testing.T) {
	training := "{readout: potential, rule: {update: iteration}}"
	w, _ := generalBlobs(t, training)
	path := filepath.Join(t.TempDir(), "run.ckpt")
	trainer := newTrainerOrFail(t, w, 2, 3, Options{})
	trainer.position.Losses = make([]float64, 1)
	if err := saveCheckpoint(trainer, path); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(w *network.Workload){
		"another layer's details": func(w *network.Workload) { w.Net.Layers[1].Neuron.Leak = 0.8 },
		"another neuron's parts":  func(w *network.Workload) { w.Neuron.Surrogate = network.Atan },
		"another readout":         func(w *network.Workload) { w.Training.Readout = network.CurrentReadout },
		"another rule":            func(w *network.Workload) { w.Training.Rule.BackwardSteps = 1 },
	} {
		other, _ := generalBlobs(t, training)
		change(other)
		if err := newTrainerOrFail(t, other, 2, 3, Options{}).ReadCheckpoint(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	started := newTrainerOrFail(t, w, 2, 3, Options{})
	if err := started.StartFrom(trainer.Parameters()); err != nil {
		t.Fatal(err)
	}
	if err := started.ReadCheckpoint(path); err == nil || !strings.Contains(err.Error(), "another initial scale: 1; this run has 1, weights of SHA-256") {
		t.Errorf("error %v of a run that started from other weights", err)
	}
}

func TestCheckpointsOfOtherRunsAreRefused(t *testing.T) {
	w, _ := blobWorkload(t, blobLayers)
	path := filepath.Join(t.TempDir(), "run.ckpt")
	trainer := newTrainerOrFail(t, w, 2, 1, Options{})
	trainer.position.Losses = make([]float64, 2)
	if err := saveCheckpoint(trainer, path); err != nil {
		t.Fatal(err)
	}
	if err := newTrainerOrFail(t, w, 2, 1, Options{}).ReadCheckpoint(path); err != nil {
		t.Errorf("its own: %v", err)
	}
	other, _ := blobWorkload(t, "6C3-6AP2-20FC-4FC")
	slow, _ := blobWorkload(t, blobLayers)
	slow.Training.LearningRate = 0.01
	for want, by := range map[string]*Trainer{
		"another network":       newTrainerOrFail(t, other, 2, 1, Options{}),
		"another local blocks":  newTrainerOrFail(t, w, 2, 2, Options{}),
		"another k":             newTrainerOrFail(t, w, 4, 1, Options{}),
		"another seed":          newTrainerOrFail(t, w, 2, 1, Options{Seed: 3}),
		"another learning rate": newTrainerOrFail(t, slow, 2, 1, Options{}),
	} {
		before := parametersOf(t, by)
		if err := by.ReadCheckpoint(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		if parametersOf(t, by) != before {
			t.Errorf("%s: parameters changed all the same", want)
		}
	}
}

func TestDamagedCheckpointsAreRefused(t *testing.T) {
	w, _ := blobWorkload(t, blobLayers)
	path := filepath.Join(t.TempDir(), "run.ckpt")
	trainer := newTrainerOrFail(t, w, 2, 1, Options{})
	trainer.position.Losses = make([]float64, 2)
	if err := saveCheckpoint(trainer, path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := trainer.ReadCheckpoint(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	for _, n := range []int{0, 5, len(checkpointMagic) + 2, 40, len(whole) / 2, len(whole) - 1} {
		try("truncated", whole[:n])
	}
	for _, at := range []int{0, len(checkpointMagic) + 3, len(checkpointMagic) + 10, len(whole) - 100, len(whole) - 1} {
		text := slices.Clone(whole)
		text[at] ^= 0x55
		try("changed", text)
	}
	try("longer", append(slices.Clone(whole), 0))
}

func TestBadBatchesAreRefused(t *testing.T) {
	w, data := blobWorkload(t, blobLayers)
	trainer := newTrainerOrFail(t, w, 4, 1, Options{})
	var b dataset.Batch
	if err := data.ReadBatch(upTo(4), &b); err != nil {
		t.Fatal(err)
	}
	for want, labels := range map[string][]int{
		"label 4 of sample 2 is out of range": {0, 4, 1, 2},
		"label -1":                            {0, 1, 2, -1},
		"need":                                {0, 1, 2},
		"1 to 16":                             make([]int, 17),
	} {
		batch := dataset.Batch{X: b.X, Labels: labels}
		_, err := trainer.Train(staticBatch(batch))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if err := trainer.Fit(t.Context(), data, FitOptions{Epochs: 1, HeldOut: 200}); err == nil {
		t.Error("all samples held out, and no error")
	}
}

func TestAStepAllocatesNothing(t *testing.T) {
	w, data := blobWorkload(t, blobLayers)
	trainer := newTrainerOrFail(t, w, 4, 1, Options{Workers: 1})
	var b dataset.Batch
	if err := data.ReadBatch(upTo(16), &b); err != nil {
		t.Fatal(err)
	}
	if _, err := trainer.Train(staticBatch(b)); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() {
		trainer.forwardStep(0, 0, 3)
		trainer.backwardStep(0, true)
	}); n > 0 {
		t.Errorf("a step makes %g allocations", n)
	}
}

func staticBatch(b dataset.Batch) tensors.Batch {
	return tensors.Batch{X: b.X, Static: true, Y: b.Labels}
}
