// Package op has the operations of a training step, one file each: what an
// operation is made of on the PE array or its vector lanes, which words of the
// layer buffer that takes, what is counted for it, and, where numbers go
// through the machine, what it computes in floating and in fixed point.
//
// A schedule names operations; the machine executes them by their rows of the
// table and knows none of them. The values that operations work on are a
// [Chip]'s.
package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// Row is what there is to know of an operation. It has a product of the array,
// or passes of the lanes.
type Row struct {
	Nest Nest
	// Stages are the operations that it is cut into where its batch is: a channel's
	// statistics need all samples. Nil for one that goes value by value.
	Stages  []schedule.Op
	Product *Product
	Passes  func(c *Case, to []Pass) []Pass // appends them
	// Float and Fixed compute; nil where there is no unit for it.
	Float, Fixed func(*Chip, *schedule.Step, schedule.Kernel) (Happened, error)
}

// table has a row for every operation.
var table = [schedule.NumOps]*Row{
	schedule.SynapticSum:   &synapticSum,
	schedule.NormForward:   &normForward,
	schedule.Fire:          &fire,
	schedule.Join:          &join,
	schedule.Pool:          &pool,
	schedule.Count:         &count,
	schedule.Loss:          &loss,
	schedule.BackProject:   &backProject,
	schedule.JoinBackward:  &joinBackward,
	schedule.PoolBackward:  &poolBackward,
	schedule.SpatialError:  &spatialError,
	schedule.TemporalError: &temporalError,
	schedule.NormBackward:  &normBackward,
	schedule.Gradient:      &gradient,
	schedule.Optimize:      &optimize,
	schedule.Regenerate:    &regenerate,
	schedule.NormMean:      &normMean,
	schedule.NormVariance:  &normVariance,
	schedule.Normalize:     &normalize,
	schedule.NormGradients: &normGradients,
	schedule.NormErrors:    &normErrors,
	schedule.AddValue:      &addValue,
	schedule.AddBias:       &addBias,
	schedule.SumErrors:     &sumErrors,
	schedule.IdentityError: &identityError,
	schedule.TakeTrace:     &takeTrace,
	schedule.TraceGradient: &traceGradient,
	schedule.FeedBack:      &feedBack,
}

// Of returns an operation's row.
func Of(o schedule.Op) *Row { return table[o] }

// Nest is the loops that an operation goes through: of what a tile has a share.
type Nest uint8

// The nests.
const (
	_              Nest = iota // a row without one has a hole
	OverSynapses               // samples and positions by channels; terms are synapses
	OverErrors                 // samples and a reader's positions by taps; terms are its channels
	OverGradients              // output channels by taps of input channels; terms are positions, sample after sample
	OverNeurons                // the layer's neurons, or pooling neurons
	OverInputs                 // what a projection or classifier reads
	OverParameters             // what the optimizer updates
	OverGenerated              // random weights, as they are needed
)

// Case is what a kernel works on.
type Case struct {
	Workload *network.Workload
	Layer    *network.Layer  // of the kernel; nil for a classifier's
	Synapses *pe.Connection  // of the kernel's layer or classifier
	Reader   *pe.Connection  // through whose weights an error comes
	Neuron   *network.Neuron // of the kernel's layer or classifier
	End      bool            // t = t_k: there is no later error
	Scaled   bool            // what the kernel's projection reads are real numbers
	Neurons  int64           // of the batch, or of a tile
	Pooled   int64           // pooling neurons of them
	Weights  int64           // that the optimizer or a generator goes through one by one
	Inputs   int64           // that the kernel's projection or classifier reads, of the batch, or of a tile
}

// Product is an operation of the PE array.
type Product struct {
	Matrix func(*Case) pe.Matrix
	// Spikes tells that the operand that enters with the terms is the input of the
	// kernel's layer, which gates them.
	Spikes                 bool
	Rows, Columns, Results role.Buffer // of the operands that enter by rows and by columns
	// Events returns, of what a kernel with data executed, the terms that were not
	// gated.
	Events func(Happened) int64
	// Book enters what was executed.
	Book func(Book, pe.Cost, Happened)
}

// Pass is a pass of elements through the vector lanes.
type Pass struct {
	Elements int64
	Operands Operands
	Adds     int64 // of an element, that Eq. 16 covers
	Recipe   pe.Recipe
	Why      schedule.Beyond // of the recipe
}

// Book is where executed operations are counted.
type Book interface {
	// Add enters additions that Eqs. 15 and 16 cover: of so many, as many as the
	// layer's input does not gate; with data that is known.
	Add(slots, executed int64)
	// MAC enters those of Eq. 17.
	MAC(n int64)
	// Beyond enters operations outside the equations, gated in the same way.
	Beyond(why schedule.Beyond, o pe.Op, slots, executed int64)
	// Dense enters operations outside the equations that nothing gates.
	Dense(why schedule.Beyond, o pe.Op, n int64)
	// Multiplied tells that what the kernel's projection reads are real numbers, by
	// which weights are multiplied, and why.
	Multiplied() (why schedule.Beyond, real bool)
}

// Operands are the words that a lane reads and writes for an element, by the
// kind of tensor that they are of.
type Operands struct{ Reads, Writes [role.Buffers]int }

// Total returns the words of all kinds.
func (o Operands) Total() (reads, writes int) {
	for b := range o.Reads {
		reads, writes = reads+o.Reads[b], writes+o.Writes[b]
	}
	return reads, writes
}

type perKind = [role.Buffers]int

const (
	weights   = role.WeightBuffer
	states    = role.StateBuffer
	gradients = role.GradientBuffer
	spikes    = role.SpikeBuffer
)

func plus(a, b pe.Recipe) pe.Recipe {
	for o, n := range b {
		a[o] += n
	}
	return a
}

// neurons is a pass of all neurons.
func neurons(why schedule.Beyond, r pe.Recipe, of Operands) func(*Case, []Pass) []Pass {
	return func(c *Case, to []Pass) []Pass {
		return append(to, Pass{Elements: c.Neurons, Operands: of, Recipe: r, Why: why})
	}
}

// computes is an operation whose work does not depend on its data.
func computes(do func(*Chip, *schedule.Step, schedule.Kernel) error) func(*Chip, *schedule.Step, schedule.Kernel) (Happened, error) {
	return func(d *Chip, s *schedule.Step, k schedule.Kernel) (Happened, error) {
		return Happened{}, do(d, s, k)
	}
}

// Execute runs a kernel on the values on chip.
func (d *Chip) Execute(s *schedule.Step, k schedule.Kernel) (Happened, error) {
	row := Of(k.Op)
	if d.fixed == nil {
		return row.Float(d, s, k)
	}
	if row.Fixed == nil {
		return Happened{}, fmt.Errorf("no fixed-point unit executes %q", k.Op)
	}
	d.fixed.begin(d.now)
	return row.Fixed(d, s, k)
}

// Memory is the DRAM of a functional simulation.
type Memory interface {
	// Values returns the content of a tensor's slot.
	Values(role.Tensor) (*pe.Values, error)
	// Final returns the content of a tensor that must be there after the iteration.
	Final(role.Tensor) (pe.Values, error)
}

// Copy names a tensor on chip by the step that loaded or made it: a step may
// load again what a step before it still uses.
type Copy struct {
	role.Tensor
	Step int64
}

// Coming is the step of a copy on chip that no step has taken yet.
const Coming = 1<<63 - 1
