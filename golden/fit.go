package golden

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/accelsim-dev/accelsim/dataset"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/units"
)

// Samples is a set of labelled samples, such as a [dataset.Set].
type Samples interface {
	Len() int
	ReadBatch(indices []int, to *dataset.Batch) error
}

// decayEpochs is after how many epochs the learning rate is halved
// (section 3.1).
const decayEpochs = 20

// FitOptions say how to train on a dataset.
type FitOptions struct {
	Epochs  int
	Samples int // of the training set to use, the first ones; 0: all
	HeldOut int // samples of those to keep for validation, drawn by the seed
	Test    Samples

	TestSamples int // of the test set to use, the first ones; 0: all

	// Progress is called after every batch, Epoch after every epoch, Save after
	// every epoch and every SaveEvery iterations; each may be nil.
	Progress  func(p Position, done, total int)
	Epoch     func(e Epoch) error
	Save      func() error
	SaveEvery int
}

// Position is where training stands.
type Position struct {
	Epoch int // finished epochs
	Next  int // samples of the current epoch that are done

	// Of the current epoch so far.
	Iterations int
	Correct    int
	Losses     []float64 // per block, summed over iterations
}

// Epoch is what an epoch came to. Accuracies are fractions; those of sets that
// were not given are absent.
type Epoch struct {
	Epoch        int       `json:"epoch"`
	LearningRate float64   `json:"learning_rate"`
	Losses       []float64 `json:"losses"` // per block, mean over the epoch
	Train        float64   `json:"train_accuracy"`
	HeldOut      *float64  `json:"held_out_accuracy,omitempty"`
	Test         *float64  `json:"test_accuracy,omitempty"`
	// Seconds is what training took, without tests; 0 of an epoch that another
	// process began.
	Seconds float64 `json:"seconds,omitempty"`
}

// Interrupted says that training stopped because its context was cancelled. What
// was trained has been saved.
type Interrupted struct {
	Position Position
	Samples  int   // of an epoch
	Cause    error // of the context
}

// Error says where.
func (e *Interrupted) Error() string {
	return fmt.Sprintf("%v in epoch %d, after %d of %d samples", e.Cause, e.Position.Epoch+1, e.Position.Next, e.Samples)
}

// Unwrap returns the cause.
func (e *Interrupted) Unwrap() error { return e.Cause }

// Fit trains until o.Epochs are finished, continuing where the trainer stands:
// at the beginning, or where its checkpoint was written. The order of samples
// depends on the seed and the epoch only. If the context is cancelled, it calls
// o.Save and returns an [Interrupted].
func (t *Trainer) Fit(ctx context.Context, train Samples, o FitOptions) error {
	total := train.Len()
	if o.Samples > 0 {
		total = min(total, o.Samples)
	}
	if o.HeldOut < 0 || o.HeldOut >= total {
		return fmt.Errorf("%d samples held out of %d; at least one must stay for training", o.HeldOut, total)
	}
	order := rand.New(rand.NewPCG(t.options.Seed, shuffleStream)).Perm(total)
	heldOut, rest := order[:o.HeldOut], order[o.HeldOut:]
	if t.position.Losses == nil {
		t.position.Losses = make([]float64, len(t.blocks))
	}
	for t.position.Epoch < o.Epochs {
		epoch, err := t.epoch(ctx, train, rest, heldOut, o)
		if err != nil && ctx.Err() != nil {
			return errors.Join(o.save(), &Interrupted{t.position, len(rest), context.Cause(ctx)})
		}
		if err != nil {
			return err
		}
		t.history = append(t.history, epoch)
		t.position = Position{Epoch: epoch.Epoch, Losses: make([]float64, len(t.blocks))}
		if err := o.save(); err != nil {
			return err
		}
		if o.Epoch != nil {
			if err := o.Epoch(epoch); err != nil {
				return err
			}
		}
	}
	return nil
}

// save calls Save, if there is one.
func (o FitOptions) save() error {
	if o.Save == nil {
		return nil
	}
	return o.Save()
}

// epoch trains the rest of the current epoch and tests what came of it.
func (t *Trainer) epoch(ctx context.Context, train Samples, rest, heldOut []int, o FitOptions) (Epoch, error) {
	epoch, err := t.fitEpoch(ctx, train, rest, o)
	if err != nil {
		return epoch, err
	}
	if epoch.HeldOut, err = t.accuracyOf(ctx, train, heldOut); err != nil || o.Test == nil {
		return epoch, err
	}
	testSamples := o.Test.Len()
	if o.TestSamples > 0 {
		testSamples = min(testSamples, o.TestSamples)
	}
	epoch.Test, err = t.accuracyOf(ctx, o.Test, upTo(testSamples))
	return epoch, err
}

func upTo(n int) []int {
	indices := make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	return indices
}

// fitEpoch runs the rest of the current epoch.
func (t *Trainer) fitEpoch(ctx context.Context, train Samples, samples []int, o FitOptions) (Epoch, error) {
	at := &t.position
	rate := math.Ldexp(t.workload.Training.LearningRate, -(at.Epoch / decayEpochs))
	t.SetLearningRate(rate)
	order := make([]int, len(samples))
	for i, j := range rand.New(rand.NewPCG(t.options.Seed, shuffleStream+1+uint64(at.Epoch))).Perm(len(samples)) {
		order[i] = samples[j]
	}
	if at.Next == 0 {
		t.measured = activityCounts{}
	}
	began, whole := time.Now(), at.Next == 0
	err := t.eachBatch(ctx, train, order[at.Next:], func(batch tensors.Batch) error {
		result, err := t.Train(batch)
		if err != nil {
			return err
		}
		t.measure()
		at.Next += len(batch.Y)
		at.Iterations++
		at.Correct += result.Correct
		for b, loss := range result.Losses {
			at.Losses[b] += loss
		}
		if o.Progress != nil {
			o.Progress(*at, at.Next, len(order))
		}
		if o.SaveEvery > 0 && at.Iterations%o.SaveEvery == 0 && at.Next < len(order) {
			return o.save()
		}
		return nil
	})
	e := Epoch{Epoch: at.Epoch + 1, LearningRate: rate, Train: float64(at.Correct) / float64(len(order))}
	if whole {
		e.Seconds = time.Since(began).Seconds()
	}
	for _, loss := range at.Losses {
		e.Losses = append(e.Losses, loss/float64(at.Iterations))
	}
	return e, err
}

// eachBatch calls do with the samples in order, a batch at a time, while the
// next batch is being read, until the context is cancelled.
func (t *Trainer) eachBatch(ctx context.Context, from Samples, order []int, do func(tensors.Batch) error) error {
	type read struct {
		batch *dataset.Batch
		err   error
	}
	batches := make(chan read)
	stop := make(chan struct{})
	defer close(stop)
	free := make(chan *dataset.Batch, 2)
	free <- &dataset.Batch{}
	free <- &dataset.Batch{}
	go func() {
		defer close(batches)
		for first := 0; first < len(order); first += t.batch {
			var r read
			select {
			case r.batch = <-free:
			case <-stop:
				return
			}
			r.err = from.ReadBatch(order[first:min(first+t.batch, len(order))], r.batch)
			select {
			case batches <- r:
			case <-stop:
				return
			}
		}
	}()
	for r := range batches {
		if r.err != nil {
			return r.err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(tensors.Batch{X: r.batch.X, Static: t.input.static, Y: r.batch.Labels}); err != nil {
			return err
		}
		free <- r.batch
	}
	return nil
}

// accuracyOf returns the fraction of samples that are classified right; nil if
// there are none.
func (t *Trainer) accuracyOf(ctx context.Context, from Samples, indices []int) (*float64, error) {
	if len(indices) == 0 {
		return nil, nil
	}
	correct := 0
	err := t.eachBatch(ctx, from, indices, func(batch tensors.Batch) error {
		result, err := t.Predict(batch)
		correct += result.Correct
		return err
	})
	accuracy := float64(correct) / float64(len(indices))
	return &accuracy, err
}

// History returns the finished epochs.
func (t *Trainer) History() []Epoch { return t.history }

// activityCounts count non-zero values of the input and of layers' outputs.
type activityCounts struct {
	nonZero []int64 // [0]: input, [l]: output of layer l
	steps   int64   // samples times T
}

// measure adds the last iteration's counts.
func (t *Trainer) measure() {
	m := &t.measured
	if m.nonZero == nil {
		m.nonZero = make([]int64, len(t.layers)+1)
	}
	for l := range m.nonZero {
		m.nonZero[l] += t.nonZeros(&t.outputOf(l).now)
	}
	m.steps += int64(t.samples * t.workload.Timesteps)
}

// Activity returns the densities measured while training the last epoch: a^0,
// a^l after layer l's pooling, and what each classifier reads.
func (t *Trainer) Activity() (network.Activity, error) {
	if t.measured.steps == 0 {
		return network.Activity{}, fmt.Errorf("no iteration was trained, so no activity was measured")
	}
	var a network.Activity
	for l, n := range t.measured.nonZero {
		d, err := units.Ratio(n, t.measured.steps*int64(t.net.OutputOf(l).Size()))
		if err != nil {
			return a, err
		}
		if l == network.InputLayer {
			a.Input = d
		} else {
			a.Layers = append(a.Layers, d)
		}
	}
	for i := range t.blocks {
		a.Classifiers = append(a.Classifiers, a.Layers[t.blocks[i].Last-1])
	}
	return a, nil
}
