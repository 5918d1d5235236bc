package accuracy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// trainSchema is that of `accelsim train --format json`.
const trainSchema = "accelsim.train/1"

// readTraining reads the result of a training: the test accuracy after the last
// epoch.
func readTraining(text []byte, name string) ([]Row, error) {
	var result struct {
		Schema   string `json:"schema"`
		Settings struct {
			Network    string  `json:"network"`
			Layers     string  `json:"layers"`
			Dataset    string  `json:"dataset"`
			Timesteps  int     `json:"timesteps"`
			K          int     `json:"k"`
			Blocks     [][]int `json:"blocks"`
			Classifier string  `json:"classifier"`
			Rule       string  `json:"rule"`
			Readout    string  `json:"readout"`
			Neuron     struct {
				ConstantReset bool
			} `json:"neuron"`
		} `json:"settings"`
		Epochs []struct {
			Test *json.Number `json:"test_accuracy"`
		} `json:"epochs"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&result); err != nil {
		return nil, fmt.Errorf("%s: is no JSON of a training: %w", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: there is more after the result", name)
	}
	s := result.Settings
	switch {
	case result.Schema != trainSchema:
		return nil, fmt.Errorf("%s: schema %q is not that of a result of accelsim train (%s)", name, result.Schema, trainSchema)
	case len(result.Epochs) == 0 || result.Epochs[len(result.Epochs)-1].Test == nil:
		return nil, fmt.Errorf("%s: has no test accuracy after its last epoch", name)
	}
	fraction := result.Epochs[len(result.Epochs)-1].Test.String()
	v, err := percent(fraction, 2)
	if err != nil {
		return nil, fmt.Errorf("%s: test accuracy %s is not a fraction between 0 and 1", name, fraction)
	}
	r := Row{At: name, Inputs: map[string]string{}, Percent: v, Source: name, Training: &Training{
		s.Network, s.Layers, s.Blocks, Learning{s.Rule, s.Readout, s.Neuron.ConstantReset},
	}}
	for column, value := range map[string]string{
		"dataset": s.Dataset, "timesteps": strconv.Itoa(s.Timesteps), "k": strconv.Itoa(s.K), "classifier": s.Classifier,
	} {
		if value != "" {
			r.Inputs[column] = value
		}
	}
	return []Row{r}, nil
}
