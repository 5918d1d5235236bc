package golden

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/network"
)

// A checkpoint is a magic line, the length of a JSON header (4 bytes, little
// endian), the header, its arrays as little endian float32, and a CRC-32 of
// everything before it.
const (
	checkpointMagic = "ACCELSIM CHECKPOINT 1\n"
	headerLimit     = 1 << 26
)

type checkpointHeader struct {
	Settings   settings       `json:"settings"`
	Position   Position       `json:"position"`
	Iterations int            `json:"iterations"`
	Updates    int            `json:"updates"`
	History    []Epoch        `json:"history"`
	Measured   measuredHeader `json:"measured"`
	Arrays     []arrayHeader  `json:"arrays"`
}

type measuredHeader struct {
	NonZero []int64 `json:"non_zero"`
	Steps   int64   `json:"steps"`
}

type arrayHeader struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

// setting is one of the things that must be the same to continue.
type setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type settings []setting

// SetTraining names what the trainer trains on, so that a checkpoint of other
// data or of another part of it is refused.
func (t *Trainer) SetTraining(dataset string, samples, heldOut int) {
	t.trainingSet = fmt.Sprintf("%s, %d samples, %d held out", dataset, samples, heldOut)
	t.epochSamples = samples - heldOut
}

// settings lists all that the numbers depend on, the network first.
func (t *Trainer) settings() settings {
	w := t.workload
	h := w.Training
	var lists [][]int
	for _, b := range t.Blocks() {
		lists = append(lists, b.Layers())
	}
	list := settings{
		{"network", w.Net.Text},
		{"input", fmt.Sprintf("%v, %s", w.Net.Input, w.Net.Encoding)},
		{"local blocks (n)", fmt.Sprint(lists)},
		{"k", fmt.Sprint(t.k)},
		{"timesteps", fmt.Sprint(w.Timesteps)},
		{"batch", fmt.Sprint(w.Batch)},
		{"classifier", h.Classifier},
		{"loss", h.Loss},
		{"optimizer", h.Optimizer},
		{"learning rate", fmt.Sprint(h.LearningRate)},
		{"momentum", fmt.Sprint(h.Momentum, h.Beta1, h.Beta2, h.Epsilon)},
		{"neuron", fmt.Sprintf("leak %v, reset %v, threshold %v, surrogate width %v", w.Neuron.Leak, w.Neuron.Reset, w.Neuron.Threshold, w.Neuron.SurrogateWidth)},
		{"dropout", fmt.Sprint(t.dropout)},
		{"seed", fmt.Sprint(t.options.Seed)},
		{"initial scale", fmt.Sprint(t.options.InitScale) + t.started},
		{"training set", t.trainingSet},
	}
	if h.Optimizer == network.RMSprop {
		list = append(list, setting{"rho", fmt.Sprint(h.Rho)})
	}
	return append(list, t.beyond()...)
}

// beyond lists what goes beyond Table 2, the paper's neuron and its rule.
func (t *Trainer) beyond() (list settings) {
	w := t.workload
	if len(w.Beyond()) == 0 {
		return nil
	}
	details := sha256.New()
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		fmt.Fprintf(details, "%+v %+v %v %v %v %+v\n", l.Inputs, w.NeuronOf(l), l.Bias, l.BatchNorm, l.Add, l.Pool)
	}
	return settings{
		{"neuron's parts", fmt.Sprintf("%+v", w.Neuron)},
		{"layer's details", fmt.Sprintf("SHA-256 %x", details.Sum(nil)[:8])},
		{"readout", fmt.Sprintf("%q, bias %v", w.Training.Readout, w.Training.ClassifierBias)},
		{"rule", w.Training.Rule.String()},
	}
}

// states calls do with every array that training changes, by name and in a
// fixed order.
func (t *Trainer) states(do func(name string, values []float32)) {
	each := func(s *synapses) {
		do(s.name, s.weights)
		if !s.frozen {
			do(s.name+" momentum", s.first)
		}
		if s.second != nil {
			do(s.name+" second moment", s.second)
		}
	}
	bias := func(p *parameter) {
		if p == nil {
			return
		}
		do(p.name, p.values)
		do(p.name+" momentum", p.first)
		if p.second != nil {
			do(p.name+" second moment", p.second)
		}
	}
	for _, l := range t.layers {
		for _, p := range l.inputs {
			if p.synapses != nil {
				each(p.synapses)
			}
		}
		bias(l.bias)
		if l.feedback != nil {
			each(l.feedback)
		}
		if n := l.norm; n != nil {
			for i, values := range [][]float32{n.gain, n.bias, n.mean, n.variance, n.gainFirst, n.biasFirst, n.gainSecond, n.biasSecond} {
				do(fmt.Sprintf("bn%d array %d", l.Index, i), values)
			}
		}
	}
	for i := range t.blocks {
		each(t.blocks[i].classifier.synapses)
		bias(t.blocks[i].classifier.bias)
	}
}

// WriteCheckpoint writes everything that [Trainer.Fit] needs to continue with
// identical numbers, and no more: the same training writes the same bytes,
// however long it took.
func (t *Trainer) WriteCheckpoint(w io.Writer) error {
	h := checkpointHeader{
		Settings: t.settings(), Position: t.position, Iterations: t.iterations, Updates: t.updates,
		History: withoutSeconds(t.history), Measured: measuredHeader{t.measured.nonZero, t.measured.steps},
	}
	t.states(func(name string, values []float32) { h.Arrays = append(h.Arrays, arrayHeader{name, len(values)}) })
	header, err := json.Marshal(h)
	if err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	to := io.MultiWriter(w, sum)
	start := binary.LittleEndian.AppendUint32([]byte(checkpointMagic), uint32(len(header)))
	if _, err := to.Write(append(start, header...)); err != nil {
		return err
	}
	t.states(func(_ string, values []float32) {
		if err == nil {
			err = binary.Write(to, binary.LittleEndian, values)
		}
	})
	if err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, sum.Sum32())
}

// withoutSeconds leaves out how long epochs took.
func withoutSeconds(history []Epoch) []Epoch {
	timeless := slices.Clone(history)
	for i := range timeless {
		timeless[i].Seconds = 0
	}
	return timeless
}

// ReadCheckpoint continues from a checkpoint of the same network, settings and
// data; others are refused, and so is a file that is cut short or changed.
// After an error the trainer is as before.
func (t *Trainer) ReadCheckpoint(path string) error {
	text, err := t.readCheckpointFile(path)
	if err != nil {
		return err
	}
	at := len(checkpointMagic)
	if len(text) < at+8 {
		return fmt.Errorf("%s: truncated at byte %d", path, len(text))
	}
	length := int(binary.LittleEndian.Uint32(text[at:]))
	at += 4
	if length > headerLimit || len(text) < at+length+4 {
		return fmt.Errorf("%s: byte %d: a header of %d bytes, of which %d are there", path, at-4, length, len(text)-at)
	}
	var h checkpointHeader
	if err := json.Unmarshal(text[at:at+length], &h); err != nil {
		return fmt.Errorf("%s: byte %d: header: %w", path, at, err)
	}
	if err := t.checkSettings(h.Settings); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	at += length
	body := len(text) - 4
	i, size := 0, 0
	t.states(func(name string, values []float32) {
		if err == nil && (i >= len(h.Arrays) || h.Arrays[i].Name != name || h.Arrays[i].Size != len(values)) {
			err = fmt.Errorf("%s: array %s of %d values is missing or of another size", path, name, len(values))
		}
		i++
		size += 4 * len(values)
	})
	switch {
	case err != nil:
		return err
	case body-at != size:
		return fmt.Errorf("%s: truncated or too long: the arrays take %d bytes from byte %d, there are %d", path, size, at, body-at)
	case crc32.ChecksumIEEE(text[:body]) != binary.LittleEndian.Uint32(text[body:]):
		return fmt.Errorf("%s: damaged: the checksum at byte %d does not fit", path, body)
	}
	if err := t.checkProgress(&h); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	t.states(func(_ string, values []float32) {
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(text[at:]))
			at += 4
		}
	})
	turn := func(_ int, s *synapses) { t.turn(s) }
	t.weighted(turn, turn, turn)
	t.position, t.iterations, t.updates, t.history = h.Position, h.Iterations, h.Updates, h.History
	t.measured = activityCounts{h.Measured.NonZero, h.Measured.Steps}
	return nil
}

// readCheckpointFile reads no more than a checkpoint of this network can have.
func (t *Trainer) readCheckpointFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	if start, _ := r.Peek(len(checkpointMagic)); string(start) != checkpointMagic {
		if _, err := r.Peek(1); errors.As(err, new(*fs.PathError)) { // a folder
			return nil, err
		}
		return nil, fmt.Errorf("%s: byte 0: not a checkpoint of accelsim train", path)
	}
	limit := int64(len(checkpointMagic) + 4 + headerLimit + 4)
	t.states(func(_ string, values []float32) { limit += 4 * int64(len(values)) })
	return input.AtMost(r, path, limit)
}

// checkSettings names the first setting that differs.
func (t *Trainer) checkSettings(of settings) error {
	mine := t.settings()
	if len(of) != len(mine) {
		return fmt.Errorf("was written by another version of accelsim")
	}
	for i, s := range mine {
		if of[i].Name != s.Name {
			return fmt.Errorf("was written by another version of accelsim")
		}
		if of[i].Value != s.Value {
			return fmt.Errorf("is a checkpoint with another %s: %s; this run has %s", s.Name, of[i].Value, s.Value)
		}
	}
	return nil
}
